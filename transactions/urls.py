"""Addresses of delivering: screens, the push interface, and help on faults."""

from django.urls import URLPattern, path

from transactions import api, api_counts
from transactions.views import (
    blanks,
    completeness,
    deliveries,
    faults,
    form,
    lists,
    mine,
    nothing,
    publication,
    quality,
    uploads,
    values,
)
from zsk.kinds import CSV, XLSX

app_name = "transactions"
SERVICE = "meine/onlineservices/<str:number>/"
PORTAL = "meine/portale/<slug:kuerzel>/"
urlpatterns: list[URLPattern] = [
    path("api/v1/lieferungen", api.DeliveriesView.as_view(), name="api_deliveries"),
    path("api/v1/lieferungen/<uuid:pk>", api.DeliveryView.as_view(), name="api_delivery"),
    path("api/v1/lieferungen/<uuid:pk>/bericht", api.ReportView.as_view(), name="api_report"),
    path("api/v1/transaktionszahlen", api_counts.CountsView.as_view(), name="api_counts"),
    path("meine/", mine.mine, name="mine"),
    path("meine/onlineservices.csv", mine.mine_file, name="mine_file"),
    path("liefern/", mine.deliver, name="deliver"),
    path("liefern/datei", uploads.upload, name="upload"),
    path("liefern/formular", form.form, name="form"),
    path("liefern/vorlage", blanks.choose, name="blank"),
    path("liefern/vorlage.xlsx", blanks.file, {"kind": XLSX}, name="blank_xlsx"),
    path("liefern/vorlage.csv", blanks.file, {"kind": CSV}, name="blank_csv"),
    path("liefern/<uuid:pk>/", uploads.review, name="review"),
    path("liefern/<uuid:pk>/uebernehmen", uploads.confirm, name="confirm"),
    path("liefern/<uuid:pk>/abbrechen", uploads.cancel, name="cancel"),
    path("liefern/<uuid:pk>/verwerfen", uploads.discard, name="discard"),
    path("liefern/<uuid:pk>/bericht", uploads.review_report, name="review_report"),
    path("lieferungen/", lists.deliveries, name="deliveries"),
    path("lieferungen.csv", lists.deliveries, {"as_file": True}, name="deliveries_file"),
    path(f"{SERVICE}lieferungen", lists.of_service, name="service_deliveries"),
    path(f"{SERVICE}lieferungen.csv", lists.of_service, {"as_file": True}, name="service_deliveries_file"),
    path(f"{PORTAL}lieferungen", lists.of_portal, name="portal_deliveries"),
    path(f"{PORTAL}lieferungen.csv", lists.of_portal, {"as_file": True}, name="portal_deliveries_file"),
    path(f"{SERVICE}zahlen/<str:month>/", values.month_values, name="month_values"),
    path(
        f"{SERVICE}zahlen/<str:month>.csv", values.month_values, {"as_file": True}, name="month_values_file"
    ),
    path(f"{SERVICE}keine-transaktionen", nothing.no_transactions, name="nothing"),
    path("meine/vollstaendigkeit/", completeness.mine, name="my_completeness"),
    path("meine/vollstaendigkeit.csv", completeness.mine, {"as_file": True}, name="my_completeness_file"),
    path(f"{PORTAL}vollstaendigkeit", completeness.of_portal, name="portal_completeness"),
    path(
        f"{PORTAL}vollstaendigkeit.csv",
        completeness.of_portal,
        {"as_file": True},
        name="portal_completeness_file",
    ),
    path("betrieb/vollstaendigkeit/", completeness.of_all, name="completeness"),
    path("betrieb/vollstaendigkeit.csv", completeness.of_all, {"as_file": True}, name="completeness_file"),
    path("lieferungen/<uuid:pk>/werte/", values.delivery_values, name="delivery_values"),
    path(
        "lieferungen/<uuid:pk>/werte.csv",
        values.delivery_values,
        {"as_file": True},
        name="delivery_values_file",
    ),
    path("lieferungen/<uuid:pk>/", deliveries.delivery, name="delivery"),
    path("lieferungen/<uuid:pk>/bericht", deliveries.delivery_report, name="delivery_report"),
    path("lieferungen/<uuid:pk>/zuruecknehmen", deliveries.undo, name="undo"),
    path("betrieb/veroeffentlichung/", publication.services, name="publication"),
    path("betrieb/veroeffentlichung/veroeffentlichen", publication.publish, name="publish"),
    path("betrieb/veroeffentlichung/zuruecknehmen", publication.withdraw, name="withdraw"),
    path("betrieb/veroeffentlichung/regeln/", publication.rules, name="rules"),
    path("betrieb/veroeffentlichung/regeln/pruefen", publication.review_rules, name="review_rules"),
    path("betrieb/qualitaet/", quality.cases, name="quality"),
    path("betrieb/qualitaet/<uuid:pk>/", quality.case, name="quality_case"),
    path("betrieb/monate/", quality.closed_months, name="months"),
    path("betrieb/monate/<slug:month>/abschliessen", quality.close, name="month_close"),
    path("betrieb/monate/<slug:month>/oeffnen", quality.reopen, name="month_reopen"),
    path("hilfe/dateiformat/schema.json", faults.file_schema, name="file_schema"),
    path("hilfe/fehler/", faults.faults, name="faults"),
    path("hilfe/fehler/<slug:code>/", faults.fault, name="fault"),
]
