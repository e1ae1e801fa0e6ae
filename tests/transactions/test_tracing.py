"""Every count on screen leads to the deliveries that made it, and every delivery to its values."""

import html
import re

import pytest
from django.test import Client

from accounts.models import User
from portals.models import Portal
from services.models import OnlineService
from tests.factories import (
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    PortalServiceFactory,
    ServiceFactory,
    UserFactory,
)
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    LAST,
    MONTH,
    SAARLAND,
    address,
    content,
    file_text,
    laender,
    page,
    received,
    signed_in,
    taken_over,
)
from transactions import uploads
from transactions.closing import close_months
from transactions.models import Delivery
from transactions.publication import publish
from zsk import months

pytestmark = pytest.mark.django_db


@pytest.fixture
def portal() -> Portal:
    laender()
    return PortalFactory(kuerzel="nord")


@pytest.fixture
def service(portal: Portal) -> OnlineService:
    made: OnlineService = ServiceFactory(name="Wohngeld online", portal=portal)
    publish(made, by=None)
    return made


@pytest.fixture
def member(service: OnlineService) -> User:
    return MemberFactory(service=service).user


@pytest.fixture
def sent(member: User, service: OnlineService) -> Delivery:
    taken_over(member, content(service, (HESSEN, MONTH, 5)))
    return taken_over(member, content(service, (HESSEN, MONTH, 7), (BAYERN, MONTH, 2000)))


def links(client: Client, where: str) -> dict[str, str]:
    """What links say, or are called, with where they lead."""
    found = re.findall(r'<a href="([^"]*)"(?: aria-label="([^"]*)")?[^>]*>(.*?)</a>', page(client, where))
    return {called or re.sub("<[^>]*>", "", said): html.unescape(to) for to, called, said in found}


def values(service: OnlineService) -> str:
    return f"/meine/onlineservices/{service.number}/zahlen/{MONTH}/"


def test_numbers_of_a_service_lead_to_its_people_only(service: OnlineService, sent: Delivery) -> None:
    where = service.get_absolute_url()
    found = links(signed_in(sent.user), where)
    spoken = next(name for name in found if name.startswith("2.007, "))
    assert found[spoken] == values(service)
    assert found["2.000, Bayern: Lieferungen"] == f"{values(service)}?region={BAYERN}"
    assert found["7, Hessen: Lieferungen"] == f"{values(service)}?region={HESSEN}"
    for client in (Client(), signed_in(UserFactory())):
        assert "/zahlen/" not in page(client, where)
    # By the regions of today other values may stand behind a number.
    assert "2.000, Bayern: Lieferungen" not in links(signed_in(sent.user), f"{where}?gebietsstand=heute")
    of_region = links(signed_in(sent.user), f"{where}?region={HESSEN}")
    assert next(to for name, to in of_region.items() if name.startswith("7, ")).endswith(f"?region={HESSEN}")


def test_a_months_values_are_left_to_one_region(service: OnlineService, sent: Delivery) -> None:
    client = signed_in(sent.user)
    said = page(client, f"{values(service)}?region={HESSEN}")
    assert "Wohngeld online, Hessen: 7 aus einer Region." in said
    assert "Bayern" not in said
    assert sent.get_absolute_url() in said
    lines = file_text(client, f"{values(service).rstrip('/')}.csv?region={HESSEN}").splitlines()
    assert {line.split(";")[0] for line in lines[1:]} == {HESSEN}
    assert "Für diese Region ist nichts gemeldet" in page(client, f"{values(service)}?region={SAARLAND}")
    for nonsense in ("x", "%00", "999999999999"):
        assert "2.007 aus 2 Regionen" in page(client, f"{values(service)}?region={nonsense}")


def test_a_delivery_leads_to_each_kind_of_its_values(service: OnlineService, sent: Delivery) -> None:
    client, where = signed_in(sent.user), f"/lieferungen/{sent.pk}/werte/"
    found = re.findall(r'href="([^"]*\?art=[^"]*)"', page(client, sent.get_absolute_url()))
    assert {html.unescape(to) for to in found} == {f"{where}?art=neu", f"{where}?art=geaendert"}
    assert links(client, sent.get_absolute_url())["Hessen"] == f"{values(service)}?region={HESSEN}"
    listed = re.findall(r'href="([^"]*\?art=[^"]*)"', page(client, "/lieferungen/"))
    assert html.unescape(listed[0]) == f"{where}?art=neu&service={service.number}"
    assert "Bayern" in page(client, html.unescape(listed[0]))
    assert links(client, where)["Hessen"] == f"{values(service)}?region={HESSEN}"


