"""Pages of operations about syncs, and the mails that follow a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_httpserver import HTTPServer

from accounts.models import AuditEntry, OutgoingMail, User
from ozgsync import sources
from ozgsync.models import Leistung, SyncRun
from ozgsync.sync import running
from services import reference_changes
from services.models import ServiceMember
from tests.factories import MemberFactory, ServiceFactory, UserFactory
from zsk.feeds import Feed

pytestmark = pytest.mark.django_db
Status = SyncRun.Status
OLD, NEW = "99000000000001", "99000000000002"


@pytest.fixture
def operator(client: Client) -> User:
    person: User = UserFactory(first_name="Bernd", last_name="Trieb", is_operations=True)
    client.force_login(person)
    return person


def fim(*entries: dict[str, Any], **options: Any) -> SyncRun:
    content = json.dumps({"items": entries, "total_count": len(entries)}).encode()
    return running.run(sources.source("fim"), file="fim.json", content=iter([content]), **options)


def entry(key: str, name: str, **more: Any) -> dict[str, Any]:
    return {"leistungsschluessel": key, "leistungsbezeichnung": name, "typisierung": ["2"], **more}


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("operator")
def test_the_list_shows_sources_runs_and_what_waits(client: Client, settings: Any) -> None:
    assert "Noch kein Lauf" in page(client, "/betrieb/abgleich/")
    fim(entry(OLD, "Alt"))
    settings.SYNC_ASK_ROWS = settings.SYNC_ASK_SHARE = 0
    fim(entry(OLD, "Anders"))
    text = page(client, "/betrieb/abgleich/")
    assert "Ein Lauf wartet." in text
    assert "FIM-Portal: Leistungen" in text
    assert "Ein Abgleich wartet auf Bestätigung" in page(client, "/betrieb/")


@pytest.mark.usefixtures("operator")
def test_a_run_shows_old_and_new_values_and_the_services_concerned(client: Client) -> None:
    fim(entry(OLD, "Alter Name"))
    service = ServiceFactory(name="Antrag online", leistung=Leistung.objects.get(pk=OLD))
    done = fim(entry(OLD, "Neuer Name"))
    text = page(client, f"/betrieb/abgleich/{done.pk}/")
    assert "<del>Alter Name</del> → <ins>Neuer Name</ins>" in text
    assert "Antrag online" in text
    assert service.number in text
    assert "0 neu, 1 geändert, 0 beendet" in text


@pytest.mark.usefixtures("operator")
def test_what_hardly_matters_is_listed_apart(client: Client) -> None:
    Leistung.objects.create(
        schluessel=OLD, name="Alt", types=["2"], name_source="Bundesportal", confidence="x"
    )
    Leistung.objects.create(
        schluessel=NEW, name="Neu", types=["2"], name_source="Bundesportal", confidence="x"
    )
    done = fim(entry(OLD, "Alt"), entry(NEW, "Ganz neu"))
    text = page(client, f"/betrieb/abgleich/{done.pk}/")
    assert "nur Nebensachen 1" in text
    assert OLD not in text
    assert OLD in page(client, f"/betrieb/abgleich/{done.pk}/?nebensache=1")


def test_confirming_is_written_down_and_discarding_changes_nothing(
    client: Client, operator: User, settings: Any
) -> None:
    fim(entry(OLD, "Alt"))
    settings.SYNC_ASK_ROWS = settings.SYNC_ASK_SHARE = 0
    first, second = fim(entry(OLD, "Anders")), fim(entry(OLD, "Ganz anders"))
    client.post(f"/betrieb/abgleich/{second.pk}/verwerfen")
    client.post(f"/betrieb/abgleich/{first.pk}/uebernehmen")
    assert Leistung.objects.get(pk=OLD).name == "Anders"
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.APPLIED, Status.DISCARDED)
    assert first.decided_by == operator.display_name
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["Abgleich verworfen", "hat einen Abgleich bestätigt"]


@pytest.mark.usefixtures("operator")
def test_a_run_that_cannot_be_decided_says_why(client: Client) -> None:
    done = fim(entry(OLD, "Alt"))
    answer = client.post(f"/betrieb/abgleich/{done.pk}/uebernehmen", follow=True)
    assert "Der Lauf ist übernommen; das geht nicht mehr." in answer.content.decode()
    assert not AuditEntry.objects.exists()


@pytest.mark.usefixtures("operator")
def test_rolling_back_asks_first(client: Client) -> None:
    fim(entry(OLD, "Alt"))
    done = fim(entry(OLD, "Anders"))
    assert "Lauf zurücknehmen?" in page(client, f"/betrieb/abgleich/{done.pk}/zuruecknehmen")
    assert Leistung.objects.get(pk=OLD).name == "Anders"
    client.post(f"/betrieb/abgleich/{done.pk}/zuruecknehmen")
    assert Leistung.objects.get(pk=OLD).name == "Alt"


@pytest.mark.usefixtures("operator")
def test_a_failed_run_says_why(client: Client) -> None:
    done = running.run(sources.source("fim"), file="fim.json", content=iter([b"<html>"]))
    text = page(client, f"/betrieb/abgleich/{done.pk}/")
    assert "Warum der Lauf gescheitert ist" in text
    assert "HTML" in text


def test_a_run_is_started_by_hand(
    client: Client, operator: User, httpserver: HTTPServer, settings: Any
) -> None:
    text = "keine Adresse gesetzt"
    assert text in client.post("/betrieb/abgleich/quelle/fim/starten", follow=True).content.decode()
    feed = Feed(httpserver.url_for("").rstrip("/"), "", crontab())
    settings.SYNC_FEEDS = {**settings.SYNC_FEEDS, "fim": feed}
    httpserver.expect_request("/api/v0/leistung-steckbriefe").respond_with_json(
        {"items": [entry(OLD, "Alt")], "total_count": 1}
    )
    client.post("/betrieb/abgleich/quelle/fim/starten")
    done = SyncRun.objects.get()
    assert (done.status, done.actor) == (Status.APPLIED, operator.display_name)
    assert client.post("/betrieb/abgleich/quelle/gibt-es-nicht/starten").status_code == 404


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("number", [3, 60])
def test_the_pages_cost_the_same_for_many_changes(
    client: Client, number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    done = fim(*(entry(f"99{key:012}", f"Leistung {key}") for key in range(number)))
    for address in ("/betrieb/abgleich/", f"/betrieb/abgleich/{done.pk}/"):
        with django_assert_max_num_queries(13):
            page(client, address)


# --- who is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["", "https://zsk.example"])
def test_responsible_people_get_one_mail_about_all_of_their_services(
    site: str, settings: LazySettings
) -> None:
    settings.SITE_URL = site
    fim(entry(OLD, "Hundesteuer"), entry(NEW, "Hundesteuer Festsetzung"))
    reference_changes.tell()
    leistung = Leistung.objects.get(pk=OLD)
    person = UserFactory(email="petra@example.org")
    for name in ("Hund anmelden", "Hund abmelden"):
        service = ServiceFactory(name=name, leistung=leistung)
        MemberFactory(service=service, user=person, role=ServiceMember.Role.RESPONSIBLE)
        MemberFactory(service=service, role=ServiceMember.Role.SUPPLIER)

    fim(
        entry(OLD, "Hundesteuer", gueltig_bis="2026-01-01", nachfolger=[NEW]),
        entry(NEW, "Hundesteuer Festsetzung"),
    )
    assert reference_changes.tell() == 1
    mail = OutgoingMail.objects.get()
    assert mail.recipient == "petra@example.org"
    assert "Hund anmelden" in mail.body
    assert "Hund abmelden" in mail.body
    assert f"Ihr Nachfolger: Hundesteuer Festsetzung ({NEW})." in mail.body
    links = [line for line in mail.body.splitlines() if "/" in line]
    assert all(line.startswith("https://zsk.example/") for line in links)
    assert bool(links) == bool(site)
    assert reference_changes.tell() == 0


def test_a_new_name_is_told_and_other_changes_are_not() -> None:
    fim(entry(OLD, "Hundesteuer"))
    reference_changes.tell()
    service = ServiceFactory(leistung=Leistung.objects.get(pk=OLD))
    MemberFactory(service=service, role=ServiceMember.Role.RESPONSIBLE)
    fim(entry(OLD, "Hundesteuer", typisierung=["4"]))
    assert reference_changes.tell() == 0
    fim(entry(OLD, "Steuer für Hunde"))
    assert reference_changes.tell() == 1
    assert "„Hundesteuer“ heißt jetzt „Steuer für Hunde“" in OutgoingMail.objects.get().body


def test_a_run_that_waits_tells_nobody(settings: Any) -> None:
    fim(entry(OLD, "Hundesteuer"))
    reference_changes.tell()
    MemberFactory(service=ServiceFactory(leistung=Leistung.objects.get(pk=OLD)), role="verantwortlich")
    settings.SYNC_ASK_ROWS = settings.SYNC_ASK_SHARE = 0
    waiting = fim(entry(OLD, "Steuer"))
    assert reference_changes.tell() == 0
    running.confirm(waiting, sources.source("fim"), by="Petra")
    assert reference_changes.tell() == 1
