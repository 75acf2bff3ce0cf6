"""The published JSON Schemas say of every file what its reader says, but for what a schema cannot state."""

import datetime as dt
import re
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest
import tomli

from hardware_profiles import catalog
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from hardware_profiles.schema import validate_file
from sites.capital.file import PlanFile
from sites.file.fleet_file import FleetFile, read_site_files
from sites.file.site_file import SiteFile
from sites.scenarios.file import ScenarioFile
from sites.schemas import KINDS
from sites.schemas.generate import schema

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema, which checks the schemas, is not installed")

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "sites" / "examples"
SCENARIOS = """
measurement = true
correlation = [[1,0,0,0,0,0],[0,1,0,0,0,0],[0,0,1,0,0,0],[0,0,0,1,0,0],[0,0,0,0,1,0],[0,0,0,0,0,1]]
[btc]
volatility_percent = { value = 55, source = "own", date = "2026-01" }
drift_percent_per_year = -3
[power]
series = { file = "power.csv", column = "usd", per_year = 8760 }
reversion_per_year = 12
[cases.low]
btc = 0.5
power = 0
"""
# What only the reader checks: relations between numbers, and names, days and files outside the document.
READER_ONLY = re.compile(
    "IANA time zone|date that exists|is not in the future|years ahead|a day of 2009|valid date|month value|day value"
    "|each block name once|each name once|each once|_stop_above_c above|at most power.interconnect_mw"
    "|below liquidation_ltv|at most principal_usd|below loan.collateral_btc|pays loan.repaid_usd"
    r"|\[loan\] with sale.from_collateral|that pays, got neither|module_from|not all 0"
    r"|at most lead_days|another block than|a day from (its )?start|a day from drawn|expected a fee|of at most the cap"
    r"|never repaid|below margin_call_ltv_percent|a last day from|\[horizon\] with it|one contract for a block"
    "|end together with it|at most 100 per cent of|no other conversion begins"
)


def _fleet(data, place):
    validate(FleetFile, data, place)


READERS = {
    "site": lambda data, place: validate(SiteFile, data, place),
    "fleet": _fleet,
    "scenarios": lambda data, place: validate(ScenarioFile, data, place),
    "capital": lambda data, place: validate(PlanFile, data, place),
    "profile": validate_file,
}
PROFILES = ("antminer-s21", "nvidia-h200", "amd-epyc-7763")
CHANGES = 200  # of each document


def _documents():
    files = {
        "site": [*EXAMPLES.glob("georgia*.toml"), *Path(__file__).parent.glob("*.toml")],
        "capital": list((EXAMPLES / "capital").glob("*.toml")),
        "profile": [catalog.files()[name] for name in PROFILES],
    }
    for kind, paths in files.items():
        for path in sorted(paths):
            yield pytest.param(kind, tomli.loads(path.read_text(encoding="utf-8")), id=f"{kind}-{path.stem}")
    yield pytest.param("scenarios", tomli.loads(SCENARIOS), id="scenarios")


DOCUMENTS = list(_documents())


def as_json(content):
    """A document as an editor hands it to a schema: times are texts."""
    if isinstance(content, dict):
        return {key: as_json(value) for key, value in content.items()}
    if isinstance(content, list):
        return [as_json(value) for value in content]
    return content.isoformat() if isinstance(content, dt.date) else content


@pytest.fixture(scope="module")
def checks():
    return {kind: jsonschema.Draft202012Validator(schema(kind)) for kind in KINDS}


def refused(kind, data):
    try:
        READERS[kind](data, "file")
    except InputError as error:
        return error.faults
    return ()


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_one(kind):
    jsonschema.Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize(("kind", "data"), DOCUMENTS)
def test_both_accept_what_perwatt_ships(checks, kind, data):
    assert refused(kind, data) == ()
    assert list(checks[kind].iter_errors(as_json(data))) == []


def test_both_accept_the_fleet_that_perwatt_ships(checks):
    path = EXAMPLES / "fleet-40-sites.toml"
    assert len(read_site_files(path)) == 40
    assert list(checks["fleet"].iter_errors(as_json(tomli.loads(path.read_text(encoding="utf-8"))))) == []


def paths(content, at=()):
    """The path of every key and list item of a document."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from paths(value, (*at, key))


VALUES = (
    *(
        True,
        False,
        "",
        "text",
        "10",
        [],
        {},
        [1],
        {"value": 5},
        {"value": "5"},
        {"value": 1, "unit": "MW"},
        {"file": "x"},
    ),
    *(-1, 0, 1, 12, 13, 0.5, 1.5, 2.0, 99.99, 100, 100.01, 1e-30, 1e9, 1e19, -1e19),
    *({"value": 3, "date": "2026-13"}, {"value": 3, "date": "2026-01", "source": 4}, "unknown", "USD", "EUR", ["a"]),
)


def changed(data, random):
    """A document with one or two keys dropped, renamed, added or given another value."""
    document = deepcopy(data)
    for _ in range(random.randint(1, 2)):
        *at, last = random.choice(list(paths(document)))
        table = document
        for key in at:
            table = table[key]
        change = random.choice(["drop", "rename", "add", "value", "value", "value"])
        if change == "value":
            table[last] = deepcopy(random.choice(VALUES))
        elif change == "drop" or isinstance(table, list):
            del table[last]
        elif change == "rename":
            table[f"{last}s"] = table.pop(last)
        else:
            table["note_of_mine"] = deepcopy(random.choice(VALUES))
    return document


@pytest.mark.parametrize(("kind", "data"), DOCUMENTS)
def test_both_say_the_same_of_a_changed_document(checks, kind, data):
    for seed in range(CHANGES):
        document = changed(data, Random(seed))
        faults = refused(kind, document)
        errors = [f"{error.json_path}: {error.message}" for error in checks[kind].iter_errors(as_json(document))]
        if errors:
            assert faults, f"change {seed}: the schema refuses what the reader reads: {errors}"
        else:
            assert all(READER_ONLY.search(fault) for fault in faults), f"change {seed}: the schema accepts: {faults}"
