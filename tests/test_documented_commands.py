"""Every command line in the documentation names commands and options that exist."""

import re
from pathlib import Path

import click
import pytest

from bench.cli import perwatt

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "examples").rglob("*.md")])
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_IN_BLOCK = re.compile(r"^((?:[A-Z_]+=\S+ )?perwatt [^\n#]*)", re.MULTILINE)
_IN_TEXT = re.compile(r"`((?:[A-Z_]+=\S+ )?perwatt [^`]*)`")


def command_lines(page: Path) -> list[str]:
    """Return the command lines of a page: those that begin a line of a block, and those between backticks."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = "\n".join(_BLOCK.findall(text))
    return [*_IN_BLOCK.findall(blocks), *(" ".join(line.split()) for line in _IN_TEXT.findall(_BLOCK.sub("", text)))]


def fault_of(line: str) -> str:
    """Return the word of a command line that does not exist, or an empty text."""
    words = line.split()
    words = words[words.index("perwatt") + 1 :]
    command: click.Command = perwatt
    context = click.Context(perwatt)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        if inner is None:
            break
        command, words = inner, words[1:]
    if command is perwatt and words and re.fullmatch(r"[a-z]+", words[0]):
        return words[0]
    known = {name for parameter in command.get_params(context) for name in (*parameter.opts, *parameter.secondary_opts)}
    options = [word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)]
    return next((option for option in options if option.rstrip(",;.)") not in known), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_line_of_a_page_names_what_exists(page: Path) -> None:
    faults = {line: fault for line in command_lines(page) if (fault := fault_of(line))}
    assert faults == {}


def test_a_command_and_an_option_that_do_not_exist_are_seen() -> None:
    assert fault_of("perwatt nonsense SITE.toml") == "nonsense"
    assert fault_of("perwatt ramp luxos:HOST --nonsense") == "--nonsense"
    assert fault_of("PERWATT_MINER=HOST perwatt run --plan quick") == ""
