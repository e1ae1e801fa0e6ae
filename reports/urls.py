from django.urls import path, re_path

from reports.api.evaluation import EvaluationView
from reports.api.lists import LeistungenView, RegionsView, ServicesView
from reports.views import catalogue, data, overview, portals, reforms, regions, search, services

app_name = "reports"
NUMBER = r"(?P<number>[Oo][Ss]-[0-9]{6,18})"
KUERZEL = r"(?P<kuerzel>[-a-zA-Z0-9_]+)"
KIND = r"(?P<kind>csv|xlsx|json|svg)"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("api/v1/onlineservices", ServicesView.as_view(), name="api_services"),
    path("api/v1/regionen", RegionsView.as_view(), name="api_regions"),
    path("api/v1/leistungen", LeistungenView.as_view(), name="api_leistungen"),
    path("api/v1/auswertung", EvaluationView.as_view(), name="api_evaluation"),
    path("onlineservices/", catalogue.catalogue, name="catalogue"),
    re_path(rf"^onlineservices/{NUMBER}/$", services.service, name="service"),
    re_path(rf"^onlineservices/{NUMBER}/verlauf\.{KIND}$", services.curve_file, name="service_curve"),
    re_path(rf"^onlineservices/{NUMBER}/regionen\.{KIND}$", services.regions_file, name="service_regions"),
    path("portale/", portals.portals, name="portals"),
    path("portale/<slug:kuerzel>/", portals.portal, name="portal"),
    re_path(rf"^portale/{KUERZEL}/verlauf\.{KIND}$", portals.curve_file, name="portal_curve"),
    re_path(rf"^portale/{KUERZEL}/onlineservices\.{KIND}$", portals.services_file, name="portal_services"),
    re_path(r"^regionen/(?P<ars>[0-9]{12})/$", regions.region, name="region"),
    path("suche/", search.search, name="search"),
    path("regionen/aenderungen/", reforms.reforms, name="reforms"),
    path("regionen/aenderungen/<path:change_id>/", reforms.reform, name="reform"),
    path("daten/", data.index, name="data"),
    path("daten/vollstaendigkeit/", data.coverage, name="coverage"),
    path("daten/transaktionszahlen.csv", data.counts, name="counts"),
    re_path(rf"^daten/verlauf\.{KIND}$", data.curve, name="curve"),
    re_path(rf"^daten/laender\.{KIND}$", data.laender, name="laender"),
    re_path(rf"^daten/rangfolge\.{KIND}$", data.ranking, name="ranking"),
    re_path(rf"^daten/onlineservices\.{KIND}$", data.services, name="services"),
]
