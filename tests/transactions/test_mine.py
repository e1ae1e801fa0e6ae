"""One's own services: where each stands, and what to do next."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from services.models import OnlineService, ServiceState
from tests.factories import MemberFactory, ServiceFactory, UserFactory
from tests.transactions.uploading import (
    HESSEN,
    LAST,
    MONTH,
    content,
    file_text,
    laender,
    page,
    signed_in,
    taken_over,
)
from transactions.models import ServiceMonth
from transactions.queries import standing
from transactions.queries.standing import Standing
from transactions.views.curves import curve
from zsk import months

pytestmark = pytest.mark.django_db
MINE = "/meine/"


@pytest.fixture
def person() -> User:
    return UserFactory()


def mine(person: User, name: str, *, last: int | None = None, **values: Any) -> OnlineService:
    """A service of the person; `last` counts months back from the last full one."""
    month = None if last is None else months.shift(LAST, -last)
    service = ServiceFactory(name=name, state__last_month=month, **values)
    if month:
        delivered(service, month)
    MemberFactory(service=service, user=person)
    return service


def delivered(service: OnlineService, month: dt.date) -> None:
    ServiceMonth.objects.create(
        service=service, month=month, total=1, rows=1,
        first_delivered_at=timezone.now(), last_delivered_at=timezone.now(),
    )  # fmt: skip


def at(monkeypatch: pytest.MonkeyPatch, day: dt.date) -> None:
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args, **_more: day)


def standings(person: User) -> dict[str, str]:
    services = OnlineService.objects.deliverable_by(person)
    return dict(standing.with_standing(services).values_list("name", "standing"))


def test_only_signed_in_people_and_only_their_own(person: User) -> None:
    assert Client().get(MINE)["Location"] == "/anmelden/?next=/meine/"
    mine(person, "Eigener")
    foreign = ServiceFactory(name="Fremder")
    said = page(signed_in(person), MINE)
    assert "Eigener" in said
    assert foreign.name not in said


@pytest.mark.parametrize(
    ("days", "previous"), [(0, Standing.DUE), (1, Standing.LATE)], ids=["on the due day", "after it"]
)
def test_standing_of_each_service(
    person: User, monkeypatch: pytest.MonkeyPatch, days: int, previous: Standing
) -> None:
    last = LAST
    at(monkeypatch, months.due_on(last) + dt.timedelta(days=days))
    mine(person, "aktuell", last=0)
    delivered(mine(person, "voraus", last=-1), last)
    mine(person, "nur der laufende", last=-1)
    mine(person, "einer fehlt", last=1)
    mine(person, "zwei fehlen", last=2)
    mine(person, "nie")
    mine(person, "startet", live_from=months.shift(last, 1))
    mine(person, "beendet", last=5, ended_on=last)
    assert standings(person) == {
        "aktuell": Standing.CURRENT, "voraus": Standing.CURRENT,
        "einer fehlt": previous, "nur der laufende": previous,
        "zwei fehlen": Standing.LATE, "nie": Standing.NEVER, "startet": Standing.STARTING,
        "beendet": Standing.ENDED,
    }  # fmt: skip
    said = page(signed_in(person), MINE)
    assert "fehlen noch 4 von 6 Lieferungen." in said
    assert ("Die Frist endet heute." in said) == (days == 0)


def test_a_service_without_state_was_never_delivered(person: User) -> None:
    mine(person, "ohne")
    ServiceState.objects.all().delete()
    assert standings(person) == {"ohne": Standing.NEVER}
    assert "noch keine" in page(signed_in(person), MINE)


def test_the_last_delivery_its_way_and_its_value_are_shown(person: User) -> None:
    laender()
    service = mine(person, "BAföG Digital")
    taken_over(person, content(service, (HESSEN, MONTH, 18412)))
    said = page(signed_in(person), MINE)
    assert "18.412" in said
    assert "Datei</span>" in said
    assert "nicht veröffentlicht" in said
    assert "zsk-spark" in said
    assert "nichts zu tun" in said


def test_the_next_step_is_the_oldest_missing_month(person: User) -> None:
    service = mine(person, "Wohngeld", last=3)
    said = page(signed_in(person), MINE)
    assert f"/liefern/datei?service={service.number}" in said
    month = standing.lines(list(standing.with_standing(OnlineService.objects.all()).select_related("state")))[
        0
    ].next_month
    assert month == months.shift(LAST, -2)


def test_the_address_searches_filters_and_sorts(person: User) -> None:
    mine(person, "Anker", last=0)
    mine(person, "Zebra", last=4)
    client = signed_in(person)

    def rows(query: str) -> list[str]:
        said = page(client, MINE + query).partition('id="h-alle"')[2]
        return sorted((name for name in ("Anker", "Zebra") if f">{name}</a>" in said), key=said.index)

    assert rows("") == ["Zebra", "Anker"]
    assert rows("?sortierung=name") == ["Anker", "Zebra"]
    assert rows("?q=zeb") == ["Zebra"]
    assert rows(f"?q={OnlineService.objects.get(name='Anker').number}") == ["Anker"]
    assert rows("?status=aktuell") == ["Anker"]
    assert rows("?q=gibt+es+nicht") == []
    assert rows("?q=%00&status=x&sortierung=x&seite=x") == ["Zebra", "Anker"]


@pytest.mark.parametrize("count", [10, 1_000])
def test_queries_do_not_grow_with_the_services(
    person: User, count: int, django_assert_num_queries: Any
) -> None:
    template = mine(person, "Erster", last=0)
    services = OnlineService.objects.bulk_create(
        OnlineService(name=f"Dienst {index}", leistung=template.leistung, authority=template.authority)
        for index in range(count - 1)
    )
    ServiceState.objects.bulk_create(ServiceState(service=service) for service in services)
    MemberFactory._meta.model.objects.bulk_create(
        MemberFactory.build(service=service, user=person) for service in services
    )
    client = signed_in(person)
    with django_assert_num_queries(11):
        said = page(client, MINE)
    assert said.count('data-l="Letzter Wert"') == min(count, 50)
    with django_assert_num_queries(7):
        page(client, reverse("transactions:deliver"))


def test_the_file_holds_what_the_page_shows(person: User) -> None:
    mine(person, "=Böse Formel", last=1)
    mine(person, "Wohngeld")
    text = file_text(signed_in(person), "/meine/onlineservices.csv?sortierung=name&q=formel")
    head, *rows = [line.split(";") for line in text.splitlines()]
    assert head[:3] == ["onlineservice", "name", "status"]
    assert [row[1] for row in rows] == ["'=Böse Formel"]
    assert re.fullmatch(r"\d{4}-\d\d", rows[0][3])
    assert "Wohngeld" not in text


def test_the_curve_breaks_where_nothing_was_reported() -> None:
    drawn = curve([10, 20, None, 5])
    assert drawn
    assert drawn.path.count("M") == 2
    assert drawn.path.endswith("h0")
    assert (drawn.x, drawn.y) == ("117.0", "22.0")
    assert curve([None, None]) is None
