"""What an operator is told at the start: settings that are allowed and yet hardly meant."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.http.request import validate_host


@register()
def links_have_an_address(**_kwargs: Any) -> list[CheckMessage]:
    """In production: links in mails begin with an address, and somebody answers there."""
    if not settings.PRODUCTION:
        return []
    if not settings.SITE_URL:
        return [
            Warning(
                "SITE_URL fehlt: Mails, die ein Worker verschickt (Erinnerungen, Änderungen bei Leistungen),"
                " haben keine Links.",
                hint="SITE_URL=https://zsk.example.org; siehe docs/operating.md.",
                id="zsk.W001",
            )
        ]
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        return [
            Warning(
                f"SITE_URL nennt {host}, ALLOWED_HOSTS nicht: Links in Mails führen vielleicht ins Leere.",
                hint="Nehmen Sie den Namen in ALLOWED_HOSTS auf.",
                id="zsk.W002",
            )
        ]
    return []
