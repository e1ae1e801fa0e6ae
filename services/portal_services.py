"""Which services a portal holds, from when to when: taking in with the service's consent, and letting go.

What a portal may hold is checked under a lock of the portal and then of the service, always in this order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, mail
from accounts.models import User
from portals.models import Portal
from services.models import NUMBER, OnlineService, PortalMove, PortalService, ServiceMember
from zsk import formats


class MoveRefused(Exception):
    """The service cannot be taken in or let go like this; `field` is the form's field at fault."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotOpen(Exception):
    """The question was answered already."""


@dataclass(frozen=True)
class Wish:
    """Which service a portal shall hold, under which name of its own, from when on."""

    service: OnlineService
    kennung: str
    since: dt.date


@transaction.atomic
def ask(*, portal: Portal, wish: Wish, by: User, site: str) -> PortalMove:
    """Ask the service's responsible people; who is responsible too, or of operations, need not.

    Raises MoveRefused.
    """
    locked, service = _locked(portal, wish.service)
    if not Portal.objects.managed_by(by).filter(pk=portal.pk).exists():
        raise PermissionDenied(_("Sie sind nicht mehr Admin dieses Portals."))
    _check(locked, service, wish)
    if open_move(service):
        raise MoveRefused(_("Für diesen Onlineservice läuft schon eine Anfrage."), "service")
    move = PortalMove(portal=locked, service=service, kennung=wish.kennung, since=wish.since, asked_by=by)
    if may_answer(service, by):
        return _take_in(move, by=by)
    people = _responsible(service)
    if not people:
        raise MoveRefused(
            _(
                "Bei diesem Onlineservice ist niemand verantwortlich, der zustimmen könnte. Der"
                " ZSK-Betrieb hilft."
            ),
            "service",
        )
    move.save()
    _tell("portal_asked", people, by=by, facts={"move": move, "site": site})
    audit.record(by=by, action=_("Aufnahme in Portal angefragt"), target=service, detail=_told(move))
    return move


@transaction.atomic
def answer(*, move: PortalMove, agreed: bool, by: User, site: str) -> PortalMove:
    """Raises NotOpen, and MoveRefused where it can no longer be agreed to."""
    locked, service = _locked(move.portal, move.service)
    current = _open(move)
    if not may_answer(service, by):
        raise PermissionDenied(
            _("Das dürfen nur Personen, die für diesen Onlineservice verantwortlich sind.")
        )
    if agreed:
        _check(locked, service, Wish(service, current.kennung, current.since))
        _take_in(current, by=by)
    else:
        _close(current, agreed=False, by=by)
        audit.record(by=by, action=_("Aufnahme in Portal abgelehnt"), target=service, detail=_told(current))
    _tell("portal_answered", [current.asked_by], by=by, facts={"move": current, "site": site})
    return current


@transaction.atomic
def take_back(*, move: PortalMove, by: User) -> None:
    """The portal no longer asks. Raises NotOpen."""
    _portal, service = _locked(move.portal, move.service)
    current = _open(move)
    _close(current, agreed=False, by=by)
    audit.record(by=by, action=_("Anfrage zurückgezogen"), target=service, detail=_told(current))


@transaction.atomic
def let_go(*, held: PortalService, until: dt.date, by: User, site: str) -> None:
    """The service belongs to the portal until before this day. Raises MoveRefused and NotOpen."""
    portal, service = _locked(held.portal, held.service)
    if not Portal.objects.managed_by(by).filter(pk=portal.pk).exists():
        raise PermissionDenied(_("Sie sind nicht mehr Admin dieses Portals."))
    _end(held, service, until, by=by, action=_("Aus Portal abgegeben"))
    facts = {"service": service, "portal": portal, "until": until, "site": site}
    _tell("portal_left", _responsible(service), by=by, facts=facts)


@transaction.atomic
def leave(*, held: PortalService, until: dt.date, by: User, site: str) -> None:
    """The same, by the service's own responsible people; today at the earliest."""
    portal, service = _locked(held.portal, held.service)
    if not may_answer(service, by):
        raise PermissionDenied(
            _("Das dürfen nur Personen, die für diesen Onlineservice verantwortlich sind.")
        )
    if until < timezone.localdate():
        # Months that are over belong to the portal; only itself may give them up.
        raise MoveRefused(_("Das Portal lässt sich frühestens heute verlassen. Wählen Sie heute."), "until")
    _end(held, service, until, by=by, action=_("Portal verlassen"))
    facts = {"service": service, "portal": portal, "until": until, "site": site}
    admins = portal.members.filter(is_active=True).order_by("pk")
    _tell("portal_service_left", admins, by=by, facts=facts)


def _end(held: PortalService, service: OnlineService, until: dt.date, *, by: User, action: str) -> None:
    current = PortalService.objects.filter(pk=held.pk, until=None).select_related("portal").first()
    if current is None:
        raise NotOpen
    _check_end(current, service, until)
    current.until = until
    current.save(update_fields=["until"])
    detail = _("%(portal)s, zum %(day)s") % {"portal": current.portal, "day": formats.day(until)}
    audit.record(by=by, action=action, target=service, detail=detail)


def _check_end(held: PortalService, service: OnlineService, until: dt.date) -> None:
    if until < held.since:
        text = _("Zum Portal gehört er erst seit dem %(day)s. Wählen Sie einen späteren Tag.")
        raise MoveRefused(text % {"day": formats.day(held.since)}, "until")
    if not _responsible(service):
        raise MoveRefused(
            _(
                "Bei diesem Onlineservice ist außer den Portal-Admins niemand verantwortlich. Tragen"
                " Sie zuerst bei"
                " seinen Mitgliedern eine verantwortliche Person ein."
            )
        )


