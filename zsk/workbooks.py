"""XLSX as spreadsheets save it: the sheet that holds the table, and its rows as texts with their numbers.

A sheet is read as a stream, so that a million rows need the memory of their shared texts only, and what a
small file unpacks to is limited. Cells are texts: of a number its exact digits, with a decimal comma where it
has a fraction; of a date `2025-05-01`; of a formula its stored result, or the formula where there is none.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import IO, BinaryIO
from xml.parsers import expat

from zsk.kinds import NotReadable, open_archive

MOST_BYTES = 1 << 30  # what a sheet may unpack to; a full one of four columns has 200 to 300 MB
MOST_TEXTS = 1 << 22
MOST_ROWS = 1 << 20
MOST_COLUMNS = 256
MOST_SHEETS = 100  # further ones are not looked at
_MOST_SMALL = 16 << 20  # styles, names of sheets
_MOST_IN_VAIN = 4 << 20  # is read for the heads of all sheets, beyond each one's first block
_MOST_PACKED = 100  # times smaller than unpacked; of sheets that people fill it is 10 to 20
_MOST_TAGS = 1 << 19  # in a small part; spreadsheets have at most 65,490 styles, of some tags each
# All that is kept of the small parts.
_TAGS = {"Relationship", "sheet", "workbookPr", "numFmt", "xf", "cellXfs", "cellStyles"}
_BLOCK = 1 << 18
_MOST_TAG = 4 << 20
_MOST_LETTERS = 1 << 16  # in a cell; spreadsheets stop at half of it
_DATES = {*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58}  # the format's built-in numbers
_NO_PATTERN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
# Without NUL and halves of surrogate pairs, which no database keeps: they stay as they are written.
_ESCAPED = re.compile(r"_x(?!0000|[dD][89a-fA-F])([0-9A-Fa-f]{4})_")
_MIDNIGHT = re.compile(r"T00:00(:00(\.0+)?)?Z?$")
_BROKEN = (
    expat.ExpatError, zipfile.BadZipFile, zlib.error, ValueError, KeyError, IndexError, EOFError, OSError,
    RuntimeError, NotImplementedError, InvalidOperation, OverflowError,
)  # fmt: skip


class Number(str):
    """The text of a number cell."""

    __slots__ = ()


class Day(str):
    """The text of a date cell that holds a whole day."""

    __slots__ = ()


@dataclass(frozen=True)
class Sheet:
    """A sheet's head, with its row number, and after it each row that has cells: (number, cells).

    `others` are further sheets with such a head, which are not read.
    """

    name: str
    header: list[str]
    header_line: int
    others: list[str]
    rows: Iterator[tuple[int, list[str]]]


def read_sheet(file: BinaryIO, *, known: Collection[str]) -> Sheet:
    """The first visible sheet whose head has at least two of `known` headings (in lower case), else the first
    with content. The file must stay open while `rows` are read. Raises NotReadable, `rows` as well.
    """
    with _told():
        book = _Book(open_archive(file))
        heads = book.heads()
        if not heads:
            raise NotReadable("datei_leer")
        fitting = [found for found in heads if sum(cell.lower() in known for cell in found[1][1]) >= 2]
        name, (line, header) = (fitting or heads)[0]
        rows = book.rows(dict(book.sheets)[name])
    others = [other for other, _head in fitting[1:]]
    return Sheet(name, header, line, others, (row for row in rows if row[0] > line))


def _head(rows: Iterator[tuple[int, list[str]]]) -> tuple[int, list[str]] | None:
    filled = ((line, cells) for line, cells in rows if any(map(str.strip, cells)))
    if found := next(filled, None):
        cells = [cell.strip() for cell in found[1]]
        while not cells[-1]:
            cells.pop()
        return found[0], cells
    return None


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise NotReadable("datei_beschaedigt") from error


class _Book:
    """The parts of a workbook that a sheet's cells refer to."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        main = self._related("", "officeDocument").popitem()[1]
        related = self._related(main)
        tags = self._tags(main)
        self.since = _day_zero(tags)
        shown = [at for tag, at in tags if tag == "sheet" and at.get("state", "visible") == "visible"]
        found = ((at["name"], related.get(_of(at, "id"), "")) for at in shown)
        self.sheets = [(name, part) for name, part in found if "/worksheets/" in part]
        self.texts = self._texts(main)
        self.dates = self._dates(main)
        self.in_vain = 0

    def heads(self) -> list[tuple[str, tuple[int, list[str]]]]:
        """Name and head of the sheets with content. Raises NotReadable where that takes too much reading."""
        found = ((name, _head(self.rows(part, for_head=True))) for name, part in self.sheets[:MOST_SHEETS])
        return [(name, head) for name, head in found if head]

    def _related(self, part: str, kind: str = "") -> dict[str, str]:
        """Parts that this part refers to, by id; `kind` is the end of the reference's type."""
        folder, name = posixpath.split(part)
        tags = self._tags(posixpath.join(folder, "_rels", f"{name}.rels"))
        return {
            at["Id"]: posixpath.normpath(posixpath.join("/", folder, at["Target"])).lstrip("/")
            for tag, at in tags
            if tag == "Relationship" and at.get("Type", "").endswith(kind)
        }

    def _open(self, part: str, most: int) -> IO[bytes]:
        # The archive gives no more than a part's declared size, whatever it would unpack to.
        info = self.archive.getinfo(part)
        if info.file_size > min(most, max(_BLOCK, info.compress_size * _MOST_PACKED)):
            raise NotReadable("datei_zu_gross")
        return self.archive.open(part)

    def _tags(self, part: str) -> list[tuple[str, dict[str, str]]]:
        found: list[tuple[str, dict[str, str]]] = []
        left = iter(range(_MOST_TAGS))

        def start(name: str, attributes: dict[str, str]) -> None:
            if next(left, None) is None:
                raise NotReadable("datei_zu_gross")
            if (tag := _local(name)) in _TAGS:
                found.append((tag, attributes))

        parser = _parser()
        parser.StartElementHandler = start
        with self._open(part, _MOST_SMALL) as file:
            parser.ParseFile(file)
        return found

    def _texts(self, main: str) -> list[str]:
        parts = self._related(main, "/sharedStrings")
        texts = _Texts()
        if parts:
            with self._open(parts.popitem()[1], MOST_BYTES >> 2) as file:
                for _fed in _feed(texts.parser, file):
                    pass
                texts.parser.Parse(b"", True)
        return texts.found

    def _dates(self, main: str) -> set[str]:
        """The styles that show a number as a date."""
        parts = self._related(main, "/styles")
        tags = self._tags(parts.popitem()[1]) if parts else []
        own = {at["numFmtId"]: _is_date(at.get("formatCode", "")) for tag, at in tags if tag == "numFmt"}
        names = [tag for tag, _at in tags]
        first = names.index("cellXfs") + 1 if "cellXfs" in names else len(tags)
        last = names.index("cellStyles", first) if "cellStyles" in names[first:] else len(tags)
        formats = [at.get("numFmtId", "0") for tag, at in tags[first:last] if tag == "xf"]
        return {str(n) for n, key in enumerate(formats) if own.get(key, int(key) in _DATES)}

    def rows(self, part: str, *, for_head: bool = False) -> Iterator[tuple[int, list[str]]]:
        """(number, cells) of each row that has cells, as far as they go."""
        cells = _Cells(self)
        with _told(), self._open(part, MOST_BYTES) as file:
            for fed in _feed(cells.parser, file):
                if for_head and fed > _BLOCK:
                    self.in_vain += _BLOCK
                    if self.in_vain > _MOST_IN_VAIN:
                        raise NotReadable("datei_zu_gross")
                yield from cells.found
                cells.found.clear()
                if cells.over:
                    return
            raise EOFError  # cut off


