"""The pages of plain text, and the frame around every page."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve

from accounts.models import User
from tests.factories import UserFactory
from transactions.problems import PROBLEMS
from zsk import middleware, navigation
from zsk.pages import PAGES

ADDRESSES = [f"/{address}" for address in PAGES]


def anonymous(client: Client, address: str) -> HttpResponse:
    answer: Any = client.get(address)
    assert answer.status_code == 200, address
    return answer


@pytest.mark.parametrize("address", ADDRESSES)
def test_text_page_needs_no_database_and_no_session(client: Client, address: str) -> None:
    answer = anonymous(client, address)
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert not client.cookies
    page = answer.content.decode()
    assert page.count("<h1") == 1
    assert "csrfmiddlewaretoken" not in page


@pytest.mark.parametrize("address", ADDRESSES)
def test_text_pages_cannot_be_posted_to(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_link_of_ours_leads_to_a_page(client: Client, address: str) -> None:
    page = anonymous(client, address).content.decode()
    assert [link for link in set(re.findall(r'href="(/[^"?#]*)', page)) if not exists(link)] == []


def exists(address: str) -> bool:
    if address.startswith(settings.STATIC_URL):
        return (settings.BASE_DIR / "static" / address.removeprefix(settings.STATIC_URL)).exists()
    try:
        resolve(address)
    except Resolver404:
        return False
    return True


@pytest.mark.parametrize("entry", navigation.MAIN, ids=lambda entry: entry.address)
def test_navigation_leads_to_pages_that_exist(entry: navigation.Entry) -> None:
    assert exists(entry.address)


def person(*, operations: bool = False) -> User:
    return User(username="petra", first_name="Petra", last_name="Lindner", is_operations=operations)


def test_navigation_offers_what_one_may_do() -> None:
    public = {link.address for link in navigation.links("/", None)}
    signed_in = {link.address for link in navigation.links("/", person())}
    operations = {link.address for link in navigation.links("/", person(operations=True))}
    assert signed_in - public == {"/meine/", "/liefern/"}
    assert operations - signed_in == {"/betrieb/"}


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", {"/": "page"}),
        ("/hilfe/", {"/hilfe/": "page"}),
        ("/hilfe/ueber/", {"/hilfe/": "true"}),
        ("/impressum/", {}),
    ],
)
def test_navigation_marks_where_one_is(path: str, marked: dict[str, str]) -> None:
    links = navigation.links(path, None)
    assert {link.address: link.current for link in links if link.current} == marked


@pytest.mark.django_db
def test_signed_in_people_see_their_name_and_can_log_out(client: Client) -> None:
    client.force_login(UserFactory(first_name="Petra", last_name="Lindner"))
    page = client.get("/hilfe/").content.decode()
    assert "Petra Lindner" in page
    assert '<form class="wide" action="/abmelden/" method="post">' in page
    assert "/meine/" in page


@pytest.mark.django_db
def test_a_forged_session_cookie_shows_the_public_page(client: Client) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    page = client.get("/hilfe/").content.decode()
    assert "/meine/" not in page
    assert "Anmelden" in page


@pytest.mark.parametrize(
    ("environment", "synthetic", "words"),
    [
        ("demo", True, "Demo: synthetische Daten."),
        ("test", False, "Umgebung Test."),
        ("production", True, "Synthetische Daten."),
        ("production", False, None),
    ],
)
def test_bar_names_environment_and_invented_numbers(
    client: Client, settings: LazySettings, environment: str, synthetic: bool, words: str | None
) -> None:
    settings.ENVIRONMENT = environment
    settings.SYNTHETIC_DATA = synthetic
    page = anonymous(client, "/hilfe/").content.decode()
    assert ("zsk-env" in page) == (words is not None)
    assert (words or "") in page
    assert ("Alle Zahlen dieser Umgebung sind erfunden." in page) == synthetic


def test_operator_s_own_text_replaces_the_placeholder(
    client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    assert "vom Betreiber zu ergänzen" in anonymous(client, "/impressum/").content.decode()
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator" / "impressum.html").write_text("<p>Amt für Zahlen, Kappeln</p>", encoding="utf-8")
    configured = settings.TEMPLATES[0]
    settings.TEMPLATES = [configured | {"DIRS": [tmp_path, *configured["DIRS"]]}]
    page = anonymous(client, "/impressum/").content.decode()
    assert "Amt für Zahlen, Kappeln" in page
    assert "vom Betreiber zu ergänzen" not in page


def test_examples_are_files_to_download(client: Client) -> None:
    table = anonymous(client, "/hilfe/dateiformat/beispiel.csv")
    assert table.headers["Content-Disposition"] == 'attachment; filename="beispiel.csv"'
    assert table.content.startswith(b"onlineservice;ars;monat;anzahl\nOS-")
    message: Any = anonymous(client, "/hilfe/schnittstelle/beispiel.json")
    assert message.json()["probelauf"] is True


def test_example_for_the_interface_names_this_installation(client: Client, settings: LazySettings) -> None:
    settings.SITE_URL = "https://zsk.example.org"
    page = anonymous(client, "/hilfe/schnittstelle/").content.decode()
    assert "curl https://zsk.example.org/api/v1/lieferungen" in page


def test_every_status_of_the_interface_has_its_line(client: Client) -> None:
    page = anonymous(client, "/hilfe/schnittstelle/").content.decode()
    lines = " ".join(re.findall(r'<th scope="row"[^>]*>([0-9, ]+)</th>', page))
    assert {str(problem.status) for problem in PROBLEMS.values()} - set(re.findall("[0-9]+", lines)) == set()


def test_limits_on_the_page_are_those_that_are_set(client: Client, settings: LazySettings) -> None:
    settings.MAX_ASYNC_ROWS, settings.REQUESTS_PER_KEY = 123_456, 77
    page = anonymous(client, "/hilfe/schnittstelle/").content.decode()
    assert "123.456 Zeilen" in page
    assert "Je Zugang 77 in einer Minute" in page
    settings.REQUESTS_PER_KEY = 0
    assert "RateLimit" not in anonymous(client, "/hilfe/schnittstelle/").content.decode()


def test_due_day_on_the_pages_is_the_one_that_is_set(client: Client, settings: LazySettings) -> None:
    settings.DUE_DAY = 20
    assert "20. des Folgemonats" in anonymous(client, "/hilfe/ueber/").content.decode()


def test_search_engines_stay_out_of_people_s_pages(client: Client) -> None:
    rules = anonymous(client, "/robots.txt").content.decode()
    assert "Disallow: /meine/" in rules


def answer_with(**headers: str) -> middleware.Handler:
    return lambda request: HttpResponse("ok", headers=headers)


def request_to(path: str, *, session: bool = False, **headers: str) -> HttpRequest:
    request = RequestFactory(headers=headers).get(path)
    if session:
        request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    return request


def test_answers_to_a_session_are_private() -> None:
    handle = middleware.private_answers(answer_with())
    assert handle(request_to("/", session=True)).headers["Cache-Control"] == "private, no-cache"
    assert "Cache-Control" not in handle(request_to("/")).headers


def test_a_view_s_own_word_on_caching_stands() -> None:
    handle = middleware.private_answers(answer_with(**{"Cache-Control": "no-store"}))
    assert handle(request_to("/", session=True)).headers["Cache-Control"] == "no-store"


def language_of(path: str, accepted: str) -> tuple[str, HttpResponse]:
    template = engines["django"].from_string("{% load i18n %}{% get_current_language as l %}{{ l }}")
    handle = middleware.language(lambda request: HttpResponse(template.render()))
    answer = handle(request_to(path, **{"accept-language": accepted}))
    return answer.content.decode(), answer


def test_pages_are_german_whatever_the_browser_asks_for() -> None:
    language, answer = language_of("/hilfe/", "en")
    assert language == "de"
    assert "Vary" not in answer.headers


def test_the_interface_speaks_the_language_asked_for() -> None:
    language, answer = language_of("/api/v1/lieferungen", "en-GB,en;q=0.8")
    assert language == "en"
    assert answer.headers["Vary"] == "Accept-Language"
    assert language_of("/api/v1/lieferungen", "fr")[0] == "de"
