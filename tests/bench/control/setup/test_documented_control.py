"""The control file and the arm file of docs/control.md are read, and the page names every rule that has no default."""

import re
import tomllib
from pathlib import Path

import pytest

from bench.control.setup.file import ArmFile, ControlFile, ControlTable, LimitsTable
from hardware_profiles.reading import validate

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "control.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_control_file_of_the_page_is_read() -> None:
    file = validate(ControlFile, tomllib.loads(BLOCKS[0]), "docs/control.md")
    assert file.unit[0].lever == "luxos"


def test_the_arm_file_of_the_page_is_read_with_a_hash() -> None:
    document = tomllib.loads(BLOCKS[1].replace('"…"', f'"{"0" * 64}"'))
    assert validate(ArmFile, document, "docs/control.md").units == ("m[001-010]",)


@pytest.mark.parametrize("table", [ControlTable, LimitsTable])
def test_the_page_names_every_key_that_has_no_default(table) -> None:
    missing = [key for key, field in table.model_fields.items() if field.is_required() and key not in BLOCKS[0]]
    assert missing == []
