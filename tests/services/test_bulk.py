"""Bulk registration: who may, every fault in plain words, all or nothing, a constant number of queries."""

import datetime as dt
import io
import threading
import uuid

import openpyxl
import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, User
from portals.models import Portal
from services import bulk, bulk_checks, bulk_source
from services.bulk import Gone
from services.models import BulkUpload, OnlineService, PortalService, ServiceState
from tests.factories import (
    AuthorityFactory,
    LeistungFactory,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    kreis,
    land,
)
from tests.zsk import making_workbooks
from tests.zsk.making_workbooks import workbook

pytestmark = pytest.mark.django_db
HEAD = "kennung;name;leistungsschluessel;behoerde;meldeebene;gebiet;adresse;funktionspostfach;in_betrieb_seit"
GOOD = ("h-1", "Hundesteuer", "99102013000000", "", "Kreis", "064350000000", "https://hund.example", "a@b.de",
        "2024-01-15")  # fmt: skip
FIELDS = dict(zip(HEAD.split(";"), range(9), strict=True))
ADDRESS = "/meine/portale/hessen/sammelregistrierung"


@pytest.fixture
def portal() -> Portal:
    LeistungFactory(schluessel="99102013000000", name="Hundesteuer")
    kreis(), kreis("010510000000", "Dithmarschen")
    made: Portal = PortalFactory(name="Serviceportal", kuerzel="hessen", authority__region=land())
    return made


@pytest.fixture
def admin(portal: Portal, client: Client) -> User:
    person: User = PortalMemberFactory(portal=portal).user
    client.force_login(person)
    return person


def row(**changes: str) -> str:
    cells = list(GOOD)
    for name, value in changes.items():
        cells[FIELDS[name]] = value
    return ";".join(cells)


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows, ""]).encode()


def upload(portal: Portal, by: User, *rows: str) -> BulkUpload:
    return bulk.keep(portal=portal, by=by, name="a.csv", content=csv(*rows))


