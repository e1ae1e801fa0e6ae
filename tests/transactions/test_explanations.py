"""Help on every fault: each code has its page, public and without a session."""

import pytest
from django.conf import settings
from django.test import Client

from transactions.explanations import explanation_of
from transactions.findings import CATALOGUE
from transactions.management.commands.list_faults import document
from transactions.problems import PROBLEMS, explanation

pytestmark = pytest.mark.django_db
CODES = sorted({*CATALOGUE, *PROBLEMS})


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_with_an_example_and_a_cure(code: str) -> None:
    found = explanation_of(code)
    assert found
    assert "%(" not in found.message
    assert "…" not in found.message.replace("zsk_…", "")
    response = Client().get(explanation(code))
    assert response.status_code == 200
    assert not response.has_header("Set-Cookie")
    assert "Cookie" not in response.get("Vary", "")


def test_the_overview_links_all_of_them() -> None:
    said = Client().get("/hilfe/fehler/").content.decode()
    assert [code for code in CODES if f'href="{explanation(code)}"' not in said] == []


def test_an_unknown_code_is_not_there() -> None:
    assert Client().get("/hilfe/fehler/gibt_es_nicht/").status_code == 404


def test_the_document_is_up_to_date() -> None:
    """After a change of texts: `manage.py list_faults > docs/faults.md`."""
    kept = (settings.BASE_DIR / "docs" / "faults.md").read_text(encoding="utf-8")
    assert kept == document()
    assert [code for code in CODES if f"| `{code}` |" not in kept] == []
