"""`/api/v1/lieferungen` as others meet it: who may, every status, and what stays stored."""

import datetime as dt
import hashlib
import json
import threading
import uuid
from typing import Any, NamedTuple

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portals.models import Portal
from services.credentials import revoke_credential
from services.models import Credential, OnlineService, ReportingLevel
from tests.factories import PortalFactory, PortalServiceFactory, RegionFactory, ServiceFactory, api_key
from tests.transactions import country
from tests.transactions.country import BERLIN, FULDA, HANAU_OLD, HESSEN, MKK
from transactions import api, contents, delivery, push
from transactions.checks import Checked
from transactions.models import Delivery, DeliveryChunk, TransactionCount
from zsk import months

pytestmark = pytest.mark.django_db

URL = "/api/v1/lieferungen"
MAY = dt.date(2025, 5, 1)


class Sender(NamedTuple):
    """Somebody with a key, or without one."""

    credential: Credential | None
    headers: dict[str, str]

    def send(self, message: Any, url: str = URL, **headers: str) -> Any:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", "application/json")
        every = {"Content-Type": kind, "Content-Length": str(len(body)), **self.headers, **named}
        return Client().post(url, body, content_type=kind, headers=every)

    def get(self, url: str = URL, **query: Any) -> Any:
        return Client().get(url, query, headers=self.headers)

    def delete(self, url: str) -> Any:
        return Client().delete(url, headers=self.headers)


def sender(service: OnlineService | None = None, portal: Portal | None = None, **values: Any) -> Sender:
    credential, text = api_key(service, portal, **values)
    return Sender(credential, {"Authorization": f"Bearer {text}"})


NOBODY = Sender(None, {})


def row(anzahl: Any = 12, ars: Any = HESSEN, monat: Any = "2025-05", **more: Any) -> dict[str, Any]:
    return {"ars": ars, "monat": monat, "anzahl": anzahl, **more}


def rows(*several: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"zeilen": list(several), **more}


def stored() -> dict[tuple[str, str], int]:
    facts = TransactionCount.objects.values_list("ars", "month", "count")
    return {(ars, f"{month:%Y-%m}"): count for ars, month, count in facts}


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a problem, which says everything that RFC 9457 and the contract ask for."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"http://testserver/hilfe/fehler/{code}/"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def findings(answer: Any, status: int = 422, code: str = "zeilen_fehlerhaft") -> list[tuple[Any, ...]]:
    body = problem(answer, status, code)
    assert body["fehler_gesamt"] == len(body["fehler"])
    return [(one["zeile"], one["zeiger"], one["code"]) for one in body["fehler"]]


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory()


@pytest.fixture
def me(service: OnlineService) -> Sender:
    return sender(service)


# --- who may -------------------------------------------------------------------------------------


def test_without_a_key(service: OnlineService) -> None:
    answer = NOBODY.send(rows(row()))
    problem(answer, 401, "anmeldung_fehlt")
    assert answer["WWW-Authenticate"] == 'Bearer realm="ZSK"'
    for url in (URL, f"{URL}/{uuid.uuid4()}", f"{URL}/{uuid.uuid4()}/bericht"):
        problem(NOBODY.get(url), 401, "anmeldung_fehlt")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"Bearer zsk_{'a' * 16}_{'b' * 43}", "schluessel_unbekannt"),
        ("Bearer", "schluessel_unbekannt"),
        ("Basic dXNlcjpwYXNz", "anmeldung_verfahren"),
    ],
)
def test_unknown_key(service: OnlineService, text: str, code: str) -> None:
    answer = Sender(None, {"Authorization": text}).send(rows(row()))
    problem(answer, 401, code)
    assert answer["WWW-Authenticate"] == 'Bearer realm="ZSK"'


def test_expired_and_revoked_key(service: OnlineService) -> None:
    expired = sender(service, expires_at=timezone.now() - dt.timedelta(days=1))
    problem(expired.send(rows(row())), 403, "schluessel_abgelaufen")
    revoked = sender(service)
    assert revoked.credential
    revoke_credential(credential=revoked.credential, by=None)
    problem(revoked.send(rows(row())), 403, "schluessel_widerrufen")
    assert not stored()


