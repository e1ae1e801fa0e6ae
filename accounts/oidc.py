"""Log-in by Keycloak, on top of mozilla-django-oidc.

The library's flow (state, nonce, PKCE, code) is kept; what it leaves open is closed here: who a person is
(`binding.py`), what a token must prove (`tokens.py`), and that every failure is a page.
"""

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
    get_next_url,
)

from accounts import binding, jwks, resume
from accounts.binding import Claims, SomebodyElses
from accounts.invitations import InvitationUnusable
from accounts.jwks import KeycloakUnreachable
from accounts.models import Invitation, User
from accounts.oidc_problems import (
    BROKEN,
    CANCELLED,
    LOCKED,
    STALE,
    UNKNOWN,
    UNREACHABLE,
    LogInFailed,
    problem_page,
    somebody_elses,
    unusable,
)
from accounts.tokens import ALGORITHM, TokenRefused, check_id_token, verified_claims
from zsk.oidc import Provider

BACKEND = "accounts.oidc.KeycloakBackend"
ID_TOKEN = "oidc_id_token"  # noqa: S105 - names of session entries
CHECKED_AT = "oidc_checked_at"
# The id of the invitation whose page was opened last.
INVITATION = "invitation"
logger = logging.getLogger(__name__)


def provider() -> Provider:
    """The one that is configured; without one our addresses do not exist."""
    found: Provider | None = settings.OIDC_PROVIDER
    if found is None:
        raise Http404
    return found


def _setting(name: str, *default: Any) -> Any:
    """What mozilla-django-oidc looks up in the settings."""
    keycloak = provider()
    ours = {
        "OIDC_RP_CLIENT_ID": keycloak.client_id,
        "OIDC_RP_CLIENT_SECRET": keycloak.client_secret,
        "OIDC_RP_SIGN_ALGO": ALGORITHM,
        "OIDC_RP_SCOPES": "openid email profile",
        "OIDC_OP_AUTHORIZATION_ENDPOINT": keycloak.authorization_endpoint,
        "OIDC_OP_TOKEN_ENDPOINT": keycloak.token_endpoint,
        "OIDC_OP_USER_ENDPOINT": keycloak.user_endpoint,
        "OIDC_OP_JWKS_ENDPOINT": keycloak.jwks_endpoint,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "accounts:oidc_callback",
        "OIDC_USE_PKCE": True,
        "OIDC_TIMEOUT": jwks.TIMEOUT,
    }
    return ours[name] if name in ours else import_from_settings(name, *default)


# --- Who somebody is -------------------------------------------------------------------------------


class KeycloakBackend(OIDCAuthenticationBackend):
    """Raises what is in the way, rather than saying only that nobody was found: the person shall read it."""

    get_settings = staticmethod(_setting)
    request: HttpRequest

    def authenticate(
        self, request: HttpRequest, *, nonce: str, code_verifier: str
    ) -> AbstractBaseUser | None:
        """With names of its own, so that a try with a password never gets here."""
        found: AbstractBaseUser | None = super().authenticate(
            request, nonce=nonce, code_verifier=code_verifier
        )
        return found

    def get_user(self, user_id: int) -> User | None:
        """Asked at every request, so a person who is locked is out at once."""
        return User.objects.filter(pk=user_id, is_active=True).first()

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = _ask(super().get_token, payload)
        if not answer.get("id_token") or not answer.get("access_token"):
            raise TokenRefused("no tokens in the answer")
        return answer

    def verify_token(self, token: str, **kwargs: Any) -> Claims:
        keycloak = provider()
        claims = verified_claims(
            token,
            issuer=keycloak.issuer,
            audience=keycloak.client_id,
            jwks_url=keycloak.jwks_endpoint,
        )
        check_id_token(claims, client_id=keycloak.client_id, nonce=kwargs.get("nonce", ""))
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> Claims:
        info = _ask(super().get_userinfo, access_token, id_token, payload)
        if info.get("sub") != payload["sub"]:
            raise TokenRefused("userinfo is about somebody else")
        return info

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """For log-out only, and not yet into the session: who logs in may empty it."""
        self.request.oidc_id_token = id_token  # type: ignore[attr-defined]

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> User:
        claims = {**payload, **self.get_userinfo(access_token, id_token, payload)}
        is_operations = provider().operations_role in _roles(claims)
        person = _person(claims, self.request.session.get(INVITATION), is_operations=is_operations)
        if not person.is_active:
            raise LogInFailed(LOCKED)
        binding.follow_keycloak(person=person, claims=claims, is_operations=is_operations)
        return person


