"""A push as CSV, packed, and for later: what differs from the plain JSON of test_push.py."""

import datetime as dt
import gzip
import io
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from services.credentials import revoke_credential
from services.models import Credential, OnlineService
from tests.factories import PortalFactory, PortalServiceFactory, ServiceFactory, UserFactory
from tests.transactions.country import BERLIN, HESSEN
from tests.transactions.test_push import URL, Sender, problem, row, rows, sender, stored
from transactions import bodies, contents, jobs, push, tasks
from transactions.models import Delivery, DeliveryChunk, DeliveryJob, TransactionCount

pytestmark = pytest.mark.django_db
Committing = Callable[..., AbstractContextManager[object]]
CSV = {"Content_Type": "text/csv; charset=utf-8"}
LATER = {"Prefer": "respond-async"}
MAY = "2025-05"


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory()


@pytest.fixture
def me(service: OnlineService) -> Sender:
    return sender(service)


def table(*lines: str, head: str = "ars;monat;anzahl") -> bytes:
    return "\n".join([head, *lines, ""]).encode()


def problem_text(answer: Any, status: int, code: str) -> str:
    return str(problem(answer, status, code)["detail"])


# --- CSV ------------------------------------------------------------------------------------------


def test_csv_is_read_as_a_file_is(me: Sender, service: OnlineService) -> None:
    body = table(f"{service.number};0600 0000 0000;Mai 2025;1.204", head="Service;ars;monat;anzahl")
    answer = me.send(body, **CSV)
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["neu"]) == ("uebernommen", 1)
    assert stored() == {(HESSEN, MAY): 1204}
    assert me.send(body, **CSV).status_code == 200


def test_csv_of_a_key_for_one_service_may_leave_its_number_out(me: Sender) -> None:
    assert me.send(table(f"{HESSEN};{MAY};5"), **CSV).status_code == 201
    assert stored() == {(HESSEN, MAY): 5}
    taken_back = me.send(table(f"{HESSEN};{MAY};löschen"), **CSV)
    assert taken_back.json()["geloescht"] == 1
    assert stored() == {}


def test_csv_of_a_portal_names_services_by_its_own_kennung(service: OnlineService) -> None:
    portal = PortalFactory()
    PortalServiceFactory(portal=portal, service=service, kennung="A:1")
    mine = sender(portal=portal)
    head = "onlineservice;ars;monat;anzahl"
    assert mine.send(table(f"A:1;{HESSEN};{MAY};5", head=head), **CSV).status_code == 201
    assert problem(mine.send(table(f"{HESSEN};{MAY};5"), **CSV), 400, "nicht_lesbar")
    url = f"{URL}?modus=ersetzen&umfang=A:1:{MAY}"
    assert mine.send(table(f"A:1;{BERLIN};{MAY};7", head=head), url, **CSV).status_code == 201
    assert stored() == {(BERLIN, MAY): 7}


def test_faults_of_csv_are_named_by_their_line(me: Sender) -> None:
    body = problem(
        me.send(table(f"{HESSEN};{MAY};5", f"60000000000;{MAY};k. A."), **CSV), 422, "zeilen_fehlerhaft"
    )
    said = [(one["zeile"], one["zeiger"], one["code"], one["vorschlag"]) for one in body["fehler"]]
    assert said == [
        (3, None, "anzahl_keine_zahl", None),
        (3, None, "ars_fuehrende_null", HESSEN),
    ]
    assert stored() == {}
    report = b"".join(me.get(body["url"].replace("http://testserver", "") + "/bericht")).decode("utf-8-sig")  # type: ignore[arg-type]
    assert report.splitlines()[0] == "ars;monat;anzahl;ergebnis;hinweis"
    assert report.splitlines()[1] == f"{HESSEN};{MAY};5;wäre neu;"
    assert ";fehler;" in report.splitlines()[2]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"ars;monat\n060000000000;2025-05\n", "anzahl"),
        (b"ars;monat;anzahl;bemerkung\n060000000000;2025-05;1;x\n", "bemerkung"),
        (b"%PDF-1.7", "PDF"),
        (b'ars;monat;anzahl\n060000000000;2025-05;"1\n', "Anführungszeichen"),
        (b"ars;monat;anzahl\n\xc3\xa4;2025-05;\xff\n", "Zeichen"),
    ],
)  # fmt: skip
def test_csv_that_is_not_readable(me: Sender, body: bytes, said: str) -> None:
    assert said in problem_text(me.send(body, **CSV), 400, "nicht_lesbar") + str(
        Delivery.objects.get().findings.get().code
    )
    assert stored() == {}


