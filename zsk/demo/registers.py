"""The official registers as the demo meets them: the documented formats, with invented differences.

`python -m zsk.demo.registers PORT` serves the FIM-Portal, the OZG database and the XRepository. What is
invented says so in its name; keys of the test range begin with 99999.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

DATA = Path(__file__).resolve().parents[2] / "ozgsync" / "data"
URN = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs"
EXAMPLE = "(Beispiel der Demo)"
RENAMED = {"99102013002000", "99102013010000", "99102013011000"}
ENDED, SUCCESSOR = "99102013104000", "99999000000001"


def main(port: int) -> None:
    ThreadingHTTPServer(("127.0.0.1", port), _Handler).serve_forever()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        found = _answer(url.path, query)
        body = json.dumps(found or {"meldung": "Das gibt es hier nicht."}, ensure_ascii=False).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        sys.stderr.write(f"{self.log_date_time_string()} {format % args}\n")


def _answer(path: str, query: dict[str, str]) -> dict[str, Any] | None:
    if path == "/fim/api/v0/leistung-steckbriefe":
        return _fim(int(query.get("offset", "0")), int(query.get("limit", "200")))
    if path == "/ozg":
        return _ozg()
    if path == f"/xrepository/api/codeliste/{URN}/gueltigeVersion":
        return {"kennung": f"{URN}_{_quarter()}"}
    if path.startswith(f"/xrepository/api/xrepository/{URN}_"):
        return _code_list(path.rpartition("_")[2].removesuffix(".json"))
    return None


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _fim(offset: int, limit: int) -> dict[str, Any]:
    items = [_steckbrief(row) for row in _rows("leistungen.csv")]
    items.append(
        {"leistungsschluessel": SUCCESSOR, "leistungsbezeichnung": f"Hundesteuer Anmeldung {EXAMPLE}"}
    )
    part = items[offset : offset + limit]
    return {"items": part, "offset": offset, "limit": limit, "count": len(part), "total_count": len(items)}


def _steckbrief(row: dict[str, str]) -> dict[str, Any]:
    key, name = row["schluessel"], row["name"]
    entry: dict[str, Any] = {"leistungsschluessel": key, "leistungsbezeichnung": name}
    if key in RENAMED:
        entry["leistungsbezeichnung"] = f"{name} {EXAMPLE}"
    if key == ENDED:
        # In the future: what the demo shows today stays as it is.
        end = dt.date(_today().year + 1, 1, 1)
        entry |= {"gueltig_bis": str(end), "nachfolger": [SUCCESSOR]}
    return entry


def _ozg() -> dict[str, Any]:
    services = [
        {"nummer": f"DEMO-{number:03}", "name": f"{row['name']} online {EXAMPLE}",
         "leistungsschluessel": row["schluessel"]}
        for number, row in enumerate(_rows("leistungen.csv"), start=1)
    ]  # fmt: skip
    return {
        "stand": str(_today()), "seite": 1, "seiten": 1, "anzahl": len(services),
        "themenfelder": [], "ozg_leistungen": [], "leistungen": [], "onlineservices": services,
    }  # fmt: skip


def _today() -> dt.date:
    return dt.date.today()  # noqa: DTZ011 (of this machine: the stand-ins run without Django)


def _quarter() -> dt.date:
    """The last quarter's end, when the code list was published last."""
    today = _today()
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    return first - dt.timedelta(days=1)


def _code_list(day: str) -> dict[str, Any]:
    """The regions that are known here, as the register would list them on that day."""
    data = [
        [row["ars"], row["name"], None]
        for row in _rows("region_versions.csv")
        if row["valid_from"] <= day and (not row["valid_to"] or row["valid_to"] > day) and int(row["ars"])
    ]
    columns = [{"spaltennameTechnisch": name} for name in ("SCHLUESSEL", "BEZEICHNUNG", "HINWEIS")]
    return {"metadaten": {"kennungInhalt": f"{URN}_{day}"}, "spalten": columns, "daten": data}


if __name__ == "__main__":
    main(int(sys.argv[1]))
