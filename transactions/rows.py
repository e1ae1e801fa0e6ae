"""Rows as they were read, column by column: what every source hands to `check()`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transactions.findings import Finding

Codes = npt.NDArray[np.int32]


_BLOCK = 100_000
_FEW = 100  # up to here arrays of Arrow cost more than they save


# More texts than these are nearly all different: to compare them takes more memory than it saves.
_MOST_UNIFIED = 3_000_000
ENCODED = pa.dictionary(pa.int32(), pa.string())


def encode(texts: Sequence[str]) -> pa.DictionaryArray:
    """A piece of a column, for `Column.joined()`."""
    return pa.array(texts, pa.string()).dictionary_encode()


@dataclass(frozen=True)
class Column:
    """One column's texts: `values` holds the distinct texts, `codes` says which one a row has.

    A text may stand among millions of `values` more than once.
    """

    codes: Codes
    values: pa.StringArray | list[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Column:
        if len(texts) > _FEW:
            return cls.joined([encode(texts)])
        place: dict[str, int] = {}
        codes = [place.setdefault(text, len(place)) for text in texts]
        return cls(np.array(codes, np.int32), list(place))

    @classmethod
    def joined(cls, chunks: Sequence[pa.DictionaryArray]) -> Column:
        """One column from pieces that each have distinct texts of their own."""
        if not chunks:
            return cls(np.empty(0, np.int32), pa.array([], pa.string()))
        sizes = [len(chunk.dictionary) for chunk in chunks]
        if sum(sizes) > _MOST_UNIFIED:
            firsts = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
            codes = [chunk.indices.to_numpy() + first for chunk, first in zip(chunks, firsts, strict=True)]
            values = pa.concat_arrays([chunk.dictionary for chunk in chunks])
            return cls(np.concatenate(codes), values)
        unified = pa.chunked_array(chunks, ENCODED).unify_dictionaries().chunks
        return cls(np.concatenate([chunk.indices.to_numpy() for chunk in unified]), unified[0].dictionary)

    def spread(self, flags: pa.BooleanArray | pa.IntegerArray) -> npt.NDArray[Any]:
        """For each row what was found of its text; `flags` are in the order of `values`."""
        return np.asarray(flags.to_numpy(zero_copy_only=False)[self.codes])

    def filter(self, keep: npt.NDArray[np.bool_]) -> Column:
        """The rows to keep, and the texts that these have."""
        codes, used = self.codes[keep], np.zeros(len(self.values), np.bool_)
        used[codes] = True
        if used.all():
            return Column(codes, self.values)
        values = pa.array(self.values, pa.string()) if isinstance(self.values, list) else self.values
        return Column((np.cumsum(used, dtype=np.int32) - 1)[codes], values.filter(pa.array(used)))

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> Iterator[str]:
        """The distinct texts, in the order of their codes; of millions, few are there at a time."""
        if isinstance(self.values, list):
            yield from self.values
            return
        for start in range(0, len(self.values), _BLOCK):
            yield from self.values[start : start + _BLOCK].to_pylist()

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
