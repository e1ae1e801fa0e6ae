"""The report: the person's own file, in its order and form, with what became of each row."""

import codecs

import pytest

from services.models import OnlineService
from tests.factories import Personas, ServiceFactory, personas
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    MONTH,
    SAARLAND,
    address,
    content,
    laender,
    received,
    signed_in,
    taken_over,
)
from transactions.models import Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory()


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


def report(delivery: Delivery, people: Personas, name: str) -> list[str]:
    answer = signed_in(people.owner).get(address(name, delivery))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="zahlen-bericht.csv"'
    assert answer["Cache-Control"] == "private, no-store"
    data = b"".join(answer)  # type: ignore[arg-type]
    assert data.startswith(codecs.BOM_UTF8)
    return data.decode("utf-8-sig").splitlines()


def test_a_refused_file_says_what_is_wrong_and_what_would_become_of_the_rest(
    people: Personas, service: OnlineService
) -> None:
    taken_over(people.owner, content(service, (HESSEN, MONTH, 1)))
    rows = [(HESSEN, MONTH, 2), ("60000000000", MONTH, 3), (BAYERN, MONTH, 4)]
    head, changed, faulty, new = report(
        received(people.owner, content(service, *rows)), people, "review_report"
    )
    assert head == "onlineservice;ars;monat;anzahl;ergebnis;hinweis"
    assert changed == f"{service.number};{HESSEN};{MONTH};2;wäre geändert;"
    assert new == f"{service.number};{BAYERN};{MONTH};4;wäre neu;"
    assert faulty.startswith(
        f"{service.number};60000000000;{MONTH};3;fehler;ars: Dem Regionalschlüssel fehlt"
    )
    assert faulty.endswith("Vorschlag: 060000000000")


def test_an_accepted_file_says_what_it_did_even_after_later_ones(
    people: Personas, service: OnlineService
) -> None:
    taken_over(people.owner, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 1)))
    rows = [(SAARLAND, MONTH, 5), (HESSEN, MONTH, 2), (BAYERN, MONTH, 1)]
    delivery = taken_over(people.owner, content(service, *rows))
    taken_over(people.owner, content(service, (SAARLAND, MONTH, 6)))
    words = [line.split(";")[4] for line in report(delivery, people, "delivery_report")[1:]]
    assert words == ["neu", "geändert", "unverändert"]


def test_formulas_are_harmless_and_a_report_sent_again_does_not_grow(
    people: Personas, service: OnlineService
) -> None:
    data = content(service, ('=HYPERLINK("x")', MONTH, -3))
    lines = report(received(people.owner, data), people, "review_report")
    assert ";'=HYPERLINK" in lines[1].replace('"', "")
    assert ";-3;fehler;" in lines[1]
    again = received(people.owner, "\r\n".join(lines).encode("utf-8-sig"))
    assert report(again, people, "review_report")[0] == lines[0]


def test_an_unreadable_file_has_a_report_of_its_faults(people: Personas) -> None:
    lines = report(received(people.owner, b"%PDF-1.4"), people, "review_report")
    assert lines == ["hinweis", "Das ist eine PDF-Datei, keine CSV-Datei."]
