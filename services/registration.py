"""Registering an online service: its master data, the first person responsible, its state, all or nothing."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from ozgsync.models import Leistung, Region
from services.models import OnlineService, ServiceMember, ServiceState


@transaction.atomic
def register_service(
    *,
    service: OnlineService,
    responsible: User,
    by: User | None,
    area: Iterable[Region] = (),
    more_leistungen: Iterable[Leistung] = (),
) -> OnlineService:
    """Save a new service that carries its master data.

    Without a `ServiceState` nothing can be delivered: its row is the lock of the service's numbers.
    """
    service.save(force_insert=True)
    service.area.set(area)
    service.more_leistungen.set(more_leistungen)
    ServiceState.objects.create(service=service)
    ServiceMember.objects.create(service=service, user=responsible, role=ServiceMember.Role.RESPONSIBLE)
    audit.record(
        by=by,
        action=_("Onlineservice registriert"),
        target=service,
        detail=_("verantwortlich: %(person)s") % {"person": responsible.display_name},
    )
    return service