def _feed(parser: expat.XMLParserType, file: IO[bytes]) -> Iterator[int]:
    """Parses block by block; how many bytes so far."""
    fed = 0
    while block := file.read(_BLOCK):
        parser.Parse(block)
        fed += len(block)
        # Until a tag ends, the parser keeps all of it.
        if fed - parser.CurrentByteIndex > _MOST_TAG:
            raise ValueError
        yield fed


def _day_zero(tags: list[tuple[str, dict[str, str]]]) -> dt.datetime:
    settings = next((at for tag, at in tags if tag == "workbookPr"), {})
    old_mac = settings.get("date1904", "0") in ("1", "true")
    return dt.datetime(1904, 1, 1) if old_mac else dt.datetime(1899, 12, 30)  # noqa: DTZ001 - cells know no zone


def _of(attributes: dict[str, str], name: str) -> str:
    """An attribute in a namespace, whatever that is called."""
    return next((value for key, value in attributes.items() if key.endswith(f":{name}")), "")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_declared: object) -> None:
    raise ValueError  # spreadsheets write none; it is where entities are declared


def _is_date(code: str) -> bool:
    return bool(re.search("[ymd]", _NO_PATTERN.sub("", code), re.IGNORECASE))


class _Texts:
    """Collects the shared texts; those of one entry may stand in several runs."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.parts: list[str] | None = None
        self.inside = self.spoken = False
        self.parser = _parser()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler = self.text

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        tag = _local(name)
        if tag == "si":
            self.parts = []
        elif tag == "rPh":
            self.spoken = True  # how a text is pronounced is no part of it
        self.inside = tag == "t" and not self.spoken

    def text(self, data: str) -> None:
        if self.inside and self.parts is not None:
            self.parts.append(data)

    def end(self, name: str) -> None:
        tag = _local(name)
        self.inside = False
        if tag == "rPh":
            self.spoken = False
        elif tag == "si":
            if len(self.found) == MOST_TEXTS:
                raise NotReadable("datei_zu_gross")
            self.found.append(_unescaped("".join(self.parts or ())))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


class _Cells:
    """Collects rows while a sheet runs through the parser; `over` behind the last."""

    def __init__(self, book: _Book) -> None:
        self.book = book
        self.found: list[tuple[int, list[str]]] = []
        self.over = False
        self.line = self.column = 0
        self.cells: list[str] = []
        self.attributes: dict[str, str] = {}
        self.value = self.formula = self.reads = ""
        self.columns: dict[str, int] = {}
        self.known: dict[str, str] = {}
        self.readers: dict[str, Callable[[str], str]] = {
            "n": self._number, "s": lambda raw: book.texts[int(raw)], "d": _iso_day,
            "b": lambda raw: "WAHR" if raw == "1" else "FALSCH",
        }  # fmt: skip
        self.parser = _parser()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self.attributes = attributes
            self.value = self.formula = ""
        elif name == "v":
            self.reads = "v"
        elif name == "row":
            self._open_row(attributes)
        elif name in ("f", "t", "rPh"):
            self.reads = name
        elif ":" in name:
            self._start(_local(name), attributes)

    def _open_row(self, attributes: dict[str, str]) -> None:
        line = int(attributes.get("r", self.line + 1))
        if not self.line < line <= MOST_ROWS:
            raise ValueError
        self.line, self.column, self.cells = line, 0, []

    def _text(self, data: str) -> None:
        if len(self.value) + len(self.formula) > _MOST_LETTERS:
            raise ValueError
        if self.reads == "v" or self.reads == "t":
            self.value += data
        elif self.reads == "f":
            self.formula += data

    def _end(self, name: str) -> None:
        if name == "v":
            self.reads = ""
        elif name == "c":
            self._close(self.attributes)
        elif name == "row":
            if self.cells:
                self.found.append((self.line, self.cells))
        elif name == "sheetData":
            self.over = True
        elif ":" in name:
            self._end(_local(name))
        else:
            self.reads = ""

    def _close(self, attributes: dict[str, str]) -> None:
        self.column = column = self._place(attributes.get("r"))
        if not self.value and not self.formula:
            return
        cells = self.cells
        if column != len(cells) + 1:
            self._skip_to(column)
        if not self.value:
            cells.append(f"={self.formula}")
        elif reader := self.readers.get(attributes.get("t", "n")):
            cells.append(reader(self.value))
        else:
            cells.append(_unescaped(self.value))

    def _place(self, ref: str | None) -> int:
        """The cell's column, from 1; one that does not say it stands behind the one before."""
        if not ref:
            return self.column + 1
        letters = ref.rstrip("0123456789")
        return self.columns.get(letters) or self.columns.setdefault(letters, _column(letters))

    def _skip_to(self, column: int) -> None:
        if column > MOST_COLUMNS:
            raise NotReadable("datei_zu_breit", line=self.line, params={"zeile": self.line})
        if len(self.cells) >= column:
            raise ValueError  # two cells in one place
        self.cells.extend([""] * (column - 1 - len(self.cells)))

    def _number(self, raw: str) -> str:
        if self.attributes.get("s") in self.book.dates and (day := self._day(raw)):
            return day
        return self.known.get(raw) or self._remember(raw)

    def _remember(self, raw: str) -> str:
        text = Number(_digits(raw))
        if len(self.known) < 100_000:
            self.known[raw] = text
        return text

    def _day(self, raw: str) -> str:
        key = f"d{raw}"
        if key not in self.known and len(self.known) < 100_000:
            self.known[key] = _dated(self.book.since, raw)
        return self.known.get(key) or _dated(self.book.since, raw)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    if not 0 < number <= 1 << 14:
        raise ValueError
    return number


def _digits(raw: str) -> str:
    """`6.0E10` as 60000000000, `1204.0` as 1204, `1.5` as 1,5: a dot would be read as one of thousands."""
    if raw.isdecimal() and raw.isascii():
        return raw
    number = Decimal(raw)
    if not number.is_finite():
        raise ValueError
    if abs(number) >= 10**20:
        return raw.replace(".", ",")
    whole = number.to_integral_value()
    return f"{whole:f}" if whole == number else f"{number:f}".replace(".", ",")


def _dated(since: dt.datetime, raw: str) -> str:
    """The date of a number of days; empty where the calendar has none."""
    days = float(raw)
    if not 0 <= days < 2_958_466:
        return ""
    at = since + dt.timedelta(seconds=round(days * 86_400))
    return Day(f"{at:%Y-%m-%d}") if days.is_integer() else f"{at:%Y-%m-%d %H:%M:%S}"


def _iso_day(raw: str) -> str:
    day = _MIDNIGHT.sub("", raw.strip())
    return Day(day) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day) else raw
