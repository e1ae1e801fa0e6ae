"""The form: who may, what it shows, faults at the fields, pasting, limits, and its way into the data."""

import datetime as dt
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from services.models import OnlineService, ReportingLevel, ServiceMember
from tests.factories import MemberFactory, Personas, RegionFactory, ServiceFactory, kreis, personas
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    LAST,
    SAARLAND,
    address,
    content,
    laender,
    page,
    signed_in,
    taken_over,
)
from transactions import closing, contents, grid
from transactions.models import Delivery, FormEntry, TransactionCount
from zsk import formats, months

pytestmark = pytest.mark.django_db
FORM = reverse("transactions:form")
RUNNING = months.running()
BEFORE = months.shift(LAST, -1)


class Fields(HTMLParser):
    """What a browser would send of the form's page, without its buttons."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.area = self.choice = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, kind = found.get("name") or "", found.get("type") or "text"
        if tag == "input" and name and kind in ("text", "hidden", "search"):
            self.sent.setdefault(name, []).append(found.get("value") or "")
        elif tag == "textarea":
            self.area = name
            self.sent[name] = [""]
        elif tag == "select":
            self.choice = name
        elif tag == "option" and "selected" in found:
            self.sent[self.choice] = [found["value"] or ""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area][0] += data


def cell(ars: str, month: dt.date = LAST) -> str:
    return f"z-{ars}-{month:%Y-%m}"


def send(client: Client, shown: Any, button: str = "pruefen", **values: Any) -> Any:
    """The page's form as a browser sends it, with these values in place of its own."""
    data: dict[str, Any] = Fields(shown.content.decode()).sent
    return client.post(FORM, {**data, **values, button: "1"})


def typed(ars: str, text: str, month: dt.date = LAST) -> dict[str, str]:
    return {cell(ars, month): text}