def test_somebody_elses_service_looks_like_none(me: Sender) -> None:
    other = ServiceFactory()
    said = []
    for number in (other.number, "OS-999999"):
        answer = me.send(rows(row(onlineservice=number)))
        (finding,) = problem(answer, 422, "zeilen_fehlerhaft")["fehler"]
        assert finding.pop("wert") == number
        said.append(finding)
    assert said[0] == said[1]
    assert said[0]["code"] == "onlineservice_unbekannt"


def test_another_key_finds_nothing(me: Sender) -> None:
    url = me.send(rows(row()))["Location"]
    stranger = sender(ServiceFactory())
    problem(stranger.get(url), 404, "nicht_gefunden")
    problem(stranger.get(f"{url}/bericht"), 404, "nicht_gefunden")
    problem(stranger.delete(url), 404, "nicht_gefunden")
    assert stranger.get().json() == {"ergebnisse": [], "weiter": None}
    assert stored()


def test_portal_key_by_number_and_by_kennung(country_regions: None) -> None:
    portal = PortalFactory()
    first, second = ServiceFactory(portal=portal, portal__kennung="hund-7"), ServiceFactory(portal=portal)
    theirs = sender(portal=portal)
    sent = rows(
        row(1, onlineservice="hund-7"),
        row(2, onlineservice=second.number),
        row(3, MKK, onlineservice=first.number),
    )
    assert theirs.send(sent).status_code == 201
    assert set(TransactionCount.objects.values_list("service", "count")) == {
        (first.pk, 1),
        (first.pk, 3),
        (second.pk, 2),
    }
    assert findings(theirs.send(rows(row())), 400, "nicht_lesbar") == [
        (2, "/zeilen/0/onlineservice", "feld_fehlt")
    ]


def test_portal_key_only_while_the_portal_holds_the_service(country_regions: None) -> None:
    link = PortalServiceFactory(service=ServiceFactory(), until=timezone.localdate())
    theirs = sender(portal=link.portal)
    assert findings(theirs.send(rows(row(onlineservice=link.service.number)))) == [
        (2, "/zeilen/0/onlineservice", "onlineservice_unbekannt")
    ]


def test_no_session_and_no_cookie(me: Sender) -> None:
    for answer in (me.send(rows(row())), me.get(), NOBODY.send(b"{"), NOBODY.get("/api/v1/unbekannt")):
        assert not answer.cookies
        assert "Cookie" not in answer.get("Vary", "")
    assert me.get()["Cache-Control"] == "private, no-store"


# --- stored --------------------------------------------------------------------------------------


def test_stored(me: Sender, service: OnlineService) -> None:
    answer = me.send(rows(row(1204), row(0, BERLIN), anzahl_zeilen=2))
    delivery = Delivery.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"http://testserver{URL}/{delivery.pk}"
    assert answer.json() == {
        "id": str(delivery.pk), "status": "uebernommen", "neu": 2, "geaendert": 0, "unveraendert": 0,
        "geloescht": 0, "hinweise": [], "url": answer["Location"],
    }  # fmt: skip
    assert stored() == {(HESSEN, "2025-05"): 1204, (BERLIN, "2025-05"): 0}
    assert (delivery.channel, delivery.credential) == (Delivery.Channel.PUSH, me.credential)


def test_changed_same_and_taken_back(me: Sender) -> None:
    me.send(rows(row(1), row(2, BERLIN), row(3, BERLIN, "2025-04")))
    answer = me.send(rows(row(5), row(2, BERLIN), row(None, BERLIN, "2025-04")))
    counts = {name: answer.json()[name] for name in ("neu", "geaendert", "unveraendert", "geloescht")}
    assert counts == {"neu": 0, "geaendert": 1, "unveraendert": 1, "geloescht": 1}
    assert stored() == {(HESSEN, "2025-05"): 5, (BERLIN, "2025-05"): 2}


