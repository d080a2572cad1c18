"""XLSX files made part by part: as spreadsheets write them, and as only an attacker does."""

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(*sheets, texts="", names=(), states=(), packing=zipfile.ZIP_DEFLATED, **parts):
    """Return a workbook with the XML of these sheets (see `sheet`). `texts` is the XML of the shared texts."""
    names = names or [f"Sheet{number}" for number, _ in enumerate(sheets, 1)]
    states = states or ["visible"] * len(sheets)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" state="{state}" r:id="rId{number}"/>'
        for number, (name, state) in enumerate(zip(names, states, strict=True), 1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number, _ in enumerate(sheets, 1)
    )
    related += f'<Relationship Id="t" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
    content = {
        "[Content_Types].xml": f'<T><Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/></T>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
        **{f"xl/worksheets/sheet{number}.xml": xml for number, xml in enumerate(sheets, 1)},
        **parts,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file.getvalue()


def sheet(rows, before="", after=""):
    """Return the XML of a sheet whose first row is the header Company, and whose other rows are the XML `rows`."""
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>Company</t></is></c></row>'
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{head}{rows}</sheetData>{after}</worksheet>'


def text_cell(reference, text):
    """Return the XML of a cell with text."""
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


A_ROW = f'<row r="2">{text_cell("A2", "Alpha")}</row>'
HOSTILE = {
    "millions of cells in one row": lambda: workbook(sheet(f'<row r="2">{"<c/>" * 6_000_000}</row>')),
    "one text in every cell": lambda: workbook(
        sheet("".join(f'<row r="{line}"><c t="s"><v>0</v></c></row>' for line in range(2, 3_000))),
        texts=f"<si><t>{'x' * 32_000}</t></si>",
    ),
    "a cell of many megabytes": lambda: workbook(sheet(f'<row r="2">{text_cell("A2", "x" * 50_000_000)}</row>')),
    "a tag of many megabytes": lambda: workbook(sheet(f'<row r="2" x="{"x" * 20_000_000}"/>')),
    "elements within elements": lambda: workbook(sheet("<a>" * 1_000_000 + "</a>" * 1_000_000)),
    "millions of texts": lambda: workbook(sheet(A_ROW), texts=f"<si><t>{'x' * 1_000}</t></si>" * 60_000),
    "many merged cells": lambda: workbook(sheet(A_ROW, after='<mergeCell ref="A1:A9"/>' * 100_001)),
    "hidden columns without end": lambda: workbook(sheet(A_ROW, before='<col min="1" max="99999999" hidden="1"/>' * 2)),
    "rows that go back": lambda: workbook(sheet(f'{A_ROW}<row r="2">{text_cell("A2", "Beta")}</row>')),
    "entities": lambda: workbook(f'<!DOCTYPE x [<!ENTITY a "a">]>{sheet(A_ROW.replace("Alpha", "&a;"))}'),
    "another packing": lambda: workbook(sheet(A_ROW), packing=zipfile.ZIP_BZIP2),
    "thousands of parts": lambda: workbook(sheet(A_ROW), **{f"xl/{n}.bin": b"x" for n in range(1_001)}),
    "styles that are not there": lambda: workbook(sheet('<row r="2"><c r="A2" s="999"><v>1</v></c></row>')),
    "texts that are not there": lambda: workbook(sheet('<row r="2"><c r="A2" t="s"><v>9</v></c></row>')),
    "numbers that are none": lambda: workbook(sheet('<row r="2"><c r="A2"><v>1e999x</v></c></row>')),
}  # fmt: skip