def said(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


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
def stored(people: Personas, service: OnlineService) -> Delivery:
    data = content(service, (HESSEN, f"{BEFORE:%Y-%m}", 100), (BAYERN, f"{BEFORE:%Y-%m}", 0))
    return taken_over(people.owner, data)


def opened(client: Client, service: OnlineService, query: str = "") -> Any:
    answer = client.get(f"{FORM}?service={service.number}{query}")
    assert answer.status_code == 200
    return answer


def waiting(client: Client, service: OnlineService, **values: str) -> Delivery:
    """A form that was filled in and waits for confirmation."""
    answer = send(client, opened(client, service), **values)
    assert answer.status_code == 302, said(answer)
    return Delivery.objects.get(pk=answer["Location"].split("/")[2])


def confirm(client: Client, delivery: Delivery, **more: str) -> Any:
    shown = client.get(address("review", delivery))
    seen = Fields(shown.content.decode()).sent["gesehen"][0]
    return client.post(address("confirm", delivery), {"gesehen": seen, **more})


# --- Who may not -------------------------------------------------------------------------------------


def test_only_who_may_deliver_gets_the_form(service: OnlineService, people: Personas) -> None:
    where = f"{FORM}?service={service.number}"
    assert Client().get(where)["Location"].startswith("/anmelden/")
    assert signed_in(people.stranger).get(where).status_code == 403
    assert signed_in(people.stranger).post(FORM, {"service": service.number}).status_code == 403
    for number in ("OS-999999", "x", "OS-99999999999999999999"):
        assert signed_in(people.owner).get(FORM, {"service": number}).status_code == 404
    assert "bei keinem Onlineservice" in page(signed_in(people.stranger), FORM)


def test_what_was_typed_is_nobody_elses(client: Client, people: Personas, service: OnlineService) -> None:
    delivery = waiting(client, service, **typed(HESSEN, "5"))
    again = f"{FORM}?lieferung={delivery.pk}"
    assert client.get(again).status_code == 200
    for other in (people.owner, people.stranger):
        assert signed_in(other).get(again).status_code == 404
    assert client.get(f"{FORM}?lieferung=unsinn").status_code == 404
    ServiceMember.objects.filter(user=people.colleague).delete()
    assert client.get(again).status_code == 403


def test_another_persons_waiting_form_is_not_thrown_away(
    client: Client, people: Personas, service: OnlineService
) -> None:
    delivery = waiting(client, service, **typed(HESSEN, "5"))
    owner = signed_in(people.owner)
    send(owner, opened(owner, service), lieferung=str(delivery.pk), **typed(HESSEN, "6"))
    assert Delivery.objects.filter(pk=delivery.pk).exists()


# --- What it shows -----------------------------------------------------------------------------------


def test_of_several_services_one_is_chosen_and_the_only_one_is_straight_in(
    client: Client, people: Personas, service: OnlineService
) -> None:
    assert "BAföG Digital" in said(client.get(FORM))
    assert 'name="spalten"' in said(client.get(FORM))
    other = MemberFactory(user=people.colleague, service__name="Wohngeld").service
    choice = said(client.get(FORM))
    assert f"{FORM}?service={other.number}" in choice
    assert 'name="spalten"' not in choice
    found = said(client.get(FORM, {"q": "wohn"}))
    assert "Wohngeld" in found
    assert "BAföG" not in found
    assert "Kein Onlineservice gefunden" in said(client.get(FORM, {"q": "gibt es nicht"}))


def test_missing_months_and_the_running_one_beside_the_regions_reported_last(
    client: Client, service: OnlineService, stored: Delivery
) -> None:
    fields = Fields(opened(client, service).content.decode()).sent
    assert fields["spalten"] == [f"{LAST:%Y-%m} {RUNNING:%Y-%m}"]
    assert [row[:12] for row in fields["zeile"]] == [HESSEN, BAYERN]
    shown = said(opened(client, service))
    assert "läuft noch" in shown
    assert "fehlt" in shown


def test_the_address_chooses_the_month_and_stored_values_stand_in_it_0_is_0(
    client: Client, service: OnlineService, stored: Delivery
) -> None:
    fields = Fields(opened(client, service, f"&monat={BEFORE:%Y-%m}").content.decode()).sent
    assert fields["spalten"] == [f"{BEFORE:%Y-%m}"]
    assert fields[cell(HESSEN, BEFORE)] == ["100"]
    assert fields[cell(BAYERN, BEFORE)] == ["0"]
    for wrong in ("2999-01", "x", "2026-13", "1999-01"):
        assert Fields(opened(client, service, f"&monat={wrong}").content.decode()).sent["spalten"] == [
            f"{LAST:%Y-%m} {RUNNING:%Y-%m}"
        ]


def test_without_a_delivery_the_area_at_the_reporting_level_is_shown(people: Personas) -> None:
    for number in (1, 2):
        kreis(f"0643{number}0000000", f"Kreis {number}")
    kreis("095720000000", "Kreis in Bayern")
    service = MemberFactory(user=people.owner, service__reporting_level=ReportingLevel.KREIS).service
    service.area.set([HESSEN])
    fields = Fields(opened(signed_in(people.owner), service).content.decode()).sent
    assert [row[:12] for row in fields["zeile"]] == ["064310000000", "064320000000"]


def test_too_many_regions_are_not_shown_but_searched_or_sent_as_a_file(
    people: Personas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "OPENED_ROWS", 2)
    for number in range(3):
        kreis(f"0643{number}0000000", f"Kreis {number}")
    service = MemberFactory(user=people.owner, service__reporting_level=ReportingLevel.KREIS).service
    service.area.set([HESSEN])
    client = signed_in(people.owner)
    shown = opened(client, service)
    assert "3 Regionen sind zu viele für das Formular" in said(shown)
    assert f"/liefern/datei?service={service.number}" in said(shown)
    found = send(client, shown, "suchen", suche_area="Kreis 1")
    assert 'value="064310000000"' in said(found)
    added = send(client, found, "hinzufuegen", area=["064310000000"])
    assert "1 Region ist dazugekommen." in said(added)
    assert cell("064310000000") in said(added)


def test_a_land_stands_for_all_its_kreise_and_a_kreis_is_no_land(
    client: Client, people: Personas, service: OnlineService
) -> None:
    kreis()
    by_kreis = MemberFactory(user=people.owner, service__reporting_level=ReportingLevel.KREIS).service
    owner = signed_in(people.owner)
    added = send(owner, opened(owner, by_kreis), "hinzufuegen", area=[HESSEN])
    assert cell("064350000000") in said(added)
    refused = send(client, opened(client, service), "hinzufuegen", area=["064350000000"])
    assert refused.status_code == 422
    assert "Main-Kinzig-Kreis liegt unter der Meldeebene Land" in said(refused)


def test_the_number_of_queries_does_not_grow_with_regions(people: Personas) -> None:
    service = MemberFactory(user=people.owner, service__reporting_level=ReportingLevel.GEMEINDE).service
    client = signed_in(people.owner)
    service.area.set([HESSEN])
    counts = []
    for number in (2, 40):
        RegionFactory.create_batch(number)
        with CaptureQueriesContext(connection) as queries:
            opened(client, service)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- Sending -----------------------------------------------------------------------------------------


def test_only_changed_fields_are_sent_and_the_delivery_says_formular(
    client: Client, service: OnlineService, stored: Delivery
) -> None:
    shown = opened(client, service, f"&monat={BEFORE:%Y-%m}")
    answer = send(client, shown, **typed(HESSEN, "1.204", BEFORE), **typed(BAYERN, "0", BEFORE))
    delivery = Delivery.objects.get(pk=answer["Location"].split("/")[2])
    assert (delivery.channel, delivery.row_count) == (Delivery.Channel.FORM, 1)
    preview = page(client, address("review", delivery))
    assert "Alles in Ordnung: 1 Wert ist bereit" in preview
    assert "Datei" not in preview.split("<main", 1)[1].split("</main")[0]
    done = confirm(client, delivery)
    assert done["Location"] == f"/lieferungen/{delivery.pk}/"
    assert "Formular" in page(client, done["Location"])
    assert "Formular" in page(client, "/lieferungen/")
    report = b"".join(client.get(address("delivery_report", delivery))).decode()  # type: ignore[arg-type]
    assert report.splitlines()[1] == f"{HESSEN};{BEFORE:%Y-%m};1.204;geändert;"
    assert TransactionCount.objects.get(month=BEFORE, ars=HESSEN).count == 1204
    assert TransactionCount.objects.get(month=BEFORE, ars=BAYERN).delivery == stored.pk


def test_0_is_delivered_and_empty_is_no_statement(client: Client, service: OnlineService) -> None:
    delivery = waiting(client, service, **typed(HESSEN, "0"))
    confirm(client, delivery)
    assert list(TransactionCount.objects.values_list("ars", "count")) == [(HESSEN, 0)]


def test_loeschen_takes_a_value_back_and_an_emptied_field_does_not(
    client: Client, service: OnlineService, stored: Delivery
) -> None:
    shown = opened(client, service, f"&monat={BEFORE:%Y-%m}")
    only_emptied = send(client, shown, **typed(HESSEN, "", BEFORE))
    assert only_emptied.status_code == 422
    assert f'<a href="#{cell(HESSEN, BEFORE)}">Leere Felder ändern nichts.' in said(only_emptied)
    answer = send(client, shown, **typed(HESSEN, "", BEFORE), **typed(BAYERN, "löschen", BEFORE))
    delivery = Delivery.objects.get(pk=answer["Location"].split("/")[2])
    assert "Ein Feld haben Sie geleert" in page(client, address("review", delivery))
    confirm(client, delivery)
    assert list(TransactionCount.objects.values_list("ars", "count")) == [(HESSEN, 100)]


def test_nothing_typed_is_said(client: Client, service: OnlineService, stored: Delivery) -> None:
    answer = send(client, opened(client, service))
    assert answer.status_code == 422
    assert "noch nichts eingetragen" in said(answer)
    assert Delivery.objects.count() == 1


def test_the_same_value_in_another_form_changes_nothing(
    client: Client, service: OnlineService, stored: Delivery
) -> None:
    shown = opened(client, service, f"&monat={BEFORE:%Y-%m}")
    assert send(client, shown, **typed(HESSEN, " 100 ", BEFORE)).status_code == 422


def test_faults_stand_at_the_fields_and_above_and_everything_typed_is_kept(
    client: Client, service: OnlineService
) -> None:
    answer = send(
        client, opened(client, service),
        **typed(HESSEN, "k. A."), **typed(BAYERN, "12"), **typed(SAARLAND, "1,5", RUNNING),
    )  # fmt: skip
    shown = said(answer)
    assert answer.status_code == 422
    assert "Bitte prüfen Sie 2 Angaben" in shown
    assert f'<a href="#{cell(HESSEN)}">Hessen, {formats.month(LAST)}: Hier steht keine Zahl.' in shown
    assert f'id="{cell(SAARLAND, RUNNING)}-fehler"' in shown
    assert shown.count('aria-invalid="true"') == 2
    fields = Fields(answer.content.decode()).sent
    assert (fields[cell(HESSEN)], fields[cell(BAYERN)]) == (["k. A."], ["12"])
    assert not Delivery.objects.exists()
    mended = send(client, answer, **typed(HESSEN, "7"), **typed(SAARLAND, "", RUNNING))
    assert mended.status_code == 302
    assert Delivery.objects.get().row_count == 2


def test_months_can_be_changed_without_losing_what_was_typed(client: Client, service: OnlineService) -> None:
    answer = send(
        client, opened(client, service), "zeitraum", von="2025-01", bis="2025-02", **typed(HESSEN, "77")
    )
    fields = Fields(answer.content.decode()).sent
    assert fields["spalten"] == [f"2025-01 2025-02 {LAST:%Y-%m}"]
    assert fields[cell(HESSEN)] == ["77"]
    wrong = send(client, answer, "zeitraum", von="2025-02", bis="2025-01")
    assert wrong.status_code == 422
    assert "liegt vor seinem Anfang" in said(wrong)
    large = send(client, answer, "zeitraum", von="2016-01", bis="2025-01")
    assert "zu viele Felder, das Formular fasst 500" in said(large)
    assert Fields(large.content.decode()).sent["spalten"] == fields["spalten"]


def test_a_form_as_large_as_it_gets_can_be_sent(people: Personas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "OPENED_ROWS", grid.MAX_ROWS)
    service = MemberFactory(user=people.owner, service__reporting_level=ReportingLevel.GEMEINDE).service
    service.area.set([HESSEN])
    RegionFactory.create_batch(grid.MAX_ROWS - 20)
    client = signed_in(people.owner)
    shown = opened(client, service, f"&monat={LAST:%Y-%m}")
    rows = Fields(shown.content.decode()).sent["zeile"]
    assert len(rows) >= grid.MAX_ROWS - 20
    answer = send(client, shown, **typed(rows[-1][:12], "5"))
    assert answer.status_code == 302


def test_another_window_that_took_it_over_first_does_no_harm(client: Client, service: OnlineService) -> None:
    first = waiting(client, service, **typed(HESSEN, "5"))
    again = client.get(f"{FORM}?lieferung={first.pk}")
    confirm(client, first)
    answer = send(client, again, **typed(HESSEN, "6"))
    assert answer.status_code == 302
    assert Delivery.objects.get(pk=first.pk).status == Delivery.Status.ACCEPTED
    assert "hat sich inzwischen geändert" in page(client, answer["Location"])


# --- From the preview back ---------------------------------------------------------------------------


def test_back_from_the_preview_everything_is_there_and_the_earlier_one_goes(
    client: Client, service: OnlineService
) -> None:
    first = waiting(client, service, **typed(HESSEN, "5"), **typed(BAYERN, "6"))
    assert f"{FORM}?lieferung={first.pk}" in page(client, address("review", first))
    again = client.get(f"{FORM}?lieferung={first.pk}")
    fields = Fields(again.content.decode()).sent
    assert (fields[cell(HESSEN)], fields[cell(BAYERN)]) == (["5"], ["6"])
    answer = send(client, again, **typed(HESSEN, "50"))
    assert [delivery.row_count for delivery in Delivery.objects.all()] == [2]
    confirm(client, Delivery.objects.get(pk=answer["Location"].split("/")[2]))
    assert TransactionCount.objects.get(ars=HESSEN).count == 50
    assert client.get(f"{FORM}?lieferung={Delivery.objects.get().pk}").status_code == 404


def test_faults_that_came_up_after_the_preview_lead_back_to_the_fields(
    client: Client, service: OnlineService
) -> None:
    delivery = waiting(client, service, **typed(HESSEN, "5"))
    shown = client.get(address("review", delivery))
    seen = Fields(shown.content.decode()).sent["gesehen"][0]
    OnlineService.objects.update(reporting_level=ReportingLevel.KREIS)
    answer = client.post(address("confirm", delivery), {"gesehen": seen}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{FORM}?lieferung={delivery.pk}"
    delivery.refresh_from_db()
    assert delivery.status == Delivery.Status.REFUSED
    assert f'<a href="#{cell(HESSEN)}">Hessen, {formats.month(LAST)}:' in said(answer)
    assert Fields(answer.content.decode()).sent[cell(HESSEN)] == ["5"]
    shown_as = page(client, f"/lieferungen/{delivery.pk}/")
    assert f"{FORM}?lieferung={delivery.pk}" in shown_as
    assert f"Hessen, {formats.month(LAST)}</a>" in shown_as


def test_the_preview_says_where_somebody_changed_what_the_form_had_shown(
    client: Client, people: Personas, service: OnlineService, stored: Delivery
) -> None:
    shown = opened(client, service, f"&monat={BEFORE:%Y-%m}")
    taken_over(people.owner, content(service, (HESSEN, f"{BEFORE:%Y-%m}", 111)))
    answer = send(client, shown, **typed(HESSEN, "120", BEFORE), **typed(BAYERN, "3", BEFORE))
    preview = page(client, answer["Location"])
    assert "Ein gespeicherter Wert hat sich inzwischen geändert" in preview
    note = preview.split('role="note"')[1].split("</table>")[0]
    assert ">100</td>" in note
    assert ">111</td>" in note
    assert "<b>120</b>" in note
    assert "Bayern" not in note


def test_what_a_form_showed_is_not_refreshed_by_a_search(
    client: Client, people: Personas, service: OnlineService, stored: Delivery
) -> None:
    shown = opened(client, service, f"&monat={BEFORE:%Y-%m}")
    taken_over(people.owner, content(service, (HESSEN, f"{BEFORE:%Y-%m}", 111)))
    searched = send(client, shown, "suchen", suche_area="Saar")
    answer = send(client, searched, **typed(HESSEN, "120", BEFORE), gesucht_area="Saar")
    assert "hat sich inzwischen geändert" in page(client, answer["Location"])


def test_throwing_away_and_expiry_leave_nothing_typed_behind(
    client: Client, people: Personas, service: OnlineService
) -> None:
    delivery = waiting(client, service, **typed(HESSEN, "5"))
    assert "Eingaben verwerfen?" in page(client, address("discard", delivery))
    client.post(address("discard", delivery))
    assert not FormEntry.objects.exists()
    delivery = waiting(client, service, **typed(HESSEN, "5"))
    confirm(client, delivery)
    contents.expire(now=delivery.received_at + dt.timedelta(days=400))
    assert not FormEntry.objects.exists()
    assert "Formular" in page(client, f"/lieferungen/{delivery.pk}/")


def test_what_nobodys_browser_would_send_is_no_error_of_ours(client: Client, service: OnlineService) -> None:
    odd = {
        "service": service.number, "spalten": "x 9999-99 2026-13 \0",
        "zeile": ["\0", "999999999999 x", HESSEN],
        "z-060000000000-9999-12": "1", "z-\0": "2", "area": ["\0", "x"], "von": "x", "lieferung": "\0",
    }  # fmt: skip
    for button in ("pruefen", "zeitraum", "hinzufuegen", "einfuegen", "alle"):
        assert client.post(FORM, {**odd, button: "1"}).status_code in (200, 422)
    assert client.post(FORM, {"service": service.number, "pruefen": "1"}).status_code == 422
    assert (
        client.post(FORM, {"service": service.number, "tabelle": "a\0b", "einfuegen": "1"}).status_code == 422
    )


# --- Pasting -----------------------------------------------------------------------------------------


def paste(client: Client, service: OnlineService, text: str, query: str = "") -> Any:
    return send(client, opened(client, service, query), "einfuegen", tabelle=text)


def test_a_block_with_months_and_names_fills_the_form(client: Client, service: OnlineService) -> None:
    block = "Region\tApril 2025\t05/2025\tSumme\nHessen\t1.204\t\t1204\nSaarland\t7\t0\t7\nSumme\t1\t1\t1\n"
    answer = paste(client, service, block)
    shown, fields = said(answer), Fields(answer.content.decode()).sent
    assert answer.status_code == 200
    assert "3 Zahlen sind eingefügt." in shown
    assert "Die Spalte „Summe“ ist eine Summe" in shown
    assert "Zeile 4 („Summe“) ist eine Summe" in shown
    april, may = dt.date(2025, 4, 1), dt.date(2025, 5, 1)
    assert fields[cell(HESSEN, april)] == ["1.204"]
    assert fields[cell(HESSEN, may)] == [""]
    assert fields[cell(SAARLAND, may)] == ["0"]
    assert fields["tabelle"][0].strip() == ""
    assert send(client, answer).status_code == 302
    assert Delivery.objects.get().row_count == 3


@pytest.mark.parametrize("label", ["060000000000", "60000000000", "06 0000000000", "hessen", "Hessen, Land"])
def test_regions_are_understood_by_key_and_by_name(
    client: Client, service: OnlineService, label: str
) -> None:
    answer = paste(client, service, f"{label}\t41\n", f"&monat={LAST:%Y-%m}")
    assert Fields(answer.content.decode()).sent[cell(HESSEN)] == ["41"]


def test_numbers_alone_follow_the_order_of_the_form(
    client: Client, service: OnlineService, stored: Delivery
) -> None:
    fields = Fields(paste(client, service, "1\t2\n\t3\n").content.decode()).sent
    assert [fields[cell(ars, month)] for ars in (HESSEN, BAYERN) for month in (LAST, RUNNING)] == [
        ["1"], ["2"], [""], ["3"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("Hesssen\t1\n", "Zeile 1: „Hesssen“ ist keine Region, für die gemeldet wird"),
        ("069999999999\t1\n", "Zeile 1: den Regionalschlüssel 069999999999 gibt es nicht"),
        ("Hessen\t1\nBayern\t3\nHessen\t2\n", "Zeile 3: dieselbe Region wie in Zeile 1"),
        ("1\t2\t3\t4\n", "Die Tabelle hat 4 Spalten mit Zahlen, das Formular zeigt 2."),
        ("1\n2\n3\n4\n", "Die Tabelle hat 4 Zeilen, das Formular 3 Regionen."),
        ("Region\tMai 2999\nHessen\t1\n", "„Mai 2999“ liegt in der Zukunft"),
        ("Region\tMai 2025\tQ2\nHessen\t1\t2\n", "„Q2“ ist kein Monat"),
        ("Region\tMai 2025\t2025-05\nHessen\t1\t2\n", "Mai 2025 steht zweimal"),
        ("Region\tMai 2025\n", "Unter der Kopfzeile steht keine Zeile"),
        ("Region\tMai 2025\n\t4\n", "Zeile 2: hier fehlt die Region"),
        ('Hessen\t"1\n', "Anführungszeichen"),
        ("Hessen\t\n", "steht keine Zahl"),
    ],
)
def test_a_block_with_faults_is_kept_and_nothing_of_it_is_taken(
    client: Client, service: OnlineService, block: str, message: str
) -> None:
    answer = paste(client, service, block)
    assert answer.status_code == 422
    assert message in said(answer)
    fields = Fields(answer.content.decode()).sent
    assert fields["tabelle"][0].strip() == block.strip()
    assert fields[cell(HESSEN)] == [""]


def test_a_name_that_several_have_is_not_guessed(people: Personas) -> None:
    kreis("091620000000", "München"), kreis("091840000000", "München")
    service = MemberFactory(user=people.owner, service__reporting_level=ReportingLevel.KREIS).service
    answer = paste(signed_in(people.owner), service, "München\t5\n")
    assert "„München“ gibt es 2-mal, nehmen Sie den ARS (091620000000, 091840000000)" in said(answer)


def test_a_block_too_large_for_the_form_is_said(
    client: Client, service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "MAX_CELLS", 6)
    answer = paste(client, service, "Region\tMai 2025\nHessen\t5\n")
    assert answer.status_code == 422
    assert "zu viele Felder" in said(answer)


def test_a_block_is_not_forgotten_when_the_form_is_checked(client: Client, service: OnlineService) -> None:
    answer = send(client, opened(client, service), tabelle="Hessen\t9\n", **typed(BAYERN, "4"))
    assert answer.status_code == 200
    fields = Fields(answer.content.decode()).sent
    assert (fields[cell(HESSEN)], fields[cell(BAYERN)]) == (["9"], ["4"])
    assert not Delivery.objects.exists()


def test_a_closed_month_says_so_and_asks_for_a_reason(
    client: Client, people: Personas, service: OnlineService, stored: Delivery
) -> None:
    closing.close_months([BEFORE], by=people.owner, reason="Veröffentlicht")
    shown = opened(client, service, f"&monat={BEFORE:%Y-%m}")
    assert '<span class="zsk-meta">abgeschlossen</span>' in said(shown)
    answer = send(client, shown, **typed(HESSEN, "120", BEFORE))
    delivery = Delivery.objects.get(pk=answer["Location"].split("/")[2])
    assert confirm(client, delivery).status_code == 422
    assert TransactionCount.objects.get(ars=HESSEN).count == 100
    assert confirm(client, delivery, reason="Verzählt").status_code == 302
    assert TransactionCount.objects.get(ars=HESSEN).count == 120