def test_the_same_again_changes_nothing(me: Sender) -> None:
    assert me.send(rows(row())).status_code == 201
    again = me.send(rows(row()))
    assert (again.status_code, again.json()["unveraendert"]) == (200, 1)
    assert again["Location"]
    assert "Idempotent-Replayed" not in again


def test_dry_run_stores_nothing(me: Sender) -> None:
    answer = me.send(rows(row(), probelauf=True))
    assert answer.status_code == 200
    assert answer.json() == {
        "id": None, "status": "probelauf", "neu": 1, "geaendert": 0, "unveraendert": 0, "geloescht": 0,
        "hinweise": [], "url": None,
    }  # fmt: skip
    assert findings(me.send(rows(row(-1), probelauf=True))) == [(2, "/zeilen/0/anzahl", "anzahl_negativ")]
    assert not stored()
    assert not Delivery.objects.exists()


def test_a_refused_delivery_is_kept(me: Sender) -> None:
    body = problem(me.send(rows(row(), row("x"))), 422, "zeilen_fehlerhaft")
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.fault_count, delivery.row_count) == ("abgelehnt", 1, 2)
    assert body["url"].endswith(str(delivery.pk))
    kept = me.get(body["url"]).json()
    assert (kept["status"], kept["hinweise"]) == ("abgelehnt", body["fehler"])
    assert not stored()


def test_the_running_month_is_a_warning(me: Sender) -> None:
    answer = me.send(rows(row(monat=f"{months.running():%Y-%m}")))
    assert answer.status_code == 201
    (note,) = answer.json()["hinweise"]
    assert note["code"] == "monat_laufend"
    assert me.get(answer["Location"]).json()["hinweise"] == [note]


def test_replacing(me: Sender, service: OnlineService) -> None:
    me.send(rows(row(1), row(2, BERLIN), row(3, BERLIN, "2025-04")))
    scope = [{"onlineservice": service.number, "monat": "2025-05"}]
    answer = me.send(rows(row(9), modus="ersetzen", umfang=scope))
    assert (answer.json()["geaendert"], answer.json()["geloescht"]) == (1, 1)
    assert stored() == {(HESSEN, "2025-05"): 9, (BERLIN, "2025-04"): 3}
    assert Delivery.objects.first().mode == "ersetzen"  # type: ignore[union-attr]
    empty = me.send(rows(modus="ersetzen", umfang=[{"monat": "2025-05"}]))
    assert empty.json()["geloescht"] == 1
    assert stored() == {(BERLIN, "2025-04"): 3}


def test_a_row_outside_of_the_scope(me: Sender) -> None:
    sent = rows(row(), row(1, BERLIN, "2025-04"), modus="ersetzen", umfang=[{"monat": "2025-05"}])
    assert findings(me.send(sent)) == [(3, "/zeilen/1/monat", "umfang_fremd")]


def test_scope_of_somebody_else(me: Sender) -> None:
    foreign = {"onlineservice": ServiceFactory().number, "monat": "2025-05"}
    sent = rows(row("x"), modus="ersetzen", umfang=[{"monat": "2025-05"}, foreign])
    assert findings(me.send(sent)) == [
        (None, "/umfang/1", "onlineservice_unbekannt"),
        (2, "/zeilen/0/anzahl", "anzahl_typ"),
    ]