@pytest.mark.parametrize("body", [b"", b"ars;monat;anzahl\n"])
def test_csv_without_rows(me: Sender, body: bytes) -> None:
    found = problem(me.send(body, **CSV), 422, "zeilen_fehlerhaft")["fehler"]
    assert [one["code"] for one in found] == ["datei_leer"]


def test_parameters_of_csv(me: Sender) -> None:
    body = table(f"{HESSEN};{MAY};5")
    tried = me.send(body, f"{URL}?probelauf=true&anzahl_zeilen=1", **CSV)
    assert (tried.status_code, tried.json()["status"], tried.json()["neu"]) == (200, "probelauf", 1)
    assert not Delivery.objects.exists()
    wrong = me.send(body, f"{URL}?anzahl_zeilen=2", **CSV)
    assert problem(wrong, 422, "zeilen_fehlerhaft")["fehler"][0]["code"] == "zeilenzahl"


@pytest.mark.parametrize(
    "query",
    [
        "modus=%00", "begruendung=a%00b", "umfang=%00", "probelauf=ja",
        "probelauf=true&probelauf=false", "modus=alles", "anzahl_zeilen=-1", "limit=1",
        "anzahl_zeilen=²", "trockenlauf=true", "modus=ersetzen", "umfang=2025-05",
        "modus=ersetzen&umfang=2025-5", "modus=ersetzen&umfang=Mai%202025",
    ],
)  # fmt: skip
def test_wrong_parameters_store_nothing(me: Sender, query: str) -> None:
    answer = me.send(table(f"{HESSEN};{MAY};5"), f"{URL}?{query}", **CSV)
    assert answer.status_code in {400, 422}, answer.content
    assert answer.json()["detail"]
    assert stored() == {}


def test_parameters_are_for_csv_alone(me: Sender) -> None:
    problem(me.send(rows(row()), f"{URL}?probelauf=true"), 400, "nicht_lesbar")
    assert stored() == {}


def test_replacing_by_csv_makes_months_exactly_what_it_says(me: Sender) -> None:
    me.send(table(f"{HESSEN};{MAY};5", f"{BERLIN};{MAY};6", f"{HESSEN};2025-06;7"), **CSV)
    url = f"{URL}?modus=ersetzen&umfang={MAY}"
    outside = me.send(table(f"{HESSEN};2025-06;1"), url, **CSV)
    assert problem(outside, 422, "zeilen_fehlerhaft")["fehler"][0]["code"] == "umfang_fremd"
    answer = me.send(table(f"{HESSEN};{MAY};5"), url, **CSV).json()
    assert (answer["unveraendert"], answer["geloescht"]) == (1, 1)
    assert Delivery.objects.latest("pk").mode == Delivery.Mode.REPLACE
    assert me.send(table(), url, **CSV).json()["geloescht"] == 1
    assert stored() == {(HESSEN, "2025-06"): 7}


def test_replacing_a_service_that_is_not_yours(me: Sender) -> None:
    url = f"{URL}?modus=ersetzen&umfang=OS-999999:{MAY}"
    body = problem(me.send(table(f"{HESSEN};{MAY};5"), url, **CSV), 422, "zeilen_fehlerhaft")
    assert "onlineservice_unbekannt" in {one["code"] for one in body["fehler"]}


def test_a_key_stands_for_content_and_parameters(me: Sender) -> None:
    body = table(f"{HESSEN};{MAY};5")
    first = me.send(body, f"{URL}?modus=ergaenzen", Idempotency_Key="a", **CSV)
    again = me.send(body, f"{URL}?modus=ergaenzen", Idempotency_Key="a", **CSV)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["id"] == first.json()["id"]
    other = me.send(body, f"{URL}?modus=ersetzen&umfang={MAY}", Idempotency_Key="a", **CSV)
    problem(other, 422, "idempotenz_anderer_inhalt")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "text/html", ""])
def test_other_media_types(me: Sender, kind: str) -> None:
    text = problem_text(me.send(b"x", Content_Type=kind), 415, "medientyp")
    assert "text/csv" in text


def test_the_report_of_an_accepted_csv(me: Sender) -> None:
    url = me.send(table(f"{HESSEN};{MAY};5"), **CSV).json()["url"].replace("http://testserver", "")
    report = b"".join(me.get(f"{url}/bericht")).decode("utf-8-sig")  # type: ignore[arg-type]
    assert report.splitlines()[1] == f"{HESSEN};{MAY};5;neu;"


