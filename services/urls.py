from django.urls import URLPattern, path

from services.views import invitations

app_name = "services"
urlpatterns: list[URLPattern] = [
    path("einladung/<str:token>/", invitations.invitation, name="invitation"),
]
