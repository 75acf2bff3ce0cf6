"""Workbooks of statements: our values in every cell, live formulas that LibreOffice recomputes to them."""

import builtins
import re
import zipfile
from datetime import date

import numpy as np
import pytest
from oracles.office import recomputed

from hardware_profiles.errors import InputError
from sites.hours.months import Months
from sites.planners.workbook import Book, Column, Fact, workbook_bytes, write_workbook

MONTHS = Months.of(date(2026, 1, 1), 3)


def _book(site="Hosting in two phases", seed=1):
    draw = np.random.default_rng(seed)
    revenue, power = draw.normal(3e6, 1e6, 36), draw.normal(1e6, 3e5, 36)
    capex = np.where(np.arange(36) == 0, 4e7, 0.0)
    columns = (
        Column("revenue_usd", "USD", "for work", revenue),
        Column("power_usd", "USD", "cost of power", power),
        Column("net_usd", "USD", "revenue less power", revenue - power, ((1, "revenue_usd"), (-1, "power_usd"))),
        Column("capex_usd", "USD", "paid for hardware", capex),
        Column("cash_usd", "USD", "net less capex", revenue - power - capex, ((1, "net_usd"), (-1, "capex_usd"))),
    )
    return Book(
        site=site,
        months=MONTHS.firsts,
        years=tuple(MONTHS.calendar_year.tolist()),
        end_years=MONTHS.end_years,
        columns=columns,
        discount_frac=0.12,
        discounted=("cash_usd",),
        facts=(
            Fact("IRR", "expected cash with a change of sign", "", "of the equity"),
            Fact("payback", 2.5, "years", ""),
        ),
    )


def _sheets(path):
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.fixture
def workbook(tmp_path):
    pytest.importorskip("xlsxwriter", reason="XlsxWriter (the extra `workbook`) is not installed")
    write_workbook(tmp_path / "statement.xlsx", [_book()])
    return tmp_path / "statement.xlsx"


def test_every_cell_has_our_value_before_anything_computes_it(workbook):
    book, sheets = _book(), _sheets(workbook)
    months = sheets["Months"]
    assert months[0][3:] == [column.name for column in book.columns]
    for at, column in enumerate(book.columns, start=3):
        assert [row[at] for row in months[2:38]] == pytest.approx(column.values, rel=1e-15)
        assert months[38][at] == pytest.approx(column.values.sum(), rel=1e-14)
        yearly = [column.values[12 * year : 12 * year + 12].sum() for year in range(3)]
        assert [row[at - 2] for row in sheets["Years"][2:5]] == pytest.approx(yearly, rel=1e-14)


def test_libreoffice_recomputes_every_formula_to_our_number(workbook, tmp_path):
    ours, theirs = _sheets(workbook), _sheets(recomputed(workbook, tmp_path))
    assert list(ours) == list(theirs) == ["Months", "Years", "Measures"]
    for name, rows in ours.items():
        for mine, other in zip(rows, theirs[name], strict=True):
            for value, computed in zip(mine, other, strict=True):
                expected = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
                assert computed == expected


def test_a_change_in_a_month_moves_year_total_and_present_value(workbook, tmp_path):
    changed = tmp_path / "changed.xlsx"
    revenue = float(_book().columns[0].values[0])
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(changed, "w") as target:
        for part in source.namelist():
            content = source.read(part).decode()
            if part.endswith("sheet1.xml"):
                content, count = re.subn(r'(<c r="D3"[^>]*><v>)[^<]*', rf"\g<1>{revenue + 1000.0}", content)
                assert count == 1
            target.writestr(part, content)
    before, after = _sheets(workbook), _sheets(recomputed(changed, tmp_path))
    assert after["Months"][2][7] - before["Months"][2][7] == pytest.approx(1000.0)
    assert after["Years"][2][5] - before["Years"][2][5] == pytest.approx(1000.0)
    assert after["Years"][5][5] - before["Years"][5][5] == pytest.approx(1000.0)
    worth = after["Measures"][3][1] - before["Measures"][3][1]
    assert worth == pytest.approx(1000.0 / 1.12 ** (31 / 365))


def test_a_text_that_looks_like_a_formula_stays_text(tmp_path):
    pytest.importorskip("xlsxwriter", reason="XlsxWriter (the extra `workbook`) is not installed")
    write_workbook(tmp_path / "it.xlsx", [_book('=HYPERLINK("http://example.invalid")'), _book("second", 2)])
    sheets = _sheets(tmp_path / "it.xlsx")
    assert sheets["Measures 1"][0][1] == '=HYPERLINK("http://example.invalid")'
    assert list(sheets) == ["Months 1", "Years 1", "Measures 1", "Months 2", "Years 2", "Measures 2"]
    with zipfile.ZipFile(tmp_path / "it.xlsx") as parts:
        assert "<f>HYPERLINK" not in "".join(parts.read(name).decode() for name in parts.namelist())


def test_the_same_statement_makes_the_same_bytes():
    pytest.importorskip("xlsxwriter", reason="XlsxWriter (the extra `workbook`) is not installed")
    assert workbook_bytes("it", [_book()]) == workbook_bytes("it", [_book()])


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    known = builtins.__import__

    def without(name, *rest):
        if name == "xlsxwriter":
            raise ImportError(name)
        return known(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"^a\.xlsx: expected XlsxWriter to write an xlsx workbook: install") as fault:
        workbook_bytes("a.xlsx", [_book()])
    assert len(fault.value.faults) == 1
