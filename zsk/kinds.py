"""What kind of file somebody has handed in, by its content, and whether its name says the same."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO, Final

CSV: Final = "csv"
XLSX: Final = "xlsx"
ACCEPTED = ".csv,.txt,.tsv,.xlsx,text/csv"  # what a form offers to choose
BLOCK = 1 << 20
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_PARTS = 10_000
_BROKEN = (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError)
_SIGNATURES = (
    (b"%PDF", "eine PDF-Datei"),
    (b"\x89PNG", "ein Bild"),
    (b"\xff\xd8\xff", "ein Bild"),
    (b"\x1f\x8b", "eine gepackte Datei (gzip)"),
    (b"\xff\xfe", "eine Textdatei in UTF-16"),
    (b"\xfe\xff", "eine Textdatei in UTF-16"),
)
# What an archive holds tells what it is.
_PARTS = (
    ("xl/workbook.bin", "eine Excel-Binärdatei (XLSB)"),
    ("word/document.xml", "ein Word-Dokument"),
    ("ppt/presentation.xml", "eine PowerPoint-Datei"),
    ("Index/Document.iwa", "eine Numbers-Datei"),
    ("Index.zip", "eine Numbers-Datei"),
)
_NAMES = {CSV: "eine Textdatei (CSV)", XLSX: "eine Excel-Datei (XLSX)"}
# Endings that promise something; any other says nothing.
_PROMISES = {
    "csv": CSV, "txt": CSV, "tsv": CSV, "xlsx": XLSX, "xlsm": XLSX, "xls": "", "xlsb": "", "ods": "",
    "numbers": "", "pdf": "", "zip": "", "json": "", "xml": "",
}  # fmt: skip


class NotReadable(Exception):
    """The file as a whole is at fault; `code` says how, the rest are particulars for the sentence."""

    def __init__(
        self, code: str, *, value: str = "", line: int | None = None, params: dict[str, Any] | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.value, self.line, self.params = code, value, line, params or {}


def kind(file: BinaryIO, *, name: str = "") -> str:
    """CSV or XLSX. Raises NotReadable for any other kind, and where the file's name says another."""
    file.seek(0)
    start = file.read(BLOCK)
    found = XLSX if start.startswith(b"PK") else CSV
    if found == XLSX:
        _refuse_other_archives(file)
    else:
        _refuse_other_texts(file, start)
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if _PROMISES.get(ending, found) != found:
        raise NotReadable("datei_name", value=name[-80:], params={"art": _NAMES[found], "endung": found})
    return found


def _other(name: str) -> NotReadable:
    return NotReadable("datei_art", params={"art": name})


def _refuse_other_texts(file: BinaryIO, start: bytes) -> None:
    if start.startswith(_OLD_OFFICE):
        locked = _ENCRYPTED in start + file.read()
        raise _other("eine mit Kennwort geschützte Excel-Datei" if locked else "eine alte Excel-Datei (XLS)")
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            raise _other(name)
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise NotReadable("datei_leer")
    first = start.lstrip()[:1]
    if first in (b"<", b"{", b"["):
        raise _other("eine HTML- oder XML-Datei" if first == b"<" else "eine JSON-Datei")


def unpacked_bytes(file: BinaryIO) -> int:
    """How much whoever reads the file goes through at most: of an XLSX all its parts. 0 for broken ones."""
    file.seek(0)
    if not file.read(4).startswith(b"PK"):
        return file.seek(0, io.SEEK_END)
    try:
        with open_archive(file) as archive:
            return sum(part.file_size for part in archive.infolist())
    except (NotReadable, *_BROKEN):
        return 0


def _refuse_other_archives(file: BinaryIO) -> None:
    try:
        with open_archive(file) as archive:
            parts = set(archive.namelist())
            declared = archive.open("mimetype").read(80) if "mimetype" in parts else b""
    except _BROKEN as error:
        raise NotReadable("datei_beschaedigt") from error
    if b"opendocument.spreadsheet" in declared:
        raise _other("eine OpenDocument-Tabelle (ODS)")
    for part, name in _PARTS:
        if part in parts:
            raise _other(name)
    if "[Content_Types].xml" not in parts:
        raise _other("ein ZIP-Archiv")


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, unless its list of contents alone would be too much. Raises NotReadable, BadZipFile."""
    file.seek(0)
    parts = sum(block.count(b"PK\x01\x02") for block in iter(lambda: file.read(BLOCK), b""))
    if parts > _MOST_PARTS:
        raise NotReadable("datei_zu_gross")
    return zipfile.ZipFile(file)
