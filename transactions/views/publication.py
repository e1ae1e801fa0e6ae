"""Publishing: which services are public, publishing and withdrawing chosen ones, and the release rules.

For operations only.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import operations_only, person
from services import release as rules_of
from services.models import NUMBER, OnlineService
from services.release import RulesChanged
from transactions import release
from transactions.publication import publish_many, withdraw_many
from transactions.publication_forms import DepthForm, PublicationFilter, RulesForm
from transactions.queries import publication as queries
from zsk import formats

PER_PAGE = 50
LISTED_AT_MOST = 50


@operations_only
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form = PublicationFilter(request.GET)
    page = Paginator(queries.services(**form.chosen), PER_PAGE).get_page(request.GET.get("seite"))
    facts = {
        "form": form,
        "page": page,
        "state": form.chosen["state"],
        "narrowed": bool(form.chosen["text"] or form.chosen["kind"]),
        "rules": rules_of.current_rules(),
    }
    return render(request, "operations/publication.html", facts)


# --- Chosen services ---------------------------------------------------------------------------------


@operations_only
@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """Operations."""
    chosen = _chosen(request)
    if not chosen:
        return _nothing_chosen(request)
    form = DepthForm(request.POST if request.method == "POST" else None, initial=_first_depth(chosen))
    if request.method == "POST" and form.is_valid():
        depth = form.cleaned_data["depth"]
        changed = publish_many({service.pk: depth for service in chosen}, by=person(request))
        return _done(request, _told_published(changed, depth))
    hidden = [service for service in chosen if service.published_at is None]
    facts = {"form": form, "public": len(chosen) - len(hidden), **_shown(request, chosen, hidden)}
    return render(request, "operations/publication_publish.html", facts, status=422 if form.errors else 200)


@operations_only
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Operations."""
    chosen = _chosen(request)
    if not chosen:
        return _nothing_chosen(request)
    public = [service for service in chosen if service.published_at]
    if request.method == "POST":
        changed = withdraw_many([service.pk for service in chosen], by=person(request))
        return _done(request, _told_withdrawn(changed, public={service.pk for service in public}))
    facts = {"kept": len(chosen) - len(public), **_shown(request, chosen, public)}
    return render(request, "operations/publication_withdraw.html", facts)


def _chosen(request: HttpRequest) -> list[OnlineService]:
    """The services that the address or the form names; one that does not exist is a 404."""
    data = request.POST if request.method == "POST" else request.GET
    numbers = [NUMBER.match(text) for text in data.getlist("service")]
    pks = {int(match[1]) for match in numbers if match}
    found = list(OnlineService.objects.filter(pk__in=pks).select_related("authority").order_by("name", "pk"))
    if None in numbers or len(found) != len(pks):
        raise Http404
    return found


def _shown(
    request: HttpRequest, chosen: list[OnlineService], affected: list[OnlineService]
) -> dict[str, Any]:
    data = request.POST if request.method == "POST" else request.GET
    return {
        "services": chosen,
        "what": queries.consequence([service.pk for service in affected]),
        "back": _back(request),
        "back_query": data.get("zurueck", ""),
    }


def _first_depth(chosen: list[OnlineService]) -> dict[str, int]:
    """What one public service has already, else the deepest."""
    known = {service.published_depth for service in chosen if service.published_at}
    return {"depth": known.pop() if len(known) == 1 else OnlineService.Depth.GEMEINDE.value}


def _back(request: HttpRequest) -> str:
    """The list as it was left; its filters came along as text and only they are taken from it."""
    data = request.POST if request.method == "POST" else request.GET
    left = QueryDict(data.get("zurueck", ""))
    query = QueryDict(mutable=True)
    query.update({key: left[key] for key in ("q", "stand", "typ", "seite") if key in left})
    address = reverse("transactions:publication")
    return f"{address}?{query.urlencode()}" if query else address


