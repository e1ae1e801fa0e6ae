"""The demo data: plausible, marked as invented, through the same door as everything, and only once."""

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import User
from ozgsync.loading import DATA_DIR, load_reference
from ozgsync.models import Leistung
from services.models import OnlineService
from transactions import contents
from transactions.models import CountRevision, Delivery, ServiceMonth, TransactionCount
from zsk import months
from zsk.demo import LOGINS
from zsk.demo.catalogue import AUTHORITIES, BUNDLES, PORTALS, Rhythm
from zsk.demo.counts import invent, load_places
from zsk.demo.loading import load_demo
from zsk.demo.services import SERVICES

BAFOEG = 123
# Enough of the demo to see every kind of history, small enough for a test.
FEW = [service for service in SERVICES if service.number in {1, 90, BAFOEG, 124, 207}]
FEW += [service for service in SERVICES if service.portal == "hamburg-service" or not service.published]


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Loaded once for all tests of this module, each of which is taken back to here."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_reference()
        assert load_demo(services=FEW)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def demo(loaded: None, db: None, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def months_of(number: int) -> list[dt.date]:
    return list(ServiceMonth.objects.filter(service=number).order_by("month").values_list("month", flat=True))


def test_a_productive_installation_takes_no_demo_data(db: None, settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="Produktivumgebung"):
        call_command("load_demo")
    assert not OnlineService.objects.exists()


def test_every_service_has_a_real_leistung_and_known_owners() -> None:
    with (DATA_DIR / "leistungen.csv").open(encoding="utf-8", newline="") as file:
        real = {row["schluessel"] for row in csv.DictReader(file)}
    authorities = {authority.name for authority in AUTHORITIES}
    assert {service.leistung for service in SERVICES} <= real
    assert {key for bundle in BUNDLES for key in bundle[3]} <= real
    assert {service.authority for service in SERVICES} <= authorities
    assert {service.portal for service in SERVICES} - {""} == {portal.kuerzel for portal in PORTALS}


def test_there_are_some_sixty_services_with_distinct_names_and_numbers() -> None:
    assert 55 <= len(SERVICES) <= 65
    assert max(Counter(service.name for service in SERVICES).values()) == 1
    numbers = Counter(service.number for service in SERVICES if service.number)
    assert max(numbers.values()) == 1
    assert {1, BAFOEG} <= set(numbers)
    assert {service.rhythm for service in SERVICES} == set(Rhythm)


def test_bafoeg_digital_has_three_years_a_gap_a_correction_and_no_saarland(demo: None) -> None:
    reported, last = months_of(BAFOEG), months.last_full()
    assert set(months.span(months.shift(last, -35), last)) - set(reported) <= {
        months.shift(months.running(), -23),
        last,  # before the day of its delivery
    }
    assert TransactionCount.objects.filter(service=BAFOEG, ars="060000000000").exists()
    assert not TransactionCount.objects.filter(service=BAFOEG, ars="100000000000").exists()
    revision = CountRevision.objects.get(service=BAFOEG)
    assert revision.ars_id == "060000000000"
    assert revision.new is not None
    assert revision.new > revision.old
    refused = Delivery.objects.get(status=Delivery.Status.REFUSED)
    assert refused.channel == Delivery.Channel.FILE
    assert set(refused.findings.values_list("code", flat=True)) == {"ars_fuehrende_null"}


def test_the_kinds_of_history_that_overviews_must_show(demo: None) -> None:
    running, last = months.running(), months.last_full()
    never, late, ended = months_of(124), months_of(207), months_of(90)
    assert never == []
    assert max(late) <= months.shift(last, -2)
    assert max(ended) == months.shift(running, -10)
    assert OnlineService.objects.get(pk=90).ended_on is not None
    assert OnlineService.objects.filter(published_at=None).count() == 2
    assert months.shift(running, -21) not in months_of(
        OnlineService.objects.get(name="Sterbefall anzeigen").pk
    )


def test_deliveries_lie_in_the_past_in_the_order_of_their_ids(demo: None) -> None:
    received = list(Delivery.objects.order_by("pk").values_list("received_at", flat=True))
    assert received == sorted(received)
    assert received[-1] <= timezone.now()
    assert set(Delivery.objects.values_list("channel", flat=True)) == {"push", "datei", "formular"}


def test_what_was_sent_lately_can_be_looked_at(demo: None) -> None:
    before = timezone.now() - dt.timedelta(days=settings.FILE_DAYS)
    lately = Delivery.objects.filter(received_at__gt=before)
    assert set(lately.values_list("channel", flat=True)) >= {"push"}
    for delivery in lately.exclude(channel=Delivery.Channel.FORM):
        assert contents.open_content(delivery).read()


def test_what_is_assumed_says_so(demo: None) -> None:
    bafoeg = Leistung.objects.select_related("ozg_leistung").get(pk="99022001017003")
    assert bafoeg.types
    assert bafoeg.ozg_leistung is not None
    assert bafoeg.ozg_leistung.pk.startswith("DEMO-")
    assert "Annahme" in bafoeg.ozg_leistung.name
    assert {table.changed for table in load_reference()} == {0}


def test_the_log_ins_work_and_do_what_they_say(demo: None, client: Client) -> None:
    for login in LOGINS:
        assert client.login(username=login.username, password=login.password)
    petra, miriam, betrieb = (User.objects.get(username=login.username) for login in LOGINS)
    assert OnlineService.objects.editable_by(petra).filter(pk=BAFOEG).exists()
    assert not OnlineService.objects.editable_by(petra).filter(pk=207).exists()
    assert OnlineService.objects.deliverable_by(petra).filter(pk=207).exists()
    assert miriam.portals.get().kuerzel == "serviceportal-hessen"
    assert betrieb.is_operations


def test_a_second_load_keeps_what_is_there(
    demo: None, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = TransactionCount.objects.count(), Delivery.objects.count()
    call_command("load_demo")
    assert "petra.lindner" in (settings.DATA_DIR / "logins.txt").read_text(encoding="utf-8")
    assert (TransactionCount.objects.count(), Delivery.objects.count()) == before
    assert "schon da" in capsys.readouterr().out


def test_a_new_service_gets_a_number_of_its_own(demo: None) -> None:
    highest = max(OnlineService.objects.values_list("pk", flat=True))
    old = OnlineService.objects.get(pk=BAFOEG)
    new = OnlineService.objects.create(name="Neu", leistung=old.leistung, authority=old.authority)
    assert new.pk == highest + 1


def test_the_same_day_gives_the_same_numbers(demo: None) -> None:
    today = timezone.localdate()
    bafoeg = next(service for service in FEW if service.number == BAFOEG)
    first = invent(bafoeg, BAFOEG, load_places(), today=today)
    assert (invent(bafoeg, BAFOEG, load_places(), today=today).counts == first.counts).all()
