from django.urls import path

from accounts.views import account, kept_mail, log_in

app_name = "accounts"
urlpatterns = [
    path("anmelden/", log_in.LogIn.as_view(), name="login"),
    path("anmelden/notfall/", log_in.EmergencyLogIn.as_view(), name="emergency_login"),
    path("abmelden/", log_in.log_out, name="logout"),
    path("konto/", account.account, name="account"),
    path("demo/post/", kept_mail.kept_mail, name="kept_mail"),
    # Before the admin's own addresses: there is one log-in, with one look and one limit on tries.
    path("admin/login/", log_in.enter_admin),
    path("admin/logout/", log_in.log_out),
    path("admin/password_change/", account.ChangePassword.as_view()),
]
