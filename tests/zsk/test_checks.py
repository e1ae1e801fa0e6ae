"""What the start says of settings that are allowed and hardly meant."""

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks

OURS = "https://zsk.example.org"


def warned(settings: LazySettings, **values: object) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    return [str(found.id) for found in run_checks() if str(found.id).startswith("zsk.")]


@pytest.mark.parametrize(
    ("site", "hosts", "expected"),
    [
        ("", ["zsk.example.org"], ["zsk.W001"]),
        (OURS, ["zsk.example.org"], []),
        (f"{OURS}:8443", ["zsk.example.org"], []),
        (OURS, [".example.org"], []),
        (OURS, ["intern.example.org"], ["zsk.W002"]),
    ],
)
def test_production_is_told_of_links_that_lead_nowhere(
    site: str, hosts: list[str], expected: list[str], settings: LazySettings
) -> None:
    assert warned(settings, PRODUCTION=True, SITE_URL=site, ALLOWED_HOSTS=hosts) == expected


def test_a_demo_is_not(settings: LazySettings) -> None:
    assert warned(settings, PRODUCTION=False, SITE_URL="", ALLOWED_HOSTS=["*"]) == []
