"""A workbook (xlsx) of monthly statements with live formulas, written by XlsxWriter from the extra `workbook`.

Each formula is stored with our own value, which a reader shows that does not compute. A change in a month moves its
year, the totals and the present values.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.files import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sites.arrays import Floats

INSTALL = "install XlsxWriter 3.2 or newer, or perwatt with the extra `workbook`"
FIRST_ROW = 2  # of the months, after names and units
LEFT_COLUMNS = 3  # month, year, time
MOST_SITES = 100


class Column(NamedTuple):
    """A column of a monthly statement."""

    name: str
    unit: str
    meaning: str
    values: Floats  # [M]
    terms: tuple[tuple[int, str], ...] = ()  # signs and names of the columns whose sum it is; empty for plain values


class Fact(NamedTuple):
    """A measure that is no formula."""

    name: str
    value: float | str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Book:
    """The statement of a site."""

    site: str
    months: tuple[date, ...]  # first day of each month, [M]
    years: tuple[int, ...]  # year of each month by which the sums are formed, [M]
    end_years: Floats  # time from the start to the end of each month [years], [M]
    columns: tuple[Column, ...]
    discount_frac: float | None = None  # [1/year] of the present values
    discounted: tuple[str, ...] = ()  # names of the columns of cash whose present value is shown
    facts: tuple[Fact, ...] = ()


def write_workbook(target: Path, books: Sequence[Book]) -> None:
    """Write the statements of sites as a workbook, completely or not at all.

    Raises
    ------
    InputError
        XlsxWriter is not installed, there are more than 100 sites, or the target cannot be written.
    """
    if len(books) > MOST_SITES:
        raise InputError(f"{target}: expected at most {MOST_SITES} sites in a workbook, got {len(books)}")
    write_file(target, workbook_bytes(target, books))


def workbook_bytes(target: object, books: Sequence[Book]) -> bytes:
    """Return a workbook; the same statements make the same bytes. `target` is its name, for errors."""
    try:
        import xlsxwriter
    except ImportError:
        raise InputError(f"{target}: expected XlsxWriter to write an xlsx workbook: {INSTALL}") from None
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    workbook = xlsxwriter.Workbook(content, options)
    first = min(book.months[0] for book in books)
    workbook.set_properties(
        {"title": "perwatt: statement", "created": datetime(first.year, first.month, 1, tzinfo=UTC)}
    )
    styles = _Styles.of(workbook)
    for number, book in enumerate(books, start=1):
        _Sheets(workbook, styles, book, f" {number}" if len(books) > 1 else "").write()
    workbook.close()
    return content.getvalue()


class _Styles(NamedTuple):
    bold: Any
    day: Any
    amount: Any
    total: Any
    share: Any

    @classmethod
    def of(cls, workbook: Any) -> _Styles:
        def style(**keys: object) -> Any:
            return workbook.add_format(keys)

        return cls(
            bold=style(bold=True),
            day=style(num_format="yyyy-mm"),
            amount=style(num_format="#,##0.00"),
            total=style(num_format="#,##0.00", bold=True, top=1),
            share=style(num_format="0.000000"),
        )


class _Sheets:
    """The three sheets of a site: months, years, and measures with the meaning of the columns."""

    def __init__(self, workbook: Any, styles: _Styles, book: Book, suffix: str) -> None:
        self.book, self.styles = book, styles
        self.months_name = f"Months{suffix}"
        self.months, self.years, self.measures = (
            workbook.add_worksheet(name) for name in (self.months_name, f"Years{suffix}", f"Measures{suffix}")
        )
        self.at = {column.name: LEFT_COLUMNS + place for place, column in enumerate(book.columns)}
        self.last = FIRST_ROW + len(book.months) - 1

    def write(self) -> None:
        """Write all cells."""
        self._months()
        self._years()
        self._measures()

    def _heading(self, sheet: Any, left: Sequence[str]) -> None:
        for at, name in enumerate(left):
            sheet.write_string(0, at, name, self.styles.bold)
        for column in self.book.columns:
            at = self.at[column.name] - LEFT_COLUMNS + len(left)
            sheet.write_string(0, at, column.name, self.styles.bold)
            sheet.write_string(1, at, column.unit)
        sheet.freeze_panes(FIRST_ROW, len(left))
        sheet.set_column(0, len(left) + len(self.book.columns) - 1, 16)

    def _months(self) -> None:
        book, sheet, styles = self.book, self.months, self.styles
        self._heading(sheet, ("month", "year", "end_years"))
        for place, (month, year) in enumerate(zip(book.months, book.years, strict=True)):
            row = FIRST_ROW + place
            sheet.write_datetime(row, 0, datetime(month.year, month.month, month.day), styles.day)  # noqa: DTZ001
            sheet.write_number(row, 1, year)
            sheet.write_number(row, 2, float(book.end_years[place]), styles.share)
            for column in book.columns:
                at, value = self.at[column.name], float(column.values[place])
                if column.terms:
                    sheet.write_formula(row, at, self._sum_of(column, row), styles.amount, value)
                else:
                    sheet.write_number(row, at, value, styles.amount)
        sheet.write_string(self.last + 1, 0, "total", styles.bold)
        for column in book.columns:
            at = self.at[column.name]
            formula = f"=SUM({_cell(FIRST_ROW, at)}:{_cell(self.last, at)})"
            sheet.write_formula(self.last + 1, at, formula, styles.total, math.fsum(column.values))

    def _sum_of(self, column: Column, row: int) -> str:
        terms = "".join(f"{'+' if sign > 0 else '-'}{_cell(row, self.at[name])}" for sign, name in column.terms)
        return f"={terms.removeprefix('+')}"

    def _years(self) -> None:
        book, sheet, styles = self.book, self.years, self.styles
        self._heading(sheet, ("year",))
        years = sorted(set(book.years))
        of_month = np.array(book.years)
        last = FIRST_ROW + len(years) - 1
        for place, year in enumerate(years):
            row = FIRST_ROW + place
            sheet.write_number(row, 0, year)
            for column in book.columns:
                formula = f"=SUMIF({self._range(1)},{_cell(row, 0)},{self._range(self.at[column.name])})"
                value = math.fsum(column.values[of_month == year])
                sheet.write_formula(row, self.at[column.name] - LEFT_COLUMNS + 1, formula, styles.amount, value)
        sheet.write_string(last + 1, 0, "total", styles.bold)
        for column in book.columns:
            at = self.at[column.name] - LEFT_COLUMNS + 1
            formula = f"=SUM({_cell(FIRST_ROW, at)}:{_cell(last, at)})"
            sheet.write_formula(last + 1, at, formula, styles.total, math.fsum(column.values))

    def _measures(self) -> None:
        book, sheet, styles = self.book, self.measures, self.styles
        sheet.write_string(0, 0, "site", styles.bold)
        sheet.write_string(0, 1, book.site)
        row = 2
        if book.discount_frac is not None:
            sheet.write_row(row, 0, ["discount rate", book.discount_frac, "1/year"])
            rate = _cell(row, 1, fixed=True)
            for name in book.discounted:
                row += 1
                cash = next(column.values for column in book.columns if column.name == name)
                formula = f"=SUMPRODUCT({self._range(self.at[name])}/(1+{rate})^{self._range(2)})"
                value = float(((1.0 + book.discount_frac) ** -book.end_years) @ cash)
                sheet.write_string(row, 0, f"net present value of {name}")
                sheet.write_formula(row, 1, formula, styles.amount, value)
                sheet.write_string(row, 2, "USD")
            row += 1
        for fact in book.facts:
            sheet.write_row(row, 0, list(fact))
            row += 1
        row += 1
        sheet.write_row(row, 0, ["column", "unit", "meaning"], styles.bold)
        for column in book.columns:
            row += 1
            sheet.write_row(row, 0, [column.name, column.unit, column.meaning])
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 3, 24)

    def _range(self, at: int) -> str:
        """Return the months of a column, as another sheet names them."""
        first, last = _cell(FIRST_ROW, at, fixed=True), _cell(self.last, at, fixed=True)
        return f"'{self.months_name}'!{first}:{last}"


def _cell(row: int, at: int, *, fixed: bool = False) -> str:
    """Return the name of a cell: C5, or $C$5."""
    letters, rest = "", at + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"${letters}${row + 1}" if fixed else f"{letters}{row + 1}"
