"""The file to fill in: whose services, which regions and months, what is left out, and how it comes back."""

import csv
import io

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from services.models import OnlineService, ReportingLevel
from tests.factories import (
    MemberFactory,
    RegionChangeFactory,
    RegionFactory,
    ServiceFactory,
    UserFactory,
    germany,
    kreis,
    land,
)
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    LAST,
    MONTH,
    SAARLAND,
    address,
    content,
    page,
    received,
    signed_in,
    taken_over,
)
from transactions import blanks
from transactions.models import Delivery, TransactionCount
from zsk import months

pytestmark = pytest.mark.django_db
PAGE = "/liefern/vorlage"
KREISE = ("064350000000", "064360000000")


@pytest.fixture
def person() -> User:
    germany(), land(HESSEN, "Hessen"), land(BAYERN, "Bayern"), land(SAARLAND, "Saarland")
    kreis(KREISE[0], "Main-Kinzig-Kreis"), kreis(KREISE[1], "Main-Taunus-Kreis")
    made: User = UserFactory()
    return made


def mine(person: User, *area: str, **values: object) -> OnlineService:
    service: OnlineService = ServiceFactory(**values)
    service.area.set(area)
    MemberFactory(user=person, service=service)
    return service


def rows(person: User, query: str = "") -> list[list[str]]:
    """What the CSV holds under its head, without `bezeichnung`."""
    answer = signed_in(person).get(f"{PAGE}.csv?{query}")
    assert answer.status_code == 200
    head, *found = csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig")), delimiter=";")  # type: ignore[arg-type]
    assert head == ["onlineservice", "ars", "monat", "anzahl", "bezeichnung"]
    return [cells[:4] for cells in found]


def test_only_ones_own_services_and_those_that_lack_something(person: User) -> None:
    late = mine(person, HESSEN, reporting_level=ReportingLevel.LAND)
    done = mine(person, BAYERN, reporting_level=ReportingLevel.LAND)
    taken_over(person, content(done, (BAYERN, MONTH, 1)))
    mine(person, HESSEN, live_from=months.shift(LAST, 1))
    foreign = ServiceFactory()
    foreign.area.set([HESSEN])
    assert rows(person) == [[late.number, HESSEN, MONTH, ""]]
    assert rows(person, f"service={done.number}") == [[done.number, BAYERN, MONTH, ""]]
    for where in (PAGE, f"{PAGE}.csv", f"{PAGE}.xlsx"):
        answer = signed_in(person).get(f"{where}?service={foreign.number}")
        assert answer.status_code == 422
        assert "Für diesen Onlineservice dürfen Sie nicht liefern." in answer.content.decode()


def test_regions_are_those_reported_last_or_their_successors_else_the_area(person: User) -> None:
    service = mine(person, HESSEN, reporting_level=ReportingLevel.KREIS)
    assert [cells[1] for cells in rows(person)] == [*KREISE]
    before = months.shift(LAST, -1)
    taken_over(person, content(service, (KREISE[1], f"{before:%Y-%m}", 1)))
    assert rows(person) == [[service.number, KREISE[1], MONTH, ""]]
    old = RegionFactory(ars="064370000000", name="Alter Kreis", version__valid_to=LAST)
    TransactionCount.objects.update(ars=old)
    assert [cells[1] for cells in rows(person)] == [*KREISE]  # without a successor the area again
    RegionChangeFactory(old=old, new_id=KREISE[0], effective=LAST)
    assert [cells[1] for cells in rows(person)] == [KREISE[0]]


@pytest.mark.parametrize(
    ("level", "area", "expected"),
    [
        (ReportingLevel.MIXED, [HESSEN, KREISE[0]], [HESSEN, KREISE[0]]),
        (ReportingLevel.LAND, [KREISE[0], KREISE[1]], [HESSEN]),
        (ReportingLevel.LAND, ["000000000000"], [HESSEN, BAYERN, SAARLAND]),
        (ReportingLevel.KREIS, [HESSEN, KREISE[0]], [*KREISE]),
    ],
)
def test_the_area_at_the_level_that_the_service_reports(
    person: User, level: ReportingLevel, area: list[str], expected: list[str]
) -> None:
    mine(person, *area, reporting_level=level)
    assert [cells[1] for cells in rows(person)] == expected


def test_without_an_area_that_of_the_authority_and_without_regions_a_sentence(person: User) -> None:
    mine(person, reporting_level=ReportingLevel.LAND, authority__region_id=BAYERN)
    mine(person, SAARLAND, name="Ohne Kreise", reporting_level=ReportingLevel.KREIS)
    assert [cells[1] for cells in rows(person)] == [BAYERN]
    assert "Ohne Kreise: Im Einzugsgebiet gibt es keine Region der Meldeebene." in page(
        signed_in(person), PAGE
    )


