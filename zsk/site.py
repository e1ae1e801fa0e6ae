"""The address of this installation, as it stands in mails and examples."""

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest | None = None) -> str:
    """Without a slash at the end. Behind no `SITE_URL` the request's own; empty where there is neither."""
    if settings.SITE_URL or request is None:
        return str(settings.SITE_URL)
    return request.build_absolute_uri("/").rstrip("/")
