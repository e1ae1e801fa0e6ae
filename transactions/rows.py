"""Rows as they were read, column by column: what every source hands to `check()`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transactions.findings import Finding

Codes = npt.NDArray[np.int32]


_FEW = 100  # up to here arrays of Arrow cost more than they save


@dataclass(frozen=True)
class Column:
    """One column's texts: `values` holds each distinct text once, `codes` says which one a row has."""

    codes: Codes
    values: pa.StringArray | list[str]

    @classmethod
    def of(cls, texts: Sequence[str] | pa.ChunkedArray) -> Column:
        if isinstance(texts, pa.ChunkedArray):
            chunked = texts
        elif len(texts) > _FEW:
            chunked = pa.chunked_array([pa.array(texts, pa.string())])
        else:
            place: dict[str, int] = {}
            codes = [place.setdefault(text, len(place)) for text in texts]
            return cls(np.array(codes, np.int32), list(place))
        encoded = chunked.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        return cls(encoded.indices.to_numpy(), encoded.dictionary)

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> list[str]:
        """The distinct texts, in the order of their codes."""
        return self.values if isinstance(self.values, list) else self.values.to_pylist()

    def text(self, row: int) -> str:
        return str(self.values[int(self.codes[row])])


@dataclass(frozen=True)
class Rows:
    """What a channel has read, nothing checked yet.

    `line` (int32) numbers each row as its sender sees it: lines of the file with the header as line 1; the
    first row of a JSON list is 2 as well, so that it has the line of its row in the report. `service` is None
    where the delivery is for one service and does not name it. `faults` are what the reader itself found
    wrong with single rows. `strict` holds rows to the JSON interface's forms and names them by JSON pointers
    as well.
    """

    line: Codes
    service: Column | None
    ars: Column
    month: Column
    count: Column
    faults: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    strict: bool = False

    def __len__(self) -> int:
        return len(self.line)

    @classmethod
    def of(
        cls,
        *,
        service: Sequence[str] | None,
        ars: Sequence[str],
        month: Sequence[str],
        count: Sequence[str],
        line: Sequence[int] | None = None,
        faults: Sequence[Finding] = (),
        strict: bool = False,
    ) -> Rows:
        """Rows from lists of texts of one length; without `line` they are numbered from 2."""
        lines = (
            np.arange(2, len(ars) + 2, dtype=np.int32) if line is None else np.asarray(line, dtype=np.int32)
        )
        return cls(
            lines,
            None if service is None else Column.of(service),
            Column.of(ars), Column.of(month), Column.of(count),
            faults=list(faults), strict=strict,
        )  # fmt: skip
