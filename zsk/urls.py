"""Root addresses: a flat list of what each room serves."""

from django.contrib import admin
from django.urls import include, path

from zsk import health

urlpatterns = [
    path("", include("reports.urls")),
    path("", include("transactions.urls")),
    path("", include("services.urls")),
    path("", include("accounts.urls")),
    path("", include("zsk.pages")),
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
handler400 = "zsk.errors.bad_request"
handler403 = "zsk.errors.forbidden"
handler404 = "zsk.errors.not_found"
handler500 = "zsk.errors.server_error"