def send(client: Client, content: bytes, name: str = "a.csv") -> str:
    """The address of the preview."""
    answer = client.post(ADDRESS, {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def content_of(client: Client, address: str) -> bytes:
    return b"".join(client.get(address))


# --- Who may not -------------------------------------------------------------------------------------


def test_only_the_portals_admins_and_their_own_files(client: Client, portal: Portal, admin: User) -> None:
    kept = upload(portal, admin, row())
    for person, status in ((UserFactory(), 403), (PortalMemberFactory().user, 403)):
        client.force_login(person)
        assert client.get(f"{ADDRESS}/{kept.pk}/").status_code == status
        assert client.post(f"{ADDRESS}/{kept.pk}/registrieren").status_code == status
    client.force_login(PortalMemberFactory(portal=portal).user)
    assert client.get(f"{ADDRESS}/{kept.pk}/").status_code == 404
    client.post(f"{ADDRESS}/{kept.pk}/registrieren")
    assert not OnlineService.objects.exists()


def test_a_file_is_there_for_its_portal_only(client: Client, portal: Portal, admin: User) -> None:
    other = PortalMemberFactory(user=admin, portal__kuerzel="anders").portal
    kept = upload(other, admin, row())
    assert client.get(f"{ADDRESS}/{kept.pk}/").status_code == 404


# --- From file to services ---------------------------------------------------------------------------


def test_all_are_registered_for_the_portal(client: Client, portal: Portal, admin: User) -> None:
    authority = AuthorityFactory(name="Stadt Hanau")
    address = send(client, csv(row(), row(
        kennung="h-2", name="Hund abmelden", leistungsschluessel="99 102 013 000 000", behoerde="STADT HANAU",
        meldeebene="gemischt", gebiet="064350000000  060000000000", in_betrieb_seit="15.01.2025", adresse="",
    )))  # fmt: skip
    text = client.get(address).content.decode()
    assert "2 Onlineservices würden registriert" in text
    assert not OnlineService.objects.exists()
    text = client.post(f"{address}registrieren", follow=True).content.decode()
    assert "Registriert: 2 Onlineservices." in text
    first, second = OnlineService.objects.order_by("pk")
    assert (first.name, first.leistung_id, first.authority) == (
        "Hundesteuer",
        "99102013000000",
        portal.authority,
    )
    assert (first.url, first.contact, first.live_from) == (
        "https://hund.example",
        "a@b.de",
        dt.date(2024, 1, 15),
    )
    assert (second.authority, second.live_from) == (authority, dt.date(2025, 1, 15))
    assert {region.ars for region in second.area.all()} == {"064350000000", "060000000000"}
    links = {link.kennung: link.since for link in PortalService.objects.filter(portal=portal, until=None)}
    assert links == {"h-1": dt.date(2024, 1, 15), "h-2": dt.date(2025, 1, 15)}
    assert ServiceState.objects.count() == 2
    assert OnlineService.history.filter(history_type="+").count() == 2
    assert "2 Onlineservices" in AuditEntry.objects.get(action="Sammelregistrierung").detail
    assert not BulkUpload.objects.exists()
    assert set(OnlineService.objects.deliverable_by(admin)) == {first, second}


def test_the_template_is_readable_and_registers(client: Client, portal: Portal, admin: User) -> None:
    content = content_of(client, f"{ADDRESS}/vorlage.csv")
    rows = bulk_source.read(io.BytesIO(content))
    assert [row["kennung"] for row in rows] == ["hund-01", "hund-02"]
    assert content.startswith(HEAD.encode("utf-8-sig"))


def test_the_template_as_a_workbook_keeps_zeros_and_takes_new_ones(
    client: Client, portal: Portal, admin: User
) -> None:
    content = content_of(client, f"{ADDRESS}/vorlage.xlsx")
    assert [row.texts for row in bulk_source.read(io.BytesIO(content), name="a.xlsx")] == [
        row.texts for row in bulk_source.read(io.BytesIO(content_of(client, f"{ADDRESS}/vorlage.csv")))
    ]
    (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    assert sheet["F2"].value == portal.authority.region_id  # nowhere else may it register
    assert sheet.column_dimensions["F"].number_format == "@"  # cells that people fill are text as well
    assert sheet.freeze_panes == "A2"


def test_a_workbook_is_registered_and_its_report_is_one(client: Client, portal: Portal, admin: User) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "dd.mm.yyyy"}) as book:
        sheet = book.add_worksheet("Dienste")
        sheet.write_row(0, 0, HEAD.split(";"))
        sheet.write_row(3, 0, [17, *GOOD[1:8]])
        sheet.write_number(3, 2, 99102013000000)
        sheet.write_datetime(3, 8, dt.date(2024, 1, 15))
    address = send(client, file.getvalue(), "dienste.xlsx")
    answer = client.get(f"{address}bericht")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sammelregistrierung-bericht.xlsx"'
    (sheet,) = openpyxl.load_workbook(io.BytesIO(b"".join(answer))).worksheets
    assert (sheet["A4"].value, sheet["J1"].value, sheet["J4"].value) == (17, "ergebnis", "neu")
    client.post(f"{address}registrieren")
    made = OnlineService.objects.get()
    assert (made.leistung_id, made.live_from) == ("99102013000000", dt.date(2024, 1, 15))
    assert PortalService.objects.get(service=made).kennung == "17"


def test_other_words_separators_and_encodings_are_understood() -> None:
    head = "Leistungsschlüssel,Name,Meldeebene,ARS,Behörde"
    content = f"{head}\n99102013000000,Hundesteuer,Kreis,064350000000,Köln\n\n".encode("cp1252")
    (found,) = bulk_source.read(io.BytesIO(content))
    assert (found.line, found["behoerde"], found["gebiet"]) == (2, "Köln", "064350000000")


# --- Faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Der Name fehlt."),
        ({"name": "x" * 201}, "Das sind 201 Zeichen, erlaubt sind 200."),
        ({"kennung": "OS-000001"}, "Das sieht aus wie eine Nummer der ZSK."),
        ({"kennung": "vergeben"}, "Diese Kennung gibt es im Portal schon."),
        ({"leistungsschluessel": ""}, "Der Leistungsschlüssel fehlt."),
        ({"leistungsschluessel": "9,9102E+13"}, "Die Tabellenkalkulation hat den Schlüssel gerundet."),
        ({"leistungsschluessel": "9910201300000"}, "hat 14 Ziffern und beginnt mit 99"),
        ({"leistungsschluessel": "99000000000000"}, "gibt es im Katalog nicht. Suchen Sie"),
        ({"behoerde": "Amt Unbekannt"}, "Diese Behörde ist nicht eingetragen."),
        ({"meldeebene": "Stadt"}, "Erlaubt sind Bund, Land, Kreis, Gemeinde und gemischt."),
        ({"gebiet": ""}, "Das Gebiet fehlt."),
        ({"gebiet": "64350000000"}, "Gemeint ist wohl 064350000000."),
        ({"gebiet": "06435014"}, "Das ist ein Gemeindeschlüssel (AGS)"),
        ({"gebiet": "Hessen"}, "Ein Regionalschlüssel hat 12 Ziffern"),
        ({"gebiet": "069990000000"}, "Diesen Regionalschlüssel gibt es nicht."),
        ({"gebiet": "064350014014"}, "gibt es heute nicht mehr."),
        ({"gebiet": "064350000000 010510000000"}, "Dithmarschen (010510000000) liegt außerhalb"),
        ({"adresse": "www.hund"}, "Sie beginnt mit https://"),
        ({"adresse": "javascript:alert(1)"}, "Sie beginnt mit https://"),
        ({"funktionspostfach": "post"}, "keine vollständige E-Mail-Adresse"),
        ({"in_betrieb_seit": "31.02.2024"}, "Das ist kein Datum."),
    ],
)
def test_every_fault_says_where_and_what_is_right(
    client: Client, portal: Portal, admin: User, changes: dict[str, str], message: str
) -> None:
    ServiceFactory(portal=portal, portal__kennung="vergeben")
    hanau = kreis("064350014014", "Hanau")
    hanau.versions.update(valid_to=dt.date(2026, 1, 1))
    before = OnlineService.objects.count()
    address = send(client, csv(row(kennung="k"), row(**{"kennung": "x", **changes})))
    text = client.get(address).content.decode()
    assert "Ihre Datei hat einen Fehler" in text
    assert message in text
    (found,) = bulk_checks.check(BulkUpload.objects.get()).faults
    assert (found.line, found.column) == (3, next(iter(changes)))
    client.post(f"{address}registrieren")
    assert OnlineService.objects.count() == before


