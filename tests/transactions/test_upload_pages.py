"""Choosing a file, the preview in all its states, taking over and throwing away."""

import datetime as dt
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from services.models import OnlineService, ReportingLevel, ServiceMember
from tests.factories import MemberFactory, Personas, ServiceFactory, UserFactory, personas
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    LAST,
    MONTH,
    SAARLAND,
    address,
    content,
    laender,
    page,
    post,
    received,
    signed_in,
    taken_over,
)
from transactions import contents, uploads
from transactions.models import Delivery, DeliveryChunk, TransactionCount
from zsk import formats, months

pytestmark = pytest.mark.django_db
BEFORE = f"{months.shift(LAST, -1):%Y-%m}"
ACTIONS = ("review", "confirm", "discard", "review_report")


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(name="BAföG Digital", published=True, reporting_level=ReportingLevel.LAND)


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


@pytest.fixture
def client(people: Personas) -> Client:
    return signed_in(people.colleague)


@pytest.fixture
def waiting(people: Personas, service: OnlineService) -> Delivery:
    return received(people.colleague, content(service, (HESSEN, MONTH, 1204)))


# --- Who may not -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIONS)
def test_nobody_but_the_uploader_gets_at_an_upload(
    waiting: Delivery, people: Personas, service: OnlineService, name: str
) -> None:
    where = address(name, waiting)
    for method in ("get", "post"):
        answer = getattr(Client(), method)(where)
        assert answer["Location"] == f"/anmelden/?next={where}"
        for other in (people.owner, people.stranger, UserFactory(is_operations=True)):
            assert getattr(signed_in(other), method)(where).status_code in {404, 405}
    assert not TransactionCount.objects.exists()
    assert Delivery.objects.filter(pk=waiting.pk, status=Delivery.Status.WAITING).exists()


def test_changes_need_a_token_and_post(waiting: Delivery, people: Personas) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.colleague)
    for name in ("confirm", "discard"):
        assert strict.post(address(name, waiting)).status_code == 403
        strict.get(address(name, waiting))
    waiting.refresh_from_db()
    assert waiting.status == Delivery.Status.WAITING


def test_without_a_service_there_is_a_next_step_instead_of_a_form(people: Personas) -> None:
    for name in ("deliver", "upload", "mine"):
        said = page(signed_in(people.stranger), reverse(f"transactions:{name}"))
        assert "bei keinem Onlineservice" in said
        assert 'href="/hilfe/kontakt/"' in said
        assert 'type="file"' not in said
    assert post(signed_in(people.stranger), b"x").status_code == 200
    assert not Delivery.objects.exists()


def test_whoever_lost_the_service_cannot_take_over_any_more(people: Personas, service: OnlineService) -> None:
    data = b"ars;monat;anzahl\n060000000000;%s;5\n" % MONTH.encode()
    delivery = received(people.colleague, data, service=service)
    seen = uploads.review(delivery, by=people.colleague).seen
    ServiceMember.objects.filter(user=people.colleague).delete()
    client = signed_in(people.colleague)
    assert client.get(address("review", delivery)).status_code == 403
    assert client.post(address("confirm", delivery), {"gesehen": seen}).status_code == 403
    assert not TransactionCount.objects.exists()


# --- Choosing ----------------------------------------------------------------------------------------


def test_the_only_service_is_chosen_already_and_an_address_chooses_another(
    client: Client, people: Personas, service: OnlineService
) -> None:
    where = reverse("transactions:upload")
    assert f'value="{service.pk}" selected' in page(client, where)
    other = MemberFactory(user=people.colleague).service
    said = page(client, f"{where}?service={other.number}")
    assert f'value="{other.pk}" selected' in said
    assert f'value="{service.pk}" selected' not in said
    assert "selected" not in page(client, f"{where}?service=OS-99999999999999999999").replace(
        'value="" selected', ""
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "Wählen Sie eine Datei aus."),
        ({"file": "text"}, "Wählen Sie eine Datei aus."),
    ],
)
def test_a_missing_file_is_said_above_and_at_the_field(
    client: Client, data: dict[str, Any], message: str
) -> None:
    answer = client.post(reverse("transactions:upload"), data)
    said = answer.content.decode()
    assert answer.status_code == 422
    assert f'<a href="#id_file">{message}</a>' in said
    assert 'id="id_file-fehler"' in said
    assert 'aria-invalid="true"' in said


