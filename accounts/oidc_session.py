"""While somebody from Keycloak is signed in, and how the session ends at both ends."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from accounts import jwks, resume
from accounts.jwks import KeycloakUnreachable
from accounts.oidc import BACKEND, CHECKED_AT, ID_TOKEN, Start, provider
from zsk.middleware import has_session

# How often Keycloak is asked whether the session there still lives, and how long forms may be sent meanwhile.
CHECK_SECONDS = 15 * 60
LONGEST_SECONDS = 60 * 60
Handler = Callable[[HttpRequest], HttpResponse]


def logout_url(request: HttpRequest) -> str:
    """Where log-out goes on to, so that it ends the session at Keycloak too; empty if there is none to end.

    Ask before the session is emptied. While Keycloak is down only our session ends.
    """
    token = request.session.get(ID_TOKEN, "")
    if not token or settings.OIDC_PROVIDER is None:
        return ""
    try:
        jwks.fetch(provider().jwks_endpoint)
    except KeycloakUnreachable:
        return ""
    back = request.build_absolute_uri(reverse("accounts:logout"))
    query = {"id_token_hint": token, "post_logout_redirect_uri": back, "client_id": provider().client_id}
    return f"{provider().end_session_endpoint}?{urlencode(query)}"


def check_session(get_response: Handler) -> Handler:
    """Middleware: from time to time Keycloak confirms the session; who was logged out or locked there is out.

    A page asks without being seen (`prompt=none`). A form is let through for a while longer, then kept while
    Keycloak is asked. While Keycloak is down nobody is thrown out.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(
        request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        # Here and not before the view is chosen: a form must have proved its origin before it is kept.
        if not _is_due(request):
            return None
        try:
            jwks.fetch(provider().jwks_endpoint)
        except KeycloakUnreachable:
            return None
        target = request.get_full_path()
        if request.method == "POST":
            target = resume.keep(request) or target
        return Start(silent=True).begin(request, target)

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def _is_due(request: HttpRequest) -> bool:
    if settings.OIDC_PROVIDER is None or not has_session(request) or _goes_on_meanwhile(request):
        return False
    if request.session.get(BACKEND_SESSION_KEY) != BACKEND:
        return False
    age = time.time() - request.session.get(CHECKED_AT, 0)
    return bool(age > (CHECK_SECONDS if request.method == "GET" else LONGEST_SECONDS))


def _goes_on_meanwhile(request: HttpRequest) -> bool:
    """What cannot follow a redirect to a page of Keycloak, and the ways in and out."""
    if request.method not in {"GET", "POST"} or "HX-Request" in request.headers:
        return True
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        return True
    ways = ("accounts:oidc_callback", "accounts:oidc_login", "accounts:logout")
    return request.path.startswith("/api/") or request.path in {reverse(name) for name in ways}
