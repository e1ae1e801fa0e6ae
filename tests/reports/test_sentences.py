"""Findings say only what is true of the numbers."""

import datetime as dt

import pytest

from ozgsync.models import Level
from reports import sentences
from reports.queries.overview import Laender, Ranked
from reports.queries.regions import Area, AreaValue
from reports.queries.series import Comparable, Point, period
from reports.queries.service_counts import Breakdown
from reports.words import noun
from zsk import months

MAY = dt.date(2026, 5, 1)


def curve(
    *pairs: tuple[int | None, int | None], running: tuple[int | None, int | None] | None = None
) -> list[Point]:
    """Months up to May 2026, each as (value, last year's value); then June as running."""
    first = months.shift(MAY, 1 - len(pairs))
    found = [Point(months.shift(first, i), now, before) for i, (now, before) in enumerate(pairs)]
    return [*found, Point(months.shift(MAY, 1), *running, running=True)] if running else found


WHERE = "Wo ein Vergleich möglich ist, liegt jeder Monat"


@pytest.mark.parametrize(
    ("points", "headline"),
    [
        (curve((2, 1), (3, 2)), "Jeder Monat liegt über seinem Vorjahresmonat"),
        (curve((1, 2), (2, 3)), "Jeder Monat liegt unter seinem Vorjahresmonat"),
        (curve((2, 1), (3, None), (4, 3)), f"{WHERE} über dem Vorjahr"),
        (curve((2, 1), (None, 2), (4, 3)), f"{WHERE} über dem Vorjahr"),
        (curve((1, 2), (3, None), (1, 3)), f"{WHERE} unter dem Vorjahr"),
        (curve((2, 1), (1, 2)), "1 von 2 Monaten liegt über seinem Vorjahresmonat"),
        (curve((2, 1), (3, 2), (3, 3)), "2 von 3 Monaten liegen über ihrem Vorjahresmonat"),
        (curve((3, 3), (1, 2)), "Kein Monat liegt über seinem Vorjahresmonat"),
        (curve((2, 1)), "Mai 2026 liegt über dem Vorjahresmonat"),
        (curve((1, 2)), "Mai 2026 liegt unter dem Vorjahresmonat"),
        (curve((2, 2)), "Mai 2026 liegt so hoch wie der Vorjahresmonat"),
        (curve((2, None), (3, None)), "Noch kein Vergleich mit dem Vorjahr"),
        (curve(), "Noch kein Vergleich mit dem Vorjahr"),
        (curve((2, 1), (3, 2), running=(0, 9)), "Jeder Monat liegt über seinem Vorjahresmonat"),
    ],
)  # fmt: skip
def test_the_curves_headline_holds_for_every_month_it_speaks_of(points: list[Point], headline: str) -> None:
    assert sentences.curve_headline(points) == headline


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (
            curve((9, 8), (5, 4)),
            "Von 4 im Mai 2025 stieg die Zahl auf 5 im Mai 2026. "
            "Höchstwert seit April 2026: 9 im April 2026.",
        ),
        (
            curve((1, 8), (4, 5)),
            "Von 5 im Mai 2025 sank die Zahl auf 4 im Mai 2026. Das ist der Höchstwert seit April 2026.",
        ),
        (
            curve((4, 4), (4, 4)),
            "Im Mai 2026 waren es 4, so viele wie im Mai 2025. "
            "Alle Monate seit April 2026 haben denselben Wert.",
        ),
        (curve((4, None)), "Im Mai 2026 waren es 4."),
        (
            curve((9, None), (None, 3), (5, None)),
            "Im Mai 2026 waren es 5. Höchstwert seit März 2026: 9 im März 2026. "
            "Für April 2026 gibt es keine Angabe.",
        ),
        (
            curve((9, None), (None, 3), (None, 3)),
            "Im März 2026 waren es 9. Für April 2026 und Mai 2026 gibt es keine Angabe.",
        ),
        (
            curve((9, None), (None, 3), (None, 3), (None, 3)),
            "Im Februar 2026 waren es 9. Für 3 Monate gibt es keine Angabe.",
        ),
        (curve((None, 3)), "Für keinen abgeschlossenen Monat liegen Zahlen vor."),
    ],
)
def test_the_curves_sentence(points: list[Point], sentence: str) -> None:
    assert sentences.curve_sentence(points) == sentence


def test_the_running_month_is_named_where_asked_for() -> None:
    points = curve((4, None), running=(1, None))
    assert (
        sentences.curve_sentence(points, running=True) == "Im Mai 2026 waren es 4. Der Juni 2026 läuft noch."
    )
    assert "Juni" not in sentences.curve_sentence(points)


def test_a_season_is_claimed_only_when_both_years_agree() -> None:
    hessen = Area("060000000000", "Hessen", None)
    year = [(i, None) for i in range(1, 13)]
    assert sentences.season_headline(curve(*year, *year), hessen) == (
        "In beiden letzten Jahren lag der Höchstwert in Hessen im Mai"
    )
    other = [(99, None), *year[1:]]
    assert "Höchstwert" not in sentences.season_headline(curve(*year, *other), hessen)
    gap = [(None, None), *year[1:]]
    assert "Höchstwert" not in sentences.season_headline(curve(*gap, *year), hessen)
    assert "Höchstwert" not in sentences.season_headline(curve(*year), hessen)


def laender(*values: int | None) -> Laender:
    names = ["Hamburg", "Bremen", "Hessen", "Saarland", "Bayern"]
    rows = tuple(
        AreaValue(Area(f"{number:02d}".ljust(12, "0"), name, 100_000), value)
        for number, (name, value) in enumerate(zip(names, values, strict=False), start=2)
    )
    total = sum(value for value in values if value is not None)
    return Laender(MAY, rows, 0, total, None)


