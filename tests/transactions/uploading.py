"""Files as people upload them, and deliveries made of them."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from services.models import OnlineService
from tests.factories import germany, land
from transactions import uploads
from transactions.models import Delivery
from zsk import months

HESSEN, SAARLAND, BAYERN = "060000000000", "100000000000", "090000000000"
HEAD = "onlineservice;ars;monat;anzahl"
LAST = months.last_full()
MONTH = f"{LAST:%Y-%m}"


def laender() -> None:
    germany(), land(HESSEN, "Hessen"), land(BAYERN, "Bayern"), land(SAARLAND, "Saarland")


def content(service: OnlineService, *cells: tuple[str, str, object], head: str = HEAD) -> bytes:
    """A file of rows (ars, month, count) for one service."""
    rows = [f"{service.number};{ars};{month};{count}" for ars, month, count in cells]
    return "\n".join([head, *rows, ""]).encode()


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def post(client: Client, data: bytes, *, name: str = "zahlen.csv", **more: Any) -> Any:
    return client.post(reverse("transactions:upload"), {"file": SimpleUploadedFile(name, data), **more})


def received(
    person: User, data: bytes, *, service: OnlineService | None = None, name: str = "zahlen.csv"
) -> Delivery:
    return uploads.receive(lambda: [data], name=name, by=person, service=service)


def taken_over(person: User, data: bytes) -> Delivery:
    """A file that was uploaded and confirmed."""
    delivery = received(person, data)
    return uploads.confirm(delivery, by=person, seen=uploads.review(delivery, by=person).seen)


def address(name: str, delivery: Delivery) -> str:
    return reverse(f"transactions:{name}", args=[delivery.pk])


def page(client: Client, where: str) -> str:
    """What the page says, its blanks as one."""
    response = client.get(where)
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def file_text(client: Client, where: str) -> str:
    """A CSV as it is downloaded, without its mark."""
    response: Any = client.get(where)
    assert response.status_code == 200, response.status_code
    return b"".join(response).decode("utf-8-sig")
