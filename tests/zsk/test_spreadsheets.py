"""No cell of a file runs as a formula, and no number becomes text."""

import pytest

from zsk.spreadsheets import harmless


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1", "@SUM(A1)", "\t=1", "\r=1", "+49*1+HYPERLINK(1)", "-2+3+cmd|' /C calc'!A0", "-A1", "--1",
        "-1 ", "+1\n=2",
    ],
)  # fmt: skip
def test_formulas_get_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "-3", "+49", "-1.204,5", "12", "-", "+", "Köln", "a=b", "löschen"])
def test_numbers_and_other_text_stay(cell: str) -> None:
    assert harmless(cell) == cell
