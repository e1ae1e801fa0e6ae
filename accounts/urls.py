from django.urls import path

from accounts import oidc, resume
from accounts.views import account, kept_mail, landing, log_in

app_name = "accounts"
urlpatterns = [
    path("anmelden/", log_in.LogIn.as_view(), name="login"),
    path("anmelden/notfall/", log_in.EmergencyLogIn.as_view(), name="emergency_login"),
    path("abmelden/", log_in.log_out, name="logout"),
    path("anmelden/keycloak/", oidc.Start.as_view(), name="oidc_login"),
    path("anmelden/keycloak/zurueck/", oidc.Callback.as_view(), name="oidc_callback"),
    path("anmelden/weiter/<str:token>/", resume.resume, name="resume"),
    path("landing/", landing.landing, name="landing"),
    path("landing/register", landing.register, name="landing_register"),
    path("landing/register/gesendet", landing.sent, name="landing_sent"),
    path("landing/bestaetigen/<str:token>/", landing.confirm, name="landing_confirm"),
    path("landing/antrag/<uuid:pk>/", landing.status, name="landing_status"),
    path("konto/", account.account, name="account"),
    path("konto/erinnerungen", account.reminders, name="reminders"),
    path("demo/post/", kept_mail.kept_mail, name="kept_mail"),
    # Before the admin's own addresses: there is one log-in, with one look and one limit on tries.
    path("admin/login/", log_in.enter_admin),
    path("admin/logout/", log_in.log_out),
    path("admin/password_change/", account.ChangePassword.as_view()),
]
