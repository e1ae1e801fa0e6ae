"""What the tests of a service's pages share: people signed in, and what they fill in."""

from typing import Any

from django.test import Client

from accounts.models import User
from ozgsync.models import Leistung
from services.models import OnlineService, RegistrationDraft
from tests.factories import LeistungFactory, OzgLeistungFactory, germany, kreis, land

START = "/meine/onlineservices/neu"
HESSEN, KASSEL, GERMANY = "060000000000", "066330000000", "000000000000"
KEY = "99102013104000"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(client: Client, address: str, **options: Any) -> str:
    response = client.get(address, **options)
    assert response.status_code == 200, address
    return response.content.decode()


def catalogue() -> Leistung:
    """What there is to choose from."""
    germany(), land(), kreis(KASSEL, "Kassel")
    bundle = OzgLeistungFactory(themenfeld__name="Steuern & Zoll")
    return LeistungFactory(schluessel=KEY, name="Hundesteuer Anmeldung", types=["5"], ozg_leistung=bundle)


def whole(person: User, **changed: Any) -> dict[str, Any]:
    """Everything that a registration needs, as somebody types it."""
    return {
        "leistung": KEY, "more_leistungen": [], "name": "Hundesteuer online",
        "authority": person.authority.name if person.authority else "", "url": "www.hund.de/antrag",
        "contact": "hund@amt.de", "area": [HESSEN], "reporting_level": "kreis", "live_from": "01.05.2026",
        "ended_on": "", "portal": "", "kennung": "", **changed,
    }  # fmt: skip


def draft_of(person: User, **changed: Any) -> RegistrationDraft:
    return RegistrationDraft.objects.create(user=person, data=whole(person, **changed))


def at(draft: RegistrationDraft, slug: str = "") -> str:
    return f"{START}/{draft.pk}/{slug}"


def of(service: OnlineService, part: str = "") -> str:
    return f"/meine/onlineservices/{service.number}/{part}"
