"""How Leistungen and what belongs to them are written, whichever source names them."""

from __future__ import annotations

from ozgsync.sync.changes import Target

STAGING = {
    "incoming_themenfelder": "slug text, name text",
    "incoming_bundles": "ozg_id text, name text, themenfeld_id text",
    "incoming_leistungen": """
        schluessel text COLLATE "C", name text, types varchar(4)[], ozg_id text, focus boolean,
        valid_from date, valid_to date, also_called text""",
    "incoming_successors": 'old text COLLATE "C", new text COLLATE "C", effective date',
    "incoming_services": 'ozg_number text, name text, schluessel text COLLATE "C", valid_to date',
}


def _known(key: str) -> str:
    """SQL: a Leistung that is stored, or comes in the same run."""
    return f"""EXISTS (SELECT FROM incoming_leistungen l WHERE l.schluessel = {key}
                UNION ALL SELECT FROM ozgsync_leistung l WHERE l.schluessel = {key})"""


# A Themenfeld is known by its name: sources have short names of their own for it.
THEMENFELDER = Target(
    table="ozgsync_themenfeld",
    title="Themenfelder",
    keys=("slug",),
    values=("name",),
    select="""
        SELECT DISTINCT ON (i.slug) i.slug, i.name FROM incoming_themenfelder i
         WHERE NOT EXISTS (SELECT FROM ozgsync_themenfeld t WHERE t.name = i.name)""",
)
_THEMENFELD = """
    coalesce((SELECT t.slug FROM incoming_themenfelder f JOIN ozgsync_themenfeld t ON t.name = f.name
               WHERE f.slug = i.themenfeld_id LIMIT 1), i.themenfeld_id)"""
BUNDLES = Target(
    table="ozgsync_ozgleistung",
    title="OZG-Leistungen",
    keys=("ozg_id",),
    values=("name", "themenfeld_id"),
    select=f"SELECT i.ozg_id, i.name, {_THEMENFELD} AS themenfeld_id FROM incoming_bundles i",
)
SUCCESSORS = Target(
    table="ozgsync_leistungchange",
    title="Ablösungen von Leistungen",
    keys=("old", "new"),
    values=("effective",),
    select=f"""
        SELECT i.old, i.new, i.effective FROM incoming_successors i
         WHERE i.old <> i.new AND {_known("i.new")}""",
    new_undone="delete",
)
SERVICES = Target(
    table="ozgsync_ozgonlineservice",
    title="Onlineservices der OZG-Datenbank",
    keys=("ozg_number",),
    values=("name", "leistung_id", "valid_to"),
    select=f"""
        SELECT i.ozg_number, i.name, i.schluessel AS leistung_id, i.valid_to FROM incoming_services i
         WHERE {_known("i.schluessel")}""",
    alive="true",
    new_undone="delete",
)


def leistungen(source: str, *, over: str, bundle: str) -> Target:
    """The Leistungen that `source` names.

    `over`: SQL that is true where its name, types and validity count more than those of the stored row `t`.
    `bundle`: SQL for the OZG-Leistung, from the answer's row `i` and `t`.
    """
    return Target(
        table="ozgsync_leistung",
        title="Leistungen",
        keys=("schluessel",),
        values=(
            "name", "types", "ozg_leistung_id", "focus", "valid_from", "valid_to",
            "name_source", "confidence", "also_called",
        ),
        select=f"""
            SELECT i.schluessel,
                   CASE WHEN w.wins THEN i.name ELSE t.name END AS name,
                   CASE WHEN w.wins AND i.types IS NOT NULL THEN i.types
                        ELSE coalesce(t.types, '{{}}') END AS types,
                   {bundle} AS ozg_leistung_id,
                   coalesce(i.focus, t.focus, false) AS focus,
                   CASE WHEN w.wins THEN coalesce(i.valid_from, t.valid_from)
                        ELSE t.valid_from END AS valid_from,
                   CASE WHEN w.wins THEN i.valid_to ELSE t.valid_to END AS valid_to,
                   CASE WHEN w.wins THEN '{source}' ELSE t.name_source END AS name_source,
                   CASE WHEN w.wins THEN '' ELSE t.confidence END AS confidence,
                   coalesce(i.also_called, t.also_called, '') AS also_called
              FROM incoming_leistungen i LEFT JOIN ozgsync_leistung t USING (schluessel)
             CROSS JOIN LATERAL (SELECT t.schluessel IS NULL OR ({over}) AS wins) w""",
        alive=f"t.name_source = '{source}' AND t.confidence = ''",
        new_undone="end",
        minor=("name_source", "confidence", "also_called"),
    )  # fmt: skip
