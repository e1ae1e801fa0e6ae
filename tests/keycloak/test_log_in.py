"""Log in with a real Keycloak in a real browser: who gets in, where to, and what others are told."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.invitations import hash_of
from accounts.models import AuditEntry, Invitation, User
from tests.factories import AuthorityFactory, UserFactory
from tests.keycloak.conftest import DISABLED, GAST, OLE, PETRA, Admin, enter, log_in
from zsk.demo import subject
from zsk.keycloak import KeycloakUser

pytestmark = pytest.mark.django_db(transaction=True)


def bound(user: KeycloakUser, **values: object) -> User:
    person: User = UserFactory(username=f"konto-{user.username}", sub=subject(user.username), **values)
    return person


def heading(page: Page) -> str:
    return page.inner_text("h1")


def test_log_in_leads_to_the_page_that_was_asked_for(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    person = bound(PETRA, first_name="Alter", last_name="Name")
    log_in(page, live_server.url, PETRA, "/konto/?a=1")
    expect(page).to_have_url(f"{live_server.url}/konto/?a=1")
    person.refresh_from_db()
    assert (person.first_name, person.last_name, person.email) == ("Petra", "Lindner", "petra@demo.invalid")
    assert not person.is_operations


@pytest.mark.parametrize("target", ["https://boese.example/", "//boese.example/"])
def test_log_in_never_leads_to_a_foreign_address(
    page: Page, live_server: LiveServer, admin: Admin, target: str
) -> None:
    bound(PETRA)
    page.goto(f"{live_server.url}/anmelden/keycloak/?next={target}")
    enter(page, PETRA)
    expect(page).to_have_url(f"{live_server.url}/meine/")


def test_a_wrong_password_stays_at_keycloak_in_german(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    bound(PETRA)
    page.goto(f"{live_server.url}/konto/")
    page.click("text=Mit Keycloak anmelden")
    enter(page, PETRA, "falsch")
    expect(page.locator("body")).to_contain_text("Ungültiger Benutzername oder Passwort")
    enter(page, PETRA)
    expect(page).to_have_url(f"{live_server.url}/konto/")


def test_somebody_disabled_at_keycloak_stays_out(page: Page, live_server: LiveServer, admin: Admin) -> None:
    bound(DISABLED)
    log_in(page, live_server.url, DISABLED)
    expect(page.locator("body")).to_contain_text("gesperrt")
    assert "/realms/zsk/" in page.url


def test_somebody_locked_here_is_told_so(page: Page, live_server: LiveServer, admin: Admin) -> None:
    bound(PETRA, is_active=False)
    log_in(page, live_server.url, PETRA)
    assert heading(page) == "Ihr Konto ist gesperrt"
    page.goto(f"{live_server.url}/konto/")
    assert heading(page) == "Anmelden"


def test_who_is_locked_while_signed_in_is_out_at_once(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    person = bound(PETRA)
    log_in(page, live_server.url, PETRA)
    User.objects.filter(pk=person.pk).update(is_active=False)
    page.goto(f"{live_server.url}/konto/")
    assert heading(page) == "Anmelden"


def test_somebody_without_access_is_shown_the_way_to_it_and_out(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    # The same address does not make it the same person.
    UserFactory(email="gast@demo.invalid", username="gast")
    log_in(page, live_server.url, GAST)
    assert heading(page) == "Sie sind angemeldet, haben aber noch keinen Zugang"
    assert (
        page.locator("main").get_by_role("link", name="Zugang beantragen").get_attribute("href")
        == "/landing/register"
    )
    assert not User.objects.exclude(sub=None).exists()
    page.click("text=ein anderes Konto benutzen")
    expect(page.locator("h1")).to_have_text("Sie sind abgemeldet")
    assert admin.sessions(GAST) == 0
    page.goto(f"{live_server.url}/konto/")
    page.click("text=Mit Keycloak anmelden")
    expect(page.locator("#password")).to_be_visible()


def invite(email: str = "gast@demo.invalid") -> Invitation:
    return Invitation.objects.create(
        token_hash=hash_of("marke"),
        email=email,
        authority=AuthorityFactory(),
        expires_at=timezone.now() + dt.timedelta(days=1),
    )


def open_invitation(page: Page, url: str) -> None:
    page.goto(f"{url}/einladung/marke/")
    page.click("text=Mit Keycloak anmelden")


def test_who_follows_an_invitation_is_bound_to_it(page: Page, live_server: LiveServer, admin: Admin) -> None:
    invitation = invite()
    open_invitation(page, live_server.url)
    enter(page, GAST)
    expect(page.locator("main")).to_contain_text("Ihre Einladung ist angenommen")
    person = User.objects.get(sub=subject("gast"))
    assert (person.authority, person.get_full_name()) == (invitation.authority, "Gudrun Gast")
    assert not person.has_usable_password()
    invitation.refresh_from_db()
    assert invitation.accepted_by == person


def test_somebody_known_accepts_on_the_invitation_s_page(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    """Even when it went to another address of theirs: they see as whom they accept."""
    person, invitation = bound(PETRA, authority=None), invite("petra@woanders.invalid")
    open_invitation(page, live_server.url)
    enter(page, PETRA)
    page.click("main >> text=Einladung annehmen >> visible=true")
    expect(page.locator("main")).to_contain_text("Ihre Einladung ist angenommen")
    invitation.refresh_from_db()
    assert invitation.accepted_by == person


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        ({"email": "andere@demo.invalid"}, "gilt für andere@demo.invalid"),
        ({"expires_at": timezone.now() - dt.timedelta(days=1)}, "abgelaufen"),
        ({"withdrawn_at": timezone.now()}, "zurückgezogen"),
        ({"accepted_at": timezone.now()}, "schon angenommen"),
    ],
)
def test_an_invitation_that_no_longer_counts_lets_nobody_in(
    page: Page, live_server: LiveServer, admin: Admin, meanwhile: dict[str, object], said: str
) -> None:
    invitation = invite()
    open_invitation(page, live_server.url)
    Invitation.objects.filter(pk=invitation.pk).update(**meanwhile)
    enter(page, GAST)
    expect(page.locator("main")).to_contain_text(said)
    assert not User.objects.exists()


def test_rights_of_operations_follow_the_role_both_ways(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    log_in(page, live_server.url, OLE, "/admin/")
    expect(page).to_have_url(f"{live_server.url}/admin/")
    ole = User.objects.get(sub=subject("ole"))
    assert (ole.is_operations, ole.is_staff) == (True, True)
    admin.set_operations(OLE, False)
    page.goto(f"{live_server.url}/abmelden/")
    page.click("text=Jetzt abmelden")
    log_in(page, live_server.url, OLE)
    expect(page).to_have_url(f"{live_server.url}/konto/")
    ole.refresh_from_db()
    assert (ole.is_operations, ole.is_staff, ole.is_superuser) == (False, False, False)
    details = AuditEntry.objects.filter(action="Rechte geändert").values_list("detail", flat=True)
    assert sorted(details) == ["ZSK-Betrieb: ja, laut Keycloak", "ZSK-Betrieb: nein, laut Keycloak"]


def test_the_session_changes_its_key(
    context: BrowserContext, page: Page, live_server: LiveServer, admin: Admin
) -> None:
    bound(PETRA)
    page.goto(f"{live_server.url}/konto/")
    page.click("text=Mit Keycloak anmelden")

    def key() -> str:
        return next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "sessionid")

    before = key()
    enter(page, PETRA)
    expect(page).to_have_url(f"{live_server.url}/konto/")
    assert key() != before


def test_the_way_back_is_good_once(page: Page, live_server: LiveServer, admin: Admin) -> None:
    bound(PETRA)
    used: list[str] = []
    back = f"{live_server.url}/anmelden/keycloak/zurueck/"
    page.on("request", lambda request: used.append(request.url) if request.url.startswith(back) else None)
    log_in(page, live_server.url, PETRA)
    expect(page).to_have_url(f"{live_server.url}/konto/")
    page.goto(used[0])
    expect(page).to_have_url(f"{live_server.url}/meine/")
    page.context.clear_cookies()
    answer = page.goto(used[0])
    assert answer
    assert answer.status == 400
    assert heading(page) == "Die Anmeldung ist abgelaufen"
