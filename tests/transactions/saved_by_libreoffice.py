"""Tables as LibreOffice has them, and the files that it saves of them."""

import subprocess
from pathlib import Path

SOFFICE = "soffice"
CSV = "csv:Text - txt - csv (StarCalc):"
# Separator, quote, encoding, first line, formats, language, quote all texts, cells as shown.
FORMATS = {
    "xlsx": "xlsx",
    "utf-8": f"{CSV}59,34,76,1,,0,false,true",
    "windows": f"{CSV}59,34,1,1,,0,true,true",
    "ods": "ods",
    "xls": "xls",
}
_SPACES = 'xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" ' + " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in [
        ("office", "office"), ("style", "style"), ("table", "table"), ("text", "text"),
        ("number", "datastyle"),
    ]
)  # fmt: skip
_STYLES = """
<number:date-style style:name="D1" number:language="de" number:country="DE"><number:day number:style="long"/>
<number:text>.</number:text><number:month number:style="long"/><number:text>.</number:text>
<number:year number:style="long"/></number:date-style>
<number:date-style style:name="D2" number:language="de" number:country="DE">
<number:month number:textual="true" number:style="long"/><number:text> </number:text>
<number:year number:style="long"/></number:date-style>
<number:number-style style:name="G1" number:language="de" number:country="DE">
<number:number number:decimal-places="0" number:min-integer-digits="1" number:grouping="true"/>
</number:number-style>
<style:style style:name="day" style:family="table-cell" style:data-style-name="D1"/>
<style:style style:name="month" style:family="table-cell" style:data-style-name="D2"/>
<style:style style:name="grouped" style:family="table-cell" style:data-style-name="G1"/>
<style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/>
</style:style>
"""


def text(value: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


def number(value: object, style: str = "", formula: str = "") -> str:
    how = f' table:formula="{formula}"' if formula else ""
    shown = f' table:style-name="{style}"' if style else ""
    return f'<table:table-cell{shown}{how} office:value-type="float" office:value="{value}"/>'


def day(value: str, style: str) -> str:
    at = f'office:value-type="date" office:date-value="{value}"'
    return f'<table:table-cell table:style-name="{style}" {at}/>'


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def sheet(name: str, *rows: str, style: str = "") -> str:
    shown = f' table:style-name="{style}"' if style else ""
    return f'<table:table table:name="{name}"{shown}>{"".join(rows)}</table:table>'


def document(*sheets: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {_SPACES} office:version="1.3"'
        ' office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:automatic-styles>'
        f"{_STYLES}</office:automatic-styles><office:body><office:spreadsheet>{''.join(sheets)}"
        "</office:spreadsheet></office:body></office:document>"
    )


def saved(folder: Path, kind: str, *sources: Path) -> Path:
    """A folder with the files in one of FORMATS; each start of the program takes some seconds."""
    made = folder / kind
    command = [
        SOFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore",
        "--convert-to", FORMATS[kind], "--outdir", str(made), *map(str, sources),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return made
