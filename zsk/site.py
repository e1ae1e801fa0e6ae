"""The address of this installation, as it stands in mails and examples, and that of who asks."""

import json
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest | None = None) -> str:
    """Without a slash at the end. Behind no `SITE_URL` the request's own; empty where there is neither."""
    if settings.SITE_URL or request is None:
        return str(settings.SITE_URL)
    return request.build_absolute_uri("/").rstrip("/")


def local_address() -> str:
    """For a command, which has no request: where there is no `SITE_URL`, that of the demo of this folder."""
    if settings.SITE_URL:
        return str(settings.SITE_URL)
    try:
        # The supervisor notes where its demo runs.
        return str(json.loads((Path(settings.DATA_DIR) / "demo.json").read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return "http://localhost:8000"


def client_address(request: HttpRequest) -> str:
    """Where a request comes from; behind the proxy the last forwarded address, the proxy's own word."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_TLS_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR") or "unknown"
