"""A run from beginning to end: fetch and keep, compare, then apply, or stop and ask operations.

One run at a time for all sources, since they write the same tables. What a killed process has fetched is
kept, and the next run of the source goes on from there. Numbers are never touched; nothing is deleted.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from ozgsync.loading import LOAD_LOCK, raise_version
from ozgsync.models import SyncPiece, SyncRun
from ozgsync.sync import changes
from ozgsync.sync.changes import Tally, Target
from ozgsync.sync.protocol import Parsed, Source, SourceFault

RUN_LOCK = 0x5A534B02
# Pages fetched longer ago than this may not fit those fetched now: such a run begins anew.
RESUMABLE = dt.timedelta(hours=1)
Progress = Callable[[str, int], None]
Status = SyncRun.Status


class Busy(Exception):
    """Another run is under way."""


class NotPossible(Exception):
    """What was asked of a run does not fit its state; the text says why."""


def run(
    source: Source, *, actor: str = "", file: str = "", content: Iterator[bytes] | None = None,
    everything: bool = False, confirmed: bool = False, progress: Progress | None = None,
) -> SyncRun:  # fmt: skip
    """Fetches the source, or reads `content` (named `file`), and applies what is new.

    `everything`: not only what changed since the last run. `confirmed`: applies however much changes.
    Returns the finished run, also a failed one. Raises Busy. `progress` is told the step and how many pieces.
    """
    told = progress or (lambda _step, _count: None)
    with _alone():
        now = _begin(source, actor, file, everything)
        try:
            _keep(now, content if content is not None else _fetch(source, now), told)
            told("vergleichen", 0)
            parsed = source.parse(_kept(now), cursor=now.cursor_before)
            _take(now, source, parsed, confirmed=confirmed)
        except SourceFault as fault:
            _fail(now, str(fault))
        except changes.Stale:
            _fail(
                now,
                "Die gespeicherten Daten haben sich während des Laufs geändert. Starten Sie ihn noch einmal.",
            )
        except Exception as error:  # whatever it is, the run must not stand as running; raised again below
            _fail(now, f"Interner Fehler ({type(error).__name__}); Näheres steht im Protokoll des Servers.")
            raise
    return now


def confirm(run: SyncRun, source: Source, *, by: str) -> None:
    """Applies what a run found that stopped to ask. Raises Busy and NotPossible."""
    with _alone(), transaction.atomic():
        held = _held(run, Status.WAITING)
        try:
            _apply(held, source)
        except changes.Stale:
            raise NotPossible(
                "Seit dem Vergleich haben sich die Daten geändert."
                " Verwerfen Sie den Lauf und starten Sie ihn neu."
            ) from None
        except SourceFault as fault:
            raise NotPossible(f"{fault} Verwerfen Sie den Lauf und starten Sie ihn neu.") from fault
        held.decided_by = by
        _finish(held, Status.APPLIED)


def discard(run: SyncRun, *, by: str) -> None:
    """Leaves the stored data as they are. Raises NotPossible."""
    with transaction.atomic():
        held = _held(run, Status.WAITING)
        held.decided_by = by
        _finish(held, Status.DISCARDED)


def roll_back(run: SyncRun, source: Source, *, by: str) -> None:
    """Restores what a run changed, as long as no later one has changed the same rows.

    Raises Busy and NotPossible.
    """
    with _alone(), transaction.atomic():
        held = _held(run, Status.APPLIED)
        try:
            for target in reversed(source.targets):
                changes.roll_back(held, target, day=timezone.localdate())
        except changes.Stale:
            raise NotPossible(
                "Ein späterer Lauf hat dieselben Einträge geändert. Nehmen Sie zuerst diesen zurück."
            ) from None
        raise_version()
        held.decided_by = by
        _finish(held, Status.ROLLED_BACK)


def left_behind() -> list[str]:
    """Sources whose run a killed process has left; none while any run is under way."""
    try:
        with _alone():
            left = SyncRun.objects.filter(status=Status.RUNNING, file_name="")
            return list(left.order_by("source").values_list("source", flat=True).distinct())
    except Busy:
        return []


def expire(*, now: dt.datetime | None = None) -> int:
    """Forgets raw answers past their time; how many pieces went."""
    before = (now or timezone.now()) - dt.timedelta(days=settings.SYNC_RAW_DAYS)
    return SyncPiece.objects.filter(run__started_at__lt=before).delete()[0]


# --- one after the other -------------------------------------------------------------------------


@contextmanager
def _alone() -> Iterator[None]:
    """Against any other run; a killed process's lock goes with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [RUN_LOCK])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [RUN_LOCK])