# --- not readable --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_unlesbar"),
        (b"{", "json_unlesbar"),
        (b'{"zeilen": [{"ars": "060000000000", "monat": "2025-05", "anzahl": NaN}]}', "json_zahl"),
        (b'{"zeilen": [], "zeilen": []}', "json_doppelt"),
        ('{"modus": "ä"}'.encode("latin-1"), "json_kodierung"),
        (b"[" * 100_000, "json_tiefe"),
        (rb'{"zeilen": [{"ars": "\u0000", "monat": "2025-05", "anzahl": 1}]}', "json_zeichen"),
        (rb'{"\udfff": 1}', "json_zeichen"),
        (b'{"zeilen": {}}', "feld_typ"),
        (b"{}", "feld_fehlt"),
        (b'{"zeilen": [{"ars": "060000000000", "monat": "2025-05"}]}', "feld_fehlt"),
        (b'{"zeilen": [{"ars": "060000000000", "monat": "2025-05", "anzahl": 1, "x": 1}]}', "feld_unbekannt"),
        (b'{"zeilen": [], "modus": "ersetzen"}', "umfang_fehlt"),
        (b'{"zeilen": [], "umfang": []}', "umfang_ueberfluessig"),
    ],
)  # fmt: skip
def test_not_readable(me: Sender, body: bytes, code: str) -> None:
    (found,) = problem(me.send(body), 400, "nicht_lesbar")["fehler"]
    assert found["code"] == code
    assert found["meldung"]
    assert Delivery.objects.get().status == "abgelehnt"


def test_a_byte_order_mark_does_no_harm(me: Sender) -> None:
    assert me.send(b"\xef\xbb\xbf" + json.dumps(rows(row())).encode()).status_code == 201


def test_parameters_of_the_address_are_refused(me: Sender) -> None:
    """Who writes `?probelauf=true` does not want anything stored."""
    body = problem(me.send(rows(row()), f"{URL}?probelauf=true"), 400, "nicht_lesbar")
    assert "probelauf" in body["detail"]
    problem(me.get(seit="2025-01-01"), 400, "nicht_lesbar")
    assert not stored()


def test_too_large(me: Sender, settings: LazySettings) -> None:
    settings.MAX_PUSH_BYTES = 80
    assert me.send(rows(row())).status_code == 201
    problem(me.send(rows(row(), row(1, BERLIN))), 413, "zu_gross")


def test_too_many_rows(me: Sender, settings: LazySettings) -> None:
    settings.MAX_PUSH_ROWS = 1
    (found,) = problem(me.send(rows(row(), row(1, BERLIN))), 413, "zu_gross")["fehler"]
    assert found["code"] == "zeilen_zu_viele"
    assert not stored()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_other_media_type(me: Sender, kind: str) -> None:
    problem(me.send(b"{}", Content_Type=kind), 415, "medientyp")


def test_media_type_may_name_its_encoding(me: Sender) -> None:
    assert me.send(rows(row()), Content_Type="application/json; charset=utf-8").status_code == 201


def test_content_without_a_length(me: Sender) -> None:
    answer = Client().generic("POST", URL, headers={**me.headers, "Content-Type": "application/json"})
    assert "Content-Length" in problem(answer, 400, "nicht_lesbar")["detail"]


# --- rows at fault -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("5", "anzahl_typ"), (12.0, "anzahl_typ"), (True, "anzahl_typ"), ([1], "anzahl_typ"),
        (-1, "anzahl_negativ"), (1_000_000_001, "anzahl_zu_gross"), (10**3_000, "anzahl_zu_gross"),
    ],
)  # fmt: skip
def test_strict_counts(me: Sender, value: Any, code: str) -> None:
    assert findings(me.send(rows(row(), row(value, BERLIN)))) == [(3, "/zeilen/1/anzahl", code)]


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        (row(ars=60000000000), "ars", "feld_typ"),
        (row(ars=None), "ars", "feld_typ"),
        (row(ars="60000000000"), "ars", "ars_fuehrende_null"),
        (row(ars="060000000001"), "ars", "ars_unbekannt"),
        (row(ars=HANAU_OLD, monat="2026-02"), "ars", "ars_beendet"),
        (row(monat=202505), "monat", "feld_typ"),
        (row(monat="Mai 2025"), "monat", "monat_form"),
        (row(monat="2025-5"), "monat", "monat_form"),
        (row(monat="2999-01"), "monat", "monat_zukunft"),
        (row(onlineservice=7), "onlineservice", "feld_typ"),
        (row(onlineservice=""), "onlineservice", "onlineservice_fehlt"),
    ],
)  # fmt: skip
def test_cells_at_fault(me: Sender, sent: dict[str, Any], field: str, code: str) -> None:
    assert findings(me.send(rows(sent))) == [(2, f"/zeilen/0/{field}", code)]
    assert not stored()


