"""The completeness map: what each cell says, whose services it shows, and what it costs."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from services.models import OnlineService, ServiceState
from services.standing import MonthStanding, expected_in, is_expected, month_standings, with_standing
from tests.factories import (
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
)
from tests.transactions.uploading import file_text, page, signed_in
from transactions.models import ServiceMonth
from transactions.queries import completeness

pytestmark = pytest.mark.django_db
MINE, ALL = "/meine/vollstaendigkeit/", "/betrieb/vollstaendigkeit/"
JULY = dt.date(2026, 7, 1)


@pytest.fixture
def person() -> User:
    return UserFactory()


@pytest.fixture(autouse=True)
def in_july(monkeypatch: pytest.MonkeyPatch) -> None:
    today(monkeypatch, dt.date(2026, 7, 10))


def today(monkeypatch: pytest.MonkeyPatch, day: dt.date) -> None:
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args, **_more: day)


def reported(service: OnlineService, *months: int, total: int = 5, year: int = 2026) -> None:
    ServiceMonth.objects.bulk_create(
        ServiceMonth(
            service=service, month=dt.date(year, month, 1), total=total, rows=1,
            first_delivered_at=timezone.now(), last_delivered_at=timezone.now(),
        )
        for month in months
    )  # fmt: skip


def cells(service: OnlineService, year: int = 2026) -> str:
    """One letter for each month."""
    letters = {
        MonthStanding.DELIVERED: "g", MonthStanding.ZERO: "0", MonthStanding.DUE: "f",
        MonthStanding.LATE: "v", MonthStanding.MISSING: "x", MonthStanding.NOT_EXPECTED: "-",
        MonthStanding.RUNNING: "l", MonthStanding.AHEAD: ".",
    }  # fmt: skip
    (row,) = completeness.rows(list(with_standing(OnlineService.objects.filter(pk=service.pk))), year)
    return "".join(letters[cell.standing] for cell in row.cells)


def test_each_cell_says_what_the_one_status_says(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ServiceFactory(live_from=dt.date(2026, 2, 1))
    reported(service, 2, 4)
    reported(service, 3, total=0)
    # Until the 15th June is due, May is late since the 16th of June; January came before the start.
    assert cells(service) == "-g0gvfl....."
    today(monkeypatch, dt.date(2026, 7, 15))
    assert cells(service) == "-g0gvfl....."
    today(monkeypatch, dt.date(2026, 7, 16))
    assert cells(service) == "-g0gvvl....."
    reported(service, 6, 7)
    # May is now an older gap that nobody asks for; what came early counts.
    assert cells(service) == "-g0gxgg....."


def test_the_day_changes_at_midnight_in_berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    service = ServiceFactory()
    reported(service, 5)
    for at, expected in [
        ("2026-07-15T21:59:00+00:00", "f"),  # 23:59 of the 15th
        ("2026-07-15T22:01:00+00:00", "v"),  # 0:01 of the 16th
    ]:
        monkeypatch.setattr("django.utils.timezone.now", lambda at=at: dt.datetime.fromisoformat(at))
        assert cells(service)[5] == expected


def test_a_service_that_ended_or_never_delivered() -> None:
    ended = ServiceFactory(ended_on=dt.date(2026, 4, 15))
    reported(ended, 1)
    assert cells(ended) == "gxxx---....."
    assert cells(ServiceFactory()) == "xxxxxfl....."
    assert cells(ServiceFactory(), 2025) == "x" * 12


@pytest.mark.parametrize("live", [None, dt.date(2026, 3, 1), dt.date(2026, 3, 2)])
@pytest.mark.parametrize("end", [None, dt.date(2026, 6, 1), dt.date(2026, 6, 2)])
def test_expected_is_the_same_in_python_and_in_the_database(
    live: dt.date | None, end: dt.date | None
) -> None:
    service = ServiceFactory(live_from=live, ended_on=end)
    for month in completeness.span_of(2026):
        found = OnlineService.objects.filter(expected_in(month), pk=service.pk).exists()
        assert is_expected(service, month) == found


def test_shares_count_all_pages_and_nothing_that_is_not_over() -> None:
    one, two = ServiceFactory(), ServiceFactory(live_from=dt.date(2026, 6, 1))
    reported(one, 5)
    reported(two, 5)  # unasked
    found = {
        share.month.month: (share.delivered, share.expected)
        for share in completeness.shares(OnlineService.objects.all(), 2026)
    }
    assert (found[4], found[5], found[6], found[7], found[12]) == (
        (0, 1), (2, 2), (0, 2), (None, None), (None, None),
    )  # fmt: skip


def test_everybody_sees_their_own_services_only(person: User) -> None:
    mine = MemberFactory(service__name="Eigener", user=person).service
    ServiceFactory(name="Fremder")
    reported(mine, 1)
    said = page(signed_in(person), MINE)
    assert "Eigener" in said
    assert "Fremder" not in said
    assert "Fremder" not in file_text(signed_in(person), "/meine/vollstaendigkeit.csv")
    assert f"/meine/onlineservices/{mine.number}/zahlen/2026-01/" in said
    operations = signed_in(UserFactory(is_operations=True))
    assert "Fremder" in page(operations, ALL)


def test_a_portals_map_holds_what_the_portal_holds_today() -> None:
    portal = PortalFactory()
    admin = PortalMemberFactory(portal=portal).user
    ServiceFactory(name="Gehalten", portal=portal)
    ServiceFactory(name="Gegangen", portal=portal, portal__until=dt.date(2026, 1, 1))
    MemberFactory(service__name="Nebenbei", user=admin)
    said = page(signed_in(admin), f"/meine/portale/{portal.kuerzel}/vollstaendigkeit")
    assert "Gehalten" in said
    assert "Gegangen" not in said
    assert "Nebenbei" not in said


def test_the_address_chooses_year_search_and_order(person: User) -> None:
    late = MemberFactory(service__name="Zebra", user=person).service
    done = MemberFactory(service__name="Anker", user=person).service
    reported(late, 1)
    reported(done, 6)
    reported(done, 12, year=2024)

    def names(query: str) -> list[str]:
        said = page(signed_in(person), MINE + query)
        return sorted((name for name in ("Anker", "Zebra") if f">{name}</a>" in said), key=said.index)

    assert names("") == ["Anker", "Zebra"]
    assert names("?sortierung=dringend") == ["Zebra", "Anker"]
    assert names("?q=zeb") == ["Zebra"]
    assert names(f"?q={done.number}") == ["Anker"]
    assert names("?status=verspaetet") == ["Zebra"]
    assert names("?q=%00&status=x&jahr=x&sortierung=x&seite=x") == ["Anker", "Zebra"]
    assert "Vollständigkeit 2024" in page(signed_in(person), f"{MINE}?jahr=2024")
    for year in ("2023", "2027", "99999999999", "²"):
        assert "Vollständigkeit 2026" in page(signed_in(person), f"{MINE}?jahr={year}")


def test_nothing_to_show_says_so(person: User) -> None:
    assert "Noch kein Onlineservice" in page(signed_in(person), MINE)
    MemberFactory(user=person)
    assert "Kein Onlineservice gefunden" in page(signed_in(person), f"{MINE}?q=gibt+es+nicht")


def test_the_file_has_a_line_for_each_month_until_now(person: User) -> None:
    service = MemberFactory(service__name="=Formel", user=person).service
    reported(service, 5, total=12)
    head, *lines = file_text(signed_in(person), "/meine/vollstaendigkeit.csv").splitlines()
    assert head == "onlineservice;name;behoerde;monat;status;anzahl;hinweis"
    assert len(lines) == 7
    assert lines[4].split(";")[1:2] + lines[4].split(";")[3:6] == ["'=Formel", "2026-05", "geliefert", "12"]
    assert lines[5].endswith("2026-06;faellig;;synthetische Daten")


@pytest.mark.parametrize("count", [2, 10_000])
def test_queries_do_not_grow_with_the_services(count: int, django_assert_num_queries: Any) -> None:
    template = ServiceFactory()
    services = OnlineService.objects.bulk_create(
        OnlineService(name=f"Dienst {index}", leistung=template.leistung, authority=template.authority)
        for index in range(count - 1)
    )
    ServiceState.objects.bulk_create(ServiceState(service=service) for service in services)
    client = signed_in(UserFactory(is_operations=True))
    with django_assert_num_queries(8):
        said = page(client, ALL)
    assert said.count('scope="row"') == min(count, 50) + 1


def test_months_are_judged_without_the_database(django_assert_num_queries: Any) -> None:
    service = with_standing(OnlineService.objects.filter(pk=ServiceFactory().pk)).get()
    with django_assert_num_queries(0):
        assert month_standings(service, [JULY], {}) == [MonthStanding.RUNNING]
