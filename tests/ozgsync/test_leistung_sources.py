"""Leistungen from the FIM-Portal and the OZG database, over real HTTP in the documented formats."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from celery.schedules import crontab
from django.core.management import CommandError, call_command
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ozgsync import sources
from ozgsync.models import Leistung, LeistungChange, OzgLeistung, OzgOnlineService, SyncRun, Themenfeld
from ozgsync.search import find_leistungen
from ozgsync.sources.ozg import LISTS
from ozgsync.sync import http, running
from zsk.feeds import Feed

pytestmark = pytest.mark.django_db
Status = SyncRun.Status
HUNDESTEUER = "99102013000000"
FESTSETZUNG = "99102013002000"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.PatientRetry, "sleep", lambda self, response=None: None)


@pytest.fixture
def fim(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    return _at(httpserver, settings, "fim")


@pytest.fixture
def ozg(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    return _at(httpserver, settings, "ozg")


def _at(server: HTTPServer, settings: Any, name: str) -> HTTPServer:
    feed = Feed(server.url_for("").rstrip("/") + ("/ozg" if name == "ozg" else ""), "geheim", crontab())
    settings.SYNC_FEEDS = {**settings.SYNC_FEEDS, name: feed}
    return server


def entry(key: str = HUNDESTEUER, name: str = "Hundesteuer", **more: Any) -> dict[str, Any]:
    return {"leistungsschluessel": key, "leistungsbezeichnung": name, "typisierung": ["2", "4"], **more}


BUNDLE = {
    "leistungsschluessel": HUNDESTEUER, "id": "10012", "leistung": "Steuern für Tiere",
    "themenfeld": "steuern", "themenfeld_label": "Steuern & Zoll", "vollzugsbehoerden": [],
}  # fmt: skip


def serve_fim(
    server: HTTPServer, items: list[Any], *, total: int | None = None
) -> list[dict[str, list[str]]]:
    """Pages of the portal; returns the queries that it gets."""
    asked: list[dict[str, list[str]]] = []

    def answer(request: Request) -> Response:
        query = parse_qs(request.query_string.decode())
        asked.append(query)
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        part = items[offset : offset + limit]
        body = {"items": part, "offset": offset, "limit": limit, "count": len(part)}
        return Response(json.dumps({**body, "total_count": len(items) if total is None else total}))

    server.expect_request("/api/v0/leistung-steckbriefe").respond_with_handler(answer)
    return asked


def run(name: str, **options: Any) -> SyncRun:
    return running.run(sources.source(name), **options)


def test_fim_pages_become_leistungen_with_their_bundle(fim: HTTPServer) -> None:
    many = [entry(f"99{number:012}", f"Leistung {number}") for number in range(450)]
    asked = serve_fim(fim, [entry(ozg=BUNDLE), *many])
    done = run("fim")
    assert (done.status, done.error) == (Status.APPLIED, "")
    assert [query["offset"] for query in asked] == [["0"], ["200"], ["400"]]
    assert fim.log[0][0].headers["Authorization"] == "Bearer geheim"
    found = Leistung.objects.get(pk=HUNDESTEUER)
    assert (found.name, found.types, found.name_source) == ("Hundesteuer", ["2", "4"], "FIM")
    assert found.ozg_leistung == OzgLeistung.objects.get(name="Steuern für Tiere")
    assert found.ozg_leistung.themenfeld == Themenfeld.objects.get(name="Steuern & Zoll")
    assert run("fim", everything=True).status == Status.SAME


def test_the_name_for_citizens_is_found(fim: HTTPServer) -> None:
    serve_fim(fim, [entry(leistungsbezeichnung_2="Hund anmelden"), entry(FESTSETZUNG)])
    run("fim")
    assert [found.pk for found in find_leistungen("hund anmelden")] == [HUNDESTEUER]


def test_fim_asks_for_changes_since_the_last_run(fim: HTTPServer) -> None:
    asked = serve_fim(fim, [entry()])
    first = run("fim")
    run("fim")
    assert "updated_since" not in asked[0]
    assert asked[1]["updated_since"] == [first.cursor]
    assert dt.date.fromisoformat(first.cursor) < first.day


def test_a_superseded_key_leads_to_its_successor(fim: HTTPServer) -> None:
    old = entry(HUNDESTEUER, gueltig_bis="2026-01-01", nachfolger=[FESTSETZUNG])
    serve_fim(fim, [old, entry(FESTSETZUNG, "Hundesteuer Festsetzung")])
    run("fim")
    assert Leistung.objects.get(pk=HUNDESTEUER).valid_to == dt.date(2026, 1, 1)
    change = LeistungChange.objects.get()
    assert (change.old_id, change.new_id, change.effective) == (HUNDESTEUER, FESTSETZUNG, dt.date(2026, 1, 1))


def test_what_a_complete_answer_lacks_has_ended(fim: HTTPServer) -> None:
    serve_fim(fim, [entry(), entry(FESTSETZUNG)])
    run("fim")
    fim.clear()
    serve_fim(fim, [entry()])
    done = run("fim", everything=True)
    assert done.ended_count == 1
    assert Leistung.objects.get(pk=FESTSETZUNG).valid_to == done.day


def test_the_starter_catalogue_is_taken_over_and_never_ended(fim: HTTPServer) -> None:
    Leistung.objects.create(schluessel=HUNDESTEUER, name="umschrieben", confidence="1 Quelle")
    Leistung.objects.create(
        schluessel=FESTSETZUNG, name="umschrieben", name_source="FIM", confidence="1 Quelle"
    )
    serve_fim(fim, [entry()])
    run("fim")
    taken = Leistung.objects.get(pk=HUNDESTEUER)
    assert (taken.name, taken.confidence) == ("Hundesteuer", "")
    assert Leistung.objects.get(pk=FESTSETZUNG).valid_to is None


def test_overload_is_waited_out(fim: HTTPServer) -> None:
    path = "/api/v0/leistung-steckbriefe"
    fim.expect_ordered_request(path).respond_with_data("", status=429, headers={"Retry-After": "1"})
    body = {"items": [entry()], "offset": 0, "limit": 200, "count": 1, "total_count": 1}
    fim.expect_ordered_request(path).respond_with_json(body)
    assert run("fim").status == Status.APPLIED


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (Response("", status=503), "Status 503"),
        (Response("", status=401), "Token"),
        (Response(""), "leer"),
        (Response("<html><body>Wartung</body></html>"), "HTML"),
        (Response('{"items": [{"leis'), "kein vollständiges JSON"),
        (Response('{"items": [], "total_count": 0}'.encode("utf-16")), "UTF-8"),
        (Response('{"items": [], "total_count": 0}'), "keine einzige"),
        (Response('{"items": [], "total_count": 7}'), "nennt 7 Einträge und liefert 0"),
        (Response('{"total_count": 1}'), "items"),
        (Response("[]"), "kein JSON-Objekt"),
        (Response('{"items": []}'), "total_count"),
        (Response(iter([b'{"items": ']), headers={"Content-Length": "99"}), "abgebrochen"),
    ],
)  # fmt: skip
def test_an_unusable_answer_changes_nothing_and_says_why(
    fim: HTTPServer, response: Response, said: str
) -> None:
    Leistung.objects.create(schluessel=HUNDESTEUER, name="Hundesteuer", name_source="FIM")
    fim.expect_request("/api/v0/leistung-steckbriefe").respond_with_response(response)
    done = run("fim")
    assert done.status == Status.FAILED
    assert said in done.error
    assert "geheim" not in done.error
    assert Leistung.objects.get(pk=HUNDESTEUER).valid_to is None


def test_a_source_that_lies_about_its_count_is_not_believed(fim: HTTPServer) -> None:
    serve_fim(fim, [entry(), entry(FESTSETZUNG)], total=1)
    done = run("fim")
    assert (done.status, done.error) == (Status.FAILED, "Die Quelle nennt 1 Einträge und liefert 2.")


def test_a_source_that_is_down_is_named_without_its_secrets(settings: Any) -> None:
    feed = Feed("http://127.0.0.1:9/x?token=geheim", "geheim", crontab())
    settings.SYNC_FEEDS = {**settings.SYNC_FEEDS, "fim": feed}
    done = run("fim")
    assert (done.status, "nicht erreichbar" in done.error, "geheim" in done.error) == (
        Status.FAILED,
        True,
        False,
    )


def test_one_bad_entry_is_left_out_named_and_ends_nothing(fim: HTTPServer) -> None:
    good = [entry(f"99{number:012}", f"Leistung {number}") for number in range(150)]
    serve_fim(fim, good)
    run("fim")
    fim.clear()
    serve_fim(fim, [*good[:-1], entry("9910201300200", "zu kurz")])
    done = run("fim", everything=True)
    assert done.ended_count == 0
    assert done.warnings == [
        'Seite 1, Eintrag 150: Leistungsschlüssel "9910201300200" hat nicht die Form 99 und zwölf Ziffern;'
        " ausgelassen."
    ]


@pytest.mark.parametrize("successors", [7, "99102013002000", {"a": 1}, [None], [7]])
def test_successors_that_are_no_list_of_keys_are_named(fim: HTTPServer, successors: Any) -> None:
    good = [entry(f"99{number:012}", f"Leistung {number}") for number in range(150)]
    serve_fim(fim, [*good, entry(gueltig_bis="2026-01-01", nachfolger=successors)])
    done = run("fim")
    assert done.status == Status.APPLIED
    assert "Eintrag 151" in done.warnings[0]


# --- the OZG database ----------------------------------------------------------------------------


def ozg_page(number: int = 1, pages: int = 1, total: int = 4, **lists: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in LISTS}
    return {"stand": "2026-11-20", "seite": number, "seiten": pages, "anzahl": total, **empty, **lists}


FIELD = {"kuerzel": "steuern", "name": "Steuern & Zoll"}
OZG_BUNDLE = {"ozg_id": "10012", "name": "Steuern für Tiere", "themenfeld": "steuern"}
OZG_LEISTUNG = {
    "leistungsschluessel": HUNDESTEUER, "name": "Hundesteuer", "typisierung": ["5"],
    "ozg_id": "10012", "fokus": True,
}  # fmt: skip
OZG_SERVICE = {"nummer": "OS-77", "name": "Hund anmelden", "leistungsschluessel": HUNDESTEUER}


def serve_ozg(server: HTTPServer, *pages: dict[str, Any]) -> None:
    for number, body in enumerate(pages, start=1):
        server.expect_request("/ozg", query_string={"seite": str(number)}).respond_with_json(body)


def test_ozg_pages_become_bundles_leistungen_and_services(ozg: HTTPServer) -> None:
    serve_ozg(
        ozg,
        ozg_page(1, 2, themenfelder=[FIELD], ozg_leistungen=[OZG_BUNDLE]),
        ozg_page(2, 2, leistungen=[OZG_LEISTUNG], onlineservices=[OZG_SERVICE]),
    )
    done = run("ozg")
    assert (done.status, done.error, done.version) == (Status.APPLIED, "", "2026-11-20")
    service = OzgOnlineService.objects.select_related("leistung__ozg_leistung__themenfeld").get()
    assert (service.name, service.leistung.focus) == ("Hund anmelden", True)
    assert service.leistung.ozg_leistung.themenfeld.name == "Steuern & Zoll"


def test_the_fim_portal_knows_names_better_and_the_ozg_database_bundles(ozg: HTTPServer) -> None:
    Leistung.objects.create(schluessel=HUNDESTEUER, name="Amtlicher Name", types=["2"], name_source="FIM")
    serve_ozg(
        ozg, ozg_page(total=3, themenfelder=[FIELD], ozg_leistungen=[OZG_BUNDLE], leistungen=[OZG_LEISTUNG])
    )
    run("ozg")
    found = Leistung.objects.get()
    assert (found.name, found.types, found.ozg_leistung_id, found.focus) == (
        "Amtlicher Name",
        ["2"],
        "10012",
        True,
    )


def test_an_online_service_that_disappears_ends(ozg: HTTPServer) -> None:
    everything = {"themenfelder": [FIELD], "ozg_leistungen": [OZG_BUNDLE], "leistungen": [OZG_LEISTUNG]}
    serve_ozg(ozg, ozg_page(**everything, onlineservices=[OZG_SERVICE]))
    run("ozg")
    ozg.clear()
    serve_ozg(ozg, ozg_page(total=3, **everything))
    run("ozg", everything=True)
    assert OzgOnlineService.objects.get().valid_to == dt.date(2026, 11, 20)


def test_pages_of_different_states_are_refused(ozg: HTTPServer) -> None:
    serve_ozg(ozg, ozg_page(1, 2, themenfelder=[FIELD]), {**ozg_page(2, 2), "stand": "2026-11-21"})
    assert "anderen Stand" in run("ozg").error


def test_a_reference_to_nothing_is_refused_and_named(ozg: HTTPServer) -> None:
    serve_ozg(ozg, ozg_page(total=1, ozg_leistungen=[{**OZG_BUNDLE, "themenfeld": "gibt-es-nicht"}]))
    done = run("ozg")
    assert done.status == Status.FAILED
    assert "gibt-es-nicht" in done.error
    assert not OzgLeistung.objects.exists()


def test_what_is_confirmed_too_late_says_so(ozg: HTTPServer, settings: Any) -> None:
    settings.SYNC_ASK_ROWS = settings.SYNC_ASK_SHARE = 0
    Leistung.objects.create(schluessel=HUNDESTEUER, name="Hundesteuer", types=["5"])
    lists = {"themenfelder": [FIELD], "ozg_leistungen": [OZG_BUNDLE], "leistungen": [OZG_LEISTUNG]}
    serve_ozg(ozg, ozg_page(total=3, **lists))
    waiting = run("ozg")
    assert waiting.status == Status.WAITING
    Themenfeld.objects.create(slug="steuern-neu", name="Steuern & Zoll")
    with pytest.raises(running.NotPossible, match="widerspricht sich"):
        running.confirm(waiting, sources.source("ozg"), by="Petra")
    assert not OzgLeistung.objects.exists()


# --- the command ---------------------------------------------------------------------------------


def test_the_command_reads_a_file_and_tells_what_changed(tmp_path: Any, capsys: Any) -> None:
    file = tmp_path / "ozg.json"
    file.write_text(json.dumps(ozg_page(total=3, themenfelder=[FIELD], ozg_leistungen=[OZG_BUNDLE],
                                        leistungen=[OZG_LEISTUNG])))  # fmt: skip
    call_command("sync", "ozg", datei=file)
    assert "ozg, Fassung 2026-11-20: übernommen: " in capsys.readouterr().out
    assert Leistung.objects.filter(pk=HUNDESTEUER).exists()
    assert SyncRun.objects.get().file_name == "ozg.json"


def test_the_command_says_what_is_missing(tmp_path: Any) -> None:
    with pytest.raises(CommandError, match="SYNC_OZG_URL"):
        call_command("sync", "ozg")
    with pytest.raises(CommandError, match="gibt es nicht"):
        call_command("sync", "ozg", datei=tmp_path / "fehlt.json")
    broken = tmp_path / "ozg.json"
    broken.write_text("<html>")
    with pytest.raises(CommandError, match="HTML"):
        call_command("sync", "ozg", datei=broken)