def test_no_number_leads_to_a_page_that_is_not_there(service: OnlineService, sent: Delivery) -> None:
    """The sender has lost the service: the delivery is still theirs, its values are not."""
    service.memberships.all().delete()
    client = signed_in(sent.user)
    for where in (sent.get_absolute_url(), "/lieferungen/"):
        assert "/werte/" not in page(client, where)
        assert "/zahlen/" not in page(client, where)


def test_numbers_of_a_portal_lead_its_admins_to_its_deliveries(
    portal: Portal, service: OnlineService, sent: Delivery
) -> None:
    admin = PortalMemberFactory(portal=portal).user
    found = links(signed_in(admin), "/portale/nord/")
    to = f"/meine/portale/nord/lieferungen?monat={MONTH}"
    assert list(found.values()).count(to) == 2
    assert found["2.007, Wohngeld online: Lieferungen"] == values(service)
    member = links(signed_in(sent.user), "/portale/nord/")
    assert to not in member.values()
    assert values(service) in member.values()
    for client in (Client(), signed_in(UserFactory())):
        assert "/meine/portale/nord" not in page(client, "/portale/nord/")
        assert "/zahlen/" not in page(client, "/portale/nord/")


def test_a_share_of_the_map_leads_to_those_who_are_missing(
    portal: Portal, service: OnlineService, sent: Delivery
) -> None:
    silent = ServiceFactory(name="Stiller Dienst", live_from=months.shift(LAST, -3))
    PortalServiceFactory(service=silent, portal=portal)
    client = signed_in(PortalMemberFactory(portal=portal).user)
    where = f"/meine/portale/nord/vollstaendigkeit?jahr={LAST.year}"
    assert f'href="?fehlt={MONTH}"' in page(client, where)
    said = page(client, f"/meine/portale/nord/vollstaendigkeit?fehlt={MONTH}")
    assert "Stiller Dienst" in said
    assert "Wohngeld online" not in said
    lines = file_text(client, f"/meine/portale/nord/vollstaendigkeit.csv?fehlt={MONTH}").splitlines()
    assert {line.split(";")[1] for line in lines[1:]} == {"Stiller Dienst"}
    assert "Wohngeld online" in page(client, "/meine/portale/nord/vollstaendigkeit?fehlt=%00")


def test_corrected_values_lead_to_their_deliveries(service: OnlineService, sent: Delivery) -> None:
    operator = UserFactory(is_operations=True)
    close_months([LAST], by=operator, reason="Jahresbericht")
    before = taken_over(sent.user, content(service, (HESSEN, f"{months.running():%Y-%m}", 1)))
    client = signed_in(sent.user)
    upload = taken_over_with_reason(client, sent.user, service)
    shown = links(signed_in(operator), "/betrieb/monate/")
    to = f"/lieferungen/?korrektur={MONTH}"
    assert to in shown.values()
    said = page(signed_in(operator), to)
    assert upload.get_absolute_url() in said
    assert before.get_absolute_url() not in said
    assert f"/betrieb/vollstaendigkeit/?jahr={LAST.year}" in shown.values()


def taken_over_with_reason(client: Client, user: User, service: OnlineService) -> Delivery:
    waiting = received(user, content(service, (HESSEN, MONTH, 9)))
    seen = uploads.review(waiting, by=user).seen
    client.post(address("confirm", waiting), {"gesehen": seen, "reason": "Zahlendreher"})
    return Delivery.objects.get(pk=waiting.pk)


def test_what_is_due_leads_to_the_number_before(service: OnlineService, member: User) -> None:
    earlier = months.shift(LAST, -1)
    taken_over(member, content(service, (HESSEN, f"{earlier:%Y-%m}", 12)))
    found = links(signed_in(member), "/meine/")
    assert found["12"] == f"/meine/onlineservices/{service.number}/zahlen/{earlier:%Y-%m}/"
