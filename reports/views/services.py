"""The page of one service. Who may: everyone for published services, down to the published depth; people who
are signed in for all, in full."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from ozgsync.models import GERMANY, Level
from reports import exports, sentences, standalone, tables
from reports.caching import Version, remembered, versioned
from reports.charts import bars, line
from reports.queries import reforms
from reports.queries.completeness import DELIVERED, DUE, ENDED, LATE, STARTING
from reports.queries.regions import AreaValue
from reports.queries.service_counts import Breakdown
from reports.queries.service_page import ServiceReport, Standing, first_month_of, service_report
from reports.templatetags.reports import BADGE_KINDS
from reports.views.choices import chosen_month, no_such_month, of_today
from reports.words import corrected_mark, noun
from services.models import NUMBER, OnlineService
from zsk import formats, months, site
from zsk.middleware import has_session


def viewer(request: HttpRequest) -> User | AnonymousUser:
    """Who asks. Without a session cookie the session is not touched."""
    return request.user if has_session(request) else AnonymousUser()


def visible_service(request: HttpRequest, number: str) -> OnlineService:
    match = NUMBER.match(number)
    services = OnlineService.objects.visible_to(viewer(request)).select_related(
        "authority", "leistung__ozg_leistung__themenfeld"
    )
    found = services.filter(pk=int(match[1])).first() if match else None
    if found is None:
        raise Http404(number)
    return found


def _month(request: HttpRequest, first: dt.date | None) -> dt.date | None:
    """The month asked for; None where the service has none such."""
    month = chosen_month(request)
    return None if month and first and month < first else month


def _report(
    request: HttpRequest, version: Version, service: OnlineService, month: dt.date
) -> ServiceReport | None:
    """None: no such region here."""
    today = of_today(request)
    depth = Level.GEMEINDE if viewer(request).is_authenticated else Level(service.published_depth)
    ars = request.GET.get("region", "") or GERMANY
    if len(ars) != 12 or not (ars.isascii() and ars.isdigit()):
        return None
    return remembered(
        version,
        f"service {service.pk} {ars} {month} {depth} {today}",
        lambda: service_report(service=service, ars=ars, month=month, depth=depth, today=today),
    )


@require_safe
@versioned
def service(request: HttpRequest, version: Version, number: str) -> HttpResponse:
    shown = visible_service(request, number)
    first = first_month_of(shown)
    month = _month(request, first)
    if month is None:
        return no_such_month(request, first=first, address=shown.get_absolute_url())
    found = _report(request, version, shown, month)
    if found is None:
        context = {"service": shown, "text": request.GET.get("region", "")}
        return render(request, "reports/no_region.html", context, status=404)
    facts = _context(request, found, version)
    if _may_trace(request, shown):
        facts |= _traces(found, facts["breakdowns"])
    return render(request, "reports/service.html", facts)


def _may_trace(request: HttpRequest, service: OnlineService) -> bool:
    """Whether the numbers lead this person to the deliveries that made them."""
    person = viewer(request)
    return (
        person.is_authenticated
        and OnlineService.objects.deliverable_by(person).filter(pk=service.pk).exists()
    )


def _traces(found: ServiceReport, breakdowns: list[dict[str, Any]]) -> dict[str, Any]:
    """From each number to the values that it was made of, by the regions of their time."""
    if found.today:
        return {"may_trace": True, "traced": ""}
    month = reverse("transactions:month_values", args=[found.master.number, f"{found.month:%Y-%m}"])
    for row in (row for part in breakdowns for row in part["rows"]):
        row["trace"] = f"{month}?region={row['row'].area.ars}"
    ars = found.place.area.ars
    return {"may_trace": True, "traced": "" if ars == GERMANY else f"?region={ars}"}


@require_safe
@versioned
def curve_file(request: HttpRequest, version: Version, number: str, kind: str) -> HttpResponse:
    found = _found_or_404(request, version, number)
    if kind == "svg":
        title = _("%(service)s: %(noun)s je Monat %(place)s") % {
            "service": found.master.name,
            "noun": noun(found.master.schluessel).plural,
            "place": found.place.area.place,
        }
        if found.today:
            title = _("%(title)s, heutiger Gebietsstand") % {"title": title}
        return standalone.respond(standalone.curve(found.curve, title=title, stand=_stand(found)), "verlauf")
    return exports.respond(request, tables.service_curve(found, version=version.data), kind)


@require_safe
@versioned
def regions_file(request: HttpRequest, version: Version, number: str, kind: str) -> HttpResponse:
    found = _found_or_404(request, version, number)
    if kind == "svg":
        raise Http404(kind)
    return exports.respond(request, tables.service_regions(found, version=version.data), kind)


def _found_or_404(request: HttpRequest, version: Version, number: str) -> ServiceReport:
    shown = visible_service(request, number)
    month = _month(request, first_month_of(shown))
    found = _report(request, version, shown, month) if month else None
    if found is None:
        raise Http404(number)
    return found


def _stand(found: ServiceReport) -> dt.datetime | None:
    return found.standing.last_delivered_at


def _query(found: ServiceReport) -> str:
    return f"?region={found.place.area.ars}&monat={found.month:%Y-%m}{_today(found)}"


def _today(found: ServiceReport) -> str:
    return "&gebietsstand=heute" if found.today else ""


def _context(request: HttpRequest, found: ServiceReport, version: Version) -> dict[str, Any]:
    ars = found.place.area.ars
    link = f"{site.address(request)}/onlineservices/{found.master.number}/{_query(found)}"
    return {
        "found": found,
        "master": found.master,
        "place": found.place,
        "noun": noun(found.master.schluessel),
        "badge_kind": BADGE_KINDS[found.standing.category],
        "badge_text": badge_text(found.standing),
        "month_choices": _month_choices(found),
        "earlier": months.shift(found.month, -12),
        "due": months.due_on(found.month),
        "is_due": months.due_on(found.month) >= timezone.localdate(),
        "stand": _stand(found),
        "citation": _citation(found, version),
        "link": link,
        "also": _today(found),
        "moved": remembered(version, f"moved {ars}", lambda: reforms.of_region(ars)),
        "master_rows": _master_rows(found),
        **_comparison(found),
        **_curve(found),
        **_breakdowns(found),
    }


def badge_text(standing: Standing) -> str:
    last = formats.month(standing.last_month) if standing.last_month else ""
    if standing.category == ENDED:
        return _("außer Betrieb, Zahlen bis %(month)s") % {"month": last} if last else _("außer Betrieb")
    if standing.ended:
        return _("außer Betrieb, %(month)s fehlt") % {"month": formats.month(standing.month)}
    if standing.category == STARTING:
        return _("noch nicht gestartet")
    if standing.category == DELIVERED:
        return _("liefert aktuell, bis %(month)s") % {"month": formats.month(standing.month)}
    if standing.category == DUE:
        return _("fällig bis %(day)s") % {"day": formats.day(months.due_on(standing.month))}
    if standing.category == LATE:
        return _("verspätet, zuletzt %(month)s") % {"month": last}
    return _("noch nie geliefert")


def _month_choices(found: ServiceReport) -> list[dt.date]:
    """Newest first, back to the service's first month; the chosen one is always among them."""
    first = min(found.standing.first_month or found.month, found.month)
    return list(reversed(months.span(first, months.last_full())))


