"""`perwatt site new` and `perwatt site schema`: a first site in five minutes."""

import json
import re

import pytest
import tomli

from bench.__main__ import main
from bench.device_rates import resolve_device
from hardware_profiles.dates import partial_date
from sites.file.inputs import read_inputs
from sites.schemas import KINDS
from sites.template.new_site import countries

BLOCKS = ("--mining", "--gpu", "--both")
NUMBER = re.compile(r"^\w+ = (-?[0-9.]+|\[[-0-9., ]+\])(?!\d)")


@pytest.fixture
def perwatt(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return call


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("code", countries())
def test_a_template_is_a_valid_site_without_a_warning(perwatt, tmp_path, blocks, code):
    assert perwatt("site", "new", "First", blocks, "--country", code)[0] == 0
    ((inputs, site),) = read_inputs(tmp_path / "first.toml", resolve_device)
    assert site.flags == ()
    assert (bool(site.mining), bool(site.inference)) == (blocks != "--gpu", blocks != "--mining")
    assert inputs.file.site.timezone == countries()[code].timezone
    assert inputs.file.price.currency == countries()[code].currency


@pytest.mark.parametrize("blocks", BLOCKS)
def test_each_number_of_a_template_has_a_source_or_is_marked_as_an_assumption(perwatt, tmp_path, blocks):
    perwatt("site", "new", blocks, "--out", "a.toml")
    bare = [line for line in (tmp_path / "a.toml").read_text(encoding="utf-8").splitlines() if NUMBER.match(line)]
    free = ("start", "interconnect_percent", "gpus_per_module")  # what the user chooses, and a module as it is sold
    assert [line for line in bare if "# ASSUMPTION" not in line and not line.startswith(free)] == []


def test_the_prices_of_the_countries_have_sources_and_dates():
    for each in countries().values():
        assert each.energy.source
        partial_date()(each.energy.date)


def test_the_template_is_computed_and_its_assumptions_are_listed(perwatt, tmp_path):
    code, out, err = perwatt("site", "new", 'A "quoted" näme', "--both", "--country", "ca-qc", "--out", "my.toml")
    assert (code, err) == (0, "")
    assert "written: my.toml" in out
    assert "perwatt yield my.toml" in out
    assert tomli.loads((tmp_path / "my.toml").read_text(encoding="utf-8"))["site"]["name"] == 'A "quoted" näme'
    code, out, _ = perwatt("yield", "my.toml", "--assumptions")
    assert code == 0
    assert "mining[miners].pool_fee_percent" in out
    assert "rate CB" in out


def test_an_existing_file_is_kept(perwatt, tmp_path):
    (tmp_path / "my-site.toml").write_text("mine", encoding="utf-8")
    code, _, err = perwatt("site", "new")
    assert code == 2
    assert "my-site.toml: expected a path that does not exist yet" in err
    assert (tmp_path / "my-site.toml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--country", "ZZ"), "--country: expected one of US, US-TX, CA-QC"),
        (("--out", "site.json"), "--out: expected a name that ends in .toml, got 'site.json'"),
        (("",), "NAME: expected 1 to 80 printable characters, got ''"),
        (("a\nb",), "NAME: expected 1 to 80 printable characters"),
    ],
)
def test_a_wrong_request_writes_nothing(perwatt, tmp_path, words, message):
    code, _, err = perwatt("site", "new", *words)
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert message in err


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_printed_or_written(perwatt, tmp_path, kind):
    code, out, _ = perwatt("site", "schema", kind)
    assert code == 0
    assert json.loads(out)["$id"] == f"urn:perwatt:{kind}"
    assert perwatt("site", "schema", kind, "--out", "s.json")[0] == 0
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == json.loads(out)


def test_an_unknown_kind_of_schema_is_refused(perwatt):
    code, _, err = perwatt("site", "schema", "sites")
    assert code == 2
    assert "expected one of site, fleet, scenarios, capital, profile, got 'sites' (did you mean site" in err
