"""Pages of plain text that an operator fills: Impressum, Datenschutz, Barrierefreiheit, help."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
