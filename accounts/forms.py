"""Log-in and password, in our words."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.utils.translation import gettext_lazy as _

from accounts.throttle import SECONDS, allow_try, forget_tries


class LogInForm(AuthenticationForm):
    """Django's form, with a limit on wrong tries."""

    error_messages = {
        "invalid_login": _(
            "Benutzername oder Passwort stimmt nicht. Achten Sie auf Groß- und Kleinschreibung."
        ),
        "inactive": _("Dieses Konto ist gesperrt. Wenden Sie sich an den ZSK-Betrieb."),
        "too_many": _(
            "Zu viele Versuche. Bitte warten Sie %(minutes)d Minuten und versuchen Sie es dann noch einmal."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Benutzername")
        self.fields["password"].label = _("Passwort")

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if self.request is None or not username:
            return super().clean()
        if not allow_try(self.request, username):
            raise forms.ValidationError(
                self.error_messages["too_many"], code="too_many", params={"minutes": SECONDS // 60}
            )
        cleaned = super().clean()
        forget_tries(self.request, username)
        return cleaned


class ChangePasswordForm(PasswordChangeForm):
    error_messages = {
        "password_incorrect": _("Das bisherige Passwort stimmt nicht."),
        "password_mismatch": _("Die beiden neuen Passwörter sind nicht gleich."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Bisheriges Passwort")
        self.fields["new_password1"].label = _("Neues Passwort")
        self.fields["new_password1"].help_text = _(
            "Mindestens 12 Zeichen. Ein Satz aus mehreren Wörtern ist gut."
        )
        self.fields["new_password2"].label = _("Neues Passwort, noch einmal")
        self.fields["new_password2"].help_text = ""
