"""Writes the few parts of an xlsx workbook that a reader needs."""

import io
import zipfile
from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_DOC = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_RELATIONSHIPS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = 'xmlns="http://schemas.openxmlformats.org/package/2006/content-types"'
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(sheets):
    """Return the bytes of an xlsx file with these sheets, {name: rows of texts and numbers}."""
    names = list(sheets)
    ids = [f"rId{at}" for at in range(1, len(names) + 1)]
    book = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="{key}"/>'
        for at, (name, key) in enumerate(zip(names, ids, strict=True), 1)
    )
    parts = "".join(
        f'<Relationship Id="{key}" Type="{_TYPE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at, key in enumerate(ids, 1)
    )
    content = (
        f'{_HEAD}<Types {_TYPES}><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{_SHEET}.worksheet+xml"/>'
            for at in range(1, len(names) + 1)
        )
        + "</Types>"
    )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", content)
        office = f'<Relationship Id="rId1" Type="{_TYPE}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f"{_HEAD}<Relationships {_RELATIONSHIPS}>{office}</Relationships>")
        archive.writestr("xl/workbook.xml", f"{_HEAD}<workbook {_MAIN} {_DOC}><sheets>{book}</sheets></workbook>")
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f"{_HEAD}<Relationships {_RELATIONSHIPS}>{parts}</Relationships>"
        )
        for at, rows in enumerate(sheets.values(), 1):
            body = "".join(_row(number, row) for number, row in enumerate(rows, 1))
            archive.writestr(
                f"xl/worksheets/sheet{at}.xml", f"{_HEAD}<worksheet {_MAIN}><sheetData>{body}</sheetData></worksheet>"
            )
    return data.getvalue()


def _row(number, row):
    cells = "".join(_cell(f"{chr(ord('A') + at)}{number}", value) for at, value in enumerate(row))
    return f'<row r="{number}">{cells}</row>'


def _cell(place, value):
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'