def test_the_finding_of_the_contract(me: Sender) -> None:
    sent = [row(1, HESSEN, f"2025-0{month}") for month in range(1, 6)]
    body = problem(me.send(rows(*sent, row(ars="60000000000"))), 422, "zeilen_fehlerhaft")
    assert body["fehler"] == [{
        "zeile": 7, "zeiger": "/zeilen/5/ars", "feld": "ars", "wert": "60000000000",
        "code": "ars_fuehrende_null", "meldung": body["fehler"][0]["meldung"], "vorschlag": "060000000000",
    }]  # fmt: skip
    assert body["fehler"][0]["meldung"].startswith("Dem Regionalschlüssel fehlt die führende Null")


def test_every_fault_is_named(me: Sender) -> None:
    sent = rows(row("x", "1", "Mai"), row(), row())
    assert findings(me.send(sent)) == [
        (2, "/zeilen/0/anzahl", "anzahl_typ"),
        (2, "/zeilen/0/ars", "ars_laenge"),
        (2, "/zeilen/0/monat", "monat_form"),
        (4, "/zeilen/2/ars", "zeile_doppelt"),
    ]


def test_no_rows_and_another_number_of_rows(me: Sender) -> None:
    assert findings(me.send(rows())) == [(None, "/zeilen", "zeilen_leer")]
    assert findings(me.send(rows(row(), anzahl_zeilen=2))) == [(None, "/anzahl_zeilen", "zeilenzahl")]


@pytest.mark.parametrize("dry", [False, True])
def test_a_thousand_faults_are_listed_and_all_are_counted(me: Sender, dry: bool) -> None:
    sent = rows(*(row("x", "1") for _index in range(600)), probelauf=dry)
    body = problem(me.send(sent), 422, "zeilen_fehlerhaft")
    assert (len(body["fehler"]), body["fehler_gesamt"]) == (1_000, 1_200)
    assert "1200 Fehler" in body["detail"]
    if not dry:
        report = b"".join(me.get(f"{body['url']}/bericht").streaming_content).decode()
        assert report.count(";fehler;") == 600


def test_blanks_in_a_key_are_for_files_only(me: Sender) -> None:
    assert findings(me.send(rows(row(ars="06 0000000000")))) == [(2, "/zeilen/0/ars", "ars_zeichen")]


