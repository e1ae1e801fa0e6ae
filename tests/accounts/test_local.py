"""Making local accounts."""

import re
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.local import AddressTaken, create_local_user
from accounts.models import AuditEntry, User
from tests.factories import AuthorityFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "ein ganz neuer satz"


def create(email: str = "Jörg.Müller@Example.org", **changes: object) -> User:
    facts = {"first_name": "Jörg", "last_name": "Müller", "password": PASSWORD, "authority": None}
    return create_local_user(email=email, **{**facts, **changes})  # type: ignore[arg-type]


def test_the_account_can_be_used_at_once(client: Client) -> None:
    authority = AuthorityFactory()
    person = create(authority=authority)
    assert person.authority == authority
    assert re.fullmatch(r"[a-z0-9.]+", person.username)
    answer = client.post("/anmelden/", {"login": "jörg.müller@example.org", "password": PASSWORD})
    assert answer.status_code == 302


def test_names_may_be_the_same() -> None:
    first, second = create(), create("zweiter@example.org")
    assert first.username != second.username


@pytest.mark.parametrize("address", ["petra@example.org", "PETRA@example.org", "  petra@example.org "])
def test_an_address_is_there_once(address: str) -> None:
    UserFactory(email="Petra@example.org")
    with pytest.raises(AddressTaken):
        create(address)


def test_an_address_that_somebody_only_asked_for_is_free() -> None:
    EmailAddress.objects.create(user=UserFactory(), email="neu@example.org", verified=False)
    assert create("neu@example.org").email == "neu@example.org"


def test_two_at_the_same_time_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    create("neu@example.org")
    answers = iter([False, True])
    monkeypatch.setattr("accounts.local._is_taken", lambda address: next(answers))
    with pytest.raises(AddressTaken):
        create("neu@example.org")


def test_without_a_password_nobody_gets_in(client: Client) -> None:
    person = create(password=None)
    assert not person.has_usable_password()
    answer = client.post("/anmelden/", {"login": person.username, "password": ""})
    assert answer.status_code == 200


# --- The first account of operations ----------------------------------------------------------------


def run(*words: str) -> str:
    out = StringIO()
    call_command("create_operator", *words, stdout=out)
    return out.getvalue()


def test_the_link_printed_sets_the_password(client: Client, settings: LazySettings) -> None:
    settings.SITE_URL = "https://zsk.example"
    printed = run("betrieb", "--email", "betrieb@example.org", "--last-name", "Trieb")
    link = re.search(r"https://zsk\.example(/\S+)", printed)
    assert link
    form = client.get(link[1], follow=True)
    target = form.redirect_chain[-1][0]
    client.post(target, {"password1": PASSWORD, "password2": PASSWORD})
    assert client.post("/anmelden/", {"login": "betrieb", "password": PASSWORD}).status_code == 302
    person = User.objects.get()
    assert (person.is_operations, person.is_staff, person.is_superuser) == (True, True, True)
    assert AuditEntry.objects.get().action == "Person angelegt"
    assert "gilt nicht mehr" in Client().get(link[1], follow=True).content.decode()


def test_a_new_link_for_an_account_that_exists() -> None:
    run("betrieb", "--email", "betrieb@example.org")
    assert "/konto/passwort-vergessen/" in run("betrieb", "--new-link")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["neu"], "--email fehlt"),
        (["petra", "--email", "neu@example.org"], "gibt es schon"),
        (["neu", "--email", "petra@example.org"], "gehört schon zu einem Konto"),
        (["neu", "--email", "keine-adresse"], "gültige E-Mail"),
        (["mit leer zeichen", "--email", "neu@example.org"], "gültigen Benutzernamen"),
        (["niemand", "--new-link"], "gibt es nicht"),
    ],
)
def test_faults_are_named(words: list[str], message: str) -> None:
    UserFactory(username="petra", email="petra@example.org")
    with pytest.raises(CommandError, match=message):
        run(*words)
    assert User.objects.count() == 1


def test_beside_keycloak_only_for_the_account_for_emergencies(settings: LazySettings) -> None:
    settings.OIDC_ISSUER = "https://keycloak.example/realms/zsk"
    settings.BREAK_GLASS_USER = "notfall"
    with pytest.raises(CommandError, match="nur das Notfallkonto"):
        run("betrieb", "--email", "betrieb@example.org")
    assert not User.objects.exists()
    assert "/konto/passwort-vergessen/" in run("notfall", "--email", "notfall@example.org")
