"""The smallest workbook that is read as one: texts, numbers, and days as Excel counts them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OF = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# The second format shows a number as a day.
_STYLES = f'<styleSheet {_MAIN}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'


def write_workbook(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
  """Write sheets by name, each as rows of cells; None is an empty cell, a pair one at its place."""
  own = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets))
  with ZipFile(path, "w") as archive:
    archive.writestr("_rels/.rels", _link(officeDocument="xl/workbook"))
    archive.writestr("xl/workbook.xml", f'<workbook {_MAIN} xmlns:r="{_OF}"><sheets>{own}</sheets></workbook>')
    archive.writestr("xl/_rels/workbook.xml.rels", _link(*map(str, range(len(sheets))), styles="styles"))
    archive.writestr("xl/styles.xml", _STYLES)
    for number, rows in enumerate(sheets.values()):
      lines = "".join(f"<row>{''.join(map(_write, row))}</row>" for row in rows)
      archive.writestr(f"xl/{number}.xml", f"<worksheet {_MAIN}><sheetData>{lines}</sheetData></worksheet>")
  return path


def _link(*sheets: str, **others: str) -> str:
  parts = [("worksheet", sheet) for sheet in sheets] + list(others.items())
  links = (f'<Relationship Id="r{part}" Type="{_OF}/{kind}" Target="{part}.xml"/>' for kind, part in parts)
  every = "".join(links)
  return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{every}</Relationships>'


def _write(cell: object) -> str:
  if isinstance(cell, tuple):
    return f'<c r="{cell[0]}"><v>{cell[1]}</v></c>'
  if isinstance(cell, date):
    return f'<c s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>'
  if isinstance(cell, int | float):
    return f"<c><v>{cell}</v></c>"
  return "<c/>" if cell is None else f'<c t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'
