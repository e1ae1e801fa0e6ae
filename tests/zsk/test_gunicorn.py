"""The access log names no secret that stands in an address."""

import datetime as dt
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from zsk.gunicorn import DiscreetLogger


@pytest.mark.parametrize(
    "address",
    [
        "/einladung/GEHEIM/",
        "/landing/bestaetigen/GEHEIM/",
        "/konto/email/GEHEIM/",
        "/konto/passwort-vergessen/1a-GEHEIM/",
    ],
)
def test_tokens_in_addresses_are_not_logged(address: str) -> None:
    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": address, "PATH_INFO": address, "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": f"https://zsk.example{address}",
    }  # fmt: skip
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    atoms = DiscreetLogger(Config()).atoms(
        response, SimpleNamespace(headers=[]), environ, dt.timedelta(seconds=1)
    )
    assert "GEHEIM" not in str([atoms[name] for name in ("r", "U", "f")])
    assert address.split("/")[1] in atoms["r"]