# --- packed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_unpacked(me: Sender, coding: str) -> None:
    packed = gzip.compress(json.dumps(rows(row())).encode())
    assert me.send(packed, Content_Encoding=coding).status_code == 201
    again = gzip.compress(table(f"{HESSEN};{MAY};13"))
    assert me.send(again, Content_Encoding=coding, **CSV).status_code == 201
    assert stored() == {(HESSEN, MAY): 13}


def test_several_members_are_one_message(me: Sender) -> None:
    text = json.dumps(rows(row())).encode()
    assert (
        me.send(gzip.compress(text[:9]) + gzip.compress(text[9:]), Content_Encoding="gzip").status_code == 201
    )


def test_a_million_empty_members_cost_no_more_than_their_bytes() -> None:
    """Each leaves the rest of its piece behind, which is copied: a megabyte took seconds."""
    packed = io.BytesIO(gzip.compress(b"") * 200_000 + gzip.compress(b"12"))
    start = time.process_time()
    assert b"".join(bodies.pieces(packed, packed=True, most=10)) == b"12"
    assert time.process_time() - start < 3


@pytest.mark.parametrize("cut", [0, 5, -4, -1])
def test_gzip_that_is_broken(me: Sender, cut: int) -> None:
    packed = gzip.compress(json.dumps(rows(row())).encode())[:cut]
    assert "gzip" in problem_text(me.send(packed, Content_Encoding="gzip"), 400, "nicht_lesbar")
    problem(me.send(b"no gzip at all", Content_Encoding="gzip"), 400, "nicht_lesbar")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_other_packings(me: Sender, coding: str) -> None:
    problem(me.send(b"x", Content_Encoding=coding), 415, "medientyp")


def test_what_unpacks_to_too_much(me: Sender, settings: LazySettings) -> None:
    settings.MAX_PUSH_BYTES = 100_000
    bomb = gzip.compress(b" " * 1_000_000)
    assert len(bomb) < 2_000
    assert "Prefer: respond-async" in problem_text(me.send(bomb, Content_Encoding="gzip"), 413, "zu_gross")


def test_a_bomb_is_never_unpacked_as_a_whole() -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    parts = [packed]

    class Once:
        def read(self, size: int) -> bytes:
            return parts.pop() if parts else b""

    found = bodies.pieces(Once(), packed=True, most=3 << 20)
    seen = []
    with pytest.raises(bodies.TooLarge):
        seen.extend(len(piece) for piece in found)
    assert all(size <= bodies.PIECE for size in seen)


# --- for later ------------------------------------------------------------------------------------


def test_too_many_rows_at_once_name_the_way_out(me: Sender, settings: LazySettings) -> None:
    settings.MAX_PUSH_ROWS = 1
    body = rows(row(), row(ars=BERLIN))
    assert "Prefer: respond-async" in problem_text(me.send(body), 413, "zu_gross")
    many = table(f"{HESSEN};{MAY};5", f"{BERLIN};{MAY};6")
    assert "Prefer: respond-async" in problem_text(me.send(many, **CSV), 413, "zu_gross")
    assert me.send(body, **LATER).status_code == 202
    assert me.send(many, **CSV, **LATER).status_code == 202


@pytest.mark.parametrize("preference", ["respond-async", "wait=10, Respond-Async", "respond-async; x=1"])
def test_taken_for_later_and_done(
    me: Sender, preference: str, django_capture_on_commit_callbacks: Committing
) -> None:
    answer = me.send(rows(row()), Prefer=preference)
    body = answer.json()
    assert answer.status_code == 202
    assert answer["Preference-Applied"] == "respond-async"
    assert answer["Location"] == body["url"]
    assert (body["status"], body["neu"]) == ("wartet", 0)
    assert stored() == {}
    where = body["url"].replace("http://testserver", "")
    assert me.get(where).json()["status"] == "wartet"
    assert tasks.work_on_delivery(body["id"])
    done = me.get(where).json()
    assert (done["status"], done["neu"]) == ("uebernommen", 1)
    assert stored() == {(HESSEN, MAY): 12}
    assert b";neu;" in b"".join(me.get(f"{where}/bericht"))  # type: ignore[arg-type]
    assert me.delete(where).status_code == 200
    assert stored() == {}


