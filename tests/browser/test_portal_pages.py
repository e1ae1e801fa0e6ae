"""Members, keys and portals in a browser: axe on every page, and a file of services from choice to list."""

from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from ozgsync.models import Leistung
from portals.models import InvitedPortalMember
from services.models import InvitedMember, OnlineService, PortalMove, ServiceMember
from tests.browser.test_accessibility import faults, view
from tests.factories import (
    LONG_AGO,
    PASSWORD,
    InvitationFactory,
    LeistungChangeFactory,
    LeistungFactory,
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    api_key,
    kreis,
    land,
)

__all__ = ["view"]
pytestmark = pytest.mark.django_db(transaction=True)
NORD = "/meine/portale/nord/"
HEAD = "kennung;name;leistungsschluessel;meldeebene;gebiet"
ROLE = ServiceMember.Role.RESPONSIBLE


@pytest.fixture
def service() -> OnlineService:
    """In a portal, with members, an invitation and a key; `petra` looks after all of it, as operations."""
    LeistungFactory(schluessel="99102013000000", name="Hundesteuer")
    kreis()
    person = UserFactory(username="petra", first_name="Petra", last_name="Lindner", is_operations=True)
    portal = PortalFactory(name="Nordportal", kuerzel="nord", authority__region=land())
    PortalMemberFactory(portal=portal, user=person)
    InvitedPortalMember.objects.create(portal=portal, invitation=InvitationFactory())
    made = ServiceFactory(name="Hundesteuer", portal=portal, portal__kennung="hund-1")
    MemberFactory(service=made, user=person, role=ROLE)
    MemberFactory(service=made, role=ROLE)
    InvitedMember.objects.create(service=made, invitation=InvitationFactory(), role="lieferant")
    api_key(made)
    asked = ServiceFactory(name="Katzensteuer")
    MemberFactory(service=asked, user=person, role=ROLE)
    PortalMove.objects.create(portal=portal, service=asked, since=timezone.localdate(), asked_by=person)
    result: OnlineService = made
    return result


def log_in(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/anmelden/?next={NORD}")
    page.fill("#id_login", "petra")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"**{NORD}")


def test_every_page_is_accessible(view: Page, live_server: LiveServer, service: OnlineService) -> None:
    log_in(view, live_server)
    own = f"/meine/onlineservices/{service.number}/"
    member, _other = service.memberships.order_by("pk")
    admin = PortalMemberFactory(portal__kuerzel="anders", user=member.user)
    asked = PortalMove.objects.get().service
    # So that the change to its successor is offered.
    Leistung.objects.filter(pk=service.leistung_id).update(valid_to=LONG_AGO)
    LeistungChangeFactory(old=service.leistung)
    addresses = [
        "/meine/", own, f"{own}stammdaten", f"{own}portal-verlassen",
        f"{own}mitglieder", f"{own}mitglieder/{member.pk}/", f"{own}mitglieder/{member.pk}/entfernen",
        f"{own}schluessel", f"{own}schluessel/{service.credentials.get().pk}/widerrufen",
        f"/meine/onlineservices/{asked.number}/portalanfrage",
        NORD, f"{NORD}services", f"{NORD}services/aufnehmen", f"{NORD}services/{service.number}/abgeben",
        f"{NORD}mitglieder", f"{NORD}schluessel", f"{NORD}sammelregistrierung",
        f"/meine/portale/anders/mitglieder/{admin.pk}/entfernen",
        "/portale/nord/", "/betrieb/portale/", "/betrieb/portale/neu", "/betrieb/portale/nord/",
    ]  # fmt: skip
    found = {}
    for address in addresses:
        view.goto(live_server.url + address)
        found[address] = faults(view)
    assert {address: lines for address, lines in found.items() if lines} == {}


def test_faulty_forms_and_the_new_key_are_accessible(
    view: Page,
    live_server: LiveServer,
    service: OnlineService,
) -> None:
    log_in(view, live_server)
    own = f"/meine/onlineservices/{service.number}/"
    for address in (f"{own}mitglieder", f"{NORD}services/aufnehmen", "/betrieb/portale/neu"):
        view.goto(live_server.url + address)
        view.click("main form:has(.kern-btn--primary) .kern-btn--primary")
        assert view.get_by_role("alert").is_visible()
        assert faults(view) == [], address
    view.goto(f"{live_server.url}{own}schluessel")
    view.fill("#id_name", "Produktion")
    view.click("main .kern-btn--primary")
    assert view.input_value("#schluessel").startswith("zsk_")
    assert faults(view) == []


def test_a_file_is_mended_and_registered(
    view: Page,
    live_server: LiveServer,
    service: OnlineService,
    tmp_path: Path,
) -> None:
    log_in(view, live_server)
    _choose(view, live_server, tmp_path, "Kreis;64350000000")
    assert "Ihre Datei hat einen Fehler" in view.inner_text("h1")
    assert "Gemeint ist wohl 064350000000." in view.inner_text("main")
    assert faults(view) == []
    _choose(view, live_server, tmp_path, "Kreis;064350000000")
    assert "Ein Onlineservice würde registriert" in view.inner_text("h1")
    assert faults(view) == []
    view.get_by_role("button", name="Onlineservice registrieren").click()
    assert view.get_by_text("Ein Onlineservice ist registriert.").is_visible()
    assert view.get_by_role("link", name="Hundesteuer abmelden", exact=True).is_visible()
    assert faults(view) == []


def _choose(view: Page, server: LiveServer, folder: Path, cells: str) -> None:
    path = folder / "services.csv"
    path.write_text(f"{HEAD}\nhund-2;Hundesteuer abmelden;99102013000000;{cells}\n", encoding="utf-8")
    view.goto(f"{server.url}{NORD}sammelregistrierung")
    view.set_input_files("#id_file", path)
    view.get_by_role("button", name="Datei prüfen").click()
