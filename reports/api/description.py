"""How the open interface describes itself in the OpenAPI document; the texts are published as they stand."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers

from services.models import ReportingLevel
from transactions.api_counts_description import (
    cursor_parameter,
    limit_parameter,
    month_parameter,
    since_parameter,
)
from transactions.api_description import MAX_PAGE, answer_example, answer_header, operation

TAG = "Offene Daten"
_ARS = r"^[0-9]{12}$"
_KEY = r"^99[0-9]{12}$"
_LEVELS = ["bund", "land", "regierungsbezirk", "kreis", "gemeindeverband", "gemeinde"]
STATUSES = {
    "gemeldet": "gemeldet",
    "null_gemeldet": "gemeldet, dass es keine gab",
    "fehlt": "keine Angabe",
    "laufend": "der Monat ist noch nicht zu Ende",
    "korrigiert": "nach dem Abschluss des Monats berichtigt",
    "geschaetzt": "geschätzt",
}

# --- fields --------------------------------------------------------------------------------------


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Texts(serializers.ListField):
    """A list of texts."""


@extend_schema_field(
    {"type": "array", "items": {"type": "array", "items": {"type": ["string", "integer", "null"]}}}
)
class Rows(serializers.ListField):
    """Rows of cells."""


@extend_schema_serializer(component_name="Onlineservice")
class ServiceSerializer(serializers.Serializer[Any]):
    """Ein veröffentlichter Onlineservice."""

    onlineservice = serializers.CharField(help_text="ZSK-Nummer.")
    name = serializers.CharField(help_text="Name.")
    behoerde = serializers.CharField(help_text="Name der Behörde.")
    leistungsschluessel = serializers.RegexField(_KEY, help_text="Schlüssel der Hauptleistung.")
    leistung = serializers.CharField(help_text="Name der Hauptleistung.")
    weitere_leistungen = Texts(help_text="Schlüssel weiterer Leistungen.")
    typisierung = Texts(help_text="Typisierung der Hauptleistung; die erste zählt.")
    aufforderung = serializers.ChoiceField(
        ["aufgefordert", "eingeladen"], allow_null=True,
        help_text="Ob der IT-Planungsrat zur Lieferung auffordert oder einlädt.",
    )  # fmt: skip
    ozg_id = serializers.CharField(allow_null=True, help_text="OZG-ID der Hauptleistung.")
    themenfeld = serializers.CharField(allow_null=True, help_text="Kürzel des Themenfelds.")
    meldeebene = serializers.ChoiceField(
        ReportingLevel.values, help_text="Ebene der Regionen, für die gemeldet wird."
    )
    einzugsgebiet = Texts(help_text="Regionalschlüssel der Gebiete, für die es den Onlineservice gibt.")
    portal = serializers.CharField(allow_null=True, help_text="Kürzel des Portals, zu dem er heute gehört.")
    adresse = serializers.CharField(allow_null=True, help_text="Adresse des Onlineservices selbst.")
    in_betrieb_seit = serializers.DateField(allow_null=True, help_text="Erster Tag.")
    ausser_betrieb_seit = serializers.DateField(allow_null=True, help_text="Erster Tag danach.")
    regionen_bis = serializers.ChoiceField(
        ["land", "kreis", "gemeinde"], help_text="Ebene, bis zu der seine Zahlen veröffentlicht sind."
    )
    letzter_monat = serializers.CharField(allow_null=True, help_text="Letzter gemeldeter Monat, JJJJ-MM.")
    veroeffentlicht_am = serializers.DateTimeField(help_text="Seit wann er öffentlich ist.")
    geaendert_am = serializers.DateTimeField(
        help_text="Letzte Änderung der Stammdaten oder der Veröffentlichung; Lieferungen zählen nicht."
    )
    url = serializers.URLField(help_text="Seite dieses Portals über den Onlineservice.")


@extend_schema_serializer(component_name="Region")
class RegionSerializer(serializers.Serializer[Any]):
    """Eine Region in einer Fassung: wie sie in einer Zeit hieß und wozu sie gehörte."""

    ars = serializers.RegexField(_ARS, help_text="Amtlicher Regionalschlüssel.")
    name = serializers.CharField(help_text="Name.")
    art = serializers.CharField(allow_null=True, help_text="Zum Beispiel Landkreis.")
    ebene = serializers.ChoiceField(_LEVELS, help_text="Oberste Ebene.")
    ebene_bis = serializers.ChoiceField(
        _LEVELS, help_text="Unterste Ebene: Berlin ist mit einem Schlüssel Land, Kreis und Gemeinde."
    )
    uebergeordnet = serializers.RegexField(_ARS, allow_null=True, help_text="Region darüber.")
    einwohner = serializers.IntegerField(allow_null=True, help_text="Am 31.12.2018.")
    gueltig_ab = serializers.DateField(help_text="Erster Tag dieser Fassung.")
    gueltig_bis = serializers.DateField(allow_null=True, help_text="Erster Tag danach; null: gilt noch.")
    geaendert_am = serializers.DateTimeField(help_text="Wann diese Fassung zuletzt geändert wurde.")
    url = serializers.URLField(help_text="Seite dieses Portals über die Region.")


@extend_schema_serializer(component_name="Leistung")
class LeistungSerializer(serializers.Serializer[Any]):
    """Eine Verwaltungsleistung des Katalogs, auch eine, die es nicht mehr gibt."""

    leistungsschluessel = serializers.RegexField(_KEY, help_text="14 Ziffern.")
    name = serializers.CharField(help_text="Name.")
    typisierung = Texts(help_text="Typisierung; die erste zählt.")
    aufforderung = serializers.ChoiceField(
        ["aufgefordert", "eingeladen"], allow_null=True,
        help_text="Ob der IT-Planungsrat zur Lieferung auffordert oder einlädt.",
    )  # fmt: skip
    ozg_id = serializers.CharField(allow_null=True, help_text="Kennung der OZG-Leistung.")
    ozg_leistung = serializers.CharField(allow_null=True, help_text="Name der OZG-Leistung.")
    themenfeld = serializers.CharField(allow_null=True, help_text="Kürzel des Themenfelds.")
    fokus = serializers.BooleanField(help_text="Ob sie Fokusleistung ist.")
    gueltig_ab = serializers.DateField(allow_null=True, help_text="null, wenn nicht bekannt.")
    gueltig_bis = serializers.DateField(allow_null=True, help_text="Erster Tag danach; null: gilt noch.")
    nachfolger = Texts(help_text="Schlüssel, die an ihre Stelle getreten sind.")
    geaendert_am = serializers.DateTimeField(help_text="Wann dieser Eintrag zuletzt geändert wurde.")


_MORE = "Adresse der nächsten Seite; null auf der letzten und bei einer Suche."


@extend_schema_serializer(component_name="Onlineservicesseite")
class ServicePageSerializer(serializers.Serializer[Any]):
    """Ein Stück der Onlineservices."""

    ergebnisse = ServiceSerializer(many=True, help_text="Sortiert nach Nummer.")
    weiter = serializers.URLField(allow_null=True, help_text=_MORE)


@extend_schema_serializer(component_name="Regionenseite")
class RegionPageSerializer(serializers.Serializer[Any]):
    """Ein Stück der Regionen."""

    ergebnisse = RegionSerializer(many=True, help_text="Sortiert nach Schlüssel und Beginn.")
    weiter = serializers.URLField(allow_null=True, help_text=_MORE)


@extend_schema_serializer(component_name="Leistungenseite")
class LeistungPageSerializer(serializers.Serializer[Any]):
    """Ein Stück der Leistungen."""

    ergebnisse = LeistungSerializer(many=True, help_text="Sortiert nach Schlüssel.")
    weiter = serializers.URLField(allow_null=True, help_text=_MORE)


@extend_schema_serializer(component_name="Vollstaendigkeit")
class CoverageSerializer(serializers.Serializer[Any]):
    """Servicemonate: jeder Monat jedes Onlineservices zählt einmal."""

    geliefert = serializers.IntegerField(min_value=0, help_text="Für so viele liegt eine Zahl vor.")
    erwartet = serializers.IntegerField(min_value=0, help_text="Für so viele wird eine erwartet.")


@extend_schema_serializer(component_name="Angaben")
class MetaSerializer(serializers.Serializer[Any]):
    """Was man über die Zahlen wissen muss."""

    titel = serializers.CharField(help_text="Überschrift.")
    stand = serializers.DateTimeField(allow_null=True, help_text="Wann zuletzt geliefert wurde.")
    datenversion = serializers.IntegerField(help_text="Steigt mit jeder Lieferung, die etwas ändert.")
    gebietsstand = serializers.CharField(help_text="Auf welchen Stand der Gebiete die Regionen bezogen sind.")
    zeitraum = serializers.CharField(help_text="JJJJ-MM, oder JJJJ-MM/JJJJ-MM für mehrere Monate.")
    filter = serializers.DictField(child=serializers.CharField(), help_text="Wonach gefragt wurde.")
    vollstaendigkeit = CoverageSerializer(help_text="Im Zeitraum, unabhängig von der Region.")
    lizenz = serializers.URLField(help_text="Adresse der Lizenz.")
    quelle = serializers.CharField(help_text="So ist die Quelle zu nennen.")
    hinweise = Texts(help_text="Was sonst zu beachten ist.")


@extend_schema_serializer(component_name="Spalte")
class ColumnSerializer(serializers.Serializer[Any]):
    """Eine Spalte der Zeilen."""

    name = serializers.CharField(help_text="Bleibt gleich.")
    typ = serializers.ChoiceField(["text", "zahl", "monat"], help_text="Art der Werte; jeder kann null sein.")
    titel = serializers.CharField(help_text="Für Menschen.")


@extend_schema_serializer(component_name="Auswertung")
class EvaluationSerializer(serializers.Serializer[Any]):
    """Zahlen mit allem, was man über sie wissen muss."""

    meta = MetaSerializer(help_text="Titel, Stand, Quelle und anderes.")
    spalten = ColumnSerializer(many=True, help_text="In der Reihenfolge der Zellen.")
    zeilen = Rows(
        help_text="Je Zeile so viele Zellen wie Spalten. null heißt: keine Angabe. In „status“ steht "
        + "; ".join(f"{name}: {text}" for name, text in STATUSES.items())
        + ". Eine Zeile ohne Schlüssel ist, was auf keines der Gebiete entfällt."
    )


# --- operations ----------------------------------------------------------------------------------

_ETAG = answer_header("ETag", "Ändert sich mit den Daten; „If-None-Match“ damit gibt 304.", 200)


def _text(name: str, description: str, **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", **schema}, description=description)


def _search(what: str) -> OpenApiParameter:
    return _text("suche", f"{what} Großschreibung und Umlaute sind gleich. Ohne „weiter“.")


_SINCE = "Nur, was seitdem geändert wurde. Tag oder Zeitpunkt (ISO 8601)."
_CLOCK = "2026-06-10T06:15:00.120000Z"
_SERVICE = {
    "onlineservice": "OS-000123", "name": "BAföG Digital", "behoerde": "Ministerium",
    "leistungsschluessel": "99015001017000", "leistung": "Ausbildungsförderung", "weitere_leistungen": [],
    "typisierung": ["2/3"], "aufforderung": "aufgefordert", "ozg_id": "10102", "themenfeld": "bildung",
    "meldeebene": "land", "einzugsgebiet": ["000000000000"], "portal": None,
    "adresse": "https://www.bafoeg-digital.de", "in_betrieb_seit": "2021-10-01", "ausser_betrieb_seit": None,
    "regionen_bis": "gemeinde", "letzter_monat": "2026-05", "veroeffentlicht_am": _CLOCK, "geaendert_am": _CLOCK,
    "url": "https://zsk.example.org/onlineservices/OS-000123/",
}  # fmt: skip
_REGION = {
    "ars": "060000000000", "name": "Hessen", "art": None, "ebene": "land", "ebene_bis": "land",
    "uebergeordnet": "000000000000", "einwohner": 6265809, "gueltig_ab": "2016-01-01", "gueltig_bis": None,
    "geaendert_am": _CLOCK, "url": "https://zsk.example.org/regionen/060000000000/",
}  # fmt: skip
_LEISTUNG = {
    "leistungsschluessel": "99015001017000", "name": "Ausbildungsförderung", "typisierung": ["2/3"],
    "aufforderung": "aufgefordert", "ozg_id": "10102", "ozg_leistung": "BAföG", "themenfeld": "bildung",
    "fokus": False, "gueltig_ab": None, "gueltig_bis": None, "nachfolger": [], "geaendert_am": _CLOCK,
}  # fmt: skip
_EVALUATION = {
    "meta": {
        "titel": "BAföG Digital: Anträge in Hessen, Mai 2026", "stand": "2026-06-10T08:15:00+02:00",
        "datenversion": 812, "gebietsstand": "Gebietsstand der Meldung", "zeitraum": "2026-05",
        "filter": {"onlineservice": "OS-000123", "region": "060000000000", "koernung": "monat"},
        "vollstaendigkeit": {"geliefert": 1, "erwartet": 1}, "lizenz": "https://www.govdata.de/dl-de/by-2-0",
        "quelle": "ZSK", "hinweise": ["vollstaendigkeit zählt Servicemonate im Zeitraum, unabhängig von der Region."],
    },
    "spalten": [
        {"name": "zeitraum", "typ": "monat", "titel": "Zeitraum"},
        {"name": "anzahl", "typ": "zahl", "titel": "Transaktionen"},
        {"name": "status", "typ": "text", "titel": "Status"},
    ],
    "zeilen": [["2026-05", 1204, "gemeldet"]],
}  # fmt: skip


def _list(
    name: str, summary: str, text: str, serializer: type[serializers.Serializer[Any]], line: dict[str, Any],
    *parameters: OpenApiParameter,
) -> dict[str, Any]:  # fmt: skip
    return operation(
        name, summary, text, tag=TAG, is_open=True,
        parameters=[*parameters, limit_parameter(), cursor_parameter(), _ETAG],
        answers={(200, "application/json"): OpenApiResponse(serializer, description="Eine Seite.")},
        faults=["nicht_lesbar", "nicht_gefunden"],
        examples=[answer_example("Letzte Seite", {"ergebnisse": [line], "weiter": None}, 200)],
    )  # fmt: skip


_AREA = "Region mit allen Gebieten darin: 12 Ziffern, oder die ersten Ziffern des Schlüssels."

SERVICES = _list(
    "onlineservices", "Veröffentlichte Onlineservices",
    "Ohne Anmeldung. Wird eine Veröffentlichung zurückgenommen, fehlt der Onlineservice hier; „geaendert_seit“ "
    "nennt ihn nicht. Eine andere Zugehörigkeit zu einem Portal gilt nicht als Änderung.",
    ServicePageSerializer, _SERVICE,
    _search("Name, Behörde, Leistung oder Nummer."),
    _text("leistung", "Leistungsschlüssel oder seine ersten Ziffern, auch unter den weiteren Leistungen."),
    _text("themenfeld", "Kürzel des Themenfelds."), _text("portal", "Kürzel des Portals."),
    _text("ars", "Region, die das Einzugsgebiet berührt.", pattern="^[0-9]{1,12}$"),
    since_parameter(_SINCE),
)  # fmt: skip
REGIONS = _list(
    "regionen", "Regionen",
    "Ohne Anmeldung. Ohne weitere Angabe die Regionen, die es heute gibt; mit „geaendert_seit“ alle Fassungen, "
    "auch die beendeten.",
    RegionPageSerializer, _REGION,
    _search("Name, ARS oder AGS. Die nächstliegenden zuerst."),
    OpenApiParameter("ebene", {"type": "string", "enum": _LEVELS}, description="Regionen dieser Ebene."),
    _text("ars", _AREA, pattern="^[0-9]{1,12}$"),
    _text("am", "Tag, an dem es die Region gab, sonst heute; „alle“ gibt alle Fassungen."),
    since_parameter(_SINCE),
)  # fmt: skip
LEISTUNGEN = _list(
    "leistungen", "Verwaltungsleistungen",
    "Ohne Anmeldung. Der Katalog, aus dem Onlineservices ihre Leistung wählen.",
    LeistungPageSerializer, _LEISTUNG,
    _search("Schlüssel, Name, Name eines Onlineservices oder OZG-ID. Die nächstliegenden zuerst."),
    _text("schluessel", "Leistungsschlüssel oder seine ersten Ziffern."),
    _text("typisierung", "Zum Beispiel 2/3."), _text("themenfeld", "Kürzel des Themenfelds."),
    _text("ozg_id", "Kennung der OZG-Leistung."), since_parameter(_SINCE),
)  # fmt: skip
EVALUATION = operation(
    "auswertung", "Zahlen auswerten",
    "Ohne Anmeldung: wie viele, wovon, wo und wann. „Wie viele Anträge gab es im Mai 2026 mit OS-000123 in "
    "Hessen?“ ist /api/v1/auswertung?onlineservice=OS-000123&region=060000000000&von=2026-05&bis=2026-05. "
    "Gezählt werden veröffentlichte Onlineservices; zu einem Portal gehört ein Onlineservice in den Monaten, an "
    "deren Ende er dazugehörte.",
    tag=TAG, is_open=True,
    parameters=[
        _text("onlineservice", "ZSK-Nummer; ohne sie und ohne portal alle zusammen."),
        _text("portal", "Kürzel eines Portals."),
        _text("region", "Regionalschlüssel mit 12 Ziffern; sonst Deutschland.", pattern=_ARS),
        month_parameter("von", "Erster Monat; sonst derselbe wie bis."),
        month_parameter("bis", "Letzter Monat; sonst der letzte, der zu Ende ist."),
        OpenApiParameter(
            "koernung", {"type": "string", "enum": ["monat", "quartal", "jahr"], "default": "monat"},
            description="Wie lang ein Zeitraum ist.",
        ),
        OpenApiParameter(
            "aufteilung", {"type": "string", "enum": ["land", "kreis", "gemeinde", "onlineservice"]},
            description="Wonach jeder Zeitraum aufgeteilt wird. gemeinde gibt es nur mit onlineservice.",
        ),
        OpenApiParameter(
            "gebietsstand", {"type": "string", "enum": ["meldung", "heute"], "default": "meldung"},
            description="heute rechnet Zahlen früherer Regionen auf die Regionen von heute um. Was eine Reform "
            "aufgeteilt hat, steht bei der kleinsten Region, die alle Teile enthält.",
        ),
        _ETAG,
    ],
    answers={(200, "application/json"): OpenApiResponse(EvaluationSerializer, description="Die Auswertung.")},
    faults=["nicht_lesbar", "nicht_gefunden"],
    examples=[answer_example("Ein Onlineservice in einem Land", _EVALUATION, 200)],
)  # fmt: skip


def finish(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """What drf-spectacular has no word for: how long lists may be."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("seite"):
            schema["properties"]["ergebnisse"]["maxItems"] = MAX_PAGE
    return result
