"""Where django-allauth asks how things are done here: words, mails, addresses, and who may log in."""

import logging
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit, mail
from accounts.local import adopt_address
from accounts.models import User
from accounts.ways_in import may_use_password, oidc_configured
from zsk import site

logger = logging.getLogger(__name__)

WRONG_LOG_IN = gettext_lazy(
    "Benutzername, E-Mail-Adresse oder Passwort stimmt nicht. Achten Sie auf Groß- und Kleinschreibung."
)
ERRORS = {
    "account_inactive": gettext_lazy("Dieses Konto ist gesperrt. Wenden Sie sich an den ZSK-Betrieb."),
    "username_password_mismatch": WRONG_LOG_IN,
    "email_password_mismatch": WRONG_LOG_IN,
    "invalid_login": WRONG_LOG_IN,
    "too_many_login_attempts": gettext_lazy(
        "Zu viele Versuche. Bitte warten Sie 15 Minuten und versuchen Sie es dann noch einmal."
    ),
    "rate_limited": gettext_lazy(
        "Zu viele Versuche. Bitte warten Sie 15 Minuten und versuchen Sie es dann noch einmal."
    ),
    "enter_current_password": gettext_lazy("Das bisherige Passwort stimmt nicht."),
    "incorrect_password": gettext_lazy("Das Passwort stimmt nicht."),
    "duplicate_email": gettext_lazy("Das ist schon Ihre E-Mail-Adresse."),
    "invalid_password_reset": gettext_lazy("Dieser Link gilt nicht mehr."),
}
# What allauth wants to tell, by the name of its template; what is not named here goes without saying.
MESSAGES = {
    "account/messages/password_changed.txt": gettext_lazy("Ihr Passwort ist geändert. Es gilt ab sofort."),
    "account/messages/email_confirmation_sent.txt": gettext_lazy(
        "Wir haben eine E-Mail an %(email)s geschickt. Öffnen Sie den Link darin, dann gilt die neue Adresse."
    ),
    "account/messages/email_deleted.txt": gettext_lazy("Die Änderung zu %(email)s ist zurückgenommen."),
    "mfa/messages/totp_activated.txt": gettext_lazy("Der zweite Faktor ist eingerichtet."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("Der zweite Faktor ist abgeschaltet."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy(
        "Hier sind Ihre Ersatzcodes. Bewahren Sie sie sicher auf."
    ),
}
# What happened to an account, by the name of allauth's mail.
NOTICES = {
    "account/email/password_changed": gettext_lazy("Ihr Passwort wurde geändert."),
    "account/email/password_reset": gettext_lazy("Ihr Passwort wurde über „Passwort vergessen“ neu gesetzt."),
    "account/email/email_changed": gettext_lazy("Ihre E-Mail-Adresse wurde geändert."),
    "mfa/email/totp_activated": gettext_lazy("Der zweite Faktor wurde eingerichtet."),
    "mfa/email/totp_deactivated": gettext_lazy("Der zweite Faktor wurde abgeschaltet."),
    "mfa/email/recovery_codes_generated": gettext_lazy("Neue Ersatzcodes wurden erzeugt."),
}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {**DefaultAccountAdapter.error_messages, **ERRORS}

    # --- Who may -----------------------------------------------------------------------------------

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts arise through invitations."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Who may not use a password gets the same answer as with a wrong one; who is locked is told so."""
        found = super().authenticate(request, **credentials)
        if not isinstance(found, User) or not may_use_password(found):
            return None
        if not found.is_active:
            raise self.validation_error("account_inactive")
        return found

    @transaction.atomic
    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        assert isinstance(user, User)  # noqa: S101 (our user model)
        adopt_address(user)
        if oidc_configured():
            audit.record(
                by=user, action=_("Notfall-Anmeldung"), target=user, detail=self.get_client_ip(request)
            )
            logger.warning("break-glass log-in of %s from %s", user.username, self.get_client_ip(request))
        super().login(request, user)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who has just logged in is not asked for the password again."""
        request = self.request
        records = get_authentication_records(request, request.user) if request else []
        if records and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return super().is_reauthentication_required(app=app, **kwargs)

    # --- Limits on tries ---------------------------------------------------------------------------

    def get_client_ip(self, request: HttpRequest) -> str:
        return site.client_address(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Per name and address, so that nobody can lock out somebody who sits elsewhere."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"

    # --- Ways --------------------------------------------------------------------------------------

    def is_safe_url(self, url: str | None) -> bool:
        host = {self.request.get_host()} if self.request else None
        return url_has_allowed_host_and_scheme(url, allowed_hosts=host)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def get_reset_password_from_key_url(self, key: str) -> str:
        uidb36, _dash, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uidb36, "key": token})
        return site.address(self.request) + path

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return site.address(request) + reverse("account_confirm_email", args=[emailconfirmation.key])

    def is_ajax(self, request: HttpRequest) -> bool:
        """Every answer is a page."""
        return False

    # --- Words -------------------------------------------------------------------------------------

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None,
        message_context: dict[str, Any] | None = None, extra_tags: str = "", message: str | None = None,
    ) -> None:  # fmt: skip
        """Only to somebody signed in: on public pages nobody would see it, and it would turn up later."""
        if not request.user.is_authenticated:
            return
        if template := MESSAGES.get(message_template or ""):
            message = str(template) % (message_context or {})
        if message:
            messages.add_message(request, level, message)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        facts = {**context, "site": site.address(self.request), "what": NOTICES.get(template_prefix)}
        name = "account_changed" if facts["what"] else template_prefix.removeprefix("account/email/")
        mail.send(name, to=email, context=facts)

    def send_notification_mail(
        self, template_prefix: str, user: AbstractBaseUser, context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:  # fmt: skip
        if template_prefix in NOTICES:
            super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)
