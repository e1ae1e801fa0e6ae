"""'Keine Transaktionen': which regions report 0, what refuses it, and that it can be taken back."""

import datetime as dt
from typing import Any

import pytest

from accounts.models import User
from ozgsync.models import Level, Region
from services.models import OnlineService, ReportingLevel
from tests.factories import MemberFactory, RegionFactory, ServiceFactory, UserFactory
from tests.transactions.country import BERLIN, FRANKFURT, FULDA, HANAU, HANAU_OLD, HESSEN, MAINTAL, MKK
from tests.transactions.uploading import content, page, signed_in, taken_over
from transactions import nothing
from transactions.closing import close_months
from transactions.models import Delivery, DeliveryFinding, ServiceMonth, TransactionCount
from transactions.nothing import NothingRefused, plan
from zsk import formats, months

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("country_regions")]
LAST = months.last_full()
BEFORE = months.shift(LAST, -1)


def service_at(level: ReportingLevel, *area: str, region: str = HESSEN, **values: Any) -> OnlineService:
    service = ServiceFactory(
        reporting_level=level, authority__region=Region.objects.get(ars=region), **values
    )
    service.area.set(area)
    return service


def where(service: OnlineService, month: dt.date | str = LAST) -> str:
    text = month if isinstance(month, str) else f"{month:%Y-%m}"
    return f"/meine/onlineservices/{service.number}/keine-transaktionen?monat={text}"


def regions(service: OnlineService, month: dt.date = LAST) -> list[str]:
    return [region.ars for region in plan(service, month).regions]


def member_of(service: OnlineService) -> User:
    return MemberFactory(service=service).user


@pytest.mark.parametrize(
    ("level", "area", "expected"),
    [
        (ReportingLevel.BUND, [HESSEN], ["000000000000"]),
        (ReportingLevel.LAND, [HESSEN], [HESSEN]),
        # The whole country, with Berlin, which is Land and Gemeinde at once.
        (ReportingLevel.LAND, ["000000000000"], [HESSEN, BERLIN]),
        (ReportingLevel.LAND, [MKK], [HESSEN]),
        (ReportingLevel.KREIS, [HESSEN], [FRANKFURT, HANAU, MKK, FULDA]),
        (ReportingLevel.MIXED, [HESSEN, MAINTAL], [HESSEN, MAINTAL]),
        # Without an area the authority's own.
        (ReportingLevel.LAND, [], [HESSEN]),
    ],
)
def test_without_a_delivery_the_area_at_its_level_reports(
    level: ReportingLevel, area: list[str], expected: list[str]
) -> None:
    found = regions(service_at(level, *area))
    assert set(found) == set(expected)
    assert found == sorted(found)


def test_the_regions_that_reported_last_report_again() -> None:
    service = service_at(ReportingLevel.KREIS, HESSEN)
    person = member_of(service)
    taken_over(person, content(service, (FULDA, f"{BEFORE:%Y-%m}", 3), (MKK, f"{BEFORE:%Y-%m}", 0)))
    assert regions(service) == [MKK, FULDA]
    assert plan(service, LAST).like == BEFORE


def test_whoever_reports_nothing_sees_what_it_was_before() -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    client = signed_in(member_of(service))
    assert "waren es" not in page(client, where(service))
    taken_over(member_of(service), content(service, (HESSEN, f"{BEFORE:%Y-%m}", 1234)))
    assert f"Im {formats.month(BEFORE)} waren es 1.234." in page(client, where(service))
    client.post(where(service))
    done = Delivery.objects.get(channel=Delivery.Channel.FORM)
    DeliveryFinding.objects.create(
        delivery=done,
        severity="hinweis",
        code="monat_laufend",
        params={"monat": "Mai 2026"},
        line=2,
        service=service,
    )
    assert "ganzer Monat" in page(client, done.get_absolute_url())


def test_a_region_that_ended_is_followed_by_its_successor() -> None:
    service = service_at(ReportingLevel.MIXED)
    taken_over(member_of(service), content(service, (HANAU_OLD, "2025-12", 3), (FULDA, "2025-12", 1)))
    assert regions(service, dt.date(2026, 2, 1)) == [HANAU, FULDA]
    # Going back to a month before the reform, nothing was reported yet: the area.
    assert regions(service, dt.date(2025, 11, 1)) == [HESSEN]


def test_an_area_of_too_many_regions_must_be_delivered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_at(ReportingLevel.KREIS, HESSEN)
    monkeypatch.setattr(nothing, "MOST_OF_AREA", 3)
    with pytest.raises(NothingRefused, match="mehr als 3 Regionen"):
        plan(service, LAST)
    monkeypatch.setattr(nothing, "MOST_OF_AREA", 4)
    assert len(regions(service)) == 4


