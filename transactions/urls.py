from django.urls import URLPattern, path

from transactions import api

app_name = "transactions"
urlpatterns: list[URLPattern] = [
    path("api/v1/lieferungen", api.DeliveriesView.as_view(), name="api_deliveries"),
    path("api/v1/lieferungen/<uuid:pk>", api.DeliveryView.as_view(), name="api_delivery"),
    path("api/v1/lieferungen/<uuid:pk>/bericht", api.ReportView.as_view(), name="api_report"),
    path("hilfe/fehler/<slug:code>/", api.ReportView.as_view(), name="fault"),
]
