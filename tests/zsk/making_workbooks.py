"""XLSX files part by part, for what no program would save."""

import io
import zipfile
from collections.abc import Mapping

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATED = "http://schemas.openxmlformats.org/package/2006/relationships"
# 0 no format, 1 a built-in date, 2 an own date, 3 an own number format that has letters of dates in quotes
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="[$-407]mmm\\ yy;@"/>'
    '<numFmt numFmtId="165" formatCode="0&quot; Tage&quot;\\ [Red]"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="164"/><xf numFmtId="165"/></cellXfs><cellStyles/></styleSheet>'
)
HEAD = "<row>" + "".join(
    f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("onlineservice", "ars", "monat", "anzahl")
) + "</row>"  # fmt: skip


def sheet(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def cell(value: object, kind: str = "n", **attributes: object) -> str:
    more = "".join(f' {name}="{text}"' for name, text in attributes.items())
    if kind == "text":
        return f'<c t="inlineStr"{more}><is><t>{value}</t></is></c>'
    return f'<c t="{kind}"{more}><v>{value}</v></c>'


def row(*cells: str, number: int | None = None) -> str:
    at = "" if number is None else f' r="{number}"'
    return f"<row{at}>{''.join(cells)}</row>"


def workbook(
    sheets: Mapping[str, str] | str,
    *,
    texts: str = "",
    hidden: tuple[str, ...] = (),
    settings: str = "",
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """`sheets`: XML by sheet name, or the rows of one; `texts`: the entries of the shared texts."""
    if isinstance(sheets, str):
        sheets = {"Tabelle1": sheet(sheets)}

    def state(name: str) -> str:
        return "hidden" if name in hidden else "visible"

    links = "".join(
        f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in range(len(sheets))
    )
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n + 1}" r:id="r{n}" state="{state(name)}"/>'
        for n, name in enumerate(sheets)
    )
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{_RELATED}"><Relationship Id="a" Type="{LINKS}/officeDocument"'
        ' Target="/xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{settings}<sheets>{listed}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATED}">{links}'
        f'<Relationship Id="s" Type="{LINKS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="t" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
        **{f"xl/worksheets/s{n}.xml": content for n, content in enumerate(sheets.values())},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, **(more or {})}.items():
            archive.writestr(name, content)
    return file.getvalue()