def test_an_empty_and_a_too_large_file_are_refused_before_reading(
    client: Client, settings: LazySettings
) -> None:
    assert "Die Datei ist leer" in post(client, b"").content.decode()
    settings.MAX_UPLOAD_BYTES = 10
    said = post(client, b"12345678901").content.decode()
    assert "11 Bytes, erlaubt sind 10 Bytes" in said.replace("\xa0", " ")
    assert not Delivery.objects.exists()


def test_a_foreign_service_cannot_be_chosen(client: Client) -> None:
    foreign = ServiceFactory()
    answer = post(client, b"x", service=foreign.pk)
    assert answer.status_code == 422
    assert "dürfen Sie nicht liefern" in answer.content.decode()
    assert not Delivery.objects.exists()


# --- Faults ------------------------------------------------------------------------------------------


def three_faults(service: OnlineService) -> bytes:
    return content(
        service,
        (BAYERN, MONTH, 2231),
        ("60000000000", MONTH, 1204),
        (HESSEN, "13/2026", 1204),
        (SAARLAND, MONTH, "k. A."),
    )


def test_three_faults_in_plain_words_and_nothing_stored(client: Client, service: OnlineService) -> None:
    answer = post(client, three_faults(service))
    delivery = Delivery.objects.get()
    assert answer["Location"] == address("review", delivery)
    assert (delivery.status, delivery.fault_count) == (Delivery.Status.REFUSED, 3)
    assert not TransactionCount.objects.exists()
    said = page(client, address("review", delivery))
    assert "Ihre Datei hat 3 Fehler" in said
    assert "Es wurde nichts gespeichert." in said
    assert "Beheben Sie die 3 Zeilen" in said
    assert "Dem Regionalschlüssel fehlt die führende Null" in said
    assert (
        '<code class="zsk-val zsk-val--ok">060000000000</code><br><span class="zsk-meta">Hessen</span>'
        in said
    )
    assert "Diesen Monat gibt es nicht" in said
    assert "Zeile weglassen oder 0" in said
    for line in (3, 4, 5):
        assert f">{line}</a></th>" in said
    assert f'href="{address("review_report", delivery)}"' in said
    assert 'type="file"' in said
    assert 'href="/hilfe/fehler/ars_fuehrende_null/"' in said


def test_the_address_filters_the_findings(client: Client, people: Personas, service: OnlineService) -> None:
    running = f"{months.running():%Y-%m}"
    data = three_faults(service) + content(service, (HESSEN, running, 3)).split(b"\n", 1)[1]
    where = address("review", received(people.colleague, data))
    everything = page(client, where)
    assert "3 Fehler und 1 Hinweis" in everything
    assert 'href="?feld=ars#h-fehler">ars 1</a>' in everything
    only_ars = page(client, f"{where}?feld=ars")
    assert "führende Null" in only_ars
    assert "Hier steht keine Zahl." not in only_ars
    warnings = page(client, f"{where}?art=hinweis")
    assert "läuft noch" in warnings
    assert "Was auffällt" in warnings
    assert "Was daran falsch ist" not in warnings
    assert "Hier steht keine Zahl." not in warnings
    assert "läuft noch" not in page(client, f"{where}?art=fehler")


def test_twenty_findings_are_shown_and_the_rest_is_in_the_report(
    client: Client, people: Personas, service: OnlineService
) -> None:
    data = content(service, *((HESSEN, MONTH, "x") for _row in range(25)))
    delivery = received(people.colleague, data)
    said = page(client, address("review", delivery))
    assert said.count('id="befund-') == 20
    assert "5 weitere Befunde stehen im Bericht" in said
    report = b"".join(client.get(address("review_report", delivery)))  # type: ignore[arg-type]
    assert report.count(b";fehler;") == 25


def test_a_file_that_is_no_table_says_what_to_do(client: Client, people: Personas) -> None:
    said = page(client, address("review", received(people.colleague, b"%PDF-1.7 etwas")))
    assert "Ihre Datei lässt sich nicht lesen" in said
    assert "eine PDF-Datei. Gelesen werden CSV und XLSX." in said
    assert "So beheben Sie es:" in said
    assert 'type="file"' in said


