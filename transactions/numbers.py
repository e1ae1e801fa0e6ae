"""What a delivery writes once it is compared: revisions, totals, facts, service-months and states.

Each statement comes with its pieces, that few rows be written by a single one: all pieces of a statement see
what was stored before it, and every piece but the last has a name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transactions import staging
from transactions.models import Delivery
from transactions.publication import SHOWN_REGION
from transactions.staging import ServiceMonthDiff, Staged
from zsk.statements import array, ask, pipeline

_Pieces = list[tuple[str, str]]


def write(
    staged: Staged,
    delivery: Delivery,
    months: Sequence[ServiceMonthDiff],
    closed: Sequence[dt.date],
    levels: Mapping[int, int],
) -> None:
    """Writes what the diff of these months says, and empties the stage. `closed`: those that are closed.

    `levels`: of services whose rows were held to one, and whose stored values are of no other.
    """
    touched = [part for part in months if part.touched]
    with pipeline():
        if touched:
            params = _params(delivery, touched, closed, levels)
            for pieces in _statements(staged, months, is_closed=bool(closed)):
                staged.execute(_joined(pieces), **params)
        staging.unstage(staged)


def add(
    delivery: Delivery,
    months: Sequence[ServiceMonthDiff],
    closed: Sequence[dt.date],
    levels: Mapping[int, int],
    totals: dict[str, str],
) -> None:
    """The same for new facts that are there already; `totals` are the parameters of `_GIVEN_TOTALS`."""
    touched = [part for part in months if part.touched]
    if not touched:
        return
    params = _params(delivery, touched, closed, levels) | totals
    params |= {"delivery": delivery.pk, "services": array({part.service_id for part in touched})}
    corrected = [("corrected", _CORRECTED_FACTS)] if closed else []
    pieces = [
        *corrected, ("delta", _GIVEN_TOTALS), *_LEVELS, ("months", _SERVICE_MONTHS),
        ("", _STATES.format(last_month=_LAST_OF_ALL)),
    ]  # fmt: skip
    ask(_joined(pieces), params)


def _params(
    delivery: Delivery,
    touched: Sequence[ServiceMonthDiff],
    closed: Sequence[dt.date],
    levels: Mapping[int, int],
) -> dict[str, Any]:
    # What only takes values back was not held to the level.
    known = (levels.get(part.service_id, -1) if part.new or part.changed else -1 for part in touched)
    return {
        "reason": delivery.reason, "at": delivery.received_at, "closed": array(closed),
        "of": array(part.service_id for part in touched), "months": array(part.month for part in touched),
        "totals": array(part.total for part in touched), "rows": array(part.rows for part in touched),
        "levels": array(known),
    }  # fmt: skip


def _joined(pieces: _Pieces) -> str:
    *named, (_name, last) = pieces
    before = ", ".join(f"{name} AS ({sql})" for name, sql in named)
    return f"WITH {before} {last}" if named else last


def _statements(staged: Staged, months: Sequence[ServiceMonthDiff], *, is_closed: bool) -> Iterator[_Pieces]:
    deletes = any(part.deleted for part in months)
    statements = list(_single_statements(staged, months, is_closed=is_closed, deletes=deletes))
    if staged.rows is None or deletes:  # what is to be emptied must have been counted down before
        yield from statements
    else:
        yield [piece for pieces in statements for piece in pieces]


def _single_statements(
    staged: Staged, months: Sequence[ServiceMonthDiff], *, is_closed: bool, deletes: bool
) -> Iterator[_Pieces]:
    """Revisions and totals first: they compare with the values that the facts still hold."""
    changes, adds = any(part.changed for part in months), any(part.new for part in months)
    all_new = not (deletes or changes or any(part.same for part in months))
    if is_closed:
        yield [("corrected", _corrections(staged))]
    if changes or deletes:
        yield [("revised", _revisions(staged))]
    yield _totals(staged, all_new=all_new)
    if deletes:
        yield [("", _EMPTY_TOTALS)]
        yield [("", _deleted_facts(staged))]
    if changes:
        yield [("changed", _changed_facts(staged))]
    if adds:
        yield [("added", _new_facts(staged, all_new=all_new))]
    yield [("months", _SERVICE_MONTHS)]
    if deletes:
        yield [("", _EMPTY_SERVICE_MONTHS)]
    yield [("", _STATES.format(last_month=_LAST_LEFT if deletes else _LAST_OF_ALL))]


def _revisions(staged: Staged) -> str:
    return f"""
        INSERT INTO count_revision
               (service_id, month, ars, number, old, new, action, old_delivery, delivery, reason)
        SELECT s.service_id, s.month, s.ars, coalesce(r.number, 0) + 1, f.count,
               CASE WHEN s.remove THEN NULL ELSE s.count END,
               CASE WHEN s.remove THEN 'geloescht' ELSE 'geaendert' END, f.delivery, %(delivery)s, %(reason)s
          FROM {staged.join}
          LEFT JOIN LATERAL (
                SELECT number FROM count_revision
                 WHERE service_id = s.service_id AND month = s.month AND ars = s.ars
                 ORDER BY number DESC LIMIT 1) r ON true
         WHERE {staged.mine} AND f.count IS NOT NULL AND (s.remove OR f.count <> s.count)
    """


def _corrections(staged: Staged) -> str:
    """What changes in closed months stays marked, also where it was not there before."""
    return f"""
        INSERT INTO count_correction (service_id, month, ars, delivery)
        SELECT s.service_id, s.month, s.ars, %(delivery)s FROM {staged.join}
         WHERE {staged.mine} AND s.month = ANY(%(closed)s::date[])
           AND CASE WHEN s.remove THEN f.count IS NOT NULL ELSE f.count IS DISTINCT FROM s.count END
        ON CONFLICT (service_id, month, ars) DO UPDATE SET delivery = excluded.delivery
    """


_CORRECTED_FACTS = """
    INSERT INTO count_correction (service_id, month, ars, delivery)
    SELECT service_id, month, ars, delivery FROM transaction_count
     WHERE service_id = ANY(%(services)s::bigint[]) AND month = ANY(%(closed)s::date[])
       AND delivery = %(delivery)s
    ON CONFLICT (service_id, month, ars) DO UPDATE SET delivery = excluded.delivery
