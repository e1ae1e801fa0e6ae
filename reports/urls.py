from django.urls import path, re_path

from reports.views import overview, regions

app_name = "reports"
urlpatterns = [
    path("", overview.overview, name="overview"),
    re_path(r"^regionen/(?P<ars>[0-9]{12})/$", regions.region, name="region"),
]
