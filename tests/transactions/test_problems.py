"""Errors of the interface: always problem+json, in the language asked for, and silent about the inside."""

import contextlib
import importlib
import json
import logging
import re
from typing import Any

import psycopg
import pytest
from babel.messages.pofile import read_po
from django.conf import LazySettings, settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.factories import ServiceFactory, api_key
from transactions import api_parameters
from transactions.findings import CATALOGUE, WORDS, Finding, message
from transactions.problems import PROBLEMS, explained, of_findings
from zsk import formats

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
UNKNOWN = [
    "/api/", "/api/v1", "/api/v1/", "/api/v1/gibt-es-nicht", "/api/v1/lieferungen/", "/api/docs",
    "/api/schema",
    "/api/v1/lieferungen/keine-uuid", "/api/v2/lieferungen", "/api/v1/lieferungen/../../admin/",
]  # fmt: skip


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body["type"].endswith(f"/hilfe/fehler/{code}/")
    assert body["status"] == status
    return body


@pytest.mark.parametrize("address", UNKNOWN)
@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
def test_unknown_address(address: str, method: str) -> None:
    """Neither a page nor a redirect, whatever the method; and no proof of origin is asked for."""
    client = Client(enforce_csrf_checks=True)
    answer = getattr(client, method)(address)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert method == "head" or problem(answer, 404, "nicht_gefunden")


@pytest.mark.django_db
def test_other_method() -> None:
    _credential, key = api_key(ServiceFactory())
    headers = {"Authorization": f"Bearer {key}"}
    for method in ("put", "patch", "delete", "options"):
        answer = getattr(Client(), method)("/api/v1/lieferungen", headers=headers)
        problem(answer, 405, "methode")
        assert set(answer["Allow"].split(", ")) == {"GET", "POST", "HEAD"}
    problem(Client().post("/api/schema/"), 405, "methode")