def _begin(source: Source, actor: str, file: str, everything: bool) -> SyncRun:
    left = SyncRun.objects.filter(source=source.name, status=Status.RUNNING).order_by("-pk").first()
    cursor = "" if everything or file else _last_cursor(source)
    # Whatever runs while we hold the lock belongs to a process that is gone. Another source's may go on.
    resumed = left if left and _goes_on(left, file, cursor) else None
    stale = Q(source=source.name) | Q(started_at__lt=timezone.now() - RESUMABLE)
    gone = SyncRun.objects.filter(stale, status=Status.RUNNING)
    if resumed:
        gone = gone.exclude(pk=resumed.pk)
    text = "Der Lauf ist abgebrochen: sein Prozess endete."
    gone.update(status=Status.FAILED, finished_at=timezone.now(), error=text)
    return resumed or SyncRun.objects.create(
        source=source.name, actor=actor, file_name=file[-255:], cursor_before=cursor
    )


def _goes_on(left: SyncRun, file: str, cursor: str) -> bool:
    fresh = timezone.now() - left.started_at < RESUMABLE
    return fresh and not file and not left.file_name and left.cursor_before == cursor


def _last_cursor(source: Source) -> str:
    done = SyncRun.objects.filter(source=source.name, status__in=[Status.APPLIED, Status.SAME])
    last = done.exclude(cursor="").order_by("-pk").first()
    return last.cursor if last else ""


# --- the raw answer ------------------------------------------------------------------------------


def _fetch(source: Source, run: SyncRun) -> Iterator[bytes]:
    return source.fetch(cursor=run.cursor_before, have=run.pieces.count())


def _keep(run: SyncRun, pieces: Iterator[bytes], told: Progress) -> None:
    """Each piece is committed on its own, so that a killed run has it still."""
    number = run.pieces.count()
    for piece in pieces:
        SyncPiece.objects.create(run=run, number=number, content=gzip.compress(piece, compresslevel=6))
        number += 1
        told("holen", number)


def _kept(run: SyncRun) -> Iterator[bytes]:
    kept = SyncPiece.objects.filter(run=run).order_by("number").values_list("content", flat=True)
    return (gzip.decompress(content) for content in kept.iterator(chunk_size=4))


# --- compare and write ---------------------------------------------------------------------------


def _take(run: SyncRun, source: Source, parsed: Parsed, *, confirmed: bool) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Loading the committed files writes the same tables.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        run.version, run.day, run.warnings = parsed.version[:100], parsed.day, parsed.warnings
        run.cursor = parsed.cursor[:60]
        asks = False
        sums = Tally()
        with changes.staged(source.staging, parsed.rows):
            for target in source.targets:
                tally = changes.compare(run, target, {"day": parsed.day}, complete=parsed.complete)
                asks |= _too_much(target, tally)
                sums += tally
        run.new_count, run.changed_count = sums.new, sums.changed
        run.ended_count, run.same_count = sums.ended, sums.same
        if not (sums.new or sums.changed or sums.ended):
            _finish(run, Status.SAME)
        elif asks and not confirmed:
            _finish(run, Status.WAITING)
        else:
            _apply(run, source)
            _finish(run, Status.APPLIED)


def _too_much(target: Target, tally: Tally) -> bool:
    """Whether so much of what is there would change or end that a person should look first."""
    there = tally.same + tally.changed + tally.ended
    touched = tally.grave + tally.ended
    return touched > settings.SYNC_ASK_ROWS and touched > settings.SYNC_ASK_SHARE * there


def _apply(run: SyncRun, source: Source) -> None:
    """Raises Stale, and SourceFault where the rows contradict one another or what is stored."""
    try:
        for target in source.targets:
            changes.apply(run, target)
        # Foreign keys are checked at the end of the transaction otherwise, where nobody can tell of it.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        detail = str(error).partition("DETAIL:")[2].strip().splitlines()
        told = detail[0] if detail else str(error)
        raise SourceFault(f"Die Antwort verweist auf Fehlendes oder widerspricht sich: {told}") from error
    raise_version()


def _held(run: SyncRun, status: str) -> SyncRun:
    held: SyncRun = SyncRun.objects.select_for_update().get(pk=run.pk)
    if held.status != status:
        raise NotPossible(f"Der Lauf ist {held.get_status_display()}; das geht nicht mehr.")
    return held


def _finish(run: SyncRun, status: str) -> None:
    run.status, run.finished_at = status, timezone.now()
    run.save()


def _fail(run: SyncRun, error: str) -> None:
    values: dict[str, Any] = {"status": Status.FAILED, "error": error, "finished_at": timezone.now()}
    SyncRun.objects.filter(pk=run.pk).update(**values)
    run.refresh_from_db()
