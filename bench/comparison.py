"""The same 20,000 rows of a file into the same table, by django-import-export and by us, in turns.

- `delivery_vs_import_export`: its time over ours. It writes in bulk, looks nothing up and compares nothing:
  its fastest settings. Ours checks each row, keeps totals and revisions, and can be undone.
"""

from __future__ import annotations

import statistics
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import scratch
from bench.deliveries import deliver_file, empty, make_service, seconds, write_file

ROWS = 20_000
ROUNDS = 5


def main() -> None:
    with scratch.database(), tempfile.TemporaryDirectory() as folder:
        service = make_service("gemeinde")
        path = Path(folder) / "rows.csv"
        write_file(path, [service], ROWS)
        imported = importer(path, service.pk)
        theirs, ours = zip(*(measure(path, imported) for _round in range(ROUNDS)), strict=True)
        scratch.report(
            delivery_vs_import_export=statistics.median(theirs) / statistics.median(ours),
            import_export_seconds=statistics.median(theirs),
            delivery_of_20k_seconds=statistics.median(ours),
        )


def measure(path: Path, imported: Callable[[], None]) -> tuple[float, float]:
    empty()
    theirs = seconds(imported)
    _expect_all()
    empty()
    ours = seconds(lambda: deliver_file(path))
    _expect_all()
    return theirs, ours


def _expect_all() -> None:
    from transactions.models import TransactionCount

    if TransactionCount.objects.count() != ROWS:
        raise AssertionError("Not all rows were stored.")


def importer(path: Path, service: int) -> Callable[[], None]:
    """Reads the file and imports it. Its columns get the names and the plain values of the table's."""
    import tablib
    from import_export import fields, resources, widgets

    from transactions.models import TransactionCount

    delivery = uuid.uuid4()

    class CountResource(resources.ModelResource):
        service = fields.Field("service_id", "onlineservice", widgets.IntegerWidget())
        month = fields.Field("month", "monat", widgets.DateWidget("%Y-%m"))
        ars = fields.Field("ars_id", "ars")
        count = fields.Field("count", "anzahl", widgets.IntegerWidget())

        class Meta:
            model = TransactionCount
            fields = ("service", "month", "ars", "count")
            import_id_fields = ("service", "month", "ars")
            use_bulk = True
            batch_size = 1000
            skip_diff = True
            skip_html_diff = True
            report_skipped = False
            force_init_instance = True
            store_row_values = False

        def before_import(self, dataset: Any, **_more: Any) -> None:
            dataset.headers = ["onlineservice", "ars", "monat", "anzahl"]

        def before_import_row(self, row: dict[str, Any], **_more: Any) -> None:
            row["onlineservice"] = service

        def before_save_instance(self, instance: Any, row: Any, **_more: Any) -> None:
            instance.delivery = delivery

    def imported() -> None:
        text = path.read_text(encoding="utf-8")
        dataset = tablib.Dataset().load(text, format="csv", delimiter=";")
        result = CountResource().import_data(dataset, raise_errors=True)
        if result.has_errors():
            raise AssertionError(result.row_errors())

    return imported


if __name__ == "__main__":
    main()
