"""The table of layouts is whole, and the documentation has every layout as it is."""

from pathlib import Path

import pytest

from sites.feeds.layouts import LAYOUTS

PAGE = (Path(__file__).parents[3] / "docs" / "feed-layouts.md").read_text(encoding="utf-8")


def test_every_layout_has_a_name_of_its_own():
    names = [layout.name for layout in LAYOUTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_page_of_layouts_has_each_one(layout):
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{layout.name}` |"))
    cells = [cell.strip() for cell in row.split(" | ")]
    unit = layout.unit or "of the file"
    assert cells[1:7] == [
        layout.title,
        unit,
        layout.timezone,
        layout.label,
        layout.repeated_hour,
        ", ".join(layout.choices),
    ]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_is_read_from_tables_or_from_a_document(layout):
    assert bool(layout.headings) == (layout.read is not None)
    assert layout.headings or layout.document
