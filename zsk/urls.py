"""Root addresses: a flat list of what each room serves."""

from django.contrib import admin
from django.urls import include, path, re_path

from transactions.api import UnknownAddressView
from zsk import errors, health, interface

urlpatterns = [
    path("", include("reports.urls")),
    path("", include("transactions.urls")),
    path("", include("services.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.local_urls")),
    path("", include("zsk.operations.urls")),
    path("", include("zsk.pages")),
    path("api/docs/", interface.docs, name="api_docs"),
    path("api/docs/beispiele/<str:file>", interface.program, name="api_program"),
    path("api/schema/", interface.SchemaView.as_view(), name="api_schema"),
    # Last of all under api/: no page, no redirect to an address with a slash.
    re_path(r"^api/", UnknownAddressView.as_view(), name="api_unknown"),
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
handler400 = interface.or_problem("nicht_lesbar", errors.bad_request)
handler403 = "zsk.errors.forbidden"
handler404 = "zsk.errors.not_found"
handler500 = interface.or_problem("fehler", errors.server_error)
# Looked up by django-allauth, not by Django.
handler429 = "zsk.errors.too_many_requests"
