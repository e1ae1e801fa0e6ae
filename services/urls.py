from django.urls import URLPattern, path

from services import accepting

app_name = "services"
urlpatterns: list[URLPattern] = [
    path("einladung/<str:token>/", accepting.invitation, name="invitation"),
]
