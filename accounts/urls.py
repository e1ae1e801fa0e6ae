from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("anmelden/", views.LogIn.as_view(), name="login"),
    path("abmelden/", views.log_out, name="logout"),
    path("konto/", views.account, name="account"),
    path("konto/passwort/", views.ChangePassword.as_view(), name="password"),
    # Before the admin's own addresses: there is one log-in, with one look and one limit on tries.
    path("admin/login/", views.enter_admin),
    path("admin/logout/", views.log_out),
    path("admin/password_change/", views.ChangePassword.as_view()),
]
