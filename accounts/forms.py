"""Forms of log-in and account: allauth's, in our words."""

from typing import TYPE_CHECKING, Any, TypeAlias

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.ways_in import may_use_password

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words: TypeAlias = "str | _StrPromise"
PASSWORD_RULE = _("Mindestens 12 Zeichen. Ein Satz aus mehreren Wörtern ist gut.")
CODE_HINT = _("6 Ziffern aus Ihrer App, oder einer Ihrer Ersatzcodes.")


def _word(form: forms.Form, name: str, label: Words, hint: Words = "") -> None:
    """Label and hint as they stand on our pages; a placeholder would say the label twice."""
    field = form.fields[name]
    field.label, field.help_text = label, hint
    field.widget.attrs.pop("placeholder", None)


def _word_new_password(form: forms.Form) -> None:
    _word(form, "password1", _("Neues Passwort"), PASSWORD_RULE)
    _word(form, "password2", _("Neues Passwort, noch einmal"))


class TwicePassword:
    """Both passwords are the same; said at the second one."""

    def clean(self) -> dict[str, Any]:
        # Not by super(): allauth's mixin would say the same in other words.
        cleaned: dict[str, Any] = forms.Form.clean(self) or {}  # type: ignore[arg-type]
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("Die beiden neuen Passwörter sind nicht gleich."))  # type: ignore[attr-defined]
        return cleaned


class LogInForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self, "login", _("Benutzername oder E-Mail-Adresse"))
        _word(self, "password", _("Passwort"))
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class ChangePasswordForm(TwicePassword, allauth_forms.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self, "oldpassword", _("Bisheriges Passwort"))
        _word_new_password(self)


class AskResetForm(allauth_forms.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self, "email", _("E-Mail-Adresse Ihres Kontos"))


class ResetPasswordForm(TwicePassword, allauth_forms.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_new_password(self)


class ResetTokenForm(allauth_forms.UserTokenForm):
    """A link of somebody who is locked, or who logs in by Keycloak, is as good as none."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        person = self.reset_user
        if person is None or not person.is_active or not may_use_password(person):
            raise get_adapter().validation_error("invalid_password_reset")
        return cleaned


class NewPasswordForm(forms.Form):
    """Asks a person without an account for a password, by the same rules as everywhere."""

    password1 = forms.CharField(
        label=_("Passwort"), help_text=PASSWORD_RULE, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    password2 = forms.CharField(
        label=_("Passwort, noch einmal"), strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean_password1(self) -> str:
        return get_adapter().clean_password(self.cleaned_data["password1"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("Die beiden Passwörter sind nicht gleich."))
        return cleaned


class ChangeEmailForm(allauth_forms.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self, "email", _("Neue E-Mail-Adresse"))


class ConfirmPasswordForm(allauth_forms.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self, "password", _("Passwort"))


def _word_code(form: forms.Form, hint: Words) -> None:
    _word(form, "code", _("Code"), hint)
    form.fields["code"].widget.attrs["inputmode"] = "numeric"


class CodeForm(mfa_forms.AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_code(self, CODE_HINT)


class ConfirmCodeForm(mfa_forms.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_code(self, CODE_HINT)


class ActivateForm(totp_forms.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_code(self, _("6 Ziffern, die Ihre App jetzt zeigt."))