def test_a_thousand_warnings_are_listed_at_once_and_again(
    me: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MAX_FINDINGS_KEPT", 1)
    monkeypatch.setattr(delivery, "MAX_FINDINGS_KEPT", 1)
    message = rows(row(1, HESSEN), row(2, MKK), row(1, HESSEN, "2025-06"), row(2, MKK, "2025-06"))
    answers = [me.send(message, Idempotency_Key="k").json()["hinweise"] for _again in range(2)]
    assert len(answers[0]) == 1
    assert answers[0] == answers[1]


def test_english_on_request(me: Sender) -> None:
    german = problem(me.send(rows(row("x"))), 422, "zeilen_fehlerhaft")
    english = problem(me.send(rows(row("x")), Accept_Language="en"), 422, "zeilen_fehlerhaft")
    assert (
        german["fehler"][0]["meldung"] == "„anzahl“ muss eine ganze Zahl ab 0 oder null sein, nicht ein Text."
    )
    assert english["fehler"][0]["meldung"] == "“anzahl” must be a whole number from 0 up or null, not a text."
    for part in ("title", "detail"):
        assert german[part] != english[part]
    kept = me.get(english["url"]).json()["hinweise"]
    assert kept == german["fehler"]


def test_what_is_stored_is_german_whoever_sent_it(me: Sender) -> None:
    month = f"{months.running():%Y-%m}"
    first = me.send(rows(row(monat=month)), Accept_Language="en").json()["hinweise"][0]
    assert first["meldung"].endswith("The number is shown as provisional until the month is over.")
    params = Delivery.objects.get().findings.get().params
    assert (
        params["monat"].partition(" ")[0]
        in "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    )


# --- Idempotency-Key -----------------------------------------------------------------------------


def test_a_repeat_gets_the_first_answer(me: Sender) -> None:
    first = me.send(rows(row()), Idempotency_Key="a")
    again = me.send(rows(row()), Idempotency_Key="a")
    assert (again.status_code, again.content, again["Location"]) == (201, first.content, first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Delivery.objects.count() == 1


def test_a_repeat_of_what_was_refused(me: Sender) -> None:
    for sent, status in ((rows(row("x"), row("y")), 422), (b"{", 400)):
        first = me.send(sent, Idempotency_Key=str(status))
        again = me.send(sent, Idempotency_Key=str(status))
        assert (first.status_code, again.status_code, again.content) == (status, status, first.content)
        assert again["Idempotent-Replayed"] == "true"


def test_a_repeat_after_an_undo(me: Sender) -> None:
    first = me.send(rows(row()), Idempotency_Key="a")
    me.delete(first["Location"])
    again = me.send(rows(row()), Idempotency_Key="a")
    assert (again.status_code, again.content) == (201, first.content)
    assert not stored()
    assert me.send(rows(row())).status_code == 201
    assert stored()


def test_the_same_key_for_other_content(me: Sender) -> None:
    me.send(rows(row()), Idempotency_Key="a")
    problem(me.send(rows(row(13)), Idempotency_Key="a"), 422, "idempotenz_anderer_inhalt")
    assert stored() == {(HESSEN, "2025-05"): 12}


def test_keys_of_two_credentials_are_their_own(me: Sender) -> None:
    me.send(rows(row()), Idempotency_Key="a")
    assert sender(ServiceFactory()).send(rows(row()), Idempotency_Key="a").status_code == 201


def test_a_dry_run_leaves_the_key_free(me: Sender) -> None:
    me.send(rows(row(), probelauf=True), Idempotency_Key="a")
    assert me.send(rows(row()), Idempotency_Key="a").status_code == 201


def test_a_key_is_too_long(me: Sender) -> None:
    problem(me.send(rows(row()), Idempotency_Key="a" * 256), 400, "idempotenz_form")
    assert me.send(rows(row()), Idempotency_Key="a" * 255).status_code == 201


def _running(me: Sender, age: dt.timedelta) -> Delivery:
    body = json.dumps(rows(row())).encode()
    return Delivery.objects.create(
        credential=me.credential, client_key="a", channel="push", status="in_arbeit", actor="Test",
        received_at=timezone.now() - age, content_hash=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip


def test_a_key_that_is_in_use(me: Sender) -> None:
    _running(me, dt.timedelta(seconds=50))
    answer = me.send(rows(row()), Idempotency_Key="a")
    problem(answer, 409, "anfrage_laeuft")
    assert answer["Retry-After"] == "20"


def test_a_key_that_a_dead_process_left_behind(me: Sender) -> None:
    left = _running(me, dt.timedelta(seconds=70))
    assert me.send(rows(row()), Idempotency_Key="a").status_code == 201
    assert not Delivery.objects.filter(pk=left.pk).exists()


def test_what_a_dead_process_left_behind_goes_with_time(me: Sender) -> None:
    _running(me, dt.timedelta(minutes=9))
    contents.expire()
    assert Delivery.objects.count() == 1
    contents.expire(now=timezone.now() + dt.timedelta(minutes=2))
    assert not Delivery.objects.exists()


def test_a_key_is_free_again_after_90_days(me: Sender) -> None:
    me.send(rows(row()), Idempotency_Key="a")
    Delivery.objects.update(received_at=timezone.now() - dt.timedelta(days=91))
    assert me.send(rows(row(13)), Idempotency_Key="a").status_code == 201
    assert Delivery.objects.count() == 2


def test_a_failure_leaves_the_key_free(me: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("Geheimes aus dem Inneren")

    with monkeypatch.context() as broken:
        broken.setattr(push, "take", fail)
        answer = me.send(rows(row()), Idempotency_Key="a")
    problem(answer, 500, "fehler")
    assert "Geheimes" not in answer.content.decode()
    assert not Delivery.objects.exists()
    assert me.send(rows(row()), Idempotency_Key="a").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_with_the_same_key(me: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes while the first is inside its transaction."""
    inside, go_on = threading.Event(), threading.Event()
    take = push.take

    def slow(*args: Any, **more: Any) -> Checked:
        inside.set()
        assert go_on.wait(10)
        return take(*args, **more)

    monkeypatch.setattr(push, "take", slow)
    answers: list[Any] = []

    def first() -> None:
        answers.append(me.send(rows(row()), Idempotency_Key="a"))
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    second = me.send(rows(row()), Idempotency_Key="a")
    go_on.set()
    thread.join(10)
    problem(second, 409, "anfrage_laeuft")
    assert answers[0].status_code == 201
    third = me.send(rows(row()), Idempotency_Key="a")
    assert (third.status_code, third.content) == (201, answers[0].content)


@pytest.mark.django_db(transaction=True)
def test_what_another_delivery_made_wrong_meanwhile_is_refused_and_kept(me: Sender) -> None:
    """The push is checked while the other delivery is not committed yet, and waits for its lock."""
    OnlineService.objects.update(reporting_level=ReportingLevel.MIXED)
    answers: list[Any] = []

    def push_parts() -> None:
        answers.append(me.send(rows(row(3, MKK), row(4, FULDA))))
        connection.close()

    thread = threading.Thread(target=push_parts)
    with transaction.atomic():
        country.delivered(country.row(OnlineService.objects.get(), HESSEN, 7))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert findings(answers[0]) == [(2, "/zeilen/0/ars", "doppelzaehlung")]
    assert stored() == {(HESSEN, "2025-05"): 7}
    refused = Delivery.objects.get(status=Delivery.Status.REFUSED)
    assert contents.open_content(refused).read()


# --- looking up and taking back ------------------------------------------------------------------


def test_list_newest_first_page_by_page(me: Sender) -> None:
    sent = [me.send(rows(row(count))).json()["id"] for count in range(5)]
    seen, url = [], f"{URL}?limit=2"
    while url:
        page = me.get(url).json()
        assert len(page["ergebnisse"]) <= 2
        seen += [item["id"] for item in page["ergebnisse"]]
        url = page["weiter"]
    assert seen == sent[::-1]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"limit": "²"}, {"vor": "x"}]
)
def test_list_with_wrong_parameters(me: Sender, query: dict[str, str]) -> None:
    problem(me.get(**query), 400, "nicht_lesbar")


def test_list_costs_the_same_for_any_length(
    me: Sender, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me.send(rows(row("x")))
    me.get()
    with django_assert_num_queries(5):
        me.get()
    for _count in range(5):
        me.send(rows(row("x")))
    with django_assert_num_queries(5):
        assert len(me.get().json()["ergebnisse"]) == 6


def test_a_key_of_one_service_sees_only_its_part_of_a_portals_delivery(
    me: Sender, service: OnlineService
) -> None:
    other = ServiceFactory()
    portal = PortalFactory()
    for one in (service, other):
        PortalServiceFactory(portal=portal, service=one)
    running = f"{months.running():%Y-%m}"
    sent = sender(portal=portal)
    answer = sent.send(
        rows(
            row(1, onlineservice=service.number), row(2, BERLIN, running, onlineservice=other.number),
            row(3, MKK, onlineservice=other.number),
        )
    )  # fmt: skip
    url = answer["Location"]
    assert [answer.json()["neu"], len(answer.json()["hinweise"])] == [3, 1]
    assert sent.get(url).json() == answer.json()
    assert sent.get().json()["ergebnisse"] == [answer.json()]
    for seen in (me.get(url).json(), me.get().json()["ergebnisse"][0]):
        assert [seen["neu"], seen["hinweise"]] == [1, []]
    problem(me.get(f"{url}/bericht"), 404, "nicht_gefunden")
    assert sent.get(f"{url}/bericht").status_code == 200


def test_the_list_names_twenty_findings_of_each_delivery(me: Sender) -> None:
    url = me.send(rows(*[row("x")] * 30)).json()["url"]
    assert len(me.get().json()["ergebnisse"][0]["hinweise"]) == 20
    assert len(me.get(url).json()["hinweise"]) == 30


def test_one_delivery(me: Sender) -> None:
    answer = me.send(rows(row()))
    assert me.get(answer["Location"]).json() == answer.json()
    problem(me.get(f"{URL}/{uuid.uuid4()}"), 404, "nicht_gefunden")


def test_report(me: Sender) -> None:
    answer = me.get(me.send(rows(row(), row(None, BERLIN)))["Location"] + "/bericht")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").split("\r\n")
    assert lines[0] == "onlineservice;ars;monat;anzahl;ergebnis;hinweis"
    assert lines[1].endswith(f";{HESSEN};2025-05;12;neu;")
    assert lines[2].endswith(";löschen;unverändert;")


def test_report_whatever_format_is_asked_for(me: Sender) -> None:
    url = me.send(rows(row()))["Location"] + "/bericht"
    answer = Client().get(url, headers={**me.headers, "Accept": "text/csv"})
    assert answer.status_code == 200


def test_report_that_is_no_longer_kept(me: Sender) -> None:
    url = me.send(rows(row()))["Location"]
    DeliveryChunk.objects.all().delete()
    problem(me.get(f"{url}/bericht"), 410, "bericht_abgelaufen")


def test_undo(me: Sender) -> None:
    me.send(rows(row(1)))
    second = me.send(rows(row(2), row(5, BERLIN)))["Location"]
    answer = me.delete(second)
    assert answer.status_code == 200
    assert (answer.json()["geaendert"], answer.json()["geloescht"]) == (1, 1)
    assert answer.json()["url"] != second
    assert me.get(second).json()["status"] == "rueckgaengig"
    assert stored() == {(HESSEN, "2025-05"): 1}


def test_undo_that_is_too_late(me: Sender) -> None:
    first = me.send(rows(row(1)))["Location"]
    me.send(rows(row(2)))
    problem(me.delete(first), 409, "ruecknahme_unmoeglich")
    assert stored() == {(HESSEN, "2025-05"): 2}


def test_undo_twice(me: Sender) -> None:
    url = me.send(rows(row(1)))["Location"]
    me.delete(url)
    problem(me.delete(url), 409, "ruecknahme_unmoeglich")


# --- cost ----------------------------------------------------------------------------------------


@pytest.fixture
def many_regions(country_regions: None) -> list[str]:
    return [RegionFactory(ars=f"06631{number:04d}{number:03d}").ars for number in range(100, 350)]


def _send_many(me: Sender, regions: list[str], count: int) -> Any:
    """Numbers that nothing is to be said about: neither all equal nor those of the month before."""
    sent = [
        row(count + place % 9 + month, ars, f"2025-0{month}")
        for month in range(1, 5)
        for place, ars in enumerate(regions)
    ]
    return me.send(rows(*sent))


def test_a_thousand_rows_cost_hardly_more_queries_than_one(
    me: Sender, many_regions: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me.send(rows(row(7, BERLIN)))
    with CaptureQueriesContext(connection) as one:
        assert me.send(rows(row(7, many_regions[0]))).status_code == 201
    assert len(one) <= 13
    # Of months that nothing is stored for, which is asked twice, the numbers are copied to the facts.
    with django_assert_num_queries(len(one) + 2):
        assert _send_many(me, many_regions, 8).status_code == 201
    # Others are staged: by COPY, a setting of the planner, and clearing up. And they are written by several
    # statements, not by one.
    with django_assert_num_queries(len(one) + 8):
        assert _send_many(me, many_regions, 9).status_code == 201


def test_faulty_rows_cost_no_more_queries(
    me: Sender, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me.send(rows(row("x")))
    with CaptureQueriesContext(connection) as one:
        me.send(rows(row("x")))
    assert len(one) <= 15
    with django_assert_num_queries(len(one)):
        me.send(rows(*[row("x")] * 200))