def _ask(call: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """One of the library's calls to Keycloak, with its failures named."""
    try:
        answer = call(*arguments)
    except requests.HTTPError as error:
        raise _refusal(error.response) from error
    except (requests.RequestException, ValueError) as error:
        logger.warning("Keycloak does not answer: %s", type(error).__name__)
        raise KeycloakUnreachable from error
    if not isinstance(answer, dict):
        raise TokenRefused("an answer that is no object")
    return answer


def _refusal(response: requests.Response | None) -> Exception:
    """A code that is old or used is the person's to mend, a wrong secret the operator's."""
    if response is None or response.status_code >= 500:
        return KeycloakUnreachable()
    try:
        code = str(response.json().get("error"))
    except (ValueError, AttributeError):
        code = ""
    logger.warning("Keycloak refuses: %s %s", response.status_code, code[:60])
    return LogInFailed(STALE if code == "invalid_grant" else BROKEN)


def _roles(claims: Claims) -> set[str]:
    """Realm roles and those of our client; a claim is absent where there are none."""
    lists = [claims[name] for name in ("roles", "client_roles") if isinstance(claims.get(name), list)]
    return {role for found in lists for role in found if isinstance(role, str)}


def _person(claims: Claims, invited: int | None, *, is_operations: bool) -> User:
    """By `sub`; somebody unknown comes in by an invitation, or by the role that Keycloak's operator gave.

    Who is known already accepts an invitation on its page, where they see as whom.
    """
    if person := binding.find_person(claims):
        return person
    if invitation := Invitation.objects.filter(pk=invited or 0).first():
        return binding.bind_subject(claims, invitation)
    if is_operations:
        return binding.create_person(claims)
    raise LogInFailed(UNKNOWN)


# --- The way to Keycloak and back ------------------------------------------------------------------


@method_decorator(never_cache, name="dispatch")
class Start(OIDCAuthenticationRequestView):
    """Everyone: on to Keycloak's log-in page, if Keycloak is there."""

    get_settings = staticmethod(_setting)
    silent = False

    def get(self, request: HttpRequest) -> HttpResponseBase:
        target = get_next_url(request, "next") or ""
        if request.user.is_authenticated:
            return redirect(target or settings.LOGIN_REDIRECT_URL)
        try:
            jwks.fetch(provider().jwks_endpoint)
        except KeycloakUnreachable:
            return problem_page(request, UNREACHABLE, target)
        return self.begin(request, target)

    def begin(self, request: HttpRequest, target: str) -> HttpResponseRedirect:
        """Each log-in keeps its own target: several may be under way in tabs of one browser."""
        response: HttpResponseRedirect = super().get(request)
        state = parse_qs(urlsplit(response.url).query)["state"][0]
        request.session["oidc_states"][state] |= {"next": target, "silent": self.silent}
        del request.session["oidc_login_next"]
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        return {"ui_locales": "de", **({"prompt": "none"} if self.silent else {})}


@method_decorator(never_cache, name="dispatch")
class Callback(OIDCAuthenticationCallbackView):
    """Everyone whom Keycloak sends back, after a log-in that began in the same browser."""

    get_settings = staticmethod(_setting)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        provider()
        flow = _take_flow(request)
        target = str(flow.get("next") or "")
        try:
            return self._finish(request, flow, target)
        except KeycloakUnreachable:
            problem = UNREACHABLE
        except TokenRefused as refused:
            logger.error("a token of Keycloak is refused: %s", refused)
            problem = BROKEN
        except InvitationUnusable as refused:
            problem = unusable(refused)
        except SomebodyElses as refused:
            problem = somebody_elses(refused)
        except LogInFailed as failed:
            problem = failed.problem
        if problem is STALE and request.user.is_authenticated:
            return redirect(settings.LOGIN_REDIRECT_URL)
        _keep_id_token(request)
        return problem_page(request, problem, target)

    def _finish(self, request: HttpRequest, flow: dict[str, Any], target: str) -> HttpResponseBase:
        if not flow:
            raise LogInFailed(STALE)
        if error := request.GET.get("error"):
            return _refused(request, error, target, silent=flow["silent"])
        person = authenticate(request, nonce=flow["nonce"], code_verifier=flow["code_verifier"])
        if person is None:
            raise LogInFailed(STALE)
        # Not at a mere check of the session: forms that are open in other tabs would lose their token.
        if request.user != person:
            login(request, person, backend=BACKEND)
        _keep_id_token(request)
        request.session[CHECKED_AT] = time.time()
        invited = request.session.pop(INVITATION, None)
        if Invitation.objects.filter(pk=invited, accepted_by=person).exists():
            messages.success(request, _("Willkommen bei der ZSK. Ihre Einladung ist angenommen."))
            return redirect("/meine/")
        return redirect(target or settings.LOGIN_REDIRECT_URL)


def _take_flow(request: HttpRequest) -> dict[str, Any]:
    """What was noted when this log-in began; good once. Empty if this browser began none."""
    flows = request.session.get("oidc_states") or {}
    flow: dict[str, Any] = flows.pop(request.GET.get("state", ""), {})
    if flow:
        request.session.modified = True
        # Now, not at the end: the same address must not be good again while Keycloak is asked.
        request.session.save()
    return flow


def _keep_id_token(request: HttpRequest) -> None:
    """On the server, for log-out; also of somebody without access here, who may want to leave Keycloak."""
    if token := getattr(request, "oidc_id_token", ""):
        request.session[ID_TOKEN] = token


def _refused(request: HttpRequest, error: str, target: str, *, silent: bool) -> HttpResponseBase:
    if silent:
        resume.log_out_keeping_forms(request)
        return redirect(target or settings.LOGIN_REDIRECT_URL)
    if error == "access_denied":
        raise LogInFailed(CANCELLED)
    # Keycloak's word for a log-in page that was left open for too long.
    if request.GET.get("error_description") == "authentication_expired":
        raise LogInFailed(STALE)
    logger.error("Keycloak sends people back with %s", error[:60])
    raise LogInFailed(UNREACHABLE if error in {"temporarily_unavailable", "server_error"} else BROKEN)
