"""Rows of a comparison as Markdown and as CSV."""

import csv
import io
from collections.abc import Sequence
from typing import Any


def as_markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV; the two ends of an interval have a column each."""
    from sites.planners.csv_files import as_text

    stream = io.StringIO()
    flat = [
        {
            key: value
            for name, content in row.items()
            for key, value in (
                ((f"{name}_low", content[0] if content else None), (f"{name}_high", content[1] if content else None))
                if "interval_95" in name
                else ((name, content),)
            )
        }
        for row in rows
    ]
    writer = csv.DictWriter(stream, fieldnames=list(flat[0]) if flat else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: as_text(value) if isinstance(value, str) else value for key, value in row.items()} for row in flat
    )
    return stream.getvalue()