def _master_rows(found: ServiceReport) -> list[tuple[str, str, str]]:
    """Name, value and detail of what is known; empty values are left out."""
    master, standing = found.master, found.standing
    last = formats.day(standing.last_delivered_at) if standing.last_delivered_at else ""
    invited = ", ".join(filter(None, [", ".join(master.types), master.invitation]))
    delivered = _("%(channel)s, zuletzt %(day)s") % {"channel": standing.channel, "day": last}
    rows = [
        (_("Behörde"), master.authority, ""),
        (_("Leistung"), master.leistung, master.schluessel),
        (_("Typ"), invited, ""),
        (_("Themenfeld"), master.themenfeld, ""),
        (_("Meldeebene"), master.reporting_level, ""),
        (_("In Betrieb seit"), formats.day(master.live_from) if master.live_from else "", ""),
        (_("Außer Betrieb seit"), formats.day(master.ended_on) if master.ended_on else "", ""),
        (_("Lieferweg"), delivered if standing.channel else "", ""),
        (_("Zahlen seit"), formats.month(standing.first_month) if standing.first_month else "", ""),
    ]
    return [row for row in rows if row[1]]


def _comparison(found: ServiceReport) -> dict[str, Any]:
    value, before = found.value, found.before
    share = value / found.germany if value is not None and found.germany else None
    return {
        "change": formats.change(value, before),
        "difference": None if value is None or before is None else value - before,
        "share": share if found.place.level != Level.BUND else None,
        "rank": found.beside.rank(found.place.area.ars) if found.beside else None,
        "ranked": len(found.beside.reported) if found.beside else 0,
        "ranked_words": sentences.LEVEL_WORDS.get(found.place.level, ("", "", ""))[2],
    }


