"""The check of rows: against the services of somebody, the regions, the calendar and one another."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ozgsync.models import RegionVersion
from services.models import OnlineService, ReportingLevel
from tests.factories import (
    PortalFactory,
    PortalMemberFactory,
    RegionChangeFactory,
    RegionFactory,
    ServiceFactory,
    UserFactory,
    api_key,
    personas,
)
from tests.transactions import country
from tests.transactions.country import (
    BERLIN,
    DEIDESHEIM,
    EISENACH,
    EISENACH_OLD,
    FRANKFURT,
    FULDA,
    GOETTINGEN,
    HANAU,
    HANAU_OLD,
    HESSEN,
    MAINTAL,
    MKK,
    OSTERODE,
    VERBAND,
    checked,
    row,
)
from transactions import checks, columns, findings
from transactions.checks import check, service_ids
from transactions.findings import CATALOGUE, Finding
from transactions.rows import Rows
from transactions.values import Fault
from zsk import months

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 6, 10)
Where = tuple[str, int | None, str, str]


@pytest.fixture(autouse=True)
def june_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "running", lambda: TODAY.replace(day=1))


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory(reporting_level=ReportingLevel.MIXED)


def where(found: list[Finding]) -> list[Where]:
    return [(finding.code, finding.line, finding.field, finding.value) for finding in found]


def faults(*rows: str, **values: Any) -> list[Where]:
    return where(checked(*rows, **values).faults)


# --- services ------------------------------------------------------------------------------------


def test_one_that_is_not_yours_and_one_that_does_not_exist_get_the_same_finding(
    service: OnlineService,
) -> None:
    people = personas(service)
    stranger = checked(row(service, HESSEN, 1), by=people.stranger).faults
    nobody = checked(f"OS-999999;{HESSEN};2025-05;1", by=people.owner).faults
    assert [finding.code for finding in stranger] == ["onlineservice_unbekannt"]
    assert [finding.message for finding in stranger] == [finding.message for finding in nobody]
    assert stranger[0].params == nobody[0].params == {}


def test_owner_colleague_and_key_may_deliver(service: OnlineService) -> None:
    people = personas(service)
    key, _text = api_key(service)
    for principal in (people.owner, people.colleague, key):
        assert faults(row(service, HESSEN, 1), by=principal) == []


def test_a_portal_names_its_services_by_its_own_kennung(country_regions: None) -> None:
    portal = PortalFactory()
    service = ServiceFactory(portal=portal, portal__kennung="Hundesteuer online")
    admin = PortalMemberFactory(portal=portal).user
    key, _text = api_key(portal=portal)
    for principal in (admin, key):
        assert checked(f"Hundesteuer online;{HESSEN};2025-05;1", by=principal).services == [service.pk]
    stranger = UserFactory()
    assert faults(f"Hundesteuer online;{HESSEN};2025-05;1", by=stranger) == [
        ("onlineservice_unbekannt", 2, "onlineservice", "Hundesteuer online")
    ]


def test_a_kennung_of_two_portals_is_ambiguous_for_a_member_of_both(country_regions: None) -> None:
    admin = UserFactory()
    for _number in range(2):
        portal = PortalFactory()
        PortalMemberFactory(portal=portal, user=admin)
        ServiceFactory(portal=portal, portal__kennung="Hundesteuer")
    assert faults(f"Hundesteuer;{HESSEN};2025-05;1", by=admin)[0][0] == "onlineservice_mehrdeutig"
    assert service_ids({"Hundesteuer"}, by=admin) == {}


def test_a_missing_service(service: OnlineService) -> None:
    assert faults(f";{HESSEN};2025-05;1") == [("onlineservice_fehlt", 2, "onlineservice", "")]


def test_a_file_for_one_service_names_no_other(service: OnlineService) -> None:
    operations = UserFactory(is_operations=True)
    other = ServiceFactory()
    rows = Rows.of(service=[other.number], ars=[HESSEN], month=["2025-05"], count=["1"])
    assert where(check(rows, by=operations, service=service).faults)[0][0] == "onlineservice_unbekannt"
    rows = Rows.of(service=None, ars=[HESSEN], month=["2025-05"], count=["1"])
    assert check(rows, by=operations, service=service).services == [service.pk]


# --- regions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ars", "code", "suggestion"),
    [
        ("60000000000", "ars_fuehrende_null", HESSEN),
        ("64350000000", "ars_fuehrende_null", MKK),
        ("99999999999", "ars_fuehrende_null", ""),
        ("6,0E+10", "ars_exponent", ""),
        ("06435019", "ars_ags", MAINTAL),
        ("06412000", "ars_ags", FRANKFURT),
        ("07332009", "ars_ags", DEIDESHEIM),
        ("99999999", "ars_ags", ""),
        ("06435", "ars_laenge", MKK),
        ("06", "ars_laenge", HESSEN),
        ("07332 5001", "ars_laenge", VERBAND),
        ("99999", "ars_laenge", ""),
        ("069990000000", "ars_unbekannt", ""),
        ("Hessen", "ars_zeichen", ""),
        ("", "ars_fehlt", ""),
    ],
)
def test_a_wrong_key_gets_the_right_one_suggested_where_it_is_certain(
    service: OnlineService, ars: str, code: str, suggestion: str
) -> None:
    (found,) = checked(row(service, HESSEN, 1), row(service, ars, 1)).faults
    assert where([found]) == [(code, 3, "ars", ars)]
    assert found.suggestion == suggestion


@pytest.mark.parametrize(
    ("ars", "month", "successor", "until"),
    [
        (HANAU_OLD, "2026-01", HANAU, "Dezember 2025"),
        (EISENACH_OLD, "2021-07", EISENACH, "Juni 2021"),
        (OSTERODE, "2016-11", GOETTINGEN, "Oktober 2016"),
    ],
)
def test_a_region_that_ended_names_its_successor(
    service: OnlineService, ars: str, month: str, successor: str, until: str
) -> None:
    (found,) = checked(row(service, ars, 1, month)).faults
    assert where([found]) == [("ars_beendet", 2, "ars", ars)]
    assert found.suggestion == successor
    assert successor in found.message
    assert until in found.message


@pytest.mark.parametrize(
    ("ars", "month"),
    [(HANAU_OLD, "2025-12"), (HANAU, "2026-01"), (EISENACH_OLD, "2021-06"), (OSTERODE, "2016-10")],
)
def test_a_region_counts_in_the_months_in_which_it_was(service: OnlineService, ars: str, month: str) -> None:
    assert faults(row(service, ars, 1, month)) == []


def test_a_region_that_was_not_yet(service: OnlineService) -> None:
    (found,) = checked(row(service, HANAU, 1, "2025-12")).faults
    assert where([found]) == [("ars_noch_nicht", 2, "ars", HANAU)]
    assert "ab Januar 2026. Vorgänger: Hanau (064350014014)." in found.message
    assert found.suggestion == HANAU_OLD


def reform(old: str, new: str, day: str) -> None:
    """The old region ends and the new one begins."""
    RegionVersion.objects.filter(region=RegionFactory(ars=old)).update(valid_to=day)
    RegionVersion.objects.filter(region=RegionFactory(ars=new), valid_from="2016-01-01").update(
        valid_from=day
    )
    RegionChangeFactory(old_id=old, new_id=new, effective=dt.date.fromisoformat(day))


A, B, C, D = (f"06631000{number}00{number}" for number in range(1, 5))


def test_a_chain_names_the_region_of_the_month(service: OnlineService) -> None:
    reform(A, B, "2018-01-01")
    reform(B, C, "2020-07-01")
    for month, named in (("2018-05", B), ("2020-06", B), ("2020-07", C), ("2025-05", C)):
        (found,) = checked(row(service, A, 1, month)).faults
        assert (found.code, found.suggestion) == ("ars_beendet", named)
        assert f"Nachfolger: Ort {named} ({named})." in found.message
    for month, named in (("2017-12", A), ("2018-01", B)):
        (found,) = checked(row(service, C, 1, month)).faults
        assert (found.code, found.suggestion) == ("ars_noch_nicht", named)


def test_a_split_names_all_and_suggests_none(service: OnlineService) -> None:
    reform(A, B, "2018-01-01")
    reform(A, C, "2018-01-01")
    reform(C, D, "2020-01-01")
    (found,) = checked(row(service, A, 1, "2021-05")).faults
    assert found.suggestion == ""
    assert f"Nachfolger: Ort {B} ({B}), Ort {D} ({D})." in found.message


def test_reforms_in_a_circle_end(service: OnlineService) -> None:
    reform(A, B, "2018-01-01")
    RegionVersion.objects.filter(region=B).update(valid_to="2019-01-01")
    RegionChangeFactory(old_id=B, new_id=A, effective=dt.date(2019, 1, 1))
    (found,) = checked(row(service, A, 1, "2021-05")).faults
    assert "Nachfolger: keiner bekannt." in found.message


ACCEPTED = {
    ReportingLevel.BUND: {"000000000000"},
    ReportingLevel.LAND: {HESSEN, BERLIN},
    ReportingLevel.KREIS: {BERLIN, MKK, FULDA, FRANKFURT},
    ReportingLevel.GEMEINDE: {BERLIN, FRANKFURT, MAINTAL, DEIDESHEIM},
    ReportingLevel.MIXED: {"000000000000", HESSEN, BERLIN, MKK, FRANKFURT, VERBAND, DEIDESHEIM, MAINTAL},
}
EVERY = ["000000000000", HESSEN, BERLIN, MKK, FULDA, FRANKFURT, VERBAND, DEIDESHEIM, MAINTAL]


@pytest.mark.parametrize("level", ReportingLevel)
def test_a_service_reports_at_its_level(country_regions: None, level: ReportingLevel) -> None:
    service = ServiceFactory(reporting_level=level)
    found = checked(*(row(service, ars, 0) for ars in EVERY)).faults
    refused = {finding.value for finding in found}
    assert refused == set(EVERY) - ACCEPTED[level] - ({FULDA} if level is ReportingLevel.MIXED else set())
    assert {finding.code for finding in found} <= {"ars_ebene"}
    assert all(level.label in finding.message for finding in found)


def test_the_level_rule_is_each_services_own(country_regions: None) -> None:
    land = ServiceFactory(reporting_level=ReportingLevel.LAND)
    kreis = ServiceFactory(reporting_level=ReportingLevel.KREIS)
    rows = [row(land, HESSEN, 1), row(land, MKK, 1), row(kreis, HESSEN, 1), row(kreis, MKK, 1)]
    assert faults(*rows) == [("ars_ebene", 3, "ars", MKK), ("ars_ebene", 4, "ars", HESSEN)]


# --- months, counts, rows --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "count", "expected"),
    [
        ("13/2025", "1", ("monat_gibt_es_nicht", 2, "monat", "13/2025")),
        ("2025", "1", ("monat_nur_jahr", 2, "monat", "2025")),
        ("Q2 2025", "1", ("monat_quartal", 2, "monat", "Q2 2025")),
        ("2026-07", "1", ("monat_zukunft", 2, "monat", "2026-07")),
        ("15.05.2025", "1", ("monat_tag", 2, "monat", "15.05.2025")),
        ("2025-05", "", ("anzahl_fehlt", 2, "anzahl", "")),
        ("2025-05", "-1", ("anzahl_negativ", 2, "anzahl", "-1")),
        ("2025-05", "1,5", ("anzahl_nachkomma", 2, "anzahl", "1,5")),
        ("2025-05", "12e3", ("anzahl_exponent", 2, "anzahl", "12e3")),
        ("2025-05", "k. A.", ("anzahl_keine_zahl", 2, "anzahl", "k. A.")),
        ("2025-05", "1000000001", ("anzahl_zu_gross", 2, "anzahl", "1000000001")),
        ("2025-05", "=A1+1", ("formel", 2, "anzahl", "=A1+1")),
    ],
)
def test_a_faulty_cell_is_named_with_line_column_and_value(
    service: OnlineService, month: str, count: str, expected: Where
) -> None:
    found = checked(row(service, HESSEN, count, month))
    assert where(found.faults) == [expected]
    assert (found.fault_count, found.faulty_rows, len(found)) == (1, 1, 0)


def test_every_fault_of_every_row_is_found_in_one_run(service: OnlineService) -> None:
    found = checked(
        "OS-1;60000000000;2025;x", row(service, HESSEN, 3), f"{service.number};6,0E+10;13/2025;-1"
    )
    assert [(finding.line, finding.code) for finding in found.faults] == [
        (2, "anzahl_keine_zahl"), (2, "ars_fuehrende_null"), (2, "monat_nur_jahr"),
        (2, "onlineservice_unbekannt"), (4, "anzahl_negativ"), (4, "ars_exponent"),
        (4, "monat_gibt_es_nicht"),
    ]  # fmt: skip
    assert (found.fault_count, found.faulty_rows) == (7, 2)


@pytest.mark.parametrize(
    "line",
    ["Summe;;;1204", ";Summe;;1204", ";;Gesamt;1204", "Summe;;Gesamt;1204", "Summe;;;1;204", ";;;Summe: 12"],
)
def test_a_sum_line_is_one_fault_named_as_such(service: OnlineService, line: str) -> None:
    found = checked(row(service, HESSEN, 1204), line)
    assert [(finding.code, finding.line) for finding in found.faults] == [("summenzeile", 3)]
    assert (found.fault_count, found.faulty_rows) == (1, 1)


def test_a_service_may_be_called_like_a_sum(country_regions: None) -> None:
    portal = PortalFactory()
    ServiceFactory(portal=portal, portal__kennung="Gesamt 7")
    assert faults(f"Gesamt 7;{HESSEN};2025-05;1", by=PortalMemberFactory(portal=portal).user) == []


def test_a_doubled_row_names_the_first_one(service: OnlineService) -> None:
    other = ServiceFactory()
    rows = [
        row(service, HESSEN, 1), row(other, HESSEN, 1), row(service, HESSEN, 1, "05.2025"),
        row(service, HESSEN, 1, "2025-06"), row(service, "06 0000000000", 2),
    ]  # fmt: skip
    found = checked(*rows).faults
    assert where(found) == [("zeile_doppelt", 4, "ars", HESSEN), ("zeile_doppelt", 6, "ars", "06 0000000000")]
    assert all("Zeile 2" in finding.message for finding in found)


def test_a_row_outside_the_scope_is_a_fault(service: OnlineService) -> None:
    scope = frozenset({(service.pk, country.MAY)})
    assert faults(row(service, HESSEN, 1), row(service, HESSEN, 1, "2025-06"), scope=scope) == [
        ("umfang_fremd", 3, "monat", "2025-06")
    ]


def test_the_running_month_is_one_warning(service: OnlineService) -> None:
    found = checked(
        row(service, BERLIN, 1), row(service, BERLIN, 1, "2026-06"), row(service, MKK, 1, "2026-06")
    )
    assert where(found.warnings) == [("monat_laufend", 3, "monat", "2026-06")]
    assert "Juni 2026" in found.warnings[0].message


def test_what_passed_is_sorted_by_service_month_and_region(country_regions: None) -> None:
    first, second = ServiceFactory(), ServiceFactory()
    rows = [
        row(second, HESSEN, 1),
        row(first, MKK, 2, "2025-06"),
        row(first, FULDA, 3),
        row(first, BERLIN, 4),
    ]
    found = checked(*rows)
    assert found.count.tolist() == [3, 4, 2, 1]
    assert found.row.tolist() == [2, 3, 1, 0]
    assert found.services == [first.pk, second.pk]


def test_a_cell_that_the_reader_has_named_is_not_named_again(service: OnlineService) -> None:
    known = Finding("anzahl_typ", "anzahl", "true", 2, 0, params={"ist": "ein Wahrheitswert"})
    rows = Rows.of(
        service=[service.number], ars=["6"], month=["2025-05"], count=[""], faults=[known], strict=True
    )
    found = check(rows, by=UserFactory(is_operations=True))
    assert [(finding.code, finding.pointer) for finding in found.faults] == [
        ("anzahl_typ", ""),
        ("ars_laenge", "/zeilen/0/ars"),
    ]
    assert (found.fault_count, found.faulty_rows) == (2, 1)


# --- many faults, few queries ------------------------------------------------------------------------


def test_faults_beyond_the_first_are_counted_and_not_kept(
    service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MAX_FINDINGS", 10)
    rows = [row(service, "6", "x") for _number in range(20)] + [row(service, HESSEN, 1)] * 30
    found = checked(*rows)
    assert [(finding.line, finding.field) for finding in found.faults] == [
        (line, field) for line in range(2, 7) for field in ("anzahl", "ars")
    ]
    assert (found.fault_count, found.faulty_rows, found.row_count) == (20 * 2 + 29, 20 + 29, 50)


def queries_of(action: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        action()
    return len(captured)


def test_ten_thousand_rows_cost_as_many_queries_as_ten(service: OnlineService) -> None:
    def lines(number: int) -> list[str]:
        past = [months.shift(country.MAY, -index) for index in range(number)]
        good = [row(service, ars, 1, month) for month in past for ars in (BERLIN, FULDA)]
        bad = ["OS-1;6;x;y", row(service, "06435019", 1), row(service, HANAU_OLD, 1, "2026-02")]
        return good + bad

    operations = UserFactory(is_operations=True)
    few, many = lines(5), lines(100) * 50
    checked(*few, by=operations)  # reads the register of regions, once for the process
    assert queries_of(lambda: checked(*few, by=operations)) == queries_of(
        lambda: checked(*many, by=operations)
    )


# --- the catalogue ---------------------------------------------------------------------------------

ROOM = Path(findings.__file__).parent
NOT_USERS = {"findings.py", "problems.py"}  # the catalogue, and the answers of the interface by code


def literals(pattern: str) -> set[str]:
    files = [path for path in ROOM.rglob("*.py") if path.name not in NOT_USERS]
    files += [ROOM.parent / "zsk" / f"{name}.py" for name in ("delimited", "kinds", "workbooks")]
    return {code for path in files for code in re.findall(pattern, path.read_text(encoding="utf-8"))}


def test_every_code_in_use_is_in_the_catalogue() -> None:
    assert literals(r'(?:Fault|Finding|NotReadable)\(\s*"([a-z_0-9]+)"') <= set(CATALOGUE)


def test_every_code_of_the_catalogue_is_in_use() -> None:
    assert set(CATALOGUE) <= literals(r'"([a-z_0-9]+)"')


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_kind_has_a_title_a_sentence_and_a_cure_in_german(code: str) -> None:
    kind = CATALOGUE[code]
    names = re.findall(r"%\((\w+)\)s", str(kind.message))
    text = findings.message(code, value="WERT", suggestion="", params=dict.fromkeys(names, "ANGABE"))
    assert "%(" not in text
    assert not set(names) - {"wert"} or "ANGABE" in text
    for part in (str(kind.title), text, str(kind.cure)):
        assert part.strip()
        assert not part.endswith(" ")
    assert str(kind.cure).endswith((".", "anzahl", "anzahl."))


def test_of_very_many_faults_few_are_objects_and_all_are_counted(
    country_regions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "MOST_FAULTS", 3)
    monkeypatch.setattr(checks, "MAX_FINDINGS", 3)
    service = ServiceFactory()
    texts = [f"x{number}" for number in range(9)]
    rows = Rows.of(
        service=[service.number] * 9, ars=["6000000000" + str(number) for number in range(9)],
        month=[f"2025-05-0{number + 2}" for number in range(8)] + ["2025-05"], count=texts,
    )  # fmt: skip
    checked = check(rows, by=UserFactory(is_operations=True))
    assert checked.fault_count == 9 + 8 + 9
    assert checked.faulty_rows == 9
    assert len(checked.faults) == 3
    assert len({id(fault) for fault in columns.few_faults(Fault("x", str(place)) for place in range(9))}) == 4


def test_more_services_than_a_query_can_name(country_regions: None) -> None:
    number = 70_000
    rows = Rows.of(
        service=[f"OS-{place:06d}" for place in range(100_000, 100_000 + number)],
        ars=[HESSEN] * number, month=["2025-05"] * number, count=["1"] * number,
    )  # fmt: skip
    checked = check(rows, by=UserFactory(is_operations=True))
    assert checked.fault_count == number
    assert {fault.code for fault in checked.faults} == {"onlineservice_unbekannt"}