def test_a_missing_service_column_offers_the_choice_of_a_service(client: Client, people: Personas) -> None:
    MemberFactory(user=people.colleague)
    said = page(client, address("review", received(people.colleague, b"ars;monat;anzahl\n1;2;3\n")))
    assert "Die Spalte onlineservice fehlt" in said
    assert '<select name="service"' in said


# --- Ready -------------------------------------------------------------------------------------------


@pytest.fixture
def stored(people: Personas, service: OnlineService) -> Delivery:
    return taken_over(people.owner, content(service, (HESSEN, BEFORE, 100), (BAYERN, BEFORE, 50)))


def test_the_preview_says_what_would_change_and_stores_nothing(
    client: Client, people: Personas, service: OnlineService, stored: Delivery
) -> None:
    rows = [(HESSEN, BEFORE, 90), (BAYERN, BEFORE, 50), (HESSEN, MONTH, 1204), (BAYERN, MONTH, 2000)]
    delivery = received(people.colleague, content(service, *rows))
    said = page(client, address("review", delivery))
    last, before = formats.month(LAST), formats.month(months.shift(LAST, -1))
    assert "Alles in Ordnung: 4 Zeilen sind bereit" in said
    assert f"kommen 2 Werte für {last} dazu und 1 Wert für {before} ändert sich." in said
    assert "<b>3.204</b>" in said
    assert ">150</td>" in said
    assert "<b>140</b>" in said
    assert ">−10</td>" in said
    assert f"{last}: 2 von 3 Ländern gemeldet," in said
    assert "Saarland fehlt und wird als" in said
    assert "Die Zahlen sind danach sofort öffentlich." in said
    assert TransactionCount.objects.count() == 2


def test_numbers_of_an_unpublished_service_do_not_become_public(people: Personas) -> None:
    hidden = MemberFactory(user=people.colleague).service
    delivery = received(people.colleague, content(hidden, (HESSEN, MONTH, 4)))
    said = page(signed_in(people.colleague), address("review", delivery))
    assert "sofort öffentlich" not in said
    assert "erst, wenn der ZSK-Betrieb veröffentlicht" in said


def test_columns_understood_by_synonyms_are_named_and_are_no_warning(
    client: Client, people: Personas, service: OnlineService
) -> None:
    head = "Service;Regionalschlüssel;monat;anzahl"
    delivery = received(people.colleague, content(service, (HESSEN, MONTH, 1), head=head))
    said = page(client, address("review", delivery))
    assert "Die Spalte „Regionalschlüssel“ wird als „ars“ gelesen." in said
    assert "Hinweis</h2>" not in said


def test_deleted_values_are_counted_and_said(
    client: Client, people: Personas, service: OnlineService, stored: Delivery
) -> None:
    delivery = received(people.colleague, content(service, (HESSEN, BEFORE, "löschen")))
    said = page(client, address("review", delivery))
    assert f"wird 1 Wert für {formats.month(months.shift(LAST, -1))} gelöscht." in said
    assert "gelöscht</dt><dd><b>1</b>" in said


def test_a_file_that_changes_nothing_offers_no_confirmation(
    client: Client, people: Personas, service: OnlineService, stored: Delivery
) -> None:
    delivery = received(people.colleague, content(service, (HESSEN, BEFORE, 100), (BAYERN, BEFORE, 50)))
    said = page(client, address("review", delivery))
    assert "Alle 2 Zeilen sind schon gespeichert" in said
    assert address("confirm", delivery) not in said
    assert address("discard", delivery) in said


def test_a_file_for_many_services_names_them_and_costs_as_much_as_for_few(
    people: Personas, django_assert_max_num_queries: Any
) -> None:
    services = [MemberFactory(user=people.colleague).service for _index in range(30)]
    data = b"\n".join(
        [
            content(services[0]).strip(),
            *(content(each, (HESSEN, MONTH, 7)).split(b"\n")[1] for each in services),
        ]
    )
    delivery = received(people.colleague, data)
    client = signed_in(people.colleague)
    with django_assert_max_num_queries(32):
        said = page(client, address("review", delivery))
    assert "30 Onlineservices" in said
    assert "Dazu kommen 10 weitere Monatssummen." in said


# --- Taking over -------------------------------------------------------------------------------------


