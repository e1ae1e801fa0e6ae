"""Forms whose sender had to log in again."""

import pytest
from django.test import Client

from accounts import resume
from tests.factories import PASSWORD, AuthorityFactory, UserFactory

pytestmark = pytest.mark.django_db
BODY = "name=Amt+%26+S%C3%B6hne&level=land&name=zwei"
ENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def address() -> str:
    """A page that only operations may open, which takes a form."""
    return f"/admin/accounts/authority/{AuthorityFactory().pk}/change/"


def send(client: Client, address: str, body: str = BODY) -> str:
    """Send a form without being signed in; where that leads to."""
    return str(client.post(address, body, content_type=ENCODED)["Location"])


def kept_address(client: Client) -> str:
    token = list(client.session[resume.KEPT])[-1]
    return f"/anmelden/weiter/{token}/"


def sign_in(client: Client) -> None:
    # Not force_login, which would begin a new session.
    UserFactory(username="petra", is_operations=True, is_staff=True, is_superuser=True)
    client.post("/anmelden/", {"login": "petra", "password": PASSWORD})


def test_the_form_waits_behind_the_log_in_with_every_field(client: Client, address: str) -> None:
    body = BODY + "&csrfmiddlewaretoken=alter-nachweis"
    assert send(client, address, body) == "/anmelden/?next=" + kept_address(client).replace("/", "%2F")
    sign_in(client)
    page = client.get(kept_address(client)).content.decode()
    assert f'action="{address}"' in page
    for field in ("name", "Amt &amp; Söhne"), ("level", "land"), ("name", "zwei"):
        assert '<input type="hidden" name="{}" value="{}">'.format(*field) in page
    assert "alter-nachweis" not in page


def test_nobody_sees_it_without_logging_in_nor_in_another_browser(client: Client, address: str) -> None:
    send(client, address)
    waiting = kept_address(client)
    assert client.get(waiting).status_code == 302
    stranger = Client()
    sign_in(stranger)
    assert stranger.get(waiting).status_code == 404


def test_it_is_gone_when_it_was_sent(client: Client, address: str) -> None:
    send(client, address)
    sign_in(client)
    waiting = kept_address(client)
    client.post(address, "name=neu", content_type=ENCODED)
    assert client.get(waiting).status_code == 404


def test_it_is_gone_after_a_while(client: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    send(client, address)
    sign_in(client)
    monkeypatch.setattr(resume, "KEEP_SECONDS", 0)
    assert client.get(kept_address(client)).status_code == 404


def test_only_the_last_few_are_kept(client: Client, address: str) -> None:
    for number in range(resume.MOST_FORMS + 2):
        send(client, address, f"name={number}")
    names = [form["fields"][0][1] for form in client.session[resume.KEPT].values()]
    assert names == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("name=" + "x" * resume.MOST_BYTES, ENCODED),
        ("name=x&new_password1=geheim", ENCODED),
        ('{"name": "x"}', "application/json"),
    ],
    ids=["too large", "with a password", "no form"],
)
def test_other_things_are_not_kept(client: Client, address: str, body: str, content_type: str) -> None:
    there = client.post(address, body, content_type=content_type)["Location"]
    assert "weiter" not in there
    assert resume.KEPT not in client.session


def test_a_form_that_cannot_prove_its_origin_is_not_kept(address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(address, "name=x", content_type=ENCODED).status_code == 403
    assert resume.KEPT not in client.session


@pytest.mark.parametrize(
    ("referer", "page"),
    [("http://testserver/von/hier/?a=1", "/von/hier/?a=1"), ("https://boese.example/", None), ("", None)],
)
def test_the_way_back_is_one_of_our_pages(
    client: Client, address: str, referer: str, page: str | None
) -> None:
    client.post(address, "name=x", content_type=ENCODED, headers={"referer": referer})
    (form,) = client.session[resume.KEPT].values()
    assert form["page"] == (page or address)
