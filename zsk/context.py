"""What every page's frame needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest

from zsk.middleware import has_session
from zsk.navigation import links

if TYPE_CHECKING:
    from accounts.models import User


def page(request: HttpRequest) -> dict[str, Any]:
    """The person signed in (None for the public), their navigation, and the bar at the top."""
    signed_in = person(request)
    return {**frame(), "person": signed_in, "navigation": links(request.path, signed_in)}


def frame() -> dict[str, Any]:
    """The environment's name and whether the numbers are invented; needs no request."""
    return {
        "environment": settings.ENVIRONMENT,
        "synthetic": settings.SYNTHETIC_DATA,
        # Whether mail is not sent but shown at /demo/post/.
        "mail_is_kept": settings.EMAIL_BACKEND == "accounts.kept_mail.Backend",
    }


def person(request: HttpRequest) -> User | None:
    """The person signed in. Without a session cookie the session is not touched: no `Vary: Cookie`."""
    if not has_session(request) or not hasattr(request, "user"):
        return None
    return request.user if request.user.is_authenticated else None
