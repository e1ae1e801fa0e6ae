"""`docs/faults.md`: every fault and warning with its cure, as the pages under `/hilfe/fehler/` have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand

from transactions.explanations import Explanation, of_findings, of_problems

_HEAD = """# Fehler und ihre Lösung

Aus dem Programm gemacht: `manage.py list_faults > docs/faults.md`. In jeder Installation steht dasselbe unter
`/hilfe/fehler/`, jeder Fehler mit eigener Adresse: `/hilfe/fehler/<code>/`. Die Beispiele sind erfunden.
"""


class Command(BaseCommand):
    help = "Schreibt die Liste aller Fehler und Hinweise mit ihrer Lösung als Markdown."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(document(), ending="")


def document() -> str:
    findings = of_findings()
    return "\n".join(
        [
            _HEAD,
            *_section("Fehler in Zeilen und Dateien", [each for each in findings if not each.warning]),
            *_section("Hinweise, die keine Lieferung aufhalten", [each for each in findings if each.warning]),
            *_section("Fehler der Schnittstelle", of_problems()),
        ]
    )


def _section(title: str, explanations: Iterable[Explanation]) -> list[str]:
    lines = [_line(f"`{each.code}`", _said(each), str(each.cure)) for each in explanations]
    return [f"## {title}\n", _line("Code", "Meldung", "Lösung"), "|---|---|---|", *lines, ""]


def _said(found: Explanation) -> str:
    return found.message or f"{found.status}: {found.title}"


def _line(*cells: str) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
