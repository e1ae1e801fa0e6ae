"""Taking services into a portal with consent, and letting them go; one portal at a time, dated."""

import datetime as dt
import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, OutgoingMail, User
from portals.models import Portal
from services import portal_services
from services.models import OnlineService, PortalMove, PortalService, ServiceMember
from services.portal_services import MoveRefused, NotOpen, Wish
from tests.factories import (
    LONG_AGO,
    AuthorityFactory,
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    PortalServiceFactory,
    ServiceFactory,
    UserFactory,
    api_key,
    germany,
    kreis,
    land,
)

pytestmark = pytest.mark.django_db
SITE = "https://zsk.example"
TODAY = timezone.localdate
RESPONSIBLE = ServiceMember.Role.RESPONSIBLE
NORD = "/meine/portale/nord/"


@pytest.fixture
def portal() -> Portal:
    made: Portal = PortalFactory(name="Nordportal", kuerzel="nord", authority__region=germany())
    return made


@pytest.fixture
def admin(portal: Portal, client: Client) -> User:
    person: User = PortalMemberFactory(portal=portal).user
    client.force_login(person)
    return person


@pytest.fixture
def service() -> OnlineService:
    made: OnlineService = ServiceFactory(name="Hundesteuer")
    return made


@pytest.fixture
def owner(service: OnlineService) -> User:
    person: User = MemberFactory(service=service, role=RESPONSIBLE).user
    return person


def ask(portal: Portal, service: OnlineService, by: User, **changes: object) -> PortalMove:
    values = {"kennung": "hund", "since": TODAY(), **changes}
    wish = Wish(service, **values)  # type: ignore[arg-type]
    return portal_services.ask(portal=portal, wish=wish, by=by, site=SITE)


def held(portal: Portal) -> list[OnlineService]:
    return [row.service for row in PortalService.objects.current().filter(portal=portal)]


# --- Asking and answering ----------------------------------------------------------------------------


def test_only_admins_of_the_portal_ask(portal: Portal, service: OnlineService, owner: User) -> None:
    with pytest.raises(PermissionDenied):
        ask(portal, service, PortalMemberFactory().user)


def test_the_services_people_are_asked_and_agree(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    form = {"service": service.number.lower(), "kennung": "hund", "since": TODAY().isoformat()}
    text = client.post(f"{NORD}services/aufnehmen", form, follow=True).content.decode()
    assert "muss zustimmen" in text
    assert held(portal) == []
    assert OutgoingMail.objects.get().recipient == owner.email
    client.force_login(owner)
    address = f"/meine/onlineservices/{service.number}/portalanfrage"
    assert "Soll Hundesteuer zum Portal Nordportal gehören?" in client.get(address).content.decode()
    client.post(address, {"antwort": "ja"})
    assert held(portal) == [service]
    assert OutgoingMail.objects.latest("pk").recipient == admin.email
    assert AuditEntry.objects.filter(action="In Portal aufgenommen", user=owner).exists()


def test_declining_changes_nothing(portal: Portal, admin: User, service: OnlineService, owner: User) -> None:
    move = ask(portal, service, admin)
    portal_services.answer(move=move, agreed=False, by=owner, site=SITE)
    assert held(portal) == []
    with pytest.raises(NotOpen):
        portal_services.answer(move=move, agreed=True, by=owner, site=SITE)


@pytest.mark.parametrize("role", [ServiceMember.Role.SUPPLIER, None])
def test_who_is_not_responsible_does_not_answer(
    portal: Portal, admin: User, service: OnlineService, owner: User, role: str | None
) -> None:
    person = MemberFactory(service=service, role=role).user if role else admin
    move = ask(portal, service, admin)
    with pytest.raises(PermissionDenied):
        portal_services.answer(move=move, agreed=True, by=person, site=SITE)
    assert held(portal) == []


def test_an_admin_who_is_responsible_too_need_not_ask(
    portal: Portal, admin: User, service: OnlineService
) -> None:
    MemberFactory(service=service, user=admin, role=RESPONSIBLE)
    assert ask(portal, service, admin).agreed
    assert held(portal) == [service]
    assert not OutgoingMail.objects.exists()


def test_without_anybody_to_agree_the_portal_is_told(
    portal: Portal, admin: User, service: OnlineService
) -> None:
    with pytest.raises(MoveRefused, match="niemand verantwortlich"):
        ask(portal, service, admin)


def test_a_question_is_taken_back(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    move = ask(portal, service, admin)
    client.post(f"{NORD}anfragen/{move.pk}/zurueckziehen")
    with pytest.raises(NotOpen):
        portal_services.answer(move=move, agreed=True, by=owner, site=SITE)


# --- What a portal may hold --------------------------------------------------------------------------


def refused(client: Client, service: OnlineService, /, **changes: str) -> str:
    form = {"service": service.number, "kennung": "hund", "since": TODAY().isoformat(), **changes}
    answer = client.post(f"{NORD}services/aufnehmen", form)
    assert answer.status_code == 422
    assert not PortalMove.objects.exists()
    return answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"service": "123"}, "Das ist keine Nummer der ZSK"),
        ({"service": "OS-999999"}, "Diesen Onlineservice gibt es nicht"),
        ({"since": "morgen"}, "Schreiben Sie das Datum"),
        ({"kennung": "OS-000001"}, "sieht aus wie eine Nummer der ZSK"),
        ({"kennung": "katze"}, "Diese Kennung trägt im Portal schon Katzensteuer"),
    ],
)
def test_a_faulty_form_says_what_is_wrong(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User,
    changes: dict[str, str], message: str,
) -> None:  # fmt: skip
    ServiceFactory(name="Katzensteuer", portal=portal, portal__kennung="katze")
    text = refused(client, service, **changes)
    assert message in text
    assert f'value="{changes.get("kennung", "hund")}"' in text


