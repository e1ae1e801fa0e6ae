"""The report: the person's own file, in its order and form, with what became of each row."""

import codecs
import datetime as dt
import json

import pytest

from services.models import Credential, OnlineService, PortalService, ReportingLevel
from tests.factories import Personas, PortalFactory, PortalServiceFactory, ServiceFactory, api_key, personas
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
from transactions import push
from transactions import report as making
from transactions.models import Delivery
from zsk.tables import pieces

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


def test_the_names_of_regions_in_our_own_blank_stay_where_a_key_is_at_fault(
    people: Personas, service: OnlineService
) -> None:
    text = f"onlineservice;ars;monat;anzahl;bezeichnung\n{service.number};60000000000;{MONTH};3;Hessen\n"
    head, faulty = report(received(people.owner, text.encode()), people, "review_report")
    assert head == "onlineservice;ars;monat;anzahl;bezeichnung;ergebnis;hinweis"
    assert faulty.startswith(f"{service.number};60000000000;{MONTH};3;Hessen;fehler;")


def test_an_accepted_file_says_what_it_did_even_after_later_ones(
    people: Personas, service: OnlineService
) -> None:
    taken_over(people.owner, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 1)))
    rows = [(SAARLAND, MONTH, 5), (HESSEN, MONTH, 2), (BAYERN, MONTH, 1)]
    delivery = taken_over(people.owner, content(service, *rows))
    taken_over(people.owner, content(service, (SAARLAND, MONTH, 6)))
    words = [line.split(";")[4] for line in report(delivery, people, "delivery_report")[1:]]
    assert words == ["neu", "geändert", "unverändert"]


def test_a_waiting_file_says_what_would_be(people: Personas, service: OnlineService) -> None:
    waiting = received(people.owner, content(service, (HESSEN, MONTH, 2)))
    assert report(waiting, people, "review_report")[1].endswith(";wäre neu;")


def test_what_was_taken_over_is_not_judged_by_the_rights_and_levels_of_today(service: OnlineService) -> None:
    portal, other = PortalFactory(), ServiceFactory()
    links = [PortalServiceFactory(portal=portal, service=one) for one in (service, other)]
    link = links[0]
    link.kennung = "bafoeg"
    link.save()
    key, _text = api_key(portal=portal)
    zeilen = [
        {"onlineservice": "bafoeg", "ars": HESSEN, "monat": MONTH, "anzahl": 1},
        {"onlineservice": other.number, "ars": HESSEN, "monat": MONTH, "anzahl": 2},
    ]
    receipt = push.receive(json.dumps({"zeilen": zeilen}).encode(), by=key)
    PortalService.objects.update(since=dt.date(2016, 1, 1), until=dt.date(2017, 1, 1))
    OnlineService.objects.update(reporting_level=ReportingLevel.GEMEINDE)
    assert results(receipt.delivery, key) == ["neu", "neu"]
    assert receipt.delivery
    Delivery.objects.filter(pk=receipt.delivery.pk).update(status=Delivery.Status.UNDONE)
    assert results(Delivery.objects.get(), key) == ["neu", "neu"]


def test_a_push_that_was_refused_for_its_scope_says_so(service: OnlineService) -> None:
    key, _text = api_key(service)
    row = {"ars": HESSEN, "monat": MONTH, "anzahl": 1}
    message = {"modus": "ersetzen", "umfang": [{"monat": "2020-01"}], "zeilen": [row]}
    receipt = push.receive(json.dumps(message).encode(), by=key)
    assert results(receipt.delivery, key) == ["fehler"]
    message["umfang"] = [{"monat": MONTH}, {"onlineservice": "OS-999999", "monat": MONTH}]
    receipt = push.receive(json.dumps(message).encode(), by=key)
    assert results(receipt.delivery, key) == ["wäre neu", "fehler"]
    assert receipt.delivery
    *_rows, last = b"".join(pieces(making.table(receipt.delivery, principal=key))).decode().splitlines()
    assert last.startswith(";;;;fehler;/umfang/1 onlineservice: ")


def results(delivery: Delivery | None, key: Credential) -> list[str]:
    assert delivery
    lines = b"".join(pieces(making.table(delivery, principal=key))).decode("utf-8-sig").splitlines()
    return [line.split(";")[4] for line in lines[1:]]


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
    assert lines == ["hinweis", "Das ist eine PDF-Datei. Gelesen werden CSV und XLSX."]
