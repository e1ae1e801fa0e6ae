"""The frame of every sync: compare, apply or ask, roll back, go on after a kill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from ozgsync.models import Leistung, ReferenceVersion, SyncChange, SyncPiece, SyncRun
from ozgsync.sync import running
from ozgsync.sync.changes import Target
from ozgsync.sync.protocol import Parsed, Skipped, SourceFault

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 6, 1)
Status = SyncRun.Status


class Names:
    """Lines of `key;name`; a page ends in a blank line, the answer in `ENDE`."""

    name = "probe"
    title = "Probe"
    staging = {"incoming_names": 'schluessel text COLLATE "C", name text'}
    targets = (
        Target(
            table="ozgsync_leistung",
            title="Leistungen",
            keys=("schluessel",),
            values=("name", "valid_to"),
            select="SELECT schluessel, name, NULL::date AS valid_to FROM incoming_names",
            defaults={"types": "'{}'", "focus": "false", "name_source": "'probe'", "confidence": "''"},
            alive="t.name_source = 'probe'",
            new_undone="end",
        ),
    )

    def __init__(self, *pages: str, complete: bool = True) -> None:
        self.pages, self.complete, self.asked = pages, complete, []

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        self.asked.append((cursor, have))
        for page in self.pages[have:]:
            if page == "FEHLER":
                raise SourceFault("Seite fehlt")
            if page == "TOT":
                raise KeyboardInterrupt
            yield page.encode()

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        lines = b"\n".join(pieces).decode().split("\n")
        if lines.pop() != "ENDE":
            raise SourceFault("Die Antwort ist abgeschnitten.")
        rows = [tuple(line.split(";")) for line in lines if line]
        return Parsed("v1", DAY, {"incoming_names": rows}, self.complete, cursor="2026-06-01")


def key(number: int) -> str:
    return f"99{number:012}"


def answer(*names: tuple[int, str]) -> str:
    return "\n".join(f"{key(number)};{name}" for number, name in names) + "\nENDE"


def names() -> dict[str, str]:
    return dict(Leistung.objects.filter(name_source="probe").values_list("schluessel", "name"))


def run(*pages: str, **options: Any) -> SyncRun:
    source = options.pop("source", None) or Names(*pages)
    return running.run(source, **options)


def counts(done: SyncRun) -> tuple[int, int, int, int]:
    return done.new_count, done.changed_count, done.ended_count, done.same_count


def version() -> int:
    row = ReferenceVersion.objects.first()
    return row.version if row else 0


def test_what_is_new_changed_ended_and_the_same_is_counted_and_written() -> None:
    assert counts(run(answer((1, "Eins"), (2, "Zwei"), (3, "Drei")))) == (3, 0, 0, 0)
    before = version()
    done = run(answer((1, "Eins"), (2, "Zwo"), (4, "Vier")))
    assert (done.status, counts(done)) == (Status.APPLIED, (1, 1, 1, 1))
    assert names() == {key(1): "Eins", key(2): "Zwo", key(3): "Drei", key(4): "Vier"}
    assert Leistung.objects.get(pk=key(3)).valid_to == DAY
    assert version() == before + 1
    changed = done.changes.get(kind=SyncChange.Kind.CHANGED)
    assert (changed.key, changed.old["name"], changed.new["name"]) == (key(2), "Zwei", "Zwo")


def test_a_repeat_writes_nothing() -> None:
    run(answer((1, "Eins")))
    before = version()
    done = run(answer((1, "Eins")))
    assert (done.status, counts(done), done.changes.count()) == (Status.SAME, (0, 0, 0, 1), 0)
    assert version() == before


def test_what_comes_back_no_longer_ends() -> None:
    for names_now in ([(1, "Eins"), (2, "Zwei")], [(1, "Eins")], [(1, "Eins"), (2, "Zwei")]):
        run(answer(*names_now))
    assert Leistung.objects.get(pk=key(2)).valid_to is None


def test_an_answer_that_is_not_complete_ends_nothing() -> None:
    run(answer((1, "Eins"), (2, "Zwei")))
    assert counts(run(source=Names(answer((1, "Ein")), complete=False))) == (0, 1, 0, 0)
    assert Leistung.objects.get(pk=key(2)).valid_to is None


def test_rows_of_other_origin_stay() -> None:
    Leistung.objects.create(schluessel=key(9), name="Von Hand", name_source="hand")
    run(answer((1, "Eins")))
    assert Leistung.objects.get(pk=key(9)).valid_to is None


@pytest.mark.parametrize("broken", [f"{key(1)};Eins", "FEHLER", "<html>Wartung</html>"])
def test_a_broken_answer_leaves_everything_as_it_was(broken: str) -> None:
    run(answer((1, "Eins"), (2, "Zwei")))
    done = run(broken)
    assert done.status == Status.FAILED
    assert done.error
    assert names() == {key(1): "Eins", key(2): "Zwei"}


def test_an_unusual_difference_waits_for_operations(settings: Any) -> None:
    settings.SYNC_ASK_ROWS, settings.SYNC_ASK_SHARE = 2, 0.5
    everything = [(number, f"Name {number}") for number in range(10)]
    run(answer(*everything))
    done = run(answer(*everything[:4]))
    assert (done.status, done.ended_count) == (Status.WAITING, 6)
    assert not Leistung.objects.filter(valid_to=DAY).exists()
    running.confirm(done, Names(), by="Petra")
    assert Leistung.objects.filter(valid_to=DAY).count() == 6
    done.refresh_from_db()
    assert (done.status, done.decided_by) == (Status.APPLIED, "Petra")
    with pytest.raises(running.NotPossible):
        running.confirm(done, Names(), by="Petra")


def test_a_discarded_run_changes_nothing(settings: Any) -> None:
    settings.SYNC_ASK_ROWS, settings.SYNC_ASK_SHARE = 0, 0
    run(answer((1, "Eins")))
    done = run(answer((1, "Uno")))
    running.discard(done, by="Petra")
    done.refresh_from_db()
    assert done.status == Status.DISCARDED
    assert names() == {key(1): "Eins"}
    with pytest.raises(running.NotPossible):
        running.confirm(done, Names(), by="Petra")


def test_confirming_refuses_when_the_data_have_moved_since(settings: Any) -> None:
    settings.SYNC_ASK_ROWS, settings.SYNC_ASK_SHARE = 0, 0
    run(answer((1, "Eins")))
    done = run(answer((1, "Uno")))
    Leistung.objects.filter(pk=key(1)).update(name="Un")
    with pytest.raises(running.NotPossible, match="geändert"):
        running.confirm(done, Names(), by="Petra")
    assert names() == {key(1): "Un"}


def test_rolling_back_restores_what_was_there() -> None:
    run(answer((1, "Eins"), (2, "Zwei")))
    done = run(answer((1, "Uno"), (3, "Drei")))
    running.roll_back(done, Names(), by="Petra")
    assert names() | {key(3): ""} == {key(1): "Eins", key(2): "Zwei", key(3): ""}
    assert Leistung.objects.get(pk=key(2)).valid_to is None
    assert Leistung.objects.get(pk=key(3)).valid_to is not None
    done.refresh_from_db()
    assert done.status == Status.ROLLED_BACK


def test_a_run_is_not_rolled_back_under_a_later_one() -> None:
    run(answer((1, "Eins")))
    earlier = run(answer((1, "Uno")))
    run(answer((1, "Un")))
    with pytest.raises(running.NotPossible, match="späterer"):
        running.roll_back(earlier, Names(), by="Petra")
    assert names() == {key(1): "Un"}


def test_the_next_run_asks_for_what_changed_since() -> None:
    source = Names(answer((1, "Eins")))
    run(source=source)
    run(source=source)
    run(source=source, everything=True)
    assert source.asked == [("", 0), ("2026-06-01", 0), ("", 0)]


def test_a_killed_run_goes_on_with_the_pages_it_has() -> None:
    pages = [f"{key(1)};Eins", f"{key(2)};Zwei\nENDE"]
    with pytest.raises(KeyboardInterrupt):
        run(pages[0], "TOT")
    left = SyncRun.objects.get()
    assert (left.status, left.pieces.count()) == (Status.RUNNING, 1)
    source = Names(*pages)
    done = run(source=source)
    assert done.pk == left.pk
    assert source.asked == [("", 1)]
    assert names() == {key(1): "Eins", key(2): "Zwei"}


def test_a_run_killed_long_ago_begins_anew() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(f"{key(1)};Eins", "TOT")
    SyncRun.objects.update(started_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    done = run(answer((2, "Zwei")))
    assert names() == {key(2): "Zwei"}
    left = SyncRun.objects.exclude(pk=done.pk).get()
    assert (left.status, left.error) == (Status.FAILED, "Der Lauf ist abgebrochen: sein Prozess endete.")


@pytest.mark.django_db(transaction=True)
def test_one_run_at_a_time() -> None:
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [running.RUN_LOCK])
        with pytest.raises(running.Busy):
            run(answer((1, "Eins")))
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    assert run(answer((1, "Eins"))).status == Status.APPLIED


def test_raw_answers_are_kept_compressed_for_a_time(settings: Any) -> None:
    done = run(answer(*((number, "immer gleich") for number in range(500))))
    stored = SyncPiece.objects.get(run=done)
    assert len(stored.content) < 5_000
    assert running.expire() == 0
    later = done.started_at + dt.timedelta(days=settings.SYNC_RAW_DAYS + 1)
    assert running.expire(now=later) == 1
    assert SyncRun.objects.filter(pk=done.pk).exists()


def test_queries_do_not_grow_with_rows(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(40):
        run(answer(*((number, "viele") for number in range(3_000))))


def test_a_few_unreadable_entries_are_named_and_many_refused() -> None:
    skipped = Skipped()
    skipped.note("Eintrag 7: Schlüssel fehlt")
    skipped.judge(1_000)
    for number in range(20):
        skipped.note(f"Eintrag {number}")
    with pytest.raises(SourceFault, match="21 von 1000"):
        skipped.judge(1_000)
