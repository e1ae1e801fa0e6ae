"""The interface's OpenAPI document, and what a page needs of it to be readable without a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator

from zsk import formats

METHODS = ("post", "get", "delete")
_KINDS = {
    "string": "Text", "integer": "ganze Zahl", "boolean": "true oder false", "object": "Objekt",
    "null": "null", "array": "Liste",
}  # fmt: skip
_FORMATS = {"uuid": "UUID", "uri": "Adresse", "date": "Tag", "date-time": "Zeitpunkt"}
_PLACES = {"query": "Adresse", "header": "Kopfzeile", "path": "Pfad"}


@cache
def document() -> dict[str, Any]:
    """The document itself; depends on nothing but the code and the settings."""
    with translation.override(settings.LANGUAGE_CODE):
        return dict(SchemaGenerator().get_schema(request=None, public=True))


@dataclass(frozen=True)
class Field:
    """A field or parameter; `schema` is the name of the object that it holds, empty for plain values."""

    name: str
    kind: str
    schema: str
    required: bool
    limits: list[str]
    text: str
    place: str = ""


@dataclass(frozen=True)
class Schema:
    name: str
    text: str
    fields: list[Field]


@dataclass(frozen=True)
class Example:
    name: str
    text: str
    code: str


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    media_type: str
    schema: str
    headers: list[tuple[str, str]]
    examples: list[Example]

    @property
    def is_problem(self) -> bool:
        return self.status >= 400


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    summary: str
    text: str
    parameters: list[Field]
    body: str
    requests: list[Example]
    answers: list[Answer]


def operations() -> list[Operation]:
    """Every operation, delivering first."""
    tags = [tag["name"] for tag in document()["tags"]]
    found = [
        (item[method], path, method)
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    ]
    # Sorting keeps the order within a tag.
    ordered = sorted(found, key=lambda each: tags.index(each[0]["tags"][0]))
    return [_operation(path, method, item) for item, path, method in ordered]


def schemas() -> list[Schema]:
    found = document()["components"]["schemas"]
    return [
        Schema(name, schema.get("description", ""), list(_fields(schema))) for name, schema in found.items()
    ]


def _operation(path: str, method: str, item: dict[str, Any]) -> Operation:
    body = item.get("requestBody", {}).get("content", {}).get("application/json", {})
    parameters = [_parameter(each) for each in item.get("parameters", [])]
    answers = [_answer(int(status), each) for status, each in sorted(item["responses"].items())]
    return Operation(
        item["operationId"], method.upper(), path, item["summary"], item["description"], parameters,
        _reference(body.get("schema", {})), list(_examples(body)), answers,
    )  # fmt: skip


def _parameter(item: dict[str, Any]) -> Field:
    required = bool(item.get("required"))
    return _field(item["name"], item["schema"], required, item.get("description", ""), item["in"])


def _answer(status: int, item: dict[str, Any]) -> Answer:
    media_type, content = next(iter(item["content"].items()))
    headers = [(name, header["description"]) for name, header in item.get("headers", {}).items()]
    schema = _reference(content["schema"])
    return Answer(status, item["description"], media_type, schema, headers, list(_examples(content)))


def _examples(content: dict[str, Any]) -> Iterator[Example]:
    for name, example in content.get("examples", {}).items():
        value = example["value"]
        code = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        yield Example(example.get("summary", name), example.get("description", ""), code)


def _fields(schema: dict[str, Any]) -> Iterator[Field]:
    required = set(schema.get("required", []))
    for name, item in schema["properties"].items():
        yield _field(name, item, name in required, item.get("description", ""))


def _field(name: str, item: dict[str, Any], required: bool, text: str, place: str = "") -> Field:
    reference = _reference(item) or _reference(item.get("items", {}))
    return Field(name, _kind(item), reference, required, list(_limits(item)), text, _PLACES.get(place, ""))


def _reference(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _kind(item: dict[str, Any]) -> str:
    kinds = item.get("type", "object")
    named: Iterable[str] = [kinds] if isinstance(kinds, str) else kinds
    words = [
        _FORMATS.get(item.get("format", ""), _KINDS[kind]) if kind != "null" else "null" for kind in named
    ]
    return " oder ".join(words)


def _limits(item: dict[str, Any]) -> Iterator[str]:
    if "enum" in item:
        yield " | ".join(map(str, item["enum"]))
    if "pattern" in item:
        yield str(item["pattern"])
    if "minimum" in item:
        yield f"ab {formats.number(item['minimum'])}"
    for name, unit in (("maximum", ""), ("maxLength", " Zeichen"), ("maxItems", " Einträge")):
        if name in item:
            yield f"höchstens {formats.number(item[name])}{unit}"
    if "default" in item:
        yield f"sonst {json.dumps(item['default'])}"
