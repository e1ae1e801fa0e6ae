"""`/api/v1/auswertung`: how many, of what, where and when; the shape is that of the downloads' JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from ozgsync.models import GERMANY, Level
from portals.models import Portal
from reports import exports, sentences, tables
from reports.api import description
from reports.api.views import OpenView
from reports.caching import Version, remembered
from reports.exports import Cell as TableCell
from reports.exports import Column, Table
from reports.queries import evaluation
from reports.queries.evaluation import Cell, Question
from reports.queries.regions import Place, place
from reports.words import noun
from services.models import NUMBER, OnlineService
from transactions import api_parameters as parameters
from transactions.problems import ApiProblem
from zsk import formats, months

MONTHLY, QUARTERLY, YEARLY = "monat", "quartal", "jahr"
GRAINS = [MONTHLY, QUARTERLY, YEARLY]
PARTS = {"land": Level.LAND, "kreis": Level.KREIS, "gemeinde": Level.GEMEINDE}
BY_SERVICE = "onlineservice"
REPORTED, TODAY = "meldung", "heute"


class EvaluationView(OpenView):
    query_fields = frozenset(
        {"onlineservice", "portal", "region", "von", "bis", "koernung", "aufteilung", "gebietsstand"}
    )

    @extend_schema(**description.EVALUATION)
    def get(self, request: Request) -> HttpResponseBase:
        return self.respond(request)

    def answer(self, request: Request, version: Version) -> dict[str, Any]:
        question = read(request)
        try:
            cells = evaluation.evaluate(question)
        except evaluation.TooMuch as error:
            detail = _("Das wären %(values)d Werte, höchstens %(most)d gehen: weniger Monate oder Gebiete.")
            numbers = {"values": error.values, "most": evaluation.MOST_VALUES}
            raise ApiProblem("nicht_lesbar", detail % numbers) from error
        scope = question.service or question.portal
        covered = remembered(
            version,
            f"coverage {type(scope).__name__} {scope and scope.pk} {question.first} {question.last}",
            lambda: evaluation.coverage(question),
        )
        return exports.as_json(_table(question, cells, covered, version))


# --- the question --------------------------------------------------------------------------------


def read(request: Request) -> Question:
    """The question that an address asks; what does not go together or is not published is a problem."""
    first, last = parameters.span(request)
    # Without a beginning one month: the last full one, or the one that is named.
    last = last or (months.last_full() if first is None else max(first, months.last_full()))
    first = first or last
    service, portal = _service(request), _portal(request)
    if service and portal:
        raise ApiProblem("nicht_lesbar", _("Nennen Sie onlineservice oder portal, nicht beides."))
    split = parameters.choice(request, "aufteilung", [*PARTS, BY_SERVICE])
    today = parameters.choice(request, "gebietsstand", [REPORTED, TODAY], REPORTED) == TODAY
    day = timezone.localdate() if today else None
    question = Question(
        first, last, parameters.choice(request, "koernung", GRAINS, MONTHLY), _place(request, day or last),
        parts=PARTS.get(split), by_service=split == BY_SERVICE, service=service, portal=portal, today=day,
    )  # fmt: skip
    _check(question)
    return question


def _check(question: Question) -> None:
    where, parts = question.place, question.parts
    if question.service and question.by_service:
        raise ApiProblem(
            "nicht_lesbar", _("Ein Onlineservice lässt sich nicht nach Onlineservices aufteilen.")
        )
    if parts is not None and parts <= where.level:
        detail = _("%(region)s lässt sich nicht nach der Ebene %(level)s aufteilen.")
        raise ApiProblem("nicht_lesbar", detail % {"region": where.area.title, "level": parts.label})
    depth = Level(question.service.published_depth) if question.service else Level.KREIS
    if where.level > depth or (parts is not None and parts > depth):
        detail = (
            _("Dieser Onlineservice ist nur bis zur Ebene %(level)s veröffentlicht.")
            if question.service
            else _("Zahlen mehrerer Onlineservices gibt es nur bis zur Ebene %(level)s.")
        )
        raise ApiProblem("nicht_gefunden", detail % {"level": depth.label})


def _service(request: Request) -> OnlineService | None:
    named = parameters.text(request, "onlineservice")
    if not named:
        return None
    match = NUMBER.match(named)
    published = OnlineService.objects.published().select_related("leistung")
    found = published.filter(pk=int(match[1])).first() if match else None
    if found is None:
        detail = _("Den Onlineservice „%(name)s“ gibt es nicht, oder er ist nicht veröffentlicht.")
        raise ApiProblem("nicht_gefunden", detail % {"name": named})
    return found


def _portal(request: Request) -> Portal | None:
    named = parameters.text(request, "portal")
    found = Portal.objects.filter(kuerzel=named).first() if named else None
    if named and found is None:
        raise ApiProblem("nicht_gefunden", _("Das Portal „%(name)s“ gibt es nicht.") % {"name": named})
    return found


def _place(request: Request, month: Any) -> Place:
    ars = parameters.text(request, "region") or GERMANY
    found = place(ars=ars, month=month) if len(ars) == 12 and ars.isascii() and ars.isdecimal() else None
    if found is None:
        detail = _("Die Region %(ars)s gibt es nicht. Nennen Sie den Regionalschlüssel mit 12 Ziffern.")
        raise ApiProblem("nicht_gefunden", detail % {"ars": ars})
    return found


# --- the answer ----------------------------------------------------------------------------------


def _table(question: Question, cells: list[Cell], covered: evaluation.Coverage, version: Version) -> Table:
    return Table(
        slug="auswertung",
        title=_title(question),
        columns=_columns(question),
        rows=[_row(question, cell) for cell in cells],
        period=_period(question),
        stand=evaluation.stand(question),
        version=version.data,
        filters=_filters(question),
        notes=_notes(question),
        delivered=covered.delivered,
        expected=covered.expected,
        today=question.today is not None,
    )


def _columns(question: Question) -> list[Column]:
    columns = [Column("zeitraum", _("Zeitraum"), "monat" if question.grain == MONTHLY else "text")]
    if question.parts is not None:
        columns += [Column("ars", _("Regionalschlüssel")), Column("region", "Region")]
    if question.by_service:
        columns += [Column("onlineservice", _("Nummer")), Column("name", _("Onlineservice"))]
    columns += [Column("anzahl", _("Transaktionen"), "zahl"), Column("status", "Status")]
    if question.grain != MONTHLY:
        columns += [
            Column("monate_gemeldet", _("Monate mit Angabe"), "zahl"),
            Column("monate", _("Monate"), "zahl"),
        ]
    return columns


def _row(question: Question, cell: Cell) -> list[TableCell]:
    row: list[TableCell] = [cell.period]
    if question.parts is not None or question.by_service:
        row += [cell.key, _name(question, cell)]
    # A remainder is nobody's report: it has no status.
    status = tables.status(cell.value, running=cell.running, corrected=cell.corrected)
    row += [cell.value, None if cell.key is None else status]
    return row if question.grain == MONTHLY else [*row, cell.reported, cell.months]


def _name(question: Question, cell: Cell) -> str:
    if cell.divided:
        return sentences.divided(cell.divided)
    if question.parts is None or cell.key is not None:
        return cell.name
    return _("nicht auf die Ebene %(level)s verteilt") % {"level": question.parts.label}


def _title(question: Question) -> str:
    service, portal = question.service, question.portal
    of = service.name if service else f"Portal {portal.name}" if portal else ""
    what = noun(service.leistung_id).plural if service else _("Transaktionen")
    first, last = formats.month(question.first), formats.month(question.last)
    when = first if first == last else _("%(first)s bis %(last)s") % {"first": first, "last": last}
    text = f"{what} {question.place.area.place}, {when}"
    return f"{of}: {text}" if of else text


def _period(question: Question) -> str:
    first, last = f"{question.first:%Y-%m}", f"{question.last:%Y-%m}"
    return first if first == last else f"{first}/{last}"


def _filters(question: Question) -> dict[str, str]:
    names = {level: name for name, level in PARTS.items()}
    split = BY_SERVICE if question.by_service else names.get(question.parts, "") if question.parts else ""
    filters = {
        "onlineservice": question.service.number if question.service else "",
        "portal": question.portal.kuerzel if question.portal else "",
        "region": question.place.area.ars,
        "koernung": question.grain,
        "aufteilung": split,
        "gebietsstand": TODAY if question.today else "",
    }
    return {name: value for name, value in filters.items() if value}


def _notes(question: Question) -> list[str]:
    notes = [_("vollstaendigkeit zählt Servicemonate im Zeitraum, unabhängig von der Region.")]
    if months.running() <= question.last:
        notes.append(_("Der laufende Monat ist vorläufig."))
    if question.grain != MONTHLY:
        notes.append(_("anzahl ist die Summe der Monate mit Angabe."))
    if question.by_service:
        notes.append(_("Onlineservices ohne eine Zahl im Zeitraum stehen nicht darin."))
    return notes
