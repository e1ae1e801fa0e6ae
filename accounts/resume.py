"""A form sent after the session has ended is not lost: it waits until the person has logged in again.

It is kept in the session of the same browser, so that nobody can lay a form into somebody else's way, and the
person sends it, with a button: nothing happens by logging in alone.
"""

import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from zsk.middleware import has_session

KEPT = "kept_forms"
KEEP_SECONDS = 30 * 60
MOST_BYTES = 64 * 1024
MOST_FORMS = 3
# Never stored: a form that asks for a password or a code is filled in anew.
SECRET = re.compile(r"passw|code|secret", re.IGNORECASE)
Handler = Callable[[HttpRequest], HttpResponse]


def keep_forms(get_response: Handler) -> Handler:
    """Middleware: where a view sends a form's sender to log in, the way back leads by the kept form."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return get_response(request)
        earlier = set(_kept(request)) if has_session(request) else set()
        response = get_response(request)
        if _leads_to_log_in(request, response):
            if target := keep(request):
                response["Location"] = f"{reverse('accounts:login')}?{urlencode({'next': target})}"
        elif earlier:
            _forget(request, earlier)
        return response

    return answer


def _leads_to_log_in(request: HttpRequest, response: HttpResponse) -> bool:
    if response.status_code != 302:
        return False
    ways_in = {reverse("accounts:login"), "/admin/login/"}
    return urlsplit(response.get("Location", "")).path in ways_in and request.path not in ways_in


def keep(request: HttpRequest) -> str:
    """Keep the form and return the address where it waits; empty if it is none that can be kept.

    The caller has seen to its proof of origin. Files are not kept.
    """
    if request.content_type != "application/x-www-form-urlencoded" or "HX-Request" in request.headers:
        return ""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return ""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    if any(SECRET.search(name) for name, _value in fields):
        return ""
    token = secrets.token_urlsafe(16)
    form = {"at": time.time(), "path": request.get_full_path(), "page": _page(request), "fields": fields}
    newest = list(_kept(request).items())[1 - MOST_FORMS :]
    request.session[KEPT] = dict(newest) | {token: form}
    return reverse("accounts:resume", args=[token])


def _page(request: HttpRequest) -> str:
    """Where the form stood, to go back to it."""
    parts = urlsplit(request.headers.get("Referer", ""))
    page = f"{parts.path}?{parts.query}" if parts.query else parts.path
    is_ours = parts.netloc == request.get_host() and url_has_allowed_host_and_scheme(page, None)
    return page if is_ours else request.get_full_path()


def _kept(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """Forms that still count, by token."""
    oldest = time.time() - KEEP_SECONDS
    kept: dict[str, dict[str, Any]] = request.session.get(KEPT, {})
    return {token: form for token, form in kept.items() if form["at"] > oldest}


def _forget(request: HttpRequest, earlier: set[str]) -> None:
    """What was kept earlier and has been sent now; not what this very request has laid there."""
    path = request.get_full_path()
    request.session[KEPT] = {
        token: form for token, form in _kept(request).items() if token not in earlier or form["path"] != path
    }


def log_out_keeping_forms(request: HttpRequest) -> None:
    """For a session that has ended by itself: what was being typed stays in this browser."""
    kept = request.session.get(KEPT)
    logout(request)
    if kept:
        request.session[KEPT] = kept


@never_cache
@require_safe
@login_required
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """Everyone signed in, in the browser that sent the form."""
    form = _kept(request).get(token)
    if form is None:
        raise Http404
    fields = [field for field in form["fields"] if field[0] != "csrfmiddlewaretoken"]
    return render(request, "accounts/resume.html", {"form": form, "fields": fields})
