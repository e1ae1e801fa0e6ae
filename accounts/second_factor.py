"""The second factor: a code that changes every 30 seconds, and for emergencies codes to write down."""

import base64
import logging
from collections.abc import Callable
from io import BytesIO

import qrcode
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from qrcode.image.svg import SvgPathFillImage

from accounts.models import User
from accounts.ways_in import needs_second_factor
from zsk.context import person

logger = logging.getLogger(__name__)
LOCAL_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# Reachable without a second factor: where one is set up, and the ways out.
OPEN_ROUTES = {
    "mfa_index", "mfa_activate_totp", "account_reauthenticate", "login", "account_login", "logout", "live",
    "ready", "kept_mail",
}  # fmt: skip


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are encrypted with the installation's key: a copy of the database alone gives no codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("Der Code stimmt nicht. Er gilt nur 30 Sekunden, nehmen Sie den neuesten."),
        "cannot_generate_recovery_codes": _("Richten Sie zuerst den zweiten Faktor ein."),
    }

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def build_totp_svg(self, url: str) -> str:
        """On white, so that it can be read in dark mode too."""
        image = qrcode.make(url, image_factory=SvgPathFillImage)
        buffer = BytesIO()
        image.save(buffer)
        return buffer.getvalue().decode()

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """A secret that the key no longer opens becomes one that nobody knows: no code fits."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error("a second factor cannot be read with this SECRET_KEY; it has to be set up anew")
            return generate_totp_secret()


def _cipher() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac("second-factor", "", secret=secret, algorithm="sha256") for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest.digest())) for digest in digests])


Handler = Callable[[HttpRequest], HttpResponse]


def required(get_response: Handler) -> Handler:
    """Middleware: who must have a second factor and has none is led to set it up before anything else.

    People who came by Keycloak are left alone: the second factor is asked for there.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.REQUIRE_SECOND_FACTOR or (match and match.url_name in OPEN_ROUTES):
            return None
        someone = person(request)
        if someone is None or not _lacks_one(request, someone):
            return None
        return redirect(reverse("mfa_activate_totp"))

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def _lacks_one(request: HttpRequest, someone: User) -> bool:
    local = request.session.get(BACKEND_SESSION_KEY) == LOCAL_BACKEND
    return local and needs_second_factor(someone) and not is_mfa_enabled(someone, ["totp"])
