"""The documentation is whole: commands are described, links lead somewhere, every public name says what it is."""

import ast
import re
from pathlib import Path

import pytest

from bench.cli import COMMANDS
from bench.diagnostics import TABLE

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bench", "hardware_profiles", "kernels", "sites")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "results" / "README.md"])
PRESENT_PAGES = [page for page in PAGES if page.name != "CHANGELOG.md"]  # a changelog names files as they were
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _public(tree: ast.AST, prefix: str = ""):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says nothing of itself"
    assert [name for name, node in _public(tree) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_of_ours_leads_there(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    ours = [link for link in links if "://" not in link]
    assert [link for link in ours if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PRESENT_PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_ours_that_a_page_names_exists(page):
    named = re.findall(rf"`((?:{'|'.join(PACKAGES)}|tests|docs)/[\w/.+-]*)`", page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described_in_the_documentation(command):
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert re.search(rf"perwatt {command}\b", text)


@pytest.mark.parametrize("code", TABLE)
def test_every_reason_code_is_used_and_has_a_cure(code):
    diagnostic = TABLE[code]
    assert diagnostic.sentence
    assert diagnostic.cure
    used = [
        path for path in SOURCES if path.name != "diagnostics.py" and f'"{code}"' in path.read_text(encoding="utf-8")
    ]
    assert used, f"{code} stands in the table and nowhere else"
