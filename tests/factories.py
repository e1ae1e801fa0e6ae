"""Rows for tests, and the three personas: owner, colleague, and a stranger from another authority."""

import datetime as dt
from typing import Any, NamedTuple

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import AccessRequest, Authority, Invitation, User
from ozgsync.models import (
    GERMANY,
    Leistung,
    LeistungChange,
    Level,
    OzgLeistung,
    Region,
    RegionChange,
    RegionVersion,
    Themenfeld,
)
from portals.models import Portal, PortalMember
from services.credentials import issue_api_key
from services.models import (
    Credential,
    OnlineService,
    PortalService,
    ReportingLevel,
    ServiceMember,
    ServiceState,
)

PASSWORD = "geheim-genug-zum-testen"
# Hashed once: a hash per person would be most of a test's time.
PASSWORD_HASH = make_password(PASSWORD, hasher="md5")
LONG_AGO = dt.date(2016, 1, 1)


class RegionFactory(DjangoModelFactory[Region]):
    """A Gemeinde of Hessen by default, with one version since 2016; `version=None` leaves that out."""

    class Meta:
        model = Region
        django_get_or_create = ("ars",)
        skip_postgeneration_save = True

    ars = factory.Sequence(lambda number: f"06631{number % 10_000:04d}{number % 1000:03d}")
    name = factory.LazyAttribute(lambda region: f"Ort {region.ars}")
    level_top = Level.GEMEINDE
    level_bottom = factory.SelfAttribute("level_top")

    @factory.post_generation
    def version(self: Region, create: bool, extracted: Any, **values: Any) -> None:
        if create and extracted is not False and not self.versions.exists():
            RegionVersionFactory(region=self, **values)


class RegionVersionFactory(DjangoModelFactory[RegionVersion]):
    class Meta:
        model = RegionVersion

    region = factory.SubFactory(RegionFactory, version=False)
    valid_from = LONG_AGO
    name = factory.SelfAttribute("region.name")


class RegionChangeFactory(DjangoModelFactory[RegionChange]):
    class Meta:
        model = RegionChange

    change_id = factory.Sequence(lambda number: f"test-{number}")
    kind = RegionChange.Kind.REKEY
    old = factory.SubFactory(RegionFactory)
    new = factory.SubFactory(RegionFactory)
    effective = dt.date(2024, 1, 1)
    statistically = factory.SelfAttribute("effective")
    share = 1


class ThemenfeldFactory(DjangoModelFactory[Themenfeld]):
    class Meta:
        model = Themenfeld
        django_get_or_create = ("slug",)

    slug = factory.Sequence(lambda number: f"themenfeld-{number}")
    name = factory.LazyAttribute(lambda field: field.slug.title())


class OzgLeistungFactory(DjangoModelFactory[OzgLeistung]):
    class Meta:
        model = OzgLeistung

    ozg_id = factory.Sequence(lambda number: f"TEST-{number}")
    name = factory.LazyAttribute(lambda bundle: f"OZG-Leistung {bundle.ozg_id}")
    themenfeld = factory.SubFactory(ThemenfeldFactory)


class LeistungFactory(DjangoModelFactory[Leistung]):
    """A Leistung of the test range `999…`."""

    class Meta:
        model = Leistung
        django_get_or_create = ("schluessel",)

    schluessel = factory.Sequence(lambda number: f"999{number:011d}")
    name = factory.LazyAttribute(lambda leistung: f"Testleistung {leistung.schluessel}")
    types = factory.LazyFunction(lambda: ["2"])


class LeistungChangeFactory(DjangoModelFactory[LeistungChange]):
    """The old Leistung ends on the day that the new one takes its place."""

    class Meta:
        model = LeistungChange

    old = factory.SubFactory(LeistungFactory, valid_to=factory.SelfAttribute("..effective"))
    new = factory.SubFactory(LeistungFactory)
    effective = dt.date(2024, 1, 1)


class AuthorityFactory(DjangoModelFactory[Authority]):
    class Meta:
        model = Authority

    name = factory.Sequence(lambda number: f"Behörde {number}")
    level = Authority.Level.KOMMUNE
    region = factory.SubFactory(RegionFactory)


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"person{number}")
    email = factory.LazyAttribute(lambda person: f"{person.username}@example.org")
    password = PASSWORD_HASH
    authority = factory.SubFactory(AuthorityFactory)