def _nothing_chosen(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Kreuzen Sie mindestens einen Onlineservice an."))
    return redirect(_back(request))


def _done(request: HttpRequest, told: str) -> HttpResponse:
    if told:
        messages.success(request, told)
    else:
        messages.info(request, _("Es hat sich nichts geändert."))
    return redirect(_back(request))


def _told_published(changed: list[OnlineService], depth: OnlineService.Depth) -> str:
    if not changed:
        return ""
    text = ngettext(
        "%(count)s Onlineservice ist öffentlich, Regionen bis %(depth)s: %(numbers)s.",
        "%(count)s Onlineservices sind öffentlich, Regionen bis %(depth)s: %(numbers)s.",
        len(changed),
    )
    words = {"count": formats.number(len(changed)), "depth": depth.label}
    return text % {**words, "numbers": _numbers(changed)}


def _told_withdrawn(changed: list[OnlineService], *, public: set[int]) -> str:
    taken = [service for service in changed if service.pk in public]
    kept = len(changed) - len(taken)
    parts = []
    if taken:
        text = ngettext(
            "%(count)s Onlineservice ist nicht mehr öffentlich: %(numbers)s.",
            "%(count)s Onlineservices sind nicht mehr öffentlich: %(numbers)s.",
            len(taken),
        )
        parts.append(text % {"count": formats.number(len(taken)), "numbers": _numbers(taken)})
    if kept:
        text = ngettext(
            "%(count)s Onlineservice wird zurückgehalten; keine Freigaberegel veröffentlicht ihn.",
            "%(count)s Onlineservices werden zurückgehalten; keine Freigaberegel veröffentlicht sie.",
            kept,
        )
        parts.append(text % {"count": formats.number(kept)})
    return " ".join(parts)


def _numbers(services: list[OnlineService]) -> str:
    """`84 Monatswerte, zusammen 1.204 Transaktionen`."""
    what = queries.consequence([service.pk for service in services])
    if not what.months:
        return _("noch ohne Zahlen")
    text = ngettext(
        "%(months)s Monatswert, zusammen %(total)s Transaktionen",
        "%(months)s Monatswerte, zusammen %(total)s Transaktionen",
        what.months,
    )
    return text % {"months": formats.number(what.months), "total": formats.number(what.total)}


# --- Release rules -----------------------------------------------------------------------------------


@operations_only
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Operations."""
    current = rules_of.current_rules()
    form = RulesForm(rules=current, seen=rules_of.stamp(current))
    return render(request, "operations/publication_rules.html", _rules_facts(form))


def _rules_facts(form: RulesForm) -> dict[str, Any]:
    counts = queries.by_type()
    lines = [
        {
            "kind": kind,
            "words": queries.TYPE_WORDS.get(kind, ""),
            "count": counts.get(kind),
            "field": form[kind],
        }
        for kind in rules_of.TYPES
    ]
    return {"form": form, "lines": lines}


@operations_only
@require_http_methods(["GET", "POST"])
def review_rules(request: HttpRequest) -> HttpResponse:
    """Operations."""
    current = rules_of.current_rules()
    data = request.POST if request.method == "POST" else request.GET
    form = RulesForm(data, rules=current, seen=rules_of.stamp(current))
    if not form.is_valid():
        return render(request, "operations/publication_rules.html", _rules_facts(form), status=422)
    if request.method == "POST":
        return _change_rules(request, form)
    if form.cleaned_data["seen"] != rules_of.stamp(current):
        return _rules_changed(request)
    found = rules_of.changes(current, form.wanted)
    if not found:
        messages.info(request, _("Es hat sich nichts geändert."))
        return redirect("transactions:rules")
    facts = {"form": form, "changes": found, **_would_publish(form.wanted)}
    return render(request, "operations/publication_rules_review.html", facts)


def _would_publish(wanted: rules_of.Rules) -> dict[str, Any]:
    waiting = rules_of.waiting(wanted)
    pks = list(waiting.values_list("pk", flat=True))
    listed = waiting.select_related("authority", "leistung").order_by("name", "pk")[:LISTED_AT_MOST]
    return {
        "what": queries.consequence(pks),
        "listed": [(service, rules_of.depth_of(service, wanted)) for service in listed],
        "more": max(len(pks) - LISTED_AT_MOST, 0),
    }


def _change_rules(request: HttpRequest, form: RulesForm) -> HttpResponse:
    by = person(request)
    try:
        changed = rules_of.change_rules(wanted=form.wanted, seen=form.cleaned_data["seen"], by=by)
    except RulesChanged:
        return _rules_changed(request)
    published = release.apply(by=by)
    text = ngettext("%(count)s Regel ist geändert.", "%(count)s Regeln sind geändert.", len(changed))
    told = ngettext(
        "%(count)s Onlineservice ist dadurch öffentlich geworden.",
        "%(count)s Onlineservices sind dadurch öffentlich geworden.",
        published,
    )
    parts = [text % {"count": formats.number(len(changed))}, told % {"count": formats.number(published)}]
    messages.success(request, " ".join(parts))
    return redirect("transactions:rules")


def _rules_changed(request: HttpRequest) -> HttpResponse:
    text = _("Inzwischen hat jemand die Regeln geändert. Sehen Sie nach und ändern Sie, was noch fehlt.")
    messages.warning(request, text)
    return redirect("transactions:rules")
