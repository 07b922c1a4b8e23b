"""The smallest workbook that Excel would open: texts, numbers, and days as Excel counts them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OF = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINKS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'


def write_workbook(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    """Write sheets by name, each as rows of cells; None leaves a cell out."""
    own = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, start=1))
    links = _link("styles", "styles") + "".join(_link("worksheet", n) for n in range(1, len(sheets) + 1))
    # The second format shows a number as a day.
    formats = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f"<Relationships {_LINKS}>{_link('officeDocument', 'xl/workbook')}</Relationships>",
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OF}"><sheets>{own}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships {_LINKS}>{links}</Relationships>",
        "xl/styles.xml": f"<styleSheet {_MAIN}>{formats}</styleSheet>",
    }
    for number, rows in enumerate(sheets.values(), start=1):
        lines = "".join(f'<row r="{at}">{_write_cells(row, at)}</row>' for at, row in enumerate(rows, start=1))
        parts[f"xl/{number}.xml"] = f"<worksheet {_MAIN}><sheetData>{lines}</sheetData></worksheet>"
    with ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def _link(kind: str, part: int | str) -> str:
    return f'<Relationship Id="r{part}" Type="{_OF}/{kind}" Target="{part}.xml"/>'


def _write_cells(row: Sequence[object], at: int) -> str:
    return "".join(_write(cell, f"{chr(65 + place)}{at}") for place, cell in enumerate(row) if cell is not None)


def _write(cell: object, at: str) -> str:
    if isinstance(cell, date):
        return f'<c r="{at}" s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{at}"><v>{cell}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'
