"""`manage.py create_credential`: prints a working key once, and says clearly what is wrong."""

import datetime as dt
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from ozgsync.models import GERMANY
from services.credentials import verify_api_key
from services.models import Credential, OnlineService, ReportingLevel
from tests.factories import PortalFactory, ServiceFactory, germany, kreis, land
from zsk import months

pytestmark = pytest.mark.django_db
KEY = re.compile(r"zsk_[a-z0-9]+_[\w-]{43}")


def run(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("create_credential", *args, name="Test", stdout=out, **options)
    return out.getvalue()


def sample_row(output: str) -> dict[str, Any]:
    body = re.search(r"-d '(.+)'", output)
    assert body
    return json.loads(body[1])["zeilen"][0]


@pytest.mark.parametrize("number", ["OS-999999", "999", "BAföG", "OS-1", "OS-" + "9" * 18])
def test_an_unknown_number_is_named(number: str) -> None:
    with pytest.raises(CommandError, match=number):
        run(number)


def test_an_unknown_portal_is_answered_with_the_known_ones() -> None:
    PortalFactory(kuerzel="bundesportal")
    with pytest.raises(CommandError, match="bundesportal"):
        run(portal="nirgendwo")


def test_neither_or_both_owners_are_refused() -> None:
    portal, service = PortalFactory(), ServiceFactory()
    with pytest.raises(CommandError, match="entweder"):
        run()
    with pytest.raises(CommandError, match="entweder"):
        run(service.number, portal=portal.kuerzel)


@pytest.mark.parametrize("day", ["31.01.2027", "2020-01-31", "morgen"])
def test_an_unusable_day_of_expiry_is_refused(day: str) -> None:
    with pytest.raises(CommandError, match="--expires"):
        run(ServiceFactory().number, expires=day)


def test_too_many_keys_are_an_error_and_no_stack_trace() -> None:
    service = ServiceFactory()
    run(service.number)
    run(service.number)
    with pytest.raises(CommandError, match="zwei gültige"):
        run(service.number)


def test_the_printed_key_works() -> None:
    service = ServiceFactory()
    output = run(service.number)
    keys = set(KEY.findall(output))
    assert len(keys) == 1
    assert verify_api_key(keys.pop()).service == service


def test_the_key_holds_until_the_end_of_its_last_day() -> None:
    today = timezone.localdate()
    found = KEY.search(run(ServiceFactory().number, expires=today.isoformat()))
    assert found
    expires = verify_api_key(found[0]).expires_at
    assert expires is not None
    assert timezone.localtime(expires).date() == today + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (ReportingLevel.BUND, GERMANY),
        (ReportingLevel.LAND, "060000000000"),
        (ReportingLevel.KREIS, "064350000000"),
        (ReportingLevel.MIXED, GERMANY),
    ],
)
def test_the_sample_row_fits_the_reporting_level(level: ReportingLevel, expected: str) -> None:
    germany(), land(), kreis()
    service = ServiceFactory(reporting_level=level)
    row = sample_row(run(service.number))
    assert row["onlineservice"] == service.number
    assert row["ars"] == expected
    assert row["monat"] == f"{months.last_full():%Y-%m}"


def test_the_sample_row_lies_in_the_services_area() -> None:
    land(), kreis()
    bavaria, munich = land("090000000000", "Bayern"), kreis("091840000000", "München")
    service: OnlineService = ServiceFactory(reporting_level=ReportingLevel.KREIS)
    service.area.add(bavaria)
    assert sample_row(run(service.number))["ars"] == munich.ars


def test_the_command_goes_to_where_the_demo_runs(settings: Settings, tmp_path: Path) -> None:
    settings.SITE_URL, settings.DATA_DIR = "", tmp_path
    service = ServiceFactory()
    assert "curl -X POST http://localhost:8000/api/v1/lieferungen" in run(service.number)
    (tmp_path / "demo.json").write_text('{"pid": 1, "url": "http://localhost:8308", "children": {}}')
    assert "curl -X POST http://localhost:8308/api/v1/lieferungen" in run(service.number)
    settings.SITE_URL = "https://zsk.example"
    Credential.objects.all().delete()
    assert "curl -X POST https://zsk.example/api/v1/lieferungen" in run(service.number)


def test_a_portals_sample_names_one_of_its_services() -> None:
    land()
    portal = PortalFactory()
    service = ServiceFactory(portal=portal)
    ServiceFactory()
    assert sample_row(run(portal=portal.kuerzel))["onlineservice"] == service.number