@pytest.mark.parametrize(
    ("found", "headline"),
    [
        (laender(9, 8, 7, 6, 5), "Hamburg, Bremen und Hessen vorn"),
        (laender(9, 8, 7, 7, 5), "Hamburg, Bremen, Hessen und Saarland vorn"),
        (laender(9, 7, 7, 7, 7), "Hamburg vorn"),
        (laender(9, 8), "Hamburg vorn"),
        (laender(5, 5, 5), "Alle Länder mit Angabe gleichauf"),
        (laender(None, None, None, 4), "Nur für das Saarland liegen Zahlen vor"),
        (laender(None, None), "Noch keine Zahlen nach Ländern"),
    ],
)
def test_the_maps_headline(found: Laender, headline: str) -> None:
    assert sentences.map_headline(found, absolute=True) == headline


def test_the_maps_sentence_gives_the_span_and_names_who_is_missing() -> None:
    found = laender(9, None, 2, None)
    assert sentences.map_sentence(found, absolute=False) == (
        "Je 100.000 Einwohner reicht die Spanne von 2 in Hessen bis 9 in Hamburg. "
        "Für Bremen und das Saarland gibt es keine Angabe."
    )
    assert sentences.map_sentence(laender(9, 2, 3, 1), absolute=True) == (
        "Die Spanne reicht von 1 im Saarland bis 9 in Hamburg."
    )
    assert sentences.map_sentence(laender(None), absolute=True).startswith("Für kein Land")


def ranked(*totals: int) -> list[Ranked]:
    return [
        Ranked(f"OS-{i:06d}", f"Dienst {i}", "Amt", total, None) for i, total in enumerate(totals, start=1)
    ]


def test_the_rankings_headline_never_rounds_to_all_or_nothing() -> None:
    top = ranked(*[100] * 10)
    assert sentences.ranking_headline(top, total=2000, services=20) == (
        "Die zehn meistgenutzten machen 50 Prozent der Transaktionen aus"
    )
    assert "mehr als 99 Prozent" in sentences.ranking_headline(top, total=1001, services=11)
    assert sentences.ranking_headline(top[:3], total=300, services=3) == "3 Onlineservices nach Nutzung"
    assert sentences.ranking_headline([], total=None, services=0) == "Noch keine Rangfolge"


def test_the_rankings_sentence() -> None:
    assert sentences.ranking_sentence(ranked(3, 2)) == (
        "Am häufigsten genutzt wurde „Dienst 1“ mit 3 Transaktionen, vor „Dienst 2“ mit 2."
    )
    assert "wurden „Dienst 1“ und „Dienst 2“ mit je 3" in sentences.ranking_sentence(ranked(3, 3))
    assert sentences.ranking_sentence(ranked(3)) == "Genutzt wurde „Dienst 1“ mit 3 Transaktionen."


def breakdown(*values: int | None, total: int) -> Breakdown:
    rows = laender(*values).rows
    return Breakdown(Level.LAND, Area("0" * 12, "Deutschland", None), rows, total, None)


def test_the_breakdowns_headline_and_rank() -> None:
    words = noun("99022001017003")
    found = breakdown(5, 9, None, total=20)
    assert sentences.breakdown_headline(found) == "Bremen hat mit 45 Prozent den größten Anteil"
    assert sentences.breakdown_sentence(found, words, own="020000000000") == (
        "Angaben gibt es zu 2 von 3 Ländern, zusammen in Deutschland 20 Anträge. "
        "Hamburg liegt mit 5 auf Rang 2."
    )
    assert (
        sentences.breakdown_headline(breakdown(4, 4, 1, total=9))
        == "Bremen und Hamburg liegen gleichauf vorn"
    )
    assert sentences.breakdown_headline(breakdown(0, 0, total=0)) == "Überall wurde 0 gemeldet"
    assert "Keine Angaben" in sentences.breakdown_headline(breakdown(None, None, total=3))


def test_a_transaction_is_an_application_only_where_that_is_safe() -> None:
    assert noun("99022001017003").plural == "Anträge"
    assert noun("99050012104000").plural == "Transaktionen"
    assert noun("99102013000000").of(1) == "Transaktion"


def test_a_comparison_leaves_out_months_that_one_year_lacks() -> None:
    april, may = dt.date(2026, 4, 1), MAY
    values = {april: 10, may: 20, dt.date(2025, 5, 1): 16}
    found = period(values, [april, may])
    assert (found.total, found.now, found.before, found.left_out) == (30, 20, 16, (april,))
    assert found.change == 0.25
    assert sentences.without(found.left_out) == "ohne April"
    assert period({}, [may]).total is None


def test_nothing_comparable_has_no_change() -> None:
    assert Comparable(0, 0, 0).change is None
    assert Comparable(2, 30, 20).change == 0.5


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("Hessen", "Land", "in Hessen"),
        ("Saarland", "Land", "im Saarland"),
        ("Gifhorn", "Landkreis", "im Landkreis Gifhorn"),
        ("Brome", "Samtgemeinde", "in der Samtgemeinde Brome"),
        ("Region Hannover", "Landkreis", "in der Region Hannover"),
        ("München", "Kreisfreie Stadt", "in München"),
        ("Main-Kinzig-Kreis", "Landkreis", "im Main-Kinzig-Kreis"),
        ("Rhein-Kreis Neuss", "Kreis", "im Rhein-Kreis Neuss"),
        ("Regionalverband Saarbrücken", "Regionalverband", "im Regionalverband Saarbrücken"),
    ],
)
def test_a_region_is_named_with_its_preposition(name: str, kind: str, place: str) -> None:
    assert Area("031510000000", name, None, kind).place == place
