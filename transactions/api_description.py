"""How the interface describes itself: fields, parameters, statuses and examples of the OpenAPI document.

The texts are published as they stand here, in German; nothing is parsed by these serializers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_serializer,
)
from rest_framework import serializers

from transactions.problems import MAX_LISTED, MEDIA_TYPE, PROBLEMS
from transactions.sources.push import MAX_REASON
from transactions.values import MAX_COUNT

MAX_PAGE = 1_000
DEFAULT_PAGE = 100
MAX_KEY_LENGTH = 255

STATUSES = {
    "uebernommen": "gespeichert, oder es war schon alles so gespeichert",
    "probelauf": "geprüft, nichts gespeichert",
    "abgelehnt": "nichts gespeichert",
    "wartet": "angenommen, ein Hintergrunddienst liefert sie gleich; eine Datei wartet auf Bestätigung",
    "in_arbeit": "wird gerade geprüft und gespeichert",
    "rueckgaengig": "gespeichert und später zurückgenommen",
}


@extend_schema_serializer(component_name="Befund")
class FindingSerializer(serializers.Serializer[Any]):
    """Ein Fehler oder Hinweis zu einer Zeile oder zur Nachricht als Ganzem."""

    zeile = serializers.IntegerField(
        allow_null=True,
        help_text="Zeile im Bericht, dessen Kopfzeile die Zeile 1 ist: die erste gesendete Zeile ist 2.",
    )
    zeiger = serializers.CharField(
        allow_null=True, help_text="Stelle in der Nachricht als JSON Pointer (RFC 6901)."
    )
    feld = serializers.CharField(allow_null=True, help_text="Name des Felds.")
    wert = serializers.CharField(help_text="Was dort steht, höchstens 200 Zeichen.")
    code = serializers.CharField(
        help_text="Bleibt gleich, auch wenn sich Meldungen ändern. Erklärt unter /hilfe/fehler/{code}/."
    )
    meldung = serializers.CharField(help_text="Deutsch, englisch bei „Accept-Language: en“.")
    vorschlag = serializers.CharField(allow_null=True, help_text="Was richtig wäre, wo es sicher ist.")


@extend_schema_serializer(component_name="Zeile")
class RowSerializer(serializers.Serializer[Any]):
    """Die Anzahl eines Onlineservices in einer Region und einem Monat."""

    onlineservice = serializers.CharField(
        required=False,
        help_text="ZSK-Nummer (OS-000123) oder die Kennung, unter der das Portal den Onlineservice führt. "
        "Darf fehlen, wenn der Zugangsschlüssel für genau einen Onlineservice gilt.",
    )
    ars = serializers.RegexField(
        r"^[0-9]{12}$",
        min_length=12, max_length=12,
        help_text="Amtlicher Regionalschlüssel, 12 Ziffern als Text. Deutschland als Ganzes: 000000000000.",
    )  # fmt: skip
    monat = serializers.RegexField(
        r"^[0-9]{4}-(0[1-9]|1[0-2])$",
        help_text="JJJJ-MM, ab 2016-01. Der laufende Monat wird angenommen und als vorläufig gezeigt.",
    )
    anzahl = serializers.IntegerField(
        min_value=0, max_value=MAX_COUNT, allow_null=True,
        help_text="Ganze Zahl ohne Anführungszeichen und Nachkommastellen. 0 heißt: es gab keine "
        "Transaktionen. null nimmt den gespeicherten Wert zurück.",
    )  # fmt: skip


@extend_schema_serializer(component_name="Servicemonat")
class ScopeSerializer(serializers.Serializer[Any]):
    """Ein Monat eines Onlineservices, der ersetzt wird."""

    onlineservice = serializers.CharField(required=False, help_text="Wie in den Zeilen.")
    monat = serializers.RegexField(r"^[0-9]{4}-(0[1-9]|1[0-2])$", help_text="JJJJ-MM.")


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")


@extend_schema_serializer(component_name="Lieferung")
class MessageSerializer(serializers.Serializer[Any]):
    """Eine Lieferung. Sie wird ganz übernommen oder gar nicht; andere Felder als diese werden abgelehnt."""

    modus = serializers.ChoiceField(
        ["ergaenzen", "ersetzen"], default="ergaenzen",
        help_text="ergaenzen berührt nur die genannten Zeilen. ersetzen macht jeden Monat in umfang genau so, "
        "wie die Zeilen es sagen; ein Monat ohne Zeilen wird leer.",
    )  # fmt: skip
    probelauf = serializers.BooleanField(default=False, help_text="true prüft alles und speichert nichts.")
    anzahl_zeilen = serializers.IntegerField(
        required=False, min_value=0,
        help_text="Wie viele Zeilen gesendet werden. Stimmt die Zahl nicht, wird die Lieferung abgelehnt.",
    )  # fmt: skip
    begruendung = serializers.CharField(
        required=False, max_length=MAX_REASON, allow_blank=True,
        help_text="Warum sich ein abgeschlossener Monat ändert. Nötig nur dann; ohne Begründung ist die Antwort 423.",
    )  # fmt: skip
    umfang = ScopeSerializer(
        many=True, required=False,
        help_text="Nur bei ersetzen, und dann nötig. Eine Zeile außerhalb ist ein Fehler.",
    )  # fmt: skip
    zeilen = RowSerializer(
        many=True,
        help_text=f"Auf einmal höchstens {_number(settings.MAX_PUSH_ROWS)} Zeilen, mit „Prefer: respond-async“ "
        f"höchstens {_number(settings.MAX_ASYNC_ROWS)}.",
    )  # fmt: skip


@extend_schema_serializer(component_name="Ergebnis")
class AnswerSerializer(serializers.Serializer[Any]):
    """Was aus einer Lieferung geworden ist."""

    id = serializers.UUIDField(allow_null=True, help_text="null beim Probelauf.")
    status = serializers.ChoiceField(
        list(STATUSES), help_text="; ".join(f"{name}: {text}" for name, text in STATUSES.items()) + "."
    )
    neu = serializers.IntegerField(min_value=0, help_text="Werte, die es noch nicht gab.")
    geaendert = serializers.IntegerField(min_value=0, help_text="Werte, die andere ersetzt haben.")
    unveraendert = serializers.IntegerField(min_value=0, help_text="Werte, die schon so gespeichert waren.")
    geloescht = serializers.IntegerField(min_value=0, help_text="Werte, die zurückgenommen wurden.")
    hinweise = FindingSerializer(many=True, help_text="Was auffiel, ohne ein Fehler zu sein.")
    url = serializers.URLField(allow_null=True, help_text="Adresse der Lieferung; null beim Probelauf.")


@extend_schema_serializer(component_name="Seite")
class PageSerializer(serializers.Serializer[Any]):
    """Ein Stück einer Liste."""

    ergebnisse = AnswerSerializer(many=True)
    weiter = serializers.URLField(
        allow_null=True, help_text="Adresse der nächsten Seite; null auf der letzten."
    )


@extend_schema_serializer(component_name="Problem")
class ProblemSerializer(serializers.Serializer[Any]):
    """Ein Fehler nach RFC 9457."""

    type = serializers.URLField(help_text="Adresse einer Seite, die erklärt, was zu tun ist.")
    title = serializers.CharField()
    status = serializers.IntegerField(help_text="Der HTTP-Status.")
    detail = serializers.CharField()
    fehler = FindingSerializer(
        many=True, required=False,
        help_text="Bei einer abgelehnten Lieferung die ersten 1.000 Fehler; im Bericht stehen alle.",
    )  # fmt: skip
    fehler_gesamt = serializers.IntegerField(required=False, help_text="Wie viele Fehler es gibt.")
    url = serializers.URLField(required=False, help_text="Adresse der abgelehnten Lieferung.")


# --- examples ------------------------------------------------------------------------------------

_ID = "0197a6c2-5d0e-7b3a-9c1f-2f6f6d1c8e42"
_URL = f"https://zsk.example.org/api/v1/lieferungen/{_ID}"
_ROW = {"onlineservice": "OS-000123", "ars": "060000000000", "monat": "2025-05", "anzahl": 1204}
_DONE = {
    "id": _ID, "status": "uebernommen", "neu": 1, "geaendert": 0, "unveraendert": 0, "geloescht": 1,
    "hinweise": [], "url": _URL,
}  # fmt: skip
_TRIED = {**_DONE, "id": None, "status": "probelauf", "url": None}
_WAITING = {**_DONE, "status": "wartet", "neu": 0, "geloescht": 0}
_SAME = {**_DONE, "neu": 0, "unveraendert": 2, "geloescht": 0}
_UNDOING = {**_DONE, "neu": 1, "geloescht": 1}
_WITHDRAWING = {**_WAITING, "status": "in_arbeit"}
_FINDING = {
    "zeile": 7, "zeiger": "/zeilen/5/ars", "feld": "ars", "wert": "60000000000", "code": "ars_fuehrende_null",
    "meldung": "Dem Regionalschlüssel fehlt die führende Null: Er hat 11 statt 12 Ziffern. Das macht Excel, wenn"
    " die Spalte als Zahl gespeichert wird.",
    "vorschlag": "060000000000",
}  # fmt: skip
REQUESTS = [
    OpenApiExample(
        "Probelauf",
        description="Prüft alles und speichert nichts.",
        value={"probelauf": True, "zeilen": [_ROW]},
        request_only=True,
    ),
    OpenApiExample(
        "Ergänzen",
        description="Setzt einen Wert und nimmt einen anderen zurück. Was nicht genannt ist, bleibt.",
        value={
            "modus": "ergaenzen", "probelauf": False, "anzahl_zeilen": 2,
            "zeilen": [_ROW, {**_ROW, "ars": "070000000000", "anzahl": None}],
        },
        request_only=True,
    ),
    OpenApiExample(
        "Ersetzen",
        description="Danach ist der Mai genau das, was hier steht; alles andere dieses Monats ist zurückgenommen.",
        value={
            "modus": "ersetzen", "umfang": [{"onlineservice": "OS-000123", "monat": "2025-05"}], "zeilen": [_ROW],
        },
        request_only=True,
    ),
    OpenApiExample(
        "CSV", value="ars;monat;anzahl\r\n060000000000;2025-05;1204\r\n070000000000;2025-05;löschen\r\n",
        request_only=True, media_type="text/csv",
    ),
]  # fmt: skip


def _problem_example(code: str) -> OpenApiExample:
    problem = PROBLEMS[code]
    value: dict[str, Any] = {
        "type": f"https://zsk.example.org/hilfe/fehler/{code}/",
        "title": str(problem.title), "status": problem.status, "detail": str(problem.cure),
    }  # fmt: skip
    if code == "zeilen_fehlerhaft":
        value |= {"fehler": [_FINDING], "fehler_gesamt": 1, "url": _URL}
    return answer_example(code, value, problem.status, media_type=MEDIA_TYPE)


def answer_example(
    name: str, value: Any, status: int, *, media_type: str = "application/json"
) -> OpenApiExample:
    return OpenApiExample(
        name, value=value, response_only=True, status_codes=[str(status)], media_type=media_type
    )


def problems(*codes: str) -> tuple[dict[Any, Any], list[OpenApiExample]]:
    """What an operation declares for the problems that it can answer with: responses and examples."""
    responses: dict[Any, Any] = {}
    # The document is German, whichever request was the first to import this.
    with translation.override(settings.LANGUAGE_CODE):
        for code in codes:
            status = PROBLEMS[code].status
            titles = [str(PROBLEMS[other].title) for other in codes if PROBLEMS[other].status == status]
            described = OpenApiResponse(ProblemSerializer, description="; ".join(titles) + ".")
            responses[status, MEDIA_TYPE] = described
        return responses, [_problem_example(code) for code in codes]


NO_ACCESS = (
    "anmeldung_fehlt", "anmeldung_verfahren", "schluessel_unbekannt", "token_ungueltig",
    "schluessel_abgelaufen", "schluessel_widerrufen", "anmeldung_nicht_pruefbar",
)  # fmt: skip
EVERYWHERE = ("zu_viele_anfragen", "nicht_bereit", "speicher_voll", "fehler")


def operation(
    operation_id: str, summary: str, description: str, *,
    answers: dict[Any, Any], faults: Collection[str],
    examples: Iterable[OpenApiExample] = (), parameters: Iterable[OpenApiParameter] = (),
    tag: str = "Lieferungen", is_open: bool = False, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Arguments of `extend_schema`; an operation needs a credential unless it is open, and any may fail."""
    access = () if is_open else NO_ACCESS
    responses, problem_examples = problems(*access, *faults, *EVERYWHERE)
    answered = [status for status, _kind in (answers | responses)]
    waiting = [*([409] if "anfrage_laeuft" in faults else []), 429, 503]
    limits = [
        answer_header("RateLimit-Policy", "Grenze: q Anfragen in w Sekunden.", *answered),
        answer_header("RateLimit", "Was davon übrig ist: r Anfragen, neu gezählt in t Sekunden.", *answered),
        answer_header("Retry-After", "So viele Sekunden warten.", *waiting),
    ]
    return {
        "operation_id": operation_id, "summary": summary, "description": description, "tags": [tag],
        "parameters": [_LANGUAGE, *parameters, *([] if is_open else [_CHALLENGE]), *limits],
        "responses": answers | responses, "examples": [*examples, *problem_examples], **more,
    }  # fmt: skip