def open_move(service: OnlineService) -> PortalMove | None:
    """The question that waits for an answer of the service's people."""
    waiting = PortalMove.objects.filter(service=service, answered_at=None)
    return waiting.select_related("portal__authority", "asked_by").first()


def may_answer(service: OnlineService, person: User) -> bool:
    """Who is responsible for the service itself, and operations; not the admins of a portal."""
    if person.is_operations:
        return True
    role = ServiceMember.Role.RESPONSIBLE
    return ServiceMember.objects.filter(service=service, user=person, role=role).exists()


def outside(portal: Portal, ars: str) -> bool:
    """Whether an area lies outside of what the portal's authority is there for."""
    return not ars.startswith(portal.authority.region.prefix)


def _check(portal: Portal, service: OnlineService, wish: Wish) -> None:
    if service.ended_on and service.ended_on <= timezone.localdate():
        raise MoveRefused(_("Dieser Onlineservice ist außer Betrieb."), "service")
    _check_memberships(portal, service, wish.since)
    _check_kennung(portal, wish)
    foreign = [area for area in service.area.order_by("ars") if outside(portal, area.ars)]
    if foreign:
        words = {"area": foreign[0], "region": portal.authority.region}
        text = _("Sein Gebiet %(area)s liegt außerhalb des Gebiets, für das das Portal da ist: %(region)s.")
        raise MoveRefused(text % words, "service")


def _check_memberships(portal: Portal, service: OnlineService, since: dt.date) -> None:
    """One membership at a time: none may reach into the new one."""
    later = Q(until=None) | Q(until__gt=since)
    other = (
        PortalService.objects.filter(later, service=service)
        .select_related("portal")
        .order_by("since")
        .first()
    )
    if other is None:
        return
    if other.portal_id == portal.pk and other.until is None:
        raise MoveRefused(_("Dieser Onlineservice gehört schon zum Portal."), "service")
    words = {"portal": other.portal, "day": formats.day(other.until) if other.until else ""}
    if other.until:
        text = _(
            "Bis zum %(day)s gehört er zum Portal %(portal)s. Wählen Sie diesen Tag oder einen späteren."
        )
        raise MoveRefused(text % words, "since")
    text = _(
        "Dieser Onlineservice gehört zum Portal %(portal)s. Es muss ihn zuerst"
        " abgeben, oder seine Verantwortlichen verlassen es."
    )
    raise MoveRefused(text % words, "service")


def _check_kennung(portal: Portal, wish: Wish) -> None:
    if not wish.kennung:
        return
    if NUMBER.match(wish.kennung):
        text = _(
            "Die Kennung sieht aus wie eine Nummer der ZSK. Nehmen Sie einen eigenen Namen, oder keinen."
        )
        raise MoveRefused(text, "kennung")
    later = Q(until=None) | Q(until__gt=wish.since)
    taken = PortalService.objects.filter(later, portal=portal, kennung=wish.kennung).select_related("service")
    if found := taken.exclude(service=wish.service).first():
        text = _("Diese Kennung trägt im Portal schon %(service)s. Jede gibt es nur einmal.")
        raise MoveRefused(text % {"service": found.service}, "kennung")


def _take_in(move: PortalMove, *, by: User) -> PortalMove:
    PortalService.objects.create(
        portal=move.portal, service=move.service, kennung=move.kennung, since=move.since
    )
    _close(move, agreed=True, by=by)
    audit.record(by=by, action=_("In Portal aufgenommen"), target=move.service, detail=_told(move))
    return move


def _close(move: PortalMove, *, agreed: bool, by: User) -> None:
    move.agreed, move.answered_by, move.answered_at = agreed, by, timezone.now()
    move.save()


def _open(move: PortalMove) -> PortalMove:
    current = PortalMove.objects.filter(pk=move.pk, answered_at=None).select_related(
        "portal", "service", "asked_by"
    )
    found = current.first()
    if found is None:
        raise NotOpen
    return found


def _locked(portal: Portal, service: OnlineService) -> tuple[Portal, OnlineService]:
    """Portal first, then service. Against two kennungen alike, and two portals that take one service."""
    Portal.objects.select_for_update(no_key=True).get(pk=portal.pk)
    OnlineService.objects.select_for_update(no_key=True).get(pk=service.pk)
    locked = Portal.objects.select_related("authority__region").get(pk=portal.pk)
    return locked, OnlineService.objects.get(pk=service.pk)


def _responsible(service: OnlineService) -> list[User]:
    """Who can answer."""
    role = ServiceMember.Role.RESPONSIBLE
    people = User.objects.filter(
        is_active=True, service_memberships__service=service, service_memberships__role=role
    )
    return list(people.order_by("pk"))


def _tell(template: str, people: Iterable[User | None], *, by: User, facts: dict[str, object]) -> None:
    """By mail, but for whoever did it and those without an address."""
    for person in people:
        if person and person.email and person != by:
            mail.send(template, to=person.email, context={"person": person, "by": by, **facts})


def _told(move: PortalMove) -> str:
    kennung = f", {move.kennung}" if move.kennung else ""
    return _("%(portal)s, ab %(day)s") % {"portal": move.portal, "day": formats.day(move.since)} + kennung
