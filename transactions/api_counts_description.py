"""How reading back describes itself in the OpenAPI document; the texts are published as they stand here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers

from transactions.api_description import DEFAULT_PAGE, MAX_PAGE, answer_example, operation
from transactions.values import MAX_COUNT

_MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"


@extend_schema_serializer(component_name="Transaktionszahl")
class CountSerializer(serializers.Serializer[Any]):
    """Ein gespeicherter Wert, oder einer, der zurückgenommen wurde."""

    onlineservice = serializers.CharField(help_text="ZSK-Nummer.")
    ars = serializers.RegexField(r"^[0-9]{12}$", help_text="Amtlicher Regionalschlüssel, wie geliefert.")
    monat = serializers.RegexField(_MONTH, help_text="JJJJ-MM.")
    anzahl = serializers.IntegerField(
        min_value=0, max_value=MAX_COUNT, allow_null=True, help_text="null: Der Wert wurde zurückgenommen."
    )
    status = serializers.ChoiceField(
        ["gespeichert", "zurueckgenommen"],
        help_text="zurueckgenommen gibt es nur mit „geaendert_seit“.",
    )
    geaendert_am = serializers.DateTimeField(
        allow_null=True, help_text="Wann die Lieferung übernommen wurde, die den Wert gesetzt hat."
    )
    lieferung = serializers.UUIDField(help_text="Kennung dieser Lieferung.")


@extend_schema_serializer(component_name="Transaktionszahlenseite")
class CountPageSerializer(serializers.Serializer[Any]):
    """Ein Stück der Transaktionszahlen."""

    ergebnisse = CountSerializer(many=True, help_text="Sortiert nach Onlineservice, Monat und Region.")
    weiter = serializers.URLField(
        allow_null=True, help_text="Adresse der nächsten Seite; null auf der letzten."
    )


def limit_parameter() -> OpenApiParameter:
    return OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
        description="Wie viele auf einer Seite stehen.",
    )


def cursor_parameter() -> OpenApiParameter:
    return OpenApiParameter("nach", str, description="Wo die Seite beginnt; steht in „weiter“.")


def since_parameter(description: str) -> OpenApiParameter:
    return OpenApiParameter("geaendert_seit", OpenApiTypes.DATETIME, description=description)


def month_parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "pattern": _MONTH}, description=description)


_VALUE = {
    "onlineservice": "OS-000123", "ars": "060000000000", "monat": "2025-05", "anzahl": 1204,
    "status": "gespeichert", "geaendert_am": "2025-06-10T06:15:00.120000Z",
    "lieferung": "0197a6c2-5d0e-7b3a-9c1f-2f6f6d1c8e42",
}  # fmt: skip

COUNTS = operation(
    "transaktionszahlen", "Gespeicherte Transaktionszahlen lesen",
    "Was für die Onlineservices dieses Zugangs gespeichert ist: bei einem Portal für alle, die heute dazugehören. "
    "Mit „geaendert_seit“ nur, was sich seitdem geändert hat, auch zurückgenommene Werte. Nehmen Sie dafür den "
    "größten Wert von „geaendert_am“ Ihrer letzten Abfrage, bei einem Portal eine Stunde weniger: Eine große "
    "Lieferung kann etwas länger brauchen als eine spätere kleine. Werte sind Bestände, keine Zuwächse; einen "
    "zweimal zu bekommen, schadet nicht.",
    parameters=[
        OpenApiParameter("onlineservice", str, description="ZSK-Nummer oder Kennung des Portals."),
        month_parameter("von", "Erster Monat."),
        month_parameter("bis", "Letzter Monat."),
        OpenApiParameter(
            "ars", {"type": "string", "pattern": "^[0-9]{1,12}$"},
            description="Region mit allen Gebieten darin: 12 Ziffern, oder die ersten Ziffern des Schlüssels.",
        ),
        since_parameter("Nur Werte, die seitdem gesetzt oder zurückgenommen wurden. Tag oder Zeitpunkt (ISO 8601)."),
        limit_parameter(),
        cursor_parameter(),
    ],
    answers={(200, "application/json"): OpenApiResponse(CountPageSerializer, description="Eine Seite.")},
    faults=["nicht_lesbar", "nicht_gefunden"],
    examples=[answer_example("Letzte Seite", {"ergebnisse": [_VALUE, {**_VALUE, "ars": "070000000000", "anzahl": None, "status": "zurueckgenommen"}], "weiter": None}, 200)],
)  # fmt: skip
