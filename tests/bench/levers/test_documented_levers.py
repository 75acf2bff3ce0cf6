"""docs/levers.md names every lever."""

from pathlib import Path

import pytest

from bench.levers.registry import names

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "levers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", names())
def test_the_page_of_levers_names_each_of_them(name: str) -> None:
    assert f"`{name}`" in PAGE
