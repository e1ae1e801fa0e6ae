"""A file by its content: CSV or XLSX."""

from __future__ import annotations

from typing import BinaryIO

from transactions.rows import Rows
from transactions.sources import delimited, workbook
from transactions.sources.tables import told
from zsk.kinds import XLSX, kind


def read(file: BinaryIO, *, name: str, single_service: bool) -> Rows:
    """All rows of a file. `single_service`: for one service, the column may be missing.

    Raises Unreadable for faults of the file; faults of single rows are for `check()` to find.
    """
    reader = workbook if is_workbook(file, name=name) else delimited
    return reader.read(file, single_service=single_service)


def is_workbook(file: BinaryIO, *, name: str) -> bool:
    """Whether it is an XLSX, else a CSV. Raises Unreadable where it is neither, or not what it is named."""
    with told():
        return kind(file, name=name) == XLSX
