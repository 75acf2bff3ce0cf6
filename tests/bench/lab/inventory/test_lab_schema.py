"""The published schema of a lab file is that of its reader, and it takes the lab file of the documentation."""

import json
import re
from pathlib import Path

import pytest
import tomli

from bench.lab.inventory.read import parse_lab
from bench.lab.inventory.schema import PUBLISHED, as_text

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "lab.md").read_text()
EXAMPLE = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_published_schema_is_that_of_the_reader():
    again = "python -m bench.lab.inventory.schema writes it anew"
    assert PUBLISHED.read_text(encoding="utf-8") == as_text(), again


def test_the_lab_file_of_the_documentation_is_read():
    pytest.importorskip("ClusterShell", reason="ClusterShell, which reads node sets, is not installed")
    lab = parse_lab(EXAMPLE.encode(), Path("lab.toml"))
    assert (len(lab.hosts), lab.hosts["gpu07"].address) == (40, "gpu07.lab")
    assert lab.domains_of_host("gpu02") == ("host:gpu02", "rack-a", "phase-1", "meter:pdu-a")
    assert lab.domains_of_miner("s21-07") == ("miner:s21-07", "host:gpu01")


def test_the_schema_takes_the_example_and_refuses_a_slip():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema, which checks the schemas, is not installed")
    validator = jsonschema.Draft202012Validator(json.loads(as_text()))
    document = tomli.loads(EXAMPLE)
    assert list(validator.iter_errors(document)) == []
    document["host"][0]["adress"] = "x"
    assert len(list(validator.iter_errors(document))) == 1