def test_confirming_stores_the_numbers_and_says_so(
    client: Client, waiting: Delivery, people: Personas, service: OnlineService
) -> None:
    seen = uploads.review(waiting, by=people.colleague).seen
    answer = client.post(address("confirm", waiting), {"gesehen": seen})
    assert answer["Location"] == waiting.get_absolute_url()
    assert TransactionCount.objects.get().count == 1204
    said = page(client, waiting.get_absolute_url())
    assert "Übernommen: 1 neu." in said
    assert service.get_absolute_url() in said
    assert address("undo", waiting) in said
    for name in ("review", "confirm", "discard"):
        assert client.get(address(name, waiting)).status_code == 302
    assert client.post(address("confirm", waiting), {"gesehen": seen}).status_code == 302
    assert TransactionCount.objects.count() == 1


def test_the_time_of_a_delivery_is_its_confirmation(waiting: Delivery, people: Personas) -> None:
    long_ago = timezone.now() - dt.timedelta(days=3)
    Delivery.objects.filter(pk=waiting.pk).update(received_at=long_ago)
    waiting.refresh_from_db()
    done = uploads.confirm(
        waiting, by=people.colleague, seen=uploads.review(waiting, by=people.colleague).seen
    )
    assert done.received_at - long_ago > dt.timedelta(days=2)


def test_what_changed_since_the_preview_is_shown_before_anything_is_stored(
    client: Client, waiting: Delivery, people: Personas, service: OnlineService
) -> None:
    seen = uploads.review(waiting, by=people.colleague).seen
    taken_over(people.owner, content(service, (HESSEN, MONTH, 1000)))
    answer = client.post(address("confirm", waiting), {"gesehen": seen}, follow=True)
    said = answer.content.decode()
    assert "Seit der Vorschau hat sich der gespeicherte Stand geändert" in said
    assert "1.000" in said
    assert TransactionCount.objects.get().count == 1000
    fresh = uploads.review(waiting, by=people.colleague).seen
    client.post(address("confirm", waiting), {"gesehen": fresh})
    assert TransactionCount.objects.get().count == 1204


def test_faults_that_came_up_since_the_preview_refuse_the_file(
    client: Client, waiting: Delivery, people: Personas, service: OnlineService
) -> None:
    seen = uploads.review(waiting, by=people.colleague).seen
    OnlineService.objects.filter(pk=service.pk).update(reporting_level=ReportingLevel.BUND)
    answer = client.post(address("confirm", waiting), {"gesehen": seen}, follow=True)
    assert "Seit der Vorschau hat sich etwas geändert, jetzt gibt es Fehler" in answer.content.decode()
    assert "Ihre Datei hat 1 Fehler" in answer.content.decode()
    assert not TransactionCount.objects.exists()
    assert Delivery.objects.get().status == Delivery.Status.REFUSED


# --- Throwing away and expiry ------------------------------------------------------------------------


def test_discarding_asks_first_and_leaves_nothing(client: Client, waiting: Delivery) -> None:
    assert "Datei verwerfen?" in page(client, address("discard", waiting))
    assert Delivery.objects.exists()
    answer = client.post(address("discard", waiting), follow=True)
    assert "Verworfen: zahlen.csv." in answer.content.decode()
    assert not Delivery.objects.exists()
    assert not DeliveryChunk.objects.exists()
    for name, method in (("review", client.get), ("confirm", client.post), ("discard", client.post)):
        gone = method(address(name, waiting))
        assert gone.status_code == 404
        assert "Hier wartet nichts von Ihnen" in gone.content.decode()


def test_a_waiting_file_is_offered_again(client: Client, waiting: Delivery) -> None:
    said = page(client, reverse("transactions:deliver"))
    assert "Noch nicht übernommen" in said
    assert address("review", waiting) in said


def test_a_file_that_expired_says_so(client: Client, people: Personas, service: OnlineService) -> None:
    refused = received(people.colleague, three_faults(service))
    contents.expire(now=timezone.now() + dt.timedelta(days=400))
    for name in ("review", "review_report"):
        answer = client.get(address(name, refused))
        assert answer.status_code == 410
        assert "Diese Datei ist nicht mehr da" in answer.content.decode()


def test_a_file_of_too_many_rows_is_refused(
    people: Personas, service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_ROWS", 1)
    delivery = received(people.owner, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 2)))
    assert delivery.status == Delivery.Status.REFUSED
    assert delivery.findings.get().code == "datei_zu_viele_zeilen"
    assert "Die Datei hat 2 Zeilen" in page(signed_in(people.owner), delivery.get_absolute_url())