class AccessRequestFactory(DjangoModelFactory[AccessRequest]):
    """Confirmed and waiting for operations; for an authority that is there."""

    class Meta:
        model = AccessRequest

    status = AccessRequest.Status.OPEN
    first_name = "Anna"
    last_name = "Antrag"
    email = factory.Sequence(lambda number: f"antrag{number}@example.org")
    authority = factory.SubFactory(AuthorityFactory)
    purpose = "Zahlen liefern"
    token_hash = factory.Sequence(lambda number: f"{number:064d}")


class InvitationFactory(DjangoModelFactory[Invitation]):
    """Open for two weeks; nothing hangs on it."""

    class Meta:
        model = Invitation

    email = factory.Sequence(lambda number: f"einladung{number}@example.org")
    authority = factory.SubFactory(AuthorityFactory)
    invited_by = factory.SubFactory(UserFactory)
    expires_at = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=14))
    token_hash = factory.Sequence(lambda number: f"{number:064d}")


class PortalFactory(DjangoModelFactory[Portal]):
    class Meta:
        model = Portal

    name = factory.Sequence(lambda number: f"Portal {number}")
    kuerzel = factory.Sequence(lambda number: f"portal-{number}")
    authority = factory.SubFactory(AuthorityFactory)


class PortalMemberFactory(DjangoModelFactory[PortalMember]):
    class Meta:
        model = PortalMember

    portal = factory.SubFactory(PortalFactory)
    user = factory.SubFactory(UserFactory)


class ServiceFactory(DjangoModelFactory[OnlineService]):
    """A service with its state, as registration leaves it; nobody is a member."""

    class Meta:
        model = OnlineService
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Onlineservice {number}")
    leistung = factory.SubFactory(LeistungFactory)
    authority = factory.SubFactory(AuthorityFactory)
    reporting_level = ReportingLevel.MIXED

    class Params:
        published = factory.Trait(published_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC))

    @factory.post_generation
    def state(self: OnlineService, create: bool, extracted: Any, **values: Any) -> None:
        if create:
            ServiceState.objects.create(service=self, **values)

    @factory.post_generation
    def portal(self: OnlineService, create: bool, extracted: Portal | None, **values: Any) -> None:
        """`portal=…` puts the service into a portal, `portal__kennung=…` under a name of the portal's own."""
        if create and extracted:
            PortalServiceFactory(service=self, portal=extracted, **values)


class PortalServiceFactory(DjangoModelFactory[PortalService]):
    class Meta:
        model = PortalService

    portal = factory.SubFactory(PortalFactory)
    service = factory.SubFactory(ServiceFactory)
    since = LONG_AGO


class MemberFactory(DjangoModelFactory[ServiceMember]):
    class Meta:
        model = ServiceMember

    service = factory.SubFactory(ServiceFactory)
    user = factory.SubFactory(UserFactory)
    role = ServiceMember.Role.SUPPLIER


def germany() -> Region:
    return RegionFactory(ars=GERMANY, name="Deutschland", level_top=Level.BUND)


def land(ars: str = "060000000000", name: str = "Hessen") -> Region:
    return RegionFactory(ars=ars, name=name, level_top=Level.LAND)


def kreis(ars: str = "064350000000", name: str = "Main-Kinzig-Kreis") -> Region:
    return RegionFactory(ars=ars, name=name, level_top=Level.KREIS)


def api_key(
    service: OnlineService | None = None, portal: Portal | None = None, **values: Any
) -> tuple[Credential, str]:
    """A key of a service or portal, and its text: `headers={"Authorization": f"Bearer {text}"}`."""
    return issue_api_key(service=service, portal=portal, **{"name": "Test", "by": None, **values})


class Personas(NamedTuple):
    """Responsible for a service; may deliver for it; of another authority, with nothing to do with it."""

    owner: User
    colleague: User
    stranger: User


def personas(service: OnlineService) -> Personas:
    owner = UserFactory(authority=service.authority, first_name="Olga", last_name="Owner")
    colleague = UserFactory(authority=service.authority, first_name="Karl", last_name="Kollege")
    MemberFactory(service=service, user=owner, role=ServiceMember.Role.RESPONSIBLE)
    MemberFactory(service=service, user=colleague)
    return Personas(owner, colleague, UserFactory(first_name="Frida", last_name="Fremd"))