def _curve(found: ServiceReport) -> dict[str, Any]:
    points = list(found.curve)
    if not points:
        return {"curve": None}
    words = {
        "service": found.master.name, "place": found.place.area.place,
        "noun": noun(found.master.schluessel).plural,
        "first": formats.month(points[0].month), "last": formats.month(points[-1].month),
    }  # fmt: skip
    label = _("Liniendiagramm: %(service)s %(place)s, %(noun)s je Monat, %(first)s bis %(last)s") % words
    base = f"/onlineservices/{found.master.number}/verlauf"
    return {
        "curve": line.line_chart(points, label=label, described_by="satz-os"),
        "curve_headline": sentences.season_headline(points, found.place.area),
        "curve_meta": _("%(service)s, %(noun)s je Monat %(place)s, %(first)s bis %(last)s") % words,
        "curve_sentence": sentences.curve_sentence(points, running=True),
        "curve_rows": list(reversed(points)),
        "curve_files": [(kind.upper(), f"{base}.{kind}{_query(found)}") for kind in ("csv", "xlsx", "svg")],
    }


def _breakdowns(found: ServiceReport) -> dict[str, Any]:
    own = found.place.area.ars
    base = f"/onlineservices/{found.master.number}/regionen"
    # A month without any number has no parts to show; the answer above says so already.
    shown = [part for part in (found.beside, found.below) if part is not None and part.total is not None]
    return {
        "breakdowns": [_breakdown(found, part, own=own) for part in shown],
        "regions_source": exports.source() + "; " + _("Einwohner: Destatis, 31.12.2018"),
        "regions_files": [(kind.upper(), f"{base}.{kind}{_query(found)}") for kind in ("csv", "xlsx")],
    }


def _breakdown(found: ServiceReport, parts: Breakdown, *, own: str) -> dict[str, Any]:
    singular, plural, _dative = sentences.LEVEL_WORDS[parts.level]
    highest = parts.reported[0].value if parts.reported else 0
    missing = [row for row in parts.rows if row.value is None]
    # All 16 Länder are shown; of several hundred Kreise or Gemeinden only those with a value.
    listed = parts.reported + (missing if parts.level == Level.LAND else [])
    return {
        "parts": parts,
        "level": singular,
        "levels": plural,
        "headline": sentences.breakdown_headline(parts),
        "sentence": sentences.breakdown_sentence(parts, noun(found.master.schluessel), own=own),
        "missing": len(missing) if parts.level != Level.LAND else 0,
        "change": formats.signed_percent(formats.change(parts.total, parts.before)),
        "rate": AreaValue(parts.whole, parts.total).per_100k,
        "rows": [
            {
                "row": row,
                "own": row.area.ars == own,
                "bar": bars.bar(row.value, highest, kind="p1" if row.area.ars == own else "k2"),
                "change": formats.signed_percent(formats.change(row.value, row.before)),
            }
            for row in listed
        ],
    }


def _citation(found: ServiceReport, version: Version) -> str:
    words = noun(found.master.schluessel)
    value = _("keine Angabe")
    if found.value is not None:
        value = f"{formats.number(found.value)} {words.of(found.value)}{corrected_mark(found.corrected)}"
    stand = _stand(found)
    parts = [
        f"ZSK: {found.master.name} ({found.master.number}), {found.place.area.title}, "
        f"{formats.month(found.month)}: {value}.",
        _("Heutiger Gebietsstand.") if found.today else "",
        (_("Stand %(stand)s, ") % {"stand": formats.stand(stand)} if stand else "")
        + _("Datenversion %(version)d.") % {"version": version.data},
        _("Synthetische Daten.") if settings.SYNTHETIC_DATA else "",
        _("Lizenz dl-de/by-2-0."),
    ]
    return " ".join(part for part in parts if part)
