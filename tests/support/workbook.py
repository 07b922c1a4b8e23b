"""The smallest workbook that Excel would open: texts, numbers, and days as Excel counts them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OF = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FIRST_DAY = date(1899, 12, 30)


def write_workbook(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    """Write sheets by name, each as rows of cells; None leaves a cell out."""
    names = list(enumerate(sheets, start=1))
    parts = "".join(f'<Override PartName="/xl/s{n}.xml" ContentType="application/xml"/>' for n, _ in names)
    own = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in names)
    links = "".join(f'<Relationship Id="r{n}" Type="{_OF}/worksheet" Target="s{n}.xml"/>' for n, _ in names)
    with ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">{parts}</Types>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_OF}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OF}"><sheets>{own}</sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{links}'
            f'<Relationship Id="rs" Type="{_OF}/styles" Target="styles.xml"/></Relationships>',
        )
        # The second format shows a number as a day.
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        )
        for number, rows in enumerate(sheets.values(), start=1):
            lines = "".join(_write_row(row, at) for at, row in enumerate(rows, start=1))
            text = f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'
            archive.writestr(f"xl/s{number}.xml", text)
    return path


def _write_row(row: Sequence[object], at: int) -> str:
    cells = (_write(cell, f"{_letter(place)}{at}") for place, cell in enumerate(row))
    return f'<row r="{at}">{"".join(cells)}</row>'


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"A{chr(ord('A') + place - 26)}"


def _write(cell: object, at: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return f'<c r="{at}" s="1"><v>{(cell - _FIRST_DAY).days}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{at}"><v>{cell}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(str(cell))}</t></is></c>'
