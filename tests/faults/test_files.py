"""Whatever a file holds: it is taken over as a whole or refused with findings, and never an error of ours."""

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
import xlsxwriter
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from services.models import Credential, OnlineService
from tests.factories import ServiceFactory, UserFactory, api_key
from tests.faults.size import FULL, size
from tests.transactions.country import BERLIN, HESSEN, MKK
from tests.transactions.sums import assert_sums_are_right, facts
from tests.transactions.uploading import received
from transactions import push, report, uploads
from transactions.delivery import DeliveryRejected, PeriodClosed
from transactions.messages import Envelope
from transactions.models import Delivery, StagedCount

pytestmark = pytest.mark.django_db
Status = Delivery.Status
fuzzed = settings(
    max_examples=size(40, 2_000),
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# --- files that are nearly right -----------------------------------------------------------------


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*text.split("|"), ""])


regions = words(f"{HESSEN}|{BERLIN}|{MKK}|06 435 0000000|60000000000|06435000|6,4E+10")
months = words("2025-05|05.2025|5/2025|Mai 2025|Mrz 25|01.05.2025|13/2025|2025|2999-01|2025-05 ")
counts = words("1204|1.204|1 204|1\u00a0204|0|löschen|-1|1,5|1.20|12e3|k. A.|=1+1|" + "9" * 400)
services = words("OS-000001|os-1|1|OS-999999|Führerschein|OS-" + "9" * 30)
heads = st.permutations(["onlineservice", "ars", "monat", "anzahl"]) | st.lists(
    words("Onlineservice|ARS|Monat|Transaktionen|anzahl|Name|ergebnis|" + "a" * 300), max_size=6
)
odd = st.text(max_size=12) | words("\0|_x0000_|_xD800_|_x0009_|<a>|\r\n|=A1|\ufeff")
cells = {"onlineservice": services, "ars": regions, "monat": months, "anzahl": counts}


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    head = draw(heads)
    lines = [head]
    for _ in range(draw(st.integers(0, 5))):
        line = [draw(odd if draw(st.integers(0, 9)) == 0 else cells.get(name, odd)) for name in head]
        lines.append(line[: draw(st.sampled_from([len(line)] * 5 + [max(len(line) - 1, 0)]))])
    return lines


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """The same with some bytes changed, cut out or put in between."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    # Doors let nothing through that is empty.
    return bytes(content[: draw(st.sampled_from([len(content)] * 5 + [len(content) // 2]))]) or b" "


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    separator, end = draw(st.sampled_from(";,\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quote = draw(st.sampled_from(["", '"']))
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in line) for line in draw(tables()))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "latin-1"]))
    whole = text.encode(encoding, "replace") if encoding != "utf-8" else text.encode("utf-8", "surrogatepass")
    return draw(mutated(whole))


def typed(cell: str) -> Any:
    """What a spreadsheet makes of some of the texts."""
    known = {"1204": 1204, "1,5": 1.5, "2025-05": dt.date(2025, 5, 1), "0": True, HESSEN: 60000000000}
    return known.get(cell, cell)


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """Real workbooks with cells of all types, with parts missing, replaced or damaged."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "mm/yyyy"}) as book:
        book.set_properties({"created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 (not now: made again the same)
        for _ in range(draw(st.integers(1, 2))):
            sheet = book.add_worksheet()
            for number, line in enumerate(draw(tables())):
                for column, cell in enumerate(line):
                    sheet.write(number, column, typed(cell) if draw(st.booleans()) else cell)
    if draw(st.booleans()):
        return draw(mutated(out.getvalue()))
    return draw(repacked(out))


@st.composite
def repacked(draw: st.DrawFn, book: io.BytesIO) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(out, "w") as new:
        broken = draw(st.sampled_from([None, *old.namelist()]))
        for name in old.namelist():
            content = old.read(name)
            if name != broken:
                new.writestr(name, content)
            elif draw(st.booleans()):
                new.writestr(name, draw(mutated(content)))
    return out.getvalue()


anything = st.binary(min_size=1, max_size=400)
parameters = st.dictionaries(st.sampled_from(["modus", "umfang"]), st.lists(odd))
names = st.sampled_from(["zahlen.csv", "zahlen.xlsx", "zahlen", "Zahlen.XLSX", "a" * 300 + ".csv", "ü /.csv"])


# --- what always holds ---------------------------------------------------------------------------


@pytest.fixture
def person(country_regions: None) -> User:
    return UserFactory(is_operations=True)


@pytest.fixture
def service(person: User) -> OnlineService:
    return ServiceFactory(pk=1, published=True)


@pytest.fixture
def credential(service: OnlineService) -> Credential:
    return api_key(service)[0]


@fuzzed
@given(content=csv_files() | anything, name=names)
def test_csv(person: User, service: OnlineService, content: bytes, name: str) -> None:
    assert_whole_or_refused(person, content, name)


@fuzzed
@given(content=workbooks() | anything, name=names)
def test_xlsx(person: User, service: OnlineService, content: bytes, name: str) -> None:
    assert_whole_or_refused(person, content, name)


@fuzzed
@given(content=csv_files() | anything, query=parameters)
def test_csv_pushed(credential: Credential, content: bytes, query: dict[str, list[str]]) -> None:
    with transaction.atomic():
        before = facts()
        receipt = push.receive(content, by=credential, envelope=Envelope(csv=True, query=query))
        assert receipt.delivery
        if receipt.faults:
            assert facts() == before
            assert receipt.delivery.status == Status.REFUSED
        assert_nothing_is_half(receipt.delivery, credential)
        transaction.set_rollback(True)


def assert_whole_or_refused(person: User, content: bytes, name: str) -> None:
    with transaction.atomic():
        before = facts()
        delivery = received(person, content, name=name)
        assert facts() == before
        if delivery.status == Status.WAITING:
            found = uploads.review(delivery, by=person)
            assert not found.fault_count
            try:
                uploads.confirm(delivery, by=person, seen=found.seen)
            except (DeliveryRejected, PeriodClosed):
                assert facts() == before
            else:
                assert len(facts()) == len(before) + delivery.new_count - delivery.deleted_count
        assert_nothing_is_half(delivery, person)
        transaction.set_rollback(True)


def assert_nothing_is_half(delivery: Delivery, by: Any) -> None:
    delivery.refresh_from_db()
    if delivery.status == Status.REFUSED:
        assert delivery.fault_count
        assert delivery.findings.exists()
    else:
        assert delivery.status == Status.ACCEPTED
        changes = delivery.new_count + delivery.changed_count + delivery.same_count + delivery.deleted_count
        assert changes == delivery.row_count
    assert not StagedCount.objects.exists()
    assert_sums_are_right()
    b"".join(report.response(delivery, principal=by))