def test_one_portal_at_a_time(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    link = PortalServiceFactory(service=service, portal__name="Südportal")
    assert "gehört zum Portal Südportal. Es muss ihn zuerst abgeben, oder" in refused(client, service)
    link.until = TODAY() + dt.timedelta(days=10)
    link.save()
    assert "Wählen Sie diesen Tag oder einen späteren" in refused(client, service)
    ask(portal, service, admin, since=link.until)


def test_twice_into_the_same_portal(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    PortalServiceFactory(service=service, portal=portal)
    assert "gehört schon zum Portal" in refused(client, service)


def test_outside_of_the_portals_area(
    client: Client, portal: Portal, admin: User, owner: User, service: OnlineService
) -> None:
    portal.authority = AuthorityFactory(region=land())
    portal.save()
    service.area.add(kreis(), kreis("010510000000", "Dithmarschen"))
    text = refused(client, service)
    assert "Dithmarschen (010510000000) liegt außerhalb" in text


def test_one_that_has_ended(
    client: Client, portal: Portal, admin: User, owner: User, service: OnlineService
) -> None:
    OnlineService.objects.update(ended_on=TODAY())
    assert "außer Betrieb" in refused(client, service)


def test_a_kennung_given_meanwhile_is_refused_when_agreeing(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    ask(portal, service, admin)
    ServiceFactory(portal=portal, portal__kennung="hund")
    client.force_login(owner)
    answer = client.post(f"/meine/onlineservices/{service.number}/portalanfrage", {"antwort": "ja"})
    assert answer.status_code == 409
    assert "Diese Kennung trägt im Portal schon" in answer.content.decode()
    assert PortalMove.objects.get().answered_at is None


# --- Letting go --------------------------------------------------------------------------------------


def test_letting_go_is_dated(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    PortalServiceFactory(portal=portal, service=service)
    credential, _key = api_key(portal=portal)
    until = TODAY() + dt.timedelta(days=1)
    client.post(f"{NORD}services/{service.number}/abgeben", {"until": until.isoformat()})
    link = PortalService.objects.get()
    assert link.until == until
    assert list(OnlineService.objects.deliverable_by(credential)) == [service]
    assert not PortalService.objects.current(until).exists()
    assert OutgoingMail.objects.get().recipient == owner.email


def test_let_go_today_the_portals_key_no_longer_delivers(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    PortalServiceFactory(portal=portal, service=service)
    credential, _key = api_key(portal=portal)
    client.post(f"{NORD}services/{service.number}/abgeben", {"until": TODAY().isoformat()})
    assert not OnlineService.objects.deliverable_by(credential).exists()
    assert client.get(f"/meine/onlineservices/{service.number}/mitglieder").status_code == 403


def test_nobody_is_let_go_before_the_beginning_or_without_anybody(
    client: Client, portal: Portal, admin: User, service: OnlineService
) -> None:
    PortalServiceFactory(portal=portal, service=service)
    address = f"{NORD}services/{service.number}/abgeben"
    before = LONG_AGO - dt.timedelta(days=1)
    assert "erst seit dem" in client.post(address, {"until": before.isoformat()}).content.decode()
    text = client.post(address, {"until": TODAY().isoformat()}).content.decode()
    assert "niemand verantwortlich" in text
    assert PortalService.objects.get().until is None


def test_who_has_no_address_is_responsible_all_the_same(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    User.objects.filter(pk=owner.pk).update(email="")
    PortalServiceFactory(portal=portal, service=service)
    client.post(f"{NORD}services/{service.number}/abgeben", {"until": TODAY().isoformat()})
    assert PortalService.objects.get().until == TODAY()
    assert not OutgoingMail.objects.exists()


# --- Leaving -----------------------------------------------------------------------------------------


def leaving(service: OnlineService) -> str:
    return f"/meine/onlineservices/{service.number}/portal-verlassen"


def test_whoever_is_responsible_leaves_and_the_portal_is_told(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    PortalServiceFactory(portal=portal, service=service)
    client.force_login(owner)
    until = TODAY() + dt.timedelta(days=3)
    assert leaving(service) in client.get(f"/meine/onlineservices/{service.number}/").content.decode()
    answer = client.post(leaving(service), {"until": until.isoformat()}, follow=True)
    assert "nicht mehr zum Portal" in answer.content.decode()
    assert PortalService.objects.get().until == until
    assert held(portal) == [service]
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, "verlässt Ihr Portal Nordportal" in mail.subject) == (admin.email, True)
    assert AuditEntry.objects.filter(action="Portal verlassen", target=str(service)).exists()
    assert leaving(service) not in client.get(f"/meine/onlineservices/{service.number}/").content.decode()


@pytest.mark.parametrize("days", [-1, -400])
def test_nobody_leaves_in_the_past(
    client: Client, portal: Portal, service: OnlineService, owner: User, days: int
) -> None:
    PortalServiceFactory(portal=portal, service=service)
    client.force_login(owner)
    until = TODAY() + dt.timedelta(days=days)
    answer = client.post(leaving(service), {"until": until.isoformat()})
    assert (answer.status_code, "frühestens heute" in answer.content.decode()) == (422, True)
    assert PortalService.objects.get().until is None


def test_the_portal_cannot_leave_in_the_services_name(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    link = PortalServiceFactory(portal=portal, service=service)
    assert client.post(leaving(service), {"until": TODAY().isoformat()}).status_code == 403
    with pytest.raises(PermissionDenied):
        portal_services.leave(held=link, until=TODAY(), by=admin, site=SITE)
    assert PortalService.objects.get().until is None


def test_what_has_left_already_is_said(
    client: Client, portal: Portal, service: OnlineService, owner: User
) -> None:
    PortalServiceFactory(portal=portal, service=service, until=TODAY() + dt.timedelta(days=1))
    client.force_login(owner)
    answer = client.post(leaving(service), {"until": TODAY().isoformat()}, follow=True)
    assert "gehört zu keinem Portal" in answer.content.decode()


def test_the_list_leads_to_inviting_somebody_where_nobody_is(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    PortalServiceFactory(portal=portal, service=service)
    alone = ServiceFactory(portal=portal)
    text = client.get(f"{NORD}services").content.decode()
    assert text.count("noch niemand eingetragen") == 1
    address = f"/meine/onlineservices/{alone.number}/mitglieder"
    assert f'href="{address}"' in text
    sent = {"email": "neu@amt.example", "role": "verantwortlich", "at_authority": "1"}
    assert client.post(address, sent).status_code == 302
    assert OutgoingMail.objects.get().recipient == "neu@amt.example"


# --- Pages -------------------------------------------------------------------------------------------


def test_the_list_filters_and_costs_the_same(client: Client, portal: Portal, admin: User) -> None:
    ServiceFactory(name="Hundesteuer", portal=portal, portal__kennung="hund-1")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{NORD}services")
    for _number in range(10):
        ServiceFactory(portal=portal)
    with CaptureQueriesContext(connection) as many:
        client.get(f"{NORD}services")
    assert len(many) == len(few)
    text = client.get(f"{NORD}services?q=hund-1&status=nie&sortierung=kennung").content.decode()
    assert "Hundesteuer" in text
    assert text.count("/abgeben") == 1
    assert "Kein Onlineservice gefunden" in client.get(f"{NORD}services?status=aktuell").content.decode()


def test_the_start_page_says_what_waits(
    client: Client, portal: Portal, admin: User, service: OnlineService, owner: User
) -> None:
    assert "gehört noch kein Onlineservice" in client.get(NORD).content.decode()
    ask(portal, service, admin)
    assert "Wartet auf die Verantwortlichen." in client.get(NORD).content.decode()
    assert "Portal Nordportal" in client.get("/meine/").content.decode()


# --- At once -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_services_with_one_kennung_at_once() -> None:
    germany()
    portal = PortalFactory(authority__region=germany())
    operator = UserFactory(is_operations=True)
    both = [ServiceFactory(), ServiceFactory()]
    barrier, results = threading.Barrier(2), []

    def take(service: OnlineService) -> None:
        try:
            barrier.wait()
            ask(portal, service, operator)
            results.append("aufgenommen")
        except MoveRefused:
            results.append("Kennung vergeben")
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(service,)) for service in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["Kennung vergeben", "aufgenommen"]
