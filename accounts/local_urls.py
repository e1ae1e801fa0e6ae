"""Pages of local accounts, under the names by which django-allauth looks for them.

These are all of allauth's pages that there are: its own addresses are not included.
"""

from django.urls import path, re_path

from accounts.views import account, log_in, second_factor

urlpatterns = [
    path("anmelden/", log_in.LogIn.as_view(), name="account_login"),
    path("anmelden/code/", log_in.EnterCode.as_view(), name="mfa_authenticate"),
    path("konto/passwort/", account.ChangePassword.as_view(), name="account_change_password"),
    path("konto/bestaetigen/", account.ConfirmPassword.as_view(), name="account_reauthenticate"),
    path("konto/bestaetigen/code/", second_factor.ConfirmCode.as_view(), name="mfa_reauthenticate"),
    path("konto/email/", account.ChangeEmail.as_view(), name="account_email"),
    path("konto/email/<str:key>/", account.ConfirmEmail.as_view(), name="account_confirm_email"),
    path("konto/passwort-vergessen/", account.AskReset.as_view(), name="account_reset_password"),
    path(
        "konto/passwort-vergessen/gesendet/", account.ResetAsked.as_view(), name="account_reset_password_done"
    ),
    path(
        "konto/passwort-vergessen/fertig/",
        account.ResetDone.as_view(),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^konto/passwort-vergessen/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.ResetPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path("konto/zweiter-faktor/", second_factor.Overview.as_view(), name="mfa_index"),
    path("konto/zweiter-faktor/einrichten/", second_factor.Activate.as_view(), name="mfa_activate_totp"),
    path("konto/zweiter-faktor/abschalten/", second_factor.Deactivate.as_view(), name="mfa_deactivate_totp"),
    path(
        "konto/zweiter-faktor/ersatzcodes/",
        second_factor.ShowCodes.as_view(),
        name="mfa_view_recovery_codes",
    ),
    path(
        "konto/zweiter-faktor/ersatzcodes/neu/",
        second_factor.NewCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "konto/zweiter-faktor/ersatzcodes/datei/",
        second_factor.DownloadCodes.as_view(),
        name="mfa_download_recovery_codes",
    ),
]