def test_an_area_without_a_region_of_the_level_says_so() -> None:
    lonely = RegionFactory(ars="990000000000", level_top=Level.LAND)
    service = service_at(ReportingLevel.GEMEINDE, lonely.ars)
    with pytest.raises(NothingRefused, match="keine Region der Meldeebene"):
        plan(service, LAST)


def test_the_page_states_the_consequence_and_the_report_can_be_taken_back() -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    client = signed_in(member_of(service))
    said = page(client, where(service))
    assert "ausdrücklich 0" in said
    assert HESSEN in said
    assert not Delivery.objects.exists()
    answer = client.post(where(service))
    delivery = Delivery.objects.get()
    assert answer["Location"] == delivery.get_absolute_url()
    assert (delivery.channel, delivery.new_count, delivery.service) == (Delivery.Channel.FORM, 1, service)
    assert list(TransactionCount.objects.values_list("ars_id", "month", "count")) == [(HESSEN, LAST, 0)]
    assert ServiceMonth.objects.get().total == 0
    said = page(client, delivery.get_absolute_url())
    assert "keine Transaktionen" in said
    assert f"{delivery.get_absolute_url()}zuruecknehmen" in said
    client.post(f"{delivery.get_absolute_url()}zuruecknehmen")
    assert not ServiceMonth.objects.exists()


@pytest.mark.parametrize(("more", "said"), [(1, "und eine weitere"), (3, "und 3 weitere")])
def test_of_many_regions_the_page_names_the_first(more: int, said: str) -> None:
    keys = [RegionFactory(ars=f"0643600{number:02d}{number:03d}").ars for number in range(20 + more)]
    service = service_at(ReportingLevel.MIXED, *keys)
    text = page(signed_in(member_of(service)), where(service))
    assert said in text
    assert f"jede von {20 + more} Regionen" in text
    assert keys[19] in text
    assert keys[20] not in text


def test_a_month_with_anything_stored_is_refused() -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    person = member_of(service)
    taken_over(person, content(service, (HESSEN, f"{LAST:%Y-%m}", 0)))
    client = signed_in(person)
    assert "schon etwas gemeldet, zusammen 0." in page(client, where(service))
    assert client.post(where(service)).status_code == 409
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("text", ["2026-13", "x", "%00", "05.2026"])
def test_a_month_that_is_none_is_explained(text: str) -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    for method in ("get", "post"):
        answer = getattr(signed_in(member_of(service)), method)(where(service, text))
        assert answer.status_code == 404
        assert "Er wird so geschrieben: 2026-05." in answer.content.decode()
    assert not Delivery.objects.exists()


def test_running_and_future_months_and_those_out_of_operation_are_refused() -> None:
    service = service_at(
        ReportingLevel.LAND, HESSEN, live_from=dt.date(2025, 3, 10), ended_on=dt.date(2025, 6, 1)
    )
    for month, why in [
        (months.running(), "noch nicht vorbei"),
        (dt.date(9999, 12, 1), "noch nicht vorbei"),
        (dt.date(2025, 6, 1), "außer Betrieb"),
        (dt.date(2025, 2, 1), "noch nicht in Betrieb"),
        (dt.date(1, 1, 1), "noch nicht in Betrieb"),
    ]:
        with pytest.raises(NothingRefused, match=why):
            plan(service, month)
    assert regions(service, dt.date(2025, 3, 1)) == [HESSEN]
    assert regions(service, dt.date(2025, 5, 1)) == [HESSEN]


def test_somebody_who_delivers_in_the_same_moment_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    person = member_of(service)
    check = nothing.check

    def overtaken(*args: Any, **more: Any) -> Any:
        taken_over(person, content(service, (HESSEN, f"{LAST:%Y-%m}", 42)))
        return check(*args, **more)

    monkeypatch.setattr(nothing, "check", overtaken)
    answer = signed_in(person).post(where(service), follow=True)
    assert "schon etwas gemeldet, zusammen 42." in answer.content.decode()
    assert TransactionCount.objects.get().count == 42


def test_a_closed_month_needs_a_reason() -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    client = signed_in(member_of(service))
    close_months([LAST], by=UserFactory(is_operations=True), reason="Bericht erstellt")
    assert 'name="reason"' in page(client, where(service))
    answer = client.post(where(service), {"reason": " "})
    assert answer.status_code == 422
    assert "Begründen Sie" in answer.content.decode()
    assert not Delivery.objects.exists()
    client.post(where(service), {"reason": "Nachgereicht"})
    assert Delivery.objects.get().reason == "Nachgereicht"
    assert TransactionCount.objects.get().count == 0


def test_what_is_due_offers_it() -> None:
    service = service_at(ReportingLevel.LAND, HESSEN)
    client = signed_in(member_of(service))
    link = where(service).replace("&", "&amp;")
    assert link in page(client, "/meine/")
    assert link in page(client, f"/meine/onlineservices/{service.number}/")
