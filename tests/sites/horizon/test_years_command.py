"""`perwatt yield --years`: the table of years, the monthly statement in JSON, and what is refused."""

import json

import pytest

from bench.cli import main
from sites.examples import example_path

MORE = "\n[horizon]\nyears = 2\nfixed_cost_growth_percent_per_year = 3\n"


@pytest.fixture
def call(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["yield", *map(str, arguments)])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return call


def test_years_are_printed_with_their_sum(call):
    status, out, _ = call("georgia-50mw-mining", "--years", 3)
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "Georgia 50 MW, all mining: 3 years; output and USD are modelled"
    assert [line.split()[0] for line in lines if line.startswith((" 20", " all"))] == [
        "2026-01-01", "2027-01-01", "2028-01-01", "all",
    ]  # fmt: skip


def test_the_monthly_statement_is_in_the_json(call):
    _, out, _ = call("georgia-50mw-gpu-modules", "--years", 2, "--json")
    (site,) = json.loads(out)["sites"]
    assert len(site["months"]) == 24
    for name, values in site["monthly"].items():
        assert sum(values[:12]) == pytest.approx(site["yearly"][name][0], rel=1e-9)
        assert sum(site["yearly"][name]) == pytest.approx(site["total"][name], rel=1e-9)
    miners, gpus = site["blocks"]
    assert all(value > 0 for value in miners["monthly"]["btc"])
    assert gpus["monthly"]["btc"] == [None] * 24


def test_a_site_file_states_its_years(call, tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(example_path("georgia-50mw-mining").read_text(encoding="utf-8") + MORE, encoding="utf-8")
    assert "2 years" in call(path)[1]
    assert "4 years" in call(path, "--years", 4)[1]


@pytest.mark.parametrize(
    "option", [("--plan", "plan.csv"), ("--plots", "plots"), ("--native",), ("--scenarios", "8"), ("--since", "run")]
)
def test_an_option_of_a_single_year_is_refused_in_one_line(call, option):
    status, out, err = call("georgia-50mw-mining", "--years", 2, *option)
    assert (status, out) == (2, "")
    assert err == (f"error: --years, [horizon]: expected no {option[0]} with it, which takes a single year, got both\n")


def test_several_sites_are_added_up_and_listed(call):
    _, out, _ = call("georgia-50mw-mining", "georgia-50mw-gpu-modules", "--years", 2)
    assert "2 sites: 2 years" in out
    assert "Georgia 50 MW, two GPU modules" in out
