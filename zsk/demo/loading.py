"""Puts the demo in: people, portals and services first, then every delivery in the order of its arrival."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Authority, User
from ozgsync.models import GERMANY, Leistung, OzgLeistung, Region
from portals.models import Portal, PortalMember
from services.credentials import issue_api_key
from services.models import Credential, OnlineService, PortalService, ServiceMember
from services.registration import register_service
from transactions import contents, totals
from transactions.checks import check
from transactions.delivery import DeliveryRejected, actor_text, deliver
from transactions.models import Delivery
from transactions.publication import publish
from transactions.rows import Rows
from zsk import months
from zsk.demo import LOGINS
from zsk.demo.catalogue import AUTHORITIES, BUNDLES, PORTALS, DemoService, Rhythm
from zsk.demo.counts import invent, load_places
from zsk.demo.deliveries import Parcel, corrections, merge_portals, parcels
from zsk.demo.services import SERVICES

CHANNELS = {
    Rhythm.PORTAL: Delivery.Channel.PUSH,
    Rhythm.PUSH: Delivery.Channel.PUSH,
    Rhythm.MONTHLY: Delivery.Channel.FILE,
    Rhythm.QUARTERLY: Delivery.Channel.FILE,
    Rhythm.FORM: Delivery.Channel.FORM,
}
TABLES = (
    "transaction_count", "monthly_total", "service_month", "region_total", "count_revision", "service_state",
    "transactions_delivery", "transactions_deliveryservice", "services_onlineservice",
)  # fmt: skip


class DemoRefused(Exception):
    """This installation takes no demo data; the text says why."""


def load_demo(*, services: Iterable[DemoService] = SERVICES, now: dt.datetime | None = None) -> bool:
    """Load the demo, all of it or nothing; False where there are services already."""
    if settings.PRODUCTION:
        raise DemoRefused("In einer Produktivumgebung werden keine Demodaten geladen.")
    if OnlineService.objects.exists():
        return False
    with transaction.atomic():
        _Demo(list(services), now or timezone.now()).load()
    return True


class _Demo:
    def __init__(self, services: list[DemoService], now: dt.datetime) -> None:
        self.services, self.now = services, now
        self.today = timezone.localdate(now)
        self.keys: dict[str, Credential] = {}
        self.stored: dict[int, OnlineService] = {}

    def load(self) -> None:
        _assume_types()
        self.authorities = _make_authorities()
        self.people = self._make_people()
        self.portals = self._make_portals()
        for number, service in _numbered(self.services):
            self.stored[number] = self._register(number, service)
        _move_sequence()
        self._deliver_all()
        self._publish_all()
        totals.fold()
        _tell_planner()

    def _make_people(self) -> dict[str, User]:
        """The people who log in, and one responsible person per authority who cannot."""
        homes = {"petra.lindner": "Amt für Ausbildungsförderung", "miriam.koch": "Land Hessen"}
        for login in LOGINS:
            home = homes.get(login.username)
            operations = home is None
            User.objects.create(
                username=login.username, password=make_password(login.password), first_name=login.first_name,
                last_name=login.last_name, email=f"{login.username}@demo.invalid",
                authority=self.authorities[home] if home else None, is_operations=operations,
                is_staff=operations, is_superuser=operations,
            )  # fmt: skip
        return {
            name: User.objects.create(
                username=f"stelle-{index:02d}",
                password=make_password(None),
                last_name="Zuständige Stelle",
                email=f"stelle-{index:02d}@demo.invalid",
                authority=authority,
            )
            for index, (name, authority) in enumerate(self.authorities.items(), 1)
        }

    def _make_portals(self) -> dict[str, Portal]:
        found = {}
        for kuerzel, name, authority in PORTALS:
            portal = Portal.objects.create(
                kuerzel=kuerzel,
                name=name,
                authority=self.authorities[authority],
                url=f"https://{kuerzel}.demo.invalid/",
            )
            self.keys[kuerzel], _key = issue_api_key(portal=portal, name="Monatslieferung", by=None)
            found[kuerzel] = portal
        miriam = User.objects.get(username="miriam.koch")
        PortalMember.objects.create(portal=found["serviceportal-hessen"], user=miriam)
        return found

    def _register(self, number: int, demo: DemoService) -> OnlineService:
        start = months.shift(months.first_of(self.today), -demo.months)
        petra = User.objects.get(username="petra.lindner")
        person = petra if demo.petra == "verantwortlich" else self.people[demo.authority]
        service = register_service(
            service=OnlineService(
                pk=number, name=demo.name, leistung_id=demo.leistung,
                authority=self.authorities[demo.authority], reporting_level=demo.level,
                url=f"https://os-{number:06d}.demo.invalid/",
                contact=f"os-{number:06d}@demo.invalid", live_from=start,
                ended_on=months.shift(months.first_of(self.today), 1 - demo.ended) if demo.ended else None,
            ),
            responsible=person,
            by=person,
            area=[_area(demo.within)],
        )  # fmt: skip
        OnlineService.objects.filter(pk=number).update(created_at=timezone.make_aware(_noon(start)))
        if demo.petra == "lieferant":
            ServiceMember.objects.create(service=service, user=petra, role=ServiceMember.Role.SUPPLIER)
        if demo.portal:
            kennung = f"{demo.portal}-{number}"
            PortalService.objects.create(
                service=service, portal=self.portals[demo.portal], kennung=kennung, since=start
            )
        if demo.rhythm is Rhythm.PUSH:
            self.keys[service.number], _key = issue_api_key(service=service, name="Fachverfahren", by=person)
        return service

    def _deliver_all(self) -> None:
        places = load_places()
        found: list[tuple[str, Parcel]] = []
        for number, demo in _numbered(self.services):
            series = invent(demo, number, places, today=self.today)
            own = list(parcels(number, demo, series, now=self.now))
            extra = list(corrections(number, own, now=self.now))
            found += [(demo.portal, parcel) for parcel in own + extra]
        for portal, parcel in merge_portals(found):
            self._deliver(portal, parcel)
        # A delivery takes seconds, however long ago it was.
        Delivery.objects.update(finished_at=F("received_at") + dt.timedelta(seconds=2))
        for credential in self.keys.values():
            last = credential.deliveries.order_by("-received_at").first()
            Credential.objects.filter(pk=credential.pk).update(
                last_used_at=last.received_at if last else None
            )

    def _deliver(self, portal: str, parcel: Parcel) -> None:
        service = self.stored[parcel.numbers[0]]
        channel = CHANNELS[parcel.rhythm]
        by: User | Credential = service.members.all()[0]
        if channel is Delivery.Channel.PUSH:
            by = self.keys[portal if parcel.rhythm is Rhythm.PORTAL else service.number]
        numbers, ars, month, count = zip(*parcel.rows, strict=True)
        only = None if parcel.rhythm is Rhythm.PORTAL else service
        checked = check(Rows.of(service=numbers, ars=ars, month=month, count=count), by=by, service=only)
        delivery = Delivery(
            id=_id_of(parcel.at),
            channel=channel, actor=actor_text(by),
            credential=by if isinstance(by, Credential) else None, user=by if isinstance(by, User) else None,
            service=only, file_name=parcel.file_name, reason=parcel.reason, received_at=parcel.at,
        )  # fmt: skip
        try:
            deliver(checked, delivery)
        except DeliveryRejected:
            if not parcel.faulty:
                raise
        if parcel.at > self.now - dt.timedelta(days=settings.FILE_DAYS):
            contents.keep(delivery, [parcel.content()])

    def _publish_all(self) -> None:
        betrieb = User.objects.get(username="betrieb")
        for number, demo in _numbered(self.services):
            if demo.published:
                service = self.stored[number]
                at = timezone.make_aware(_noon(service.live_from or self.today)) + dt.timedelta(days=20)
                publish(service, depth=demo.depth, by=betrieb, at=min(at, self.now))


def _numbered(services: list[DemoService]) -> list[tuple[int, DemoService]]:
    """Services with a number of their own keep it; the others take the free ones from 2 on."""
    taken = {service.number for service in services if service.number}
    free = (number for number in range(2, 10_000) if number not in taken)
    return [(service.number or next(free), service) for service in services]


def _assume_types() -> None:
    """The starter catalogue has neither types nor bundles; these are assumptions, marked by their OZG-ID."""
    for index, (themenfeld, name, types, schluessel) in enumerate(BUNDLES, 1):
        bundle, _new = OzgLeistung.objects.update_or_create(
            ozg_id=f"DEMO-{index:02d}",
            defaults={"name": f"{name} (Annahme der Demo)", "themenfeld_id": themenfeld},
        )
        Leistung.objects.filter(pk__in=schluessel, types=[]).update(types=list(types), ozg_leistung=bundle)


def _make_authorities() -> dict[str, Authority]:
    found: dict[str, Authority] = {}
    for name, level, ars, parent in AUTHORITIES:
        found[name] = Authority.objects.create(
            name=name, level=level, region_id=ars, parent=found[parent] if parent else None
        )
    return found


def _area(within: str) -> Region:
    return Region.objects.get(pk=within.ljust(12, "0") if within else GERMANY)


def _id_of(at: dt.datetime) -> uuid.UUID:
    """A UUID of version 7 as of that moment: deliveries are listed by their ids."""
    milliseconds = int(at.timestamp() * 1000)
    chance = uuid.uuid4().int & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | chance)


def _noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12))


def _move_sequence() -> None:
    """Numbers were chosen; the next registered service must not meet one of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('services_onlineservice', 'id'), max(id))"
            " FROM services_onlineservice"
        )


def _tell_planner() -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ANALYZE {table}")