def test_a_kennung_twice_in_the_file_names_the_other_line(portal: Portal, admin: User) -> None:
    (found,) = bulk_checks.check(upload(portal, admin, row(), row(name="Anders"))).faults
    assert (found.line, found.column, found.value) == (3, "kennung", "h-1")
    assert "steht auch in Zeile 2" in found.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name;farbe\na;b\n", "Die Spalte leistungsschluessel fehlt."),
        (b"name;farbe\na;b\n", "Die Spalte farbe kennen wir nicht."),
        (csv(head="name;name;leistungsschluessel;meldeebene;gebiet"), "Die Spalte name steht mehrmals da."),
        (csv(), "Die Datei ist leer."),
        (b"a;b\n1;2\n", "Die erste Zeile ist keine Kopfzeile."),
        (b"PK\x03\x04xyz", "Die XLSX-Datei ist beschädigt"),
        (b"\xd0\xcf\x11\xe0xyz", "Das ist eine alte Excel-Datei (XLS)"),
        (workbook(making_workbooks.HEAD), "Die Datei heißt „a.csv“, ist aber eine Excel-Datei (XLSX)."),
        (csv('"offen;x'), "Ein Anführungszeichen wird nicht geschlossen"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(
    client: Client, portal: Portal, admin: User, content: bytes, message: str
) -> None:
    text = client.get(send(client, content)).content.decode()
    assert "Ihre Datei lässt sich nicht lesen" in text
    assert message in text


def test_more_than_5000_rows_are_refused(portal: Portal, admin: User) -> None:
    kept = upload(portal, admin, *[row(kennung=f"k-{number}") for number in range(5_001)])
    with pytest.raises(bulk_source.Unreadable, match=r"erlaubt sind 5\.000"):
        bulk_checks.check(kept)


def test_5000_faults_are_all_in_the_report(client: Client, portal: Portal, admin: User) -> None:
    address = send(client, csv(*[row(kennung=f"k-{number}", name="") for number in range(5_000)]))
    text = client.get(address).content.decode()
    assert "Ihre Datei hat 5.000 Fehler" in text
    assert text.count("Der Name fehlt.") == 20
    report = content_of(client, f"{address}bericht").decode("utf-8-sig")
    assert report.count("fehler;name: Der Name fehlt.") == 5_000


def test_the_report_is_the_own_file_and_can_be_sent_again(
    client: Client, portal: Portal, admin: User
) -> None:
    address = send(client, csv(row(), row(kennung="h-2", name="=1+1", meldeebene="x")))
    lines = content_of(client, f"{address}bericht").decode("utf-8-sig").splitlines()
    assert lines[0] == f"{HEAD};ergebnis;hinweis"
    assert lines[1] == f"{row()};wäre neu;"
    assert ";'=1+1;" in lines[2]
    assert lines[2].endswith("fehler;meldeebene: Erlaubt sind Bund, Land, Kreis, Gemeinde und gemischt.")
    again = send(client, "\n".join(lines).encode())
    report = content_of(client, f"{again}bericht").decode("utf-8-sig").splitlines()
    assert report[0] == lines[0]


def test_what_may_be_there_already_is_a_warning(client: Client, portal: Portal, admin: User) -> None:
    known = ServiceFactory(name="Hundesteuer", leistung_id="99102013000000", authority=portal.authority)
    known.area.add("064350000000")
    address = send(client, csv(row(), row(kennung="h-2")))
    text = client.get(address).content.decode()
    assert f"Vielleicht ist er schon registriert: {known}" in text
    assert "Name und Leistung sind dieselben wie in Zeile 2." in text
    client.post(f"{address}registrieren")
    assert OnlineService.objects.count() == 3


# --- Twice, late, many -------------------------------------------------------------------------------


def test_a_second_click_registers_nothing_more(client: Client, portal: Portal, admin: User) -> None:
    address = send(client, csv(row()))
    client.post(f"{address}registrieren")
    text = client.post(f"{address}registrieren", follow=True).content.decode()
    assert "Diese Datei wartet nicht mehr." in text
    assert OnlineService.objects.count() == 1


def test_what_changed_since_the_preview_is_seen(client: Client, portal: Portal, admin: User) -> None:
    address = send(client, csv(row()))
    client.get(address)
    ServiceFactory(portal=portal, portal__kennung="h-1")
    text = client.post(f"{address}registrieren", follow=True).content.decode()
    assert "Nichts registriert" in text
    assert "Diese Kennung gibt es im Portal schon." in text
    assert OnlineService.objects.count() == 1


def test_discarding_asks_and_then_forgets(client: Client, portal: Portal, admin: User) -> None:
    address = send(client, csv(row()))
    assert "a.csv verwerfen?" in client.get(f"{address}verwerfen").content.decode()
    client.post(f"{address}verwerfen")
    assert not BulkUpload.objects.exists()


def test_files_that_nobody_confirmed_are_forgotten(portal: Portal, admin: User) -> None:
    upload(portal, admin, row())
    assert bulk.expire() == 0
    assert bulk.expire(now=timezone.now() + dt.timedelta(days=bulk.KEEP_DAYS, seconds=1)) == 1


def test_many_cost_as_many_queries_as_one(portal: Portal, admin: User) -> None:
    bulk.register(upload(portal, admin, row()), by=admin)
    with CaptureQueriesContext(connection) as few:
        bulk.register(upload(portal, admin, row(kennung="h-2")), by=admin)
    rows = [row(kennung=f"k-{number}", name=f"Dienst {number}") for number in range(300)]
    with CaptureQueriesContext(connection) as many:
        bulk.register(upload(portal, admin, *rows), by=admin)
    assert len(many) == len(few)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_register_once() -> None:
    LeistungFactory(schluessel="99102013000000")
    kreis()
    portal = PortalFactory(authority__region=land())
    admin = PortalMemberFactory(portal=portal).user
    kept = upload(portal, admin, row())
    barrier, results = threading.Barrier(2), []

    def click() -> None:
        try:
            barrier.wait()
            bulk.register(BulkUpload(pk=uuid.UUID(str(kept.pk)), portal=portal, user=admin), by=admin)
            results.append("registriert")
        except Gone:
            results.append("zu spät")
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["registriert", "zu spät"]
    assert OnlineService.objects.count() == 1
