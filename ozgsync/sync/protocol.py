"""What a source is, and what it hands over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ozgsync.sync.changes import Target

# More unreadable entries than this share, and the whole answer is taken for broken.
MOST_SKIPPED = 0.01


class SourceFault(Exception):
    """The source's answer cannot be used; the text says where, what and what would be right."""


@dataclass(frozen=True)
class Parsed:
    """A source's answer as rows.

    `rows`: for each staging table the tuples of its columns, in order. `version` names the answer as the
    source does, `day` is the date that its state holds for: what disappeared ended then. `complete`: the
    answer holds everything, so that what it lacks has ended. `cursor`: where the next incremental run begins.
    """

    version: str
    day: dt.date
    rows: Mapping[str, Sequence[tuple[Any, ...]]]
    complete: bool
    cursor: str = ""
    warnings: list[str] = field(default_factory=list)


class Source(Protocol):
    """One foreign register: fetch → parse → rows with a version."""

    @property
    def name(self) -> str:
        """As in `manage.py sync <name>` and in the settings."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def staging(self) -> Mapping[str, str]:
        """Temporary table → its columns, as in CREATE TABLE."""
        ...

    @property
    def targets(self) -> Sequence[Target]:
        """In the order in which foreign keys want them written."""
        ...

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        """The answer in pieces, beginning with piece number `have` where earlier ones are kept already.

        `cursor` is empty for everything, or says since when changes are wanted. Raises SourceFault.
        """
        ...

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        """Rows of an answer; a file in the same format comes as one piece. Raises SourceFault."""
        ...


class Skipped:
    """Entries that cannot be read: a few are left out and named, many mean that the answer is broken."""

    def __init__(self) -> None:
        self.count = 0
        self.warnings: list[str] = []

    def note(self, text: str) -> None:
        self.count += 1
        if len(self.warnings) < 100:
            self.warnings.append(text)

    def judge(self, total: int) -> None:
        """Raises SourceFault when too many of `total` entries were left out."""
        if self.count > max(1, MOST_SKIPPED * total):
            raise SourceFault(
                f"{self.count} von {total} Einträgen sind nicht lesbar, zum Beispiel: {self.warnings[0]}"
            )