"""


def _totals(staged: Staged, *, all_new: bool) -> _Pieces:
    """Level 1, and what published services add to level 2; one statement, so that both see the same rows."""
    delta = (
        f"SELECT s.service_id, s.month, left(s.ars, 5) || '0000000' AS region, sum(s.count)::bigint AS total,"
        f" count(*) AS rows FROM {staged.source} WHERE {staged.mine} GROUP BY 1, 2, 3"
        if all_new
        else f"""
        SELECT s.service_id, s.month, left(s.ars, 5) || '0000000' AS region,
               sum(s.count - coalesce(f.count, 0))::bigint AS total,
               sum((NOT s.remove)::int - (f.count IS NOT NULL)::int) AS rows
          FROM {staged.join} WHERE {staged.mine} AND (f.count IS NOT NULL OR NOT s.remove)
         GROUP BY 1, 2, 3
        HAVING sum(s.count - coalesce(f.count, 0)) <> 0
            OR sum((NOT s.remove)::int - (f.count IS NOT NULL)::int) <> 0"""
    )
    return [("delta", delta), *_LEVELS]


_GIVEN_TOTALS = """
    SELECT service_id, month, region, sum(total)::bigint AS total, sum(rows)::bigint AS rows
      FROM unnest(%(of_services)s::bigint[], %(of_months)s::date[], %(of_regions)s::text[],
                  %(of_totals)s::bigint[], %(of_rows)s::bigint[]) AS s(service_id, month, region, total, rows)
     GROUP BY 1, 2, 3
"""
_LEVELS: _Pieces = [
    ("level1", """
        INSERT INTO monthly_total AS t (service_id, month, region, total, rows)
        SELECT service_id, month, region, total, rows FROM delta
        ON CONFLICT (service_id, month, region)
        DO UPDATE SET total = t.total + excluded.total, rows = t.rows + excluded.rows
    """),
    ("level2", f"""
        INSERT INTO region_total_delta (month, region, total, rows)
        SELECT month, {SHOWN_REGION}, sum(total), sum(rows)
          FROM delta JOIN services_onlineservice o ON o.id = delta.service_id
         WHERE o.id = ANY(%(services)s::bigint[]) AND o.published_at IS NOT NULL
         GROUP BY 1, 2
    """),
]  # fmt: skip
_EMPTY_TOTALS = """
    DELETE FROM monthly_total
     WHERE rows = 0 AND service_id = ANY(%(services)s::bigint[]) AND month BETWEEN %(first)s AND %(last)s
"""


def _deleted_facts(staged: Staged) -> str:
    return f"""
        DELETE FROM transaction_count f USING {staged.source}
         WHERE {staged.mine} AND s.remove
           AND f.service_id = s.service_id AND f.month = s.month AND f.ars = s.ars
           AND f.service_id = ANY(%(services)s::bigint[]) AND f.month BETWEEN %(first)s AND %(last)s
               {staged.stored}
    """


def _changed_facts(staged: Staged) -> str:
    return f"""
        UPDATE transaction_count f SET count = s.count, delivery = %(delivery)s FROM {staged.source}
         WHERE {staged.mine} AND NOT s.remove AND f.count <> s.count
           AND f.service_id = s.service_id AND f.month = s.month AND f.ars = s.ars
           AND f.service_id = ANY(%(services)s::bigint[]) AND f.month BETWEEN %(first)s AND %(last)s
               {staged.stored}
    """


def _new_facts(staged: Staged, *, all_new: bool) -> str:
    return f"""
        INSERT INTO transaction_count (service_id, month, ars, count, delivery)
        SELECT s.service_id, s.month, s.ars, s.count, %(delivery)s
          FROM {staged.source if all_new else staged.join}
         WHERE {staged.mine} AND NOT s.remove {"" if all_new else "AND f.count IS NULL"}
    """


_SERVICE_MONTHS = """
    INSERT INTO service_month AS m
           (service_id, month, total, rows, level, first_delivered_at, last_delivered_at)
    SELECT service_id, month, total, rows, level, %(at)s, %(at)s
      FROM unnest(%(of)s::bigint[], %(months)s::date[], %(totals)s::bigint[], %(rows)s::int[],
                  %(levels)s::smallint[]) AS delta(service_id, month, total, rows, level)
    ON CONFLICT (service_id, month) DO UPDATE
    SET total = m.total + excluded.total, rows = m.rows + excluded.rows, level = excluded.level,
        last_delivered_at = excluded.last_delivered_at
"""
_EMPTY_SERVICE_MONTHS = """
    DELETE FROM service_month WHERE rows = 0 AND service_id = ANY(%(of)s::bigint[])
"""
_STATES = """
    UPDATE service_state s
       SET version = version + 1, last_delivery = %(delivery)s, last_delivered_at = %(at)s,
           last_month = {last_month}
     WHERE service_id = ANY(%(of)s::bigint[])
"""
_LAST_LEFT = "(SELECT max(month) FROM service_month m WHERE m.service_id = s.service_id)"
_LAST_OF_ALL = """
    greatest(last_month, (SELECT max(t.month) FROM unnest(%(of)s::bigint[], %(months)s::date[])
                                                   AS t(service_id, month)
                           WHERE t.service_id = s.service_id))
"""
