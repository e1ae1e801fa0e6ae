"""The programs and commands of `/api/docs/`, run as a provider would run them against a running portal."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from services.models import OnlineService, ReportingLevel
from tests.factories import ServiceFactory, api_key, land
from transactions.models import Delivery, TransactionCount
from zsk.interface import PROGRAMS, Program

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(live_server: LiveServer, settings: LazySettings) -> OnlineService:
    settings.SITE_URL = live_server.url
    land()
    found: OnlineService = ServiceFactory(reporting_level=ReportingLevel.LAND)
    return found


def run(program: Program, folder: Path, *, key: str, number: str) -> subprocess.CompletedProcess[str]:
    """The file as it is handed out, with what a provider fills in."""
    words = program.command.split()
    # A runtime alone cannot run a source file: that takes the compiler of a JDK.
    needed = "javac" if words[0] == "java" else words[0]
    if shutil.which(needed) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{needed} fehlt: Das Beispiel für {program.title} ist NICHT gelaufen")
    code = Client().get(f"/api/docs/beispiele/{program.file}").content.decode()
    (folder / program.file).write_text(code.replace("OS-000123", number), encoding="utf-8")
    environment = os.environ | {"ZSK_SCHLUESSEL": key}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.title)
def test_it_tries_delivers_and_looks_up(program: Program, service: OnlineService, tmp_path: Path) -> None:
    done = run(program, tmp_path, key=api_key(service)[1], number=service.number)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.replace(" ", "").replace("'", '"')
    tried, _colon, rest = said.partition("Lieferung:")
    delivered, _colon, looked_up = rest.partition("Nachgesehen:")
    assert '"status":"probelauf"' in tried
    delivery = Delivery.objects.get()
    for answer in (delivered, looked_up):
        assert f'"id":"{delivery.pk}"' in answer
        assert '"status":"uebernommen"' in answer
    assert delivery.client_key
    assert TransactionCount.objects.values_list("service", "ars", "count").get() == (
        service.pk, "060000000000", 1204,
    )  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.title)
def test_it_says_what_is_wrong_and_fails(program: Program, service: OnlineService, tmp_path: Path) -> None:
    done = run(program, tmp_path, key=api_key(service)[1], number=ServiceFactory().number)
    assert done.returncode != 0
    assert "/zeilen/0/onlineservice" in done.stdout + done.stderr
    assert not TransactionCount.objects.exists()


def test_the_page_shows_every_program() -> None:
    page = Client().get("/api/docs/").content.decode()
    for program in PROGRAMS:
        assert f'href="/api/docs/beispiele/{program.file}"' in page
        assert program.command in page
    assert "import java.net.http.HttpClient;" in page
    # Every program names this installation.
    assert page.count("http://testserver/api/v1/lieferungen&quot;") + page.count(
        "http://testserver/api/v1/lieferungen&#x27;"
    ) == len(PROGRAMS)


@pytest.mark.parametrize(
    ("name", "file", "status", "said"),
    [("csv", "beispiel.csv", 200, "probelauf"), ("spaeter", "zahlen.csv", 202, "wartet")],
)
def test_the_commands_for_tables(
    service: OnlineService, tmp_path: Path, name: str, file: str, status: int, said: str
) -> None:
    rows = [f"{service.number};060000000000;2026-0{month};12" for month in (1, 2, 3)]
    (tmp_path / file).write_text("\n".join(["onlineservice;ars;monat;anzahl", *rows]), encoding="utf-8")
    page = Client().get("/api/docs/").content.decode()
    found = re.search(rf'<code id="befehl-{name}">(.*?)</code>', page, re.DOTALL)
    assert found
    command = (
        html.unescape(found[1]).replace("$(uuidgen)", "einmal-1").replace("curl ", "curl -sw '%{http_code}' ")
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=os.environ | {"ZSK_SCHLUESSEL": api_key(service)[1]},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert int(done.stdout[-3:]) == status
    answer = json.loads(done.stdout[:-3])
    assert answer["status"] == said
    assert (answer["url"] is not None) == (status == 202)