@pytest.mark.django_db
def test_unforeseen_error(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("Passwort 12345")

    _credential, key = api_key(ServiceFactory())
    monkeypatch.setattr(api_parameters, "limit", fail)
    with caplog.at_level(logging.ERROR):
        answer = Client().get("/api/v1/lieferungen", headers={"Authorization": f"Bearer {key}"})
    body = problem(answer, 500, "fehler")
    assert "12345" not in str(body)
    assert "RuntimeError: Passwort 12345" in caplog.text
    assert key not in caplog.text


def test_error_outside_of_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", fail)
    client = Client(raise_request_exception=False)
    problem(client.post("/api/v1/lieferungen"), 500, "fehler")
    assert client.get("/hilfe/")["Content-Type"].startswith("text/html")


def test_unknown_host(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["zsk.example.org"]
    body = problem(
        Client().get("/api/v1/lieferungen", headers={"Host": "boese.example"}), 400, "nicht_lesbar"
    )
    assert body["type"] == "/hilfe/fehler/nicht_lesbar/"


def test_address_of_the_site(settings: LazySettings) -> None:
    settings.SITE_URL = "https://zsk.example.org"
    body = problem(Client().get("/api/v1/nichts"), 404, "nicht_gefunden")
    assert body["type"] == "https://zsk.example.org/hilfe/fehler/nicht_gefunden/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cause", "code", "wait"),
    [
        (psycopg.errors.AdminShutdown, "nicht_bereit", "10"),
        (psycopg.InterfaceError, "nicht_bereit", "10"),
        (psycopg.errors.DiskFull, "speicher_voll", "60"),
        (psycopg.errors.ConfigurationLimitExceeded, "speicher_voll", "60"),
        (psycopg.errors.UndefinedColumn, "fehler", None),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_errors_of_the_database(
    monkeypatch: pytest.MonkeyPatch, cause: type[psycopg.Error], code: str, wait: str | None, wrapped: bool
) -> None:
    def fail(*_args: Any) -> None:
        with connection.wrap_database_errors if wrapped else contextlib.nullcontext():
            raise cause("so")

    _credential, key = api_key(ServiceFactory())
    monkeypatch.setattr(api_parameters, "limit", fail)
    answer = Client().get("/api/v1/lieferungen", headers={"Authorization": f"Bearer {key}"})
    problem(answer, 503 if wait else 500, code)
    assert answer.get("Retry-After") == wait


@pytest.mark.parametrize(
    ("language", "chosen", "title"),
    [
        ("", "de", "Das gibt es nicht"),
        ("de-AT,en;q=0.5", "de", "Das gibt es nicht"),
        ("fr", "de", "Das gibt es nicht"),
        ("en", "en", "There is no such thing"),
        ("en-GB,de;q=0.5", "en", "There is no such thing"),
    ],
)
def test_language(language: str, chosen: str, title: str) -> None:
    answer = Client().get("/api/v1/nichts", headers={"Accept-Language": language} if language else {})
    assert problem(answer, 404, "nicht_gefunden")["title"] == title
    assert answer["Content-Language"] == chosen
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize("code", [*PROBLEMS, *CATALOGUE])
def test_every_code_is_explained(code: str) -> None:
    assert explained(code)
    assert Client().get(reverse("transactions:fault", args=[code])).status_code == 200


def test_a_code_is_either_a_problem_or_a_finding() -> None:
    assert not PROBLEMS.keys() & CATALOGUE.keys()


def texts() -> dict[str, list[str]]:
    """Every sentence that the interface can say, by what it belongs to, in German."""
    with translation.override("de"):
        said = {
            code: [str(kind.title), str(kind.message), str(kind.cure)] for code, kind in CATALOGUE.items()
        }
        said |= {code: [str(problem.title), str(problem.cure)] for code, problem in PROBLEMS.items()}
        said["words"] = [str(word) for word in [*WORDS.values(), *formats.MONTHS]]
    return said


@pytest.mark.parametrize("code", [*PROBLEMS, *CATALOGUE, "words"])
def test_everything_is_said_in_english_too(code: str) -> None:
    for german in texts()[code]:
        with translation.override("en"):
            english = translation.gettext(german)
        assert english != german or german in {"August", "September", "November", "April"}
        assert set(PLACEHOLDER.findall(english)) == set(PLACEHOLDER.findall(german))


@pytest.mark.parametrize(
    "name",
    [
        "transactions.api",
        "transactions.undo",
        "services.authentication",
        "services.client_tokens",
        "transactions.api_parameters",
        "transactions.api_counts",
        "reports.api.evaluation",
        "reports.api.lists",
    ],
)
def test_details_are_said_in_english_too(name: str) -> None:
    source = importlib.import_module(name).__file__ or ""
    with open(source, encoding="utf-8") as file:
        said = re.findall(r'\b_\(\s*"((?:[^"\\]|\\.)+)"\s*\)', file.read())
    assert said
    with translation.override("en"):
        assert [german for german in said if translation.gettext(german) == german] == []


def test_catalogue_is_whole() -> None:
    path = settings.LOCALE_PATHS[0] / "en" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    found = [entry for entry in catalogue if entry.id]
    assert [entry.id for entry in found if not entry.string or entry.fuzzy] == []
    assert [error for entry in found for error in entry.check(catalogue)] == []


def test_particulars_in_english() -> None:
    ended = {"name": "Hanau", "bis": "März 2025", "nachfolger": "keiner bekannt"}
    with translation.override("en"):
        assert message("ars_beendet", value="", suggestion="", params=ended) == (
            "Hanau existed under this key only until March 2025. Successor: none known."
        )
    with translation.override("de"):
        assert message("ars_beendet", value="", suggestion="", params=ended) == (
            "Hanau gab es unter diesem Schlüssel nur bis März 2025. Nachfolger: keiner bekannt."
        )


@pytest.mark.parametrize(
    ("finding", "status"),
    [
        (Finding("json_unlesbar", params={"zeile": "1", "spalte": "2"}), 400),
        (Finding("feld_fehlt", "ars", line=2, params={"feld": "ars"}), 400),
        (Finding("feld_typ", params={"feld": "modus", "soll": "ein Text", "ist": "null"}), 400),
        (Finding("feld_typ", "ars", line=2, params={"feld": "ars", "soll": "ein Text", "ist": "null"}), 422),
        (Finding("zeilen_zu_viele", params={"ist": "3", "grenze": "2"}), 413),
        (Finding("ars_unbekannt", "ars", line=2), 422),
        (Finding("onlineservice_unbekannt", "onlineservice", pointer="/umfang/0"), 422),
        (Finding("datei_leer"), 422),
        (Finding("zeilen_leer"), 422),
        (Finding("umfang_zu_gross", params={"ist": "3", "grenze": "2"}), 413),
    ],
)
def test_status_of_findings(finding: Finding, status: int) -> None:
    assert of_findings([finding], total=1).status_code == status


def test_detail_counts_the_faults() -> None:
    assert "Beheben Sie 1 Fehler" in of_findings([Finding("ars_unbekannt", line=2)], total=1).text
    assert "Beheben Sie die 2000 Fehler" in of_findings([Finding("ars_unbekannt", line=2)], total=2000).text
