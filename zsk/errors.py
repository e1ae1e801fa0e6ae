"""Error pages in the portal's own look: what happened, and what to do next.

400 and 500 are made without the request: what broke it may be the session or the database.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.access import NotHere
from zsk.context import frame


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return HttpResponse(render_to_string("errors/400.html", frame()), status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Names the reason that the view gave, `PermissionDenied("…")`."""
    return render(request, "errors/403.html", {"reason": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A page that one may not see looks like one that is not there; logging in may help.

    Names the reason that the view gave, `NotHere("…")`.
    """
    reason = str(exception) if isinstance(exception, NotHere) else ""
    log_in = f"{reverse('accounts:login')}?{urlencode({'next': request.get_full_path()})}"
    return render(request, "errors/404.html", {"log_in": log_in, "reason": reason}, status=404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    return render(request, "errors/429.html", status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_to_string("errors/500.html", frame()), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose proof of origin is missing or old; the reason is for developers and stays in the log."""
    return render(request, "errors/csrf.html", {"address": request.get_full_path()}, status=403)
