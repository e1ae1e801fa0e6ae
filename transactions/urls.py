"""Addresses of delivering: screens, the push interface, and help on faults."""

from django.urls import URLPattern, path

from transactions import api, api_counts
from transactions.views import deliveries, faults, mine, publication, uploads

app_name = "transactions"
urlpatterns: list[URLPattern] = [
    path("api/v1/lieferungen", api.DeliveriesView.as_view(), name="api_deliveries"),
    path("api/v1/lieferungen/<uuid:pk>", api.DeliveryView.as_view(), name="api_delivery"),
    path("api/v1/lieferungen/<uuid:pk>/bericht", api.ReportView.as_view(), name="api_report"),
    path("api/v1/transaktionszahlen", api_counts.CountsView.as_view(), name="api_counts"),
    path("meine/", mine.mine, name="mine"),
    path("meine/onlineservices.csv", mine.mine_file, name="mine_file"),
    path("liefern/", mine.deliver, name="deliver"),
    path("liefern/datei", uploads.upload, name="upload"),
    path("liefern/<uuid:pk>/", uploads.review, name="review"),
    path("liefern/<uuid:pk>/uebernehmen", uploads.confirm, name="confirm"),
    path("liefern/<uuid:pk>/verwerfen", uploads.discard, name="discard"),
    path("liefern/<uuid:pk>/bericht.csv", uploads.review_report, name="review_report"),
    path("lieferungen/", deliveries.deliveries, name="deliveries"),
    path("lieferungen/<uuid:pk>/", deliveries.delivery, name="delivery"),
    path("lieferungen/<uuid:pk>/bericht.csv", deliveries.delivery_report, name="delivery_report"),
    path("lieferungen/<uuid:pk>/zuruecknehmen", deliveries.undo, name="undo"),
    path("betrieb/veroeffentlichung/", publication.services, name="publication"),
    path("betrieb/veroeffentlichung/veroeffentlichen", publication.publish, name="publish"),
    path("betrieb/veroeffentlichung/zuruecknehmen", publication.withdraw, name="withdraw"),
    path("betrieb/veroeffentlichung/regeln/", publication.rules, name="rules"),
    path("betrieb/veroeffentlichung/regeln/pruefen", publication.review_rules, name="review_rules"),
    path("hilfe/fehler/", faults.faults, name="faults"),
    path("hilfe/fehler/<slug:code>/", faults.fault, name="fault"),
]
