"""The OpenAPI document and the page made from it: valid, whole, and true."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.factories import ServiceFactory, api_key
from tests.transactions.country import HESSEN
from transactions.problems import MAX_LISTED, PROBLEMS
from zsk import openapi

DOCUMENT = "urn:zsk"
# Statuses that an operation cannot declare: they answer addresses and methods that there are not.
OUTSIDE = {404, 405}


@pytest.fixture
def document() -> dict[str, Any]:
    answer = Client().get("/api/schema/?format=json")
    return dict(json.loads(answer.content))


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for operation in item.values()
    }


def valid(document: dict[str, Any], name: str, value: Any) -> None:
    registry = Registry().with_resource(DOCUMENT, Resource(document, DRAFT202012))
    schema = {"$ref": f"{DOCUMENT}#/components/schemas/{name}"}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, registry=registry, format_checker=checker).validate(value)


def test_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)
    assert {"title", "version", "description", "contact", "license"} <= document["info"].keys()
    assert document["servers"] == [{"url": "/", "description": "Diese Umgebung"}]
    assert [tag["name"] for tag in document["tags"]] == ["Lieferungen", "Offene Daten"]


def test_yaml_and_json_are_the_same(document: dict[str, Any]) -> None:
    for query, accept in (
        ("", ""),
        ("?format=yaml", ""),
        ("", "application/yaml"),
        ("", "text/html,*/*;q=0.8"),
    ):
        answer = Client().get(f"/api/schema/{query}", headers={"Accept": accept} if accept else {})
        assert answer["Content-Type"] == "application/yaml; charset=utf-8"
        assert yaml.safe_load(answer.content) == document
    for accept in ("application/json", "application/vnd.oai.openapi+json"):
        answer = Client().get("/api/schema/", headers={"Accept": accept})
        assert answer["Content-Type"] == "application/vnd.oai.openapi+json; charset=utf-8"
        assert json.loads(answer.content) == document
        assert "Accept" in answer["Vary"]
    assert Client().get("/api/schema/?format=xml").status_code == 400


def _addresses(resolver: URLResolver, prefix: str = "") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += _addresses(entry, address)
        elif isinstance(entry, URLPattern):
            found.append(address)
    return found


def test_every_address_is_named(document: dict[str, Any]) -> None:
    served = {
        "/" + re.sub(r"<\w+:(\w+)>", "{id}", address)
        for address in _addresses(get_resolver())
        if address.startswith("api/v1/")
    }
    assert set(document["paths"]) == served


def test_every_operation_is_whole(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        assert {"summary", "description", "tags", "responses"} <= operation.keys()
        assert {"429", "500"} <= operation["responses"].keys()
        assert "Retry-After" in operation["responses"]["429"]["headers"]
        if operation["tags"] == ["Offene Daten"]:
            assert "security" not in operation
            assert operation["responses"].keys().isdisjoint({"401", "403"})
        else:
            assert operation["security"] == [{"Zugangsschluessel": []}]
            assert {"401", "403", "503"} <= operation["responses"].keys()
            assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
        for status, answer in operation["responses"].items():
            assert answer["description"]
            ((kind, content),) = answer["content"].items()
            assert (kind == "application/problem+json") == (int(status) >= 400)
            assert content["examples"]
    assert document["components"]["securitySchemes"]["Zugangsschluessel"]["scheme"] == "bearer"


def test_every_field_is_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"]
        for field, item in schema["properties"].items():
            said = item.get("description") or (name, field) in {
                ("Problem", "title"), ("Problem", "detail"), ("Seite", "ergebnisse"),
            }  # fmt: skip
            assert said, f"{name}.{field}"


def test_every_example_holds(document: dict[str, Any]) -> None:
    push = operations(document)["liefern"]
    contents = [push["requestBody"]["content"]["application/json"]]
    for operation in operations(document).values():
        contents += [
            content for answer in operation["responses"].values() for content in answer["content"].values()
        ]
    for content in contents:
        if name := content["schema"].get("$ref", "").rpartition("/")[2]:
            for example in content["examples"].values():
                valid(document, name, example["value"])


def test_every_problem_is_declared_somewhere(document: dict[str, Any]) -> None:
    declared = {
        int(status) for operation in operations(document).values() for status in operation["responses"]
    }
    assert {problem.status for problem in PROBLEMS.values()} - declared <= OUTSIDE


def test_limits_are_said(document: dict[str, Any], settings: Any) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Lieferung"]["properties"]["zeilen"]["maxItems"] == settings.MAX_ASYNC_ROWS
    assert schemas["Problem"]["properties"]["fehler"]["maxItems"] == MAX_LISTED
    assert schemas["Zeile"]["properties"]["anzahl"]["type"] == ["integer", "null"]
    assert schemas["Zeile"]["required"] == ["anzahl", "ars", "monat"]
    for name in ("Lieferung", "Zeile", "Servicemonat"):
        assert schemas[name]["additionalProperties"] is False


@pytest.mark.django_db
def test_answers_are_as_described(country_regions: None, document: dict[str, Any]) -> None:
    """Real answers of every kind against the document."""
    _credential, key = api_key(ServiceFactory())
    client, headers = Client(), {"Authorization": f"Bearer {key}"}

    def send(message: Any) -> Any:
        body = json.dumps(message)
        return client.post("/api/v1/lieferungen", body, content_type="application/json", headers=headers)

    row = {"ars": HESSEN, "monat": "2025-05", "anzahl": 1}
    stored = send({"zeilen": [row]})
    for name, answer in (
        ("Ergebnis", stored),
        ("Ergebnis", send({"probelauf": True, "zeilen": [row]})),
        ("Ergebnis", send({"zeilen": [row]})),
        ("Problem", send({"zeilen": [{**row, "ars": "1", "anzahl": "x"}]})),
        ("Problem", send({"zeilen": 1})),
        ("Problem", client.post("/api/v1/lieferungen")),
        ("Seite", client.get("/api/v1/lieferungen?limit=1", headers=headers)),
        ("Transaktionszahlenseite", client.get("/api/v1/transaktionszahlen", headers=headers)),
        ("Ergebnis", client.get(stored["Location"], headers=headers)),
        ("Ergebnis", client.delete(stored["Location"], headers=headers)),
    ):
        valid(document, name, answer.json())


# --- the page ------------------------------------------------------------------------------------


def test_page_shows_every_operation_field_and_problem(document: dict[str, Any]) -> None:
    page = Client().get("/api/docs/").content.decode()
    for path, item in document["paths"].items():
        for method in item:
            assert f"<code>{method.upper()} {path}</code>" in page
    for name, schema in document["components"]["schemas"].items():
        assert f'id="schema-{name}"' in page
        assert all(f"<code>{field}</code>" in page for field in schema["properties"])
    for code in PROBLEMS:
        assert f'href="/hilfe/fehler/{code}/"' in page
    for status in {200, 201, 202, *(problem.status for problem in PROBLEMS.values())}:
        assert f'id="status-{status}"' in page


def test_page_names_what_it_links_to() -> None:
    page = Client().get("/api/docs/").content.decode()
    anchors = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!www\.govdata\.de)', page)
    assert "<script" not in page


def test_page_is_public_and_shared() -> None:
    answer = Client().get("/api/docs/")
    assert answer.status_code == 200
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


def test_page_knows_the_address_of_the_site(settings: Any) -> None:
    assert "curl http://testserver/api/v1/lieferungen" in Client().get("/api/docs/").content.decode()
    settings.SITE_URL = "https://zsk.example.org"
    assert "curl https://zsk.example.org/api/v1/lieferungen" in Client().get("/api/docs/").content.decode()


def test_limits_in_words() -> None:
    zeile = next(schema for schema in openapi.schemas() if schema.name == "Zeile")
    anzahl = next(field for field in zeile.fields if field.name == "anzahl")
    assert (anzahl.kind, anzahl.required) == ("ganze Zahl oder null", True)
    assert anzahl.limits == ["ab 0", "höchstens 1.000.000.000"]