# --- parameters and headers ----------------------------------------------------------------------


def _header(name: str, description: str, kind: Any = str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description, **more)


def _query(name: str, description: str, kind: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)


def answer_header(name: str, description: str, *statuses: int) -> OpenApiParameter:
    return _header(name, description, response=list(statuses))


_LANGUAGE = _header("Accept-Language", "en gibt englische Meldungen.", enum=["de", "en"], default="de")
_CHALLENGE = answer_header("WWW-Authenticate", "Wie man sich anmeldet: Bearer.", 401)
_IDENTITY = OpenApiParameter(
    "id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Kennung der Lieferung, aus „id“ der Antwort."
)

PUSH = operation(
    "liefern", "Transaktionszahlen liefern",
    "Prüft alle Zeilen und übernimmt sie zusammen oder gar nicht. Ein zweiter Wert für denselben Onlineservice, "
    "dieselbe Region und denselben Monat ersetzt den ersten; addiert wird nie. Dieselbe Lieferung noch einmal "
    "ändert nichts. Als CSV gilt dasselbe wie für Dateien (/hilfe/dateiformat/): Spalten onlineservice, ars, "
    "monat, anzahl in beliebiger Reihenfolge; modus, probelauf, anzahl_zeilen und umfang stehen dann in der "
    "Adresse, und „löschen“ als Anzahl nimmt den gespeicherten Wert zurück.",
    request={"application/json": MessageSerializer, "text/csv": OpenApiTypes.STR},
    parameters=[
        _header(
            "Idempotency-Key",
            "Ein eigener Wert je Lieferung, höchstens 255 Zeichen, zum Beispiel eine UUID. Eine Wiederholung "
            "mit demselben Wert und demselben Inhalt bekommt die erste Antwort. Er gilt 90 Tage.",
            {"type": "string", "maxLength": MAX_KEY_LENGTH},
        ),
        _header(
            "Prefer",
            "respond-async: die Lieferung wird angenommen (202) und danach im Hintergrund geprüft und gespeichert. "
            f"Nötig ab {_number(settings.MAX_PUSH_ROWS)} Zeilen. Auf einmal warten je Zugang höchstens "
            f"{_number(settings.MAX_WAITING)} Lieferungen mit zusammen {settings.MAX_WAITING_BYTES >> 20} MB. Was daraus wird, steht unter Location; ein Probelauf "
            "hat dort am Ende den Status probelauf.",
        ),
        _header(
            "Content-Encoding",
            "gzip, wenn die Nachricht gepackt ist. Sie darf ausgepackt so groß sein wie eine ungepackte: "
            f"{settings.MAX_PUSH_BYTES >> 20} MB, mit „Prefer: respond-async“ {settings.MAX_ASYNC_BYTES >> 20} MB.",
            enum=["identity", "gzip"], default="identity",
        ),
        _query("modus", "Nur bei CSV, wie das Feld der Nachricht.", {"type": "string", "enum": ["ergaenzen", "ersetzen"], "default": "ergaenzen"}),
        _query("probelauf", "Nur bei CSV, wie das Feld der Nachricht.", {"type": "boolean", "default": False}),
        _query("anzahl_zeilen", "Nur bei CSV, wie das Feld der Nachricht.", {"type": "integer", "minimum": 0}),
        _query("begruendung", "Nur bei CSV, wie das Feld der Nachricht.", {"type": "string", "maxLength": MAX_REASON}),
        _query(
            "umfang",
            "Nur bei CSV und modus=ersetzen, dann nötig; für jeden Monat eines Onlineservices einmal: "
            "umfang=OS-000123:2025-05. Wie in den Zeilen darf der Onlineservice fehlen: umfang=2025-05.",
            {"type": "array", "items": {"type": "string"}},
        ),
        answer_header("Location", "Adresse der Lieferung.", 200, 201, 202),
        answer_header("Preference-Applied", "respond-async.", 202),
        answer_header("Idempotent-Replayed", "true, wenn es die Lieferung von damals ist.", 200, 201, 202, 400, 422),
    ],
    answers={
        (201, "application/json"): OpenApiResponse(AnswerSerializer, description="Gespeichert, etwas hat sich geändert."),
        (200, "application/json"): OpenApiResponse(AnswerSerializer, description="Probelauf, oder es hat sich nichts geändert."),
        (202, "application/json"): OpenApiResponse(AnswerSerializer, description="Angenommen; geliefert wird im Hintergrund."),
    },
    faults=[
        "nicht_lesbar", "idempotenz_form", "anfrage_laeuft", "zu_gross", "medientyp", "zeilen_fehlerhaft",
        "idempotenz_anderer_inhalt", "begruendung_fehlt", "zu_viel_wartet",
    ],
    examples=[
        *REQUESTS,
        answer_example("Gespeichert", _DONE, 201),
        answer_example("Probelauf ohne Fehler", _TRIED, 200),
        answer_example("Nichts geändert", _SAME, 200),
        answer_example("Angenommen", _WAITING, 202),
    ],
)  # fmt: skip
LIST = operation(
    "lieferungen", "Eigene Lieferungen, die neueste zuerst",
    "Alle Lieferungen mit diesem Zugangsschlüssel, auch abgelehnte, und alle anderen zu seinen Onlineservices.",
    parameters=[
        OpenApiParameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
            description="Wie viele auf einer Seite stehen.",
        ),
        OpenApiParameter("vor", OpenApiTypes.UUID, description="Nur ältere als diese; steht in „weiter“."),
        OpenApiParameter(
            "geaendert_seit", OpenApiTypes.DATETIME,
            description="Nur Lieferungen, die seitdem eingegangen, abgeschlossen oder zurückgenommen sind. Tag "
            "oder Zeitpunkt (ISO 8601).",
        ),
    ],
    answers={(200, "application/json"): OpenApiResponse(PageSerializer, description="Eine Seite der Liste.")},
    faults=["nicht_lesbar"],
    examples=[answer_example("Letzte Seite", {"ergebnisse": [_DONE], "weiter": None}, 200)],
)  # fmt: skip
DETAIL = operation(
    "lieferung", "Eine Lieferung nachsehen",
    "Was aus der Lieferung geworden ist. Bei einer abgelehnten stehen ihre Fehler unter „hinweise“.",
    parameters=[_IDENTITY],
    answers={(200, "application/json"): OpenApiResponse(AnswerSerializer, description="Die Lieferung.")},
    faults=["nicht_lesbar", "nicht_gefunden"],
    examples=[answer_example("Übernommen", _DONE, 200)],
)  # fmt: skip
UNDO = operation(
    "ruecknahme", "Eine Lieferung rückgängig machen oder zurückziehen",
    "Gibt jedem Wert, den die Lieferung geändert hat, seinen früheren Stand zurück. Das geht, solange keiner "
    "davon danach noch einmal geändert wurde. Die Antwort ist die neue Lieferung, die das getan hat. Eine "
    "Lieferung, die noch wartet oder in Arbeit ist („Prefer: respond-async“), wird zurückgezogen: Sie "
    "speichert nichts, ist danach abgelehnt mit dem Hinweis zurueckgezogen, ihr Idempotency-Key ist wieder "
    "frei. Die Antwort ist dann sie selbst, auch beim zweiten Mal.",
    parameters=[
        _IDENTITY,
        OpenApiParameter(
            "begruendung", {"type": "string", "maxLength": MAX_REASON},
            description="Warum sich ein abgeschlossener Monat ändert; nötig nur dann.",
        ),
    ],
    answers={
        (200, "application/json"): OpenApiResponse(AnswerSerializer, description="Die Rücknahme, oder die zurückgezogene Lieferung."),
        (202, "application/json"): OpenApiResponse(AnswerSerializer, description="Zurückgezogen; sie wird gerade gespeichert, ihr Ergebnis wird verworfen."),
    },
    faults=["nicht_erlaubt", "nicht_lesbar", "nicht_gefunden", "ruecknahme_unmoeglich", "begruendung_fehlt"],
    examples=[
        answer_example("Zurückgenommen", _UNDOING, 200),
        answer_example("Zurückgezogen, während sie gespeichert wird", _WITHDRAWING, 202),
    ],
)  # fmt: skip
REPORT = operation(
    "bericht", "Bericht einer Lieferung als CSV",
    "Alle gesendeten Zeilen in ihrer Reihenfolge, mit „ergebnis“ und „hinweis“. UTF-8, mit Semikolon getrennt. "
    "Den Bericht gibt es einige Wochen lang.",
    parameters=[_IDENTITY, answer_header("Content-Disposition", "Name der Datei.", 200)],
    answers={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="Der Bericht.")},
    faults=["nicht_lesbar", "nicht_gefunden", "bericht_abgelaufen"],
    examples=[
        answer_example(
            "Bericht",
            "onlineservice;ars;monat;anzahl;ergebnis;hinweis\r\nOS-000123;060000000000;2025-05;1204;neu;\r\n",
            200, media_type="text/csv",
        )
    ],
)  # fmt: skip


def finish(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """What drf-spectacular has no word for: that other fields are refused, and how long lists may be."""
    schemas = result["components"]["schemas"]
    for name in ("Lieferung", "Zeile", "Servicemonat"):
        schemas[name]["additionalProperties"] = False
    schemas["Lieferung"]["properties"]["zeilen"]["maxItems"] = settings.MAX_ASYNC_ROWS
    schemas["Lieferung"]["properties"]["umfang"]["minItems"] = 1
    schemas["Problem"]["properties"]["fehler"]["maxItems"] = MAX_LISTED
    schemas["Seite"]["properties"]["ergebnisse"]["maxItems"] = MAX_PAGE
    for schema in schemas.values():
        for field in schema["properties"].values():
            field.pop("x-spec-enum-id", None)
    return result