def test_months_can_be_chosen_and_are_those_in_operation(person: User) -> None:
    first, second, before = (months.shift(LAST, back) for back in (-3, -2, -1))
    service = mine(person, HESSEN, reporting_level=ReportingLevel.LAND, live_from=second.replace(day=9))

    def chosen(query: str) -> list[str]:
        return [cells[2] for cells in rows(person, query)]

    whole = f"von={first:%Y-%m}&bis={LAST:%Y-%m}"
    assert chosen(whole) == [f"{month:%Y-%m}" for month in (second, before, LAST)]
    assert chosen(f"bis={before:%Y-%m}") == [f"{before:%Y-%m}"]
    OnlineService.objects.filter(pk=service.pk).update(ended_on=LAST)
    assert chosen(whole) == [f"{month:%Y-%m}" for month in (second, before)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("von=2025-13", "Nennen Sie einen Monat von Januar 2016 bis"),
        ("bis=2015-12", "Nennen Sie einen Monat von Januar 2016 bis"),
        ("von=2999-01", "Nennen Sie einen Monat von Januar 2016 bis"),
        ("von=2025-05&bis=2025-04", "Der letzte Monat liegt vor dem ersten."),
        ("von=2016-01&bis=2024-01", "Das sind mehr als 60 Monate."),
        ("service=OS-999999", "Für diesen Onlineservice dürfen Sie nicht liefern."),
        ("service=%00x", "Für diesen Onlineservice dürfen Sie nicht liefern."),
    ],
)
def test_what_cannot_be_is_said_at_its_field(person: User, query: str, said: str) -> None:
    mine(person, HESSEN)
    for where in (PAGE, f"{PAGE}.xlsx"):
        answer = signed_in(person).get(f"{where}?{query}")
        assert answer.status_code == 422
        assert said in answer.content.decode()


def test_nothing_missing_is_said(person: User) -> None:
    service = mine(person, HESSEN, reporting_level=ReportingLevel.LAND)
    taken_over(person, content(service, (HESSEN, MONTH, 1)))
    assert "Es fehlt nichts" in page(signed_in(person), PAGE)
    assert rows(person) == []


def test_too_much_is_cut_and_said(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    services = [
        mine(person, "000000000000", name=name, reporting_level=ReportingLevel.LAND)
        for name in ("Dienst a", "Dienst b", "Dienst c")
    ]
    monkeypatch.setattr(blanks, "MOST_ROWS", 8)
    first = months.shift(LAST, -1)
    query = f"von={first:%Y-%m}&bis={LAST:%Y-%m}"
    found = rows(person, query)
    assert [cells[0] for cells in found] == [services[0].number] * 6
    said = page(signed_in(person), f"{PAGE}?{query}")
    assert "2 weitere Onlineservices: Eine Vorlage hat höchstens 8 Zeilen." in said
    monkeypatch.setattr(blanks, "MOST_ROWS", 5)
    assert "Dienst a: die Monate ab" in page(signed_in(person), f"{PAGE}?{query}")
    assert {cells[2] for cells in rows(person, query)} == {f"{first:%Y-%m}"}


def test_the_workbook_takes_keys_as_text_and_explains_itself(person: User) -> None:
    service = mine(person, HESSEN, SAARLAND, name="Hundesteuer", reporting_level=ReportingLevel.LAND)
    answer = signed_in(person).get(f"{PAGE}.xlsx?service={service.number}")
    assert answer["Content-Disposition"] == f'attachment; filename="vorlage-{service.number.lower()}.xlsx"'
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer)))  # type: ignore[arg-type]
    sheet, notes = book.worksheets
    assert [cell.value for cell in sheet[2]] == [service.number, HESSEN, MONTH, None, "Hessen, Hundesteuer"]
    assert (sheet.freeze_panes, sheet["B2"].data_type) == ("A2", "s")
    assert sheet.column_dimensions["B"].number_format == "@"
    assert sheet.column_dimensions["D"].number_format == "General"
    assert notes.title == "Hinweise"
    assert "Leere Zellen werden abgelehnt" in " ".join(str(cell.value) for cell in notes["B"])


def test_untouched_it_is_refused_with_one_sentence_and_filled_in_it_is_taken(person: User) -> None:
    service = mine(person, HESSEN, SAARLAND, reporting_level=ReportingLevel.LAND)
    answer = signed_in(person).get(f"{PAGE}.xlsx")
    content = b"".join(answer)  # type: ignore[arg-type]
    untouched = received(person, content, name="vorlage.xlsx")
    assert untouched.status == Delivery.Status.REFUSED
    assert [finding.code for finding in untouched.findings.all()] == ["anzahl_nirgends"]
    assert "In keiner Zeile steht eine Anzahl." in page(signed_in(person), address("review", untouched))

    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    sheet["D2"] = 5
    half = io.BytesIO()
    book.save(half)
    partly = received(person, half.getvalue(), name="vorlage.xlsx")
    faults = [finding for finding in partly.findings.all() if finding.code != "spalte_uebergangen"]
    assert [(finding.code, finding.line) for finding in faults] == [("anzahl_fehlt", 3)]
    sheet["D3"] = 0
    whole = io.BytesIO()
    book.save(whole)
    assert received(person, whole.getvalue(), name="vorlage.xlsx", service=service).status == "wartet"


def test_as_many_queries_for_40_services_as_for_two(person: User) -> None:
    def queries() -> int:
        client = signed_in(person)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    for _number in range(2):
        mine(person, HESSEN, reporting_level=ReportingLevel.LAND)
    few = queries()
    for _number in range(38):
        mine(person, HESSEN, reporting_level=ReportingLevel.LAND)
    assert queries() == few


def test_people_without_services_are_told_so(client: Client) -> None:
    client.force_login(UserFactory())
    assert "Sie können noch nichts liefern" in page(client, PAGE)