def is_withdrawn(me: Sender, answer: Any) -> bool:
    body = answer.json()
    again = me.get(body["url"].replace("http://testserver", "")).json()
    codes = [note["code"] for note in body["hinweise"]]
    return (answer.status_code, body["status"], codes) == (200, "abgelehnt", ["zurueckgezogen"]) and (
        again == body
    )


def test_withdrawing_what_waits(me: Sender) -> None:
    body = me.send(rows(row()), Idempotency_Key="a", **LATER).json()
    where = body["url"].replace("http://testserver", "")
    problem(sender(ServiceFactory()).delete(where), 404, "nicht_gefunden")
    assert is_withdrawn(me, me.delete(where))
    assert is_withdrawn(me, me.delete(where)), "a second time changes nothing"
    assert not tasks.work_on_delivery(body["id"])
    assert not DeliveryChunk.objects.exists()
    problem(me.get(f"{where}/bericht"), 410, "bericht_abgelaufen")
    assert stored() == {}
    assert me.send(rows(row(1)), Idempotency_Key="a").status_code == 201


def test_withdrawing_while_a_worker_is_at_it(me: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    body = me.send(rows(row()), Idempotency_Key="a", **LATER).json()
    where, seen = body["url"].replace("http://testserver", ""), []
    check = push.check_message

    def look(*args: Any) -> Any:
        seen.append(me.get(where).json()["status"])
        seen.append(is_withdrawn(me, me.delete(where)))
        return check(*args)

    monkeypatch.setattr(push, "check_message", look)
    assert not tasks.work_on_delivery(body["id"])
    assert seen == ["in_arbeit", True]
    assert is_withdrawn(me, me.delete(where))
    assert stored() == {}


def test_another_worker_that_withdraws_is_not_taken_for_the_one_that_stores(
    me: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, check = me.send(rows(row()), **LATER).json(), push.check_message

    def look(*args: Any) -> Any:
        jobs.exchange(Delivery.objects.get(), DeliveryJob.Kind.WITHDRAW)
        assert jobs._claim(Delivery.objects.get().pk)
        return check(*args)

    monkeypatch.setattr(push, "check_message", look)
    assert not tasks.work_on_delivery(body["id"])
    assert stored() == {}


def test_withdrawn_in_the_moment_in_which_a_worker_takes_it(
    me: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = me.send(rows(row()), **LATER).json()
    where, enter = body["url"].replace("http://testserver", ""), jobs.Working.__enter__

    def withdraw_first(working: jobs.Working) -> jobs.Working:
        me.delete(where)
        return enter(working)

    monkeypatch.setattr(jobs.Working, "__enter__", withdraw_first)
    assert not tasks.work_on_delivery(body["id"])
    assert is_withdrawn(me, me.delete(where))


def test_withdrawing_what_is_answered_at_once(me: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, check = [], push.check_message

    def look(*args: Any, **more: Any) -> Any:
        where = f"{URL}/{Delivery.objects.get().pk}"
        seen.append(problem_text(me.delete(where), 409, "ruecknahme_unmoeglich"))
        return check(*args, **more)

    monkeypatch.setattr(push, "check_message", look)
    assert me.send(rows(row()), Idempotency_Key="a").status_code == 201
    assert seen == ["Diese Lieferung ist noch nicht fertig."]


def test_withdrawing_what_was_done_this_very_moment_takes_it_back(
    me: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = me.send(rows(row()), **LATER).json()
    withdraw = push.withdraw

    def finish_first(delivery: Delivery) -> Delivery | None:
        assert tasks.work_on_delivery(str(delivery.pk))
        return withdraw(delivery)

    monkeypatch.setattr(push, "withdraw", finish_first)
    assert me.delete(body["url"].replace("http://testserver", "")).json()["geloescht"] == 1
    assert stored() == {}


def test_faults_are_kept_with_the_delivery(me: Sender) -> None:
    for message, code in [(rows(row(anzahl=-1)), "anzahl_negativ"), (b"{", "json_unlesbar")]:
        body = me.send(message, **LATER).json()
        tasks.work_on_delivery(body["id"])
        found = me.get(body["url"].replace("http://testserver", "")).json()
        assert found["status"] == "abgelehnt"
        assert [note["code"] for note in found["hinweise"]] == [code]
    assert stored() == {}


def test_csv_packed_and_replacing_for_later(me: Sender) -> None:
    me.send(rows(row(), row(ars=BERLIN)))
    packed = gzip.compress(table(f"{HESSEN};{MAY};99"))
    url = f"{URL}?modus=ersetzen&umfang={MAY}"
    body = me.send(packed, url, Content_Encoding="gzip", **CSV, **LATER).json()
    assert tasks.work_on_delivery(body["id"])
    assert stored() == {(HESSEN, MAY): 99}


def test_a_dry_run_for_later_tells_at_its_address_what_it_found(me: Sender) -> None:
    body = me.send(rows(row(), probelauf=True), Idempotency_Key="a", **LATER).json()
    assert tasks.work_on_delivery(body["id"])
    found = me.get(body["url"].replace("http://testserver", "")).json()
    assert (found["status"], found["neu"]) == ("probelauf", 1)
    assert stored() == {}
    operator = Client()
    operator.force_login(UserFactory(is_operations=True))
    said = operator.get(f"/lieferungen/{body['id']}/").content.decode()
    assert "Ein Probelauf: Es wurde nichts gespeichert." in said
    assert "Gespeichert:" not in said
    problem(me.delete(body["url"].replace("http://testserver", "")), 409, "ruecknahme_unmoeglich")
    assert me.send(rows(row()), Idempotency_Key="a").status_code == 201


def test_a_repeat_while_it_waits_and_afterwards(me: Sender) -> None:
    first = me.send(rows(row()), Idempotency_Key="a", **LATER)
    again = me.send(rows(row()), Idempotency_Key="a", **LATER)
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert again["Location"] == first["Location"]
    problem(me.send(rows(row(1)), Idempotency_Key="a", **LATER), 422, "idempotenz_anderer_inhalt")
    problem(me.send(rows(row(1)), Idempotency_Key="a"), 422, "idempotenz_anderer_inhalt")
    assert DeliveryJob.objects.count() == Delivery.objects.count() == DeliveryChunk.objects.count() == 1
    tasks.work_on_delivery(first.json()["id"])
    for headers in (LATER, {}):
        done = me.send(rows(row()), Idempotency_Key="a", **headers)
        assert (done.status_code, done["Idempotent-Replayed"]) == (201, "true")
        assert done.json()["id"] == first.json()["id"]
    assert TransactionCount.objects.count() == 1


def test_waiting_work_does_not_expire(me: Sender) -> None:
    body = me.send(rows(row()), Idempotency_Key="a", **LATER).json()
    Delivery.objects.update(received_at=timezone.now() - dt.timedelta(hours=2), status="in_arbeit")
    contents.expire()
    assert me.send(rows(row()), Idempotency_Key="a", **LATER).status_code == 202
    assert tasks.work_on_delivery(body["id"])
    assert stored() == {(HESSEN, MAY): 12}


def test_work_that_broke_off_says_so_and_frees_the_key(me: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OSError

    body = me.send(rows(row()), Idempotency_Key="a", **LATER).json()
    with monkeypatch.context() as patched:
        patched.setattr(push, "check_message", fail)
        for _try in range(jobs.MOST_TRIES):
            assert not tasks.work_on_delivery(body["id"])
            DeliveryJob.objects.update(leased_until=None)
    found = me.get(body["url"].replace("http://testserver", "")).json()
    assert found["status"] == "abgelehnt"
    assert found["hinweise"][0]["code"] == "abgebrochen"
    assert me.send(rows(row()), Idempotency_Key="a").status_code == 201


def test_what_waits_is_not_delivered_for_a_key_that_was_revoked(me: Sender) -> None:
    body = me.send(rows(row()), **LATER).json()
    revoke_credential(credential=Credential.objects.get(), by=None)
    assert tasks.work_on_delivery(body["id"])
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.findings.get().code) == (Delivery.Status.REFUSED, "zugang_widerrufen")
    assert stored() == {}
    assert not DeliveryJob.objects.exists()


def test_limits_of_what_is_taken_for_later(me: Sender, settings: LazySettings) -> None:
    settings.MAX_ASYNC_BYTES, settings.MAX_PUSH_BYTES = 200, 10
    problem(me.send(b"x" * 201, **LATER), 413, "zu_gross")
    problem(me.send(gzip.compress(b" " * 201), Content_Encoding="gzip", **LATER), 413, "zu_gross")
    assert not Delivery.objects.exists()
    settings.MAX_ASYNC_ROWS = 0
    body = me.send(rows(row()), **LATER).json()
    tasks.work_on_delivery(body["id"])
    assert Delivery.objects.get().findings.get().code == "zeilen_zu_viele"
