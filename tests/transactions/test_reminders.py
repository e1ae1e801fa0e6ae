"""Reminders: who is told, when, of what, and never twice."""

import datetime as dt
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import OutgoingMail, User
from services.models import OnlineService
from tests.factories import (
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
)
from tests.transactions.uploading import page, signed_in
from transactions import reminders, tasks
from transactions.models import Reminder, ServiceMonth

pytestmark = pytest.mark.django_db
JUNE = dt.date(2026, 6, 1)


class Clock:
    """Points in time as UTC; the rules are those of Germany, two hours ahead in July."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def set(self, text: str) -> None:
        at = dt.datetime.fromisoformat(f"{text}+00:00")
        self.patch.setattr("django.utils.timezone.now", lambda: at)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock(monkeypatch)
    found.set("2026-07-12T08:00")
    return found


@pytest.fixture
def petra() -> User:
    return UserFactory(first_name="Petra", last_name="Lindner", email="petra@example.org")


def service_of(
    *people: User, name: str = "Wohngeld", last: dt.date | None = None, **values: Any
) -> OnlineService:
    service: OnlineService = ServiceFactory(name=name, **values)
    for person in people:
        MemberFactory(service=service, user=person)
    if last:
        reported(service, last)
    return service


def reported(service: OnlineService, month: dt.date) -> None:
    ServiceMonth.objects.create(
        service=service, month=month, total=0, rows=1,
        first_delivered_at=timezone.now(), last_delivered_at=timezone.now(),
    )  # fmt: skip


def mails() -> list[tuple[str, str]]:
    return [(row.recipient, row.subject) for row in OutgoingMail.objects.order_by("pk")]


def body() -> str:
    return OutgoingMail.objects.latest("pk").body


@pytest.mark.parametrize(
    ("at", "stage"),
    [
        ("2026-07-09T21:59", None),  # 23:59 on the 9th
        ("2026-07-09T22:00", Reminder.Stage.BEFORE),  # midnight: five days before the 15th
        ("2026-07-15T21:59", Reminder.Stage.BEFORE),  # the last minute of the deadline
        ("2026-07-15T22:00", Reminder.Stage.LATE),
        ("2026-07-31T21:59", Reminder.Stage.LATE),
        ("2026-07-31T22:00", None),  # August has begun: July is due on the 15th of August
    ],
)
def test_the_stages_change_at_midnight_in_berlin(clock: Clock, at: str, stage: Reminder.Stage | None) -> None:
    clock.set(at)
    assert reminders.stage_of_today() == stage


def test_the_days_are_settings(clock: Clock, settings: LazySettings) -> None:
    settings.REMINDER_DAYS_BEFORE, settings.REMINDER_DAYS_LATE = 0, 3
    for at, stage in [
        ("2026-07-14T10:00", None), ("2026-07-15T10:00", Reminder.Stage.BEFORE),
        ("2026-07-17T10:00", None), ("2026-07-18T10:00", Reminder.Stage.LATE),
    ]:  # fmt: skip
        clock.set(at)
        assert reminders.stage_of_today() == stage
    settings.REMINDERS = False
    assert reminders.stage_of_today() is None


def test_one_mail_lists_everything_that_is_due_for_a_person(
    clock: Clock, petra: User, settings: LazySettings
) -> None:
    settings.SITE_URL = "https://zsk.example"
    one = service_of(petra, name="Wohngeld", last=dt.date(2026, 5, 1))
    two = service_of(petra, name="BAföG", last=dt.date(2026, 4, 1))
    service_of(petra, name="Erledigt", last=JUNE)
    service_of(petra, name="Beendet", ended_on=dt.date(2026, 5, 1))
    service_of(name="Fremd")
    assert tasks.send_reminders() == 1
    assert mails() == [
        ("petra@example.org", "[ZSK Test] Juni 2026: 2 Lieferungen sind fällig bis 15. Juli 2026")
    ]
    said = body()
    assert f"Wohngeld ({one.number}), Juni 2026\n" in said
    # The oldest missing month comes first.
    assert f"BAföG ({two.number}), Mai 2026 und danach 1 weiterer Monat\n" in said
    assert f"/liefern/formular?service={one.number}&monat=2026-06" in said
    assert f"/meine/onlineservices/{two.number}/keine-transaktionen?monat=2026-05" in said
    assert "/konto/" in said
    for other in ("Erledigt", "Beendet", "Fremd"):
        assert other not in said


def test_the_links_of_the_mail_lead_to_their_pages(clock: Clock, petra: User, settings: LazySettings) -> None:
    settings.SITE_URL = "https://zsk.example"
    service_of(petra)
    reminders.send()
    links = [line.split()[-1] for line in body().splitlines() if "https://zsk.example/" in line]
    assert len(links) >= 5
    client = signed_in(petra)
    for link in links:
        page(client, link.removeprefix("https://zsk.example"))


@pytest.mark.parametrize("services", [1, reminders.MOST_LISTED + 1])
def test_without_an_address_there_is_no_link_instead_of_a_wrong_one(
    clock: Clock, petra: User, services: int, settings: LazySettings
) -> None:
    settings.SITE_URL = ""
    for _number in range(services):
        service_of(petra, name="Wohngeld")
    reminders.send()
    assert "/" not in body()
    assert "Meine Onlineservices, wenn Sie sich an der ZSK anmelden." in body()
    assert body().count("Wohngeld (OS-") == min(services, reminders.MOST_LISTED)


def test_nobody_is_told_twice_of_the_same_month_and_stage(clock: Clock, petra: User) -> None:
    service_of(petra)
    assert reminders.send() == 1
    assert reminders.send() == 0
    clock.set("2026-07-15T20:00")
    assert reminders.send() == 0
    clock.set("2026-07-16T08:00")
    assert reminders.send() == 1
    clock.set("2026-07-25T08:00")
    assert reminders.send() == 0
    assert [subject for _to, subject in mails()] == [
        "[ZSK Test] Juni 2026: Eine Lieferung ist fällig bis 15. Juli 2026",
        "[ZSK Test] Juni 2026: Eine Lieferung ist verspätet",
    ]
    clock.set("2026-08-12T08:00")
    assert reminders.send() == 1


def test_what_was_delivered_meanwhile_is_left_out(clock: Clock, petra: User) -> None:
    one, two = service_of(petra, name="Wohngeld"), service_of(petra, name="BAföG")
    reminders.send()
    reported(one, JUNE)
    clock.set("2026-07-17T08:00")
    assert reminders.send() == 1
    assert "BAföG" in body()
    assert "Wohngeld" not in body()
    OutgoingMail.objects.all().delete()
    Reminder.objects.all().delete()
    reported(two, JUNE)
    assert reminders.send() == 0
    assert not Reminder.objects.exists()


def test_only_those_who_can_and_want_to_be_told(clock: Clock, petra: User) -> None:
    colleague = UserFactory(email="kollege@example.org")
    silent = UserFactory(email="still@example.org", reminders=False)
    locked = UserFactory(email="gesperrt@example.org", is_active=False)
    UserFactory(email="betrieb@example.org", is_operations=True)
    service_of(petra, colleague, silent, locked, UserFactory(email=""))
    assert reminders.send() == 2
    assert {to for to, _subject in mails()} == {"petra@example.org", "kollege@example.org"}


def test_portal_admins_are_told_of_what_their_portal_holds(clock: Clock, settings: LazySettings) -> None:
    settings.SITE_URL = "https://zsk.example"
    portal = PortalFactory()
    admin = PortalMemberFactory(portal=portal, user__email="admin@example.org").user
    held = [ServiceFactory(name=f"Dienst {index:02d}", portal=portal) for index in range(32)]
    ServiceFactory(name="Gegangen", portal=portal, portal__until=dt.date(2026, 1, 1))
    MemberFactory(service=held[0], user=admin)
    assert reminders.send() == 1
    assert mails() == [
        ("admin@example.org", "[ZSK Test] Juni 2026: 32 Lieferungen sind fällig bis 15. Juli 2026")
    ]
    assert body().count("Keine Transaktionen:") == 30
    assert "… und 2 weitere Onlineservices." in body()
    assert "Gegangen" not in body()


def test_the_rest_is_told_after_a_run_that_broke_off(
    clock: Clock, petra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_of(petra, UserFactory(email="zweite@example.org"))
    send, tries = reminders.mail.send, iter([True, False])

    def breaks(*args: Any, **more: Any) -> Any:
        row = send(*args, **more)
        if not next(tries, True):
            raise RuntimeError
        return row

    monkeypatch.setattr(reminders.mail, "send", breaks)
    with pytest.raises(RuntimeError):
        reminders.send()
    assert len(mails()) == Reminder.objects.count() == 1
    assert reminders.send() == 1
    assert {to for to, _subject in mails()} == {"petra@example.org", "zweite@example.org"}


@pytest.mark.parametrize("count", [1, 40])
def test_gathering_costs_the_same_for_few_and_many_services(
    clock: Clock, petra: User, count: int, django_assert_num_queries: Any
) -> None:
    for index in range(count):
        service_of(petra, name=f"Dienst {index}")
    with django_assert_num_queries(4):
        assert len(list(reminders._people(Reminder.Stage.BEFORE, JUNE))) == 1


def test_people_turn_them_off_and_on_in_their_account(clock: Clock, petra: User) -> None:
    service_of(petra)
    client = signed_in(petra)
    assert "Erinnerungen abschalten" in page(client, "/konto/")
    client.post("/konto/erinnerungen", {"an": "nein"})
    assert reminders.send() == 0
    assert "Erinnerungen einschalten" in page(client, "/konto/")
    client.post("/konto/erinnerungen", {"an": "ja"})
    assert reminders.send() == 1
    assert client.get("/konto/erinnerungen").status_code == 405
