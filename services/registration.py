"""Registering an online service: its master data, the first person responsible, its state, all or nothing."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from ozgsync.models import Leistung, Region
from portals.models import Portal
from services.history import REGISTERED, remember
from services.master_data import MasterData
from services.models import OnlineService, PortalService, RegistrationDraft, ServiceMember, ServiceState


class KennungTaken(Exception):
    """The portal has given this name to another of its services."""


@transaction.atomic
def register_service(
    *,
    service: OnlineService,
    responsible: User,
    by: User | None,
    area: Iterable[Region] = (),
    more_leistungen: Iterable[Leistung] = (),
    portal: Portal | None = None,
    kennung: str = "",
) -> OnlineService:
    """Save a new service that carries its master data.

    Without a `ServiceState` nothing can be delivered: its row is the lock of the service's numbers.
    Raises KennungTaken, also when somebody else was quicker.
    """
    service.save(force_insert=True)
    service.area.set(area)
    service.more_leistungen.set(more_leistungen)
    ServiceState.objects.create(service=service)
    ServiceMember.objects.create(service=service, user=responsible, role=ServiceMember.Role.RESPONSIBLE)
    remember(service, by=by, kind=REGISTERED)
    audit.record(
        by=by,
        action=_("Onlineservice registriert"),
        target=service,
        detail=_("verantwortlich: %(person)s") % {"person": responsible.display_name},
    )
    if portal:
        _join_portal(service, portal, kennung, by=by)
    return service


def _join_portal(service: OnlineService, portal: Portal, kennung: str, *, by: User | None) -> None:
    """From go-live on, so that evaluations by portal hold months delivered later; today at the latest, so
    that the portal's admins may edit it at once."""
    today = timezone.localdate()
    since = min(service.live_from or today, today)
    try:
        with transaction.atomic():
            PortalService.objects.create(portal=portal, service=service, kennung=kennung, since=since)
    except IntegrityError as error:
        raise KennungTaken from error
    audit.record(by=by, action=_("In Portal aufgenommen"), target=service, detail=str(portal))


@transaction.atomic
def register_draft(
    *, draft: RegistrationDraft, data: MasterData, portal: Portal | None, kennung: str, by: User
) -> OnlineService:
    """Register what a draft has become; sent twice, the service of the first time.

    Locks the draft against a second click. What is left of it says which service it became.
    """
    locked = RegistrationDraft.objects.select_for_update().get(pk=draft.pk)
    if locked.data.get("registered"):
        return OnlineService.objects.get(pk=locked.data["registered"])
    service = register_service(
        service=OnlineService(**data.row),
        responsible=by,
        by=by,
        area=data.area,
        more_leistungen=data.more_leistungen,
        portal=portal,
        kennung=kennung,
    )
    RegistrationDraft.objects.filter(user=locked.user, data__has_key="registered").delete()
    locked.data = {"registered": service.pk}
    locked.save()
    return service
