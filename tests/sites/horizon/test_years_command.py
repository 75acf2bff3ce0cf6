"""`perwatt yield --years`: the table of years, the monthly statement in JSON, and what is refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bench.cli import main
from sites.examples import example_path

MORE = "\n[horizon]\nyears = 2\nfixed_cost_growth_percent_per_year = 3\n"


def _true():
    path = Path(__file__).parents[1] / "money" / "statement" / "months.csv"
    with path.open(encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    return {key: np.array([float(row[at]) for row in rows]) for at, key in enumerate(heading) if key != "month"}


TRUE = _true()


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


@pytest.mark.parametrize("option", [("--plan", "plan.csv"), ("--plots", "plots"), ("--native",), ("--since", "run")])
def test_an_option_of_a_single_year_is_refused_in_one_line(call, option):
    status, out, err = call("georgia-50mw-mining", "--years", 2, *option)
    assert (status, out) == (2, "")
    assert err == (f"error: --years, [horizon]: expected no {option[0]} with it, which takes a single year, got both\n")


def test_several_sites_are_added_up_and_listed(call):
    _, out, _ = call("georgia-50mw-mining", "georgia-50mw-gpu-modules", "--years", 2)
    assert "2 sites: 2 years" in out
    assert "Georgia 50 MW, two GPU modules" in out


def hosting(folder, more=""):
    """Write the site of the spreadsheet with a discount rate."""
    text = (Path(__file__).parents[1] / "money" / "statement" / "site.toml").read_text(encoding="utf-8")
    path = folder / "hosting.toml"
    path.write_text(text.replace("years = 5", f"years = 5\ndiscount_percent = 10{more}"), encoding="utf-8")
    return path


def test_contracts_and_the_worth_of_the_cash_are_printed(call, tmp_path):
    """NPV and IRR of the equity are those of the spreadsheet's cash, payback is in years."""
    status, out, _ = call(hosting(tmp_path))
    assert status == 0
    text = " ".join(out.split())
    assert "first customer energy fee" in text
    assert "second customer revenue share" in text
    assert "worth at 10% a year" in text
    assert "levelised cost" in text
    _, out, _ = call(hosting(tmp_path), "--json")
    (site,) = json.loads(out)["sites"]
    cash = np.array(site["monthly"]["cash_usd"])
    worth = site["worth"]["cash"]["equity"]
    assert worth["npv_usd"] == pytest.approx(TRUE["discounted_usd"].sum(), abs=1.0)
    assert sum(cash / (1 + worth["irr_frac"]) ** TRUE["end_years"]) == pytest.approx(0.0, abs=1.0)
    assert set(site["contracts"]) == {"first customer", "second customer"}


def test_levelised_cost_of_hashes_is_all_cost_over_all_work(call, tmp_path):
    """Without discount it is the plain ratio; the second phase counts, and hosting fees are no cost."""
    _, out, _ = call(hosting(tmp_path, "e-9"), "--json")
    (site,) = json.loads(out)["sites"]
    monthly = {name: np.array(values) for name, values in site["monthly"].items()}
    cost = monthly["power_usd"] + monthly["fixed_usd"] + monthly["capex_usd"]
    hashes = sum(np.array(block["monthly"]["units"]) for block in site["blocks"])
    expected = cost.sum() / (hashes.sum() / 8.64e19)
    assert site["worth"]["usd_per_ph_s_day"] == pytest.approx(expected, rel=1e-6)


def test_the_workbook_has_the_statement(call, tmp_path):
    pytest.importorskip("xlsxwriter", reason="the extra `workbook` is not installed")
    target = tmp_path / "hosting.xlsx"
    status, out, _ = call(hosting(tmp_path), "--xlsx", target)
    assert (status, target.stat().st_size > 5000) == (0, True)
    assert f"written: {target}" in out


def test_months_are_printed_with_the_sum_of_each_year(call):
    _, out, _ = call("georgia-50mw-mining", "--years", 2, "--months")
    months, years = out.split("2 years; output and USD")
    assert [line.split()[0] for line in months.splitlines() if line.startswith((" 2026-", " 2027-"))] == [
        f"{year}-{month:02}" for year in (2026, 2027) for month in range(1, 13)
    ]
    sums = [line.split("year from ")[1].split() for line in months.splitlines() if line.startswith(" year from ")]
    assert sums == [line.split() for line in years.splitlines() if line.startswith((" 2026-", " 2027-"))]


@pytest.mark.parametrize("option", [("--xlsx", "book.xlsx"), ("--months",)])
def test_a_statement_without_years_is_refused(call, option):
    status, _, err = call("georgia-50mw-mining", *option)
    assert (status, err) == (
        2, f"error: {option[0]}: expected --years or [horizon] with it, whose statement it shows, got neither\n"
    )  # fmt: skip


def test_contracts_without_a_horizon_are_refused(call, tmp_path):
    path = tmp_path / "site.toml"
    contract = (
        '\n[[contract]]\nkind = "minimum_take"\nname = "take"\ncontract_mwh_per_year = 1\nunused_usd_per_mwh = 2\n'
    )
    path.write_text(example_path("georgia-50mw-mining").read_text(encoding="utf-8") + contract, encoding="utf-8")
    status, _, err = call(path)
    assert status == 2
    assert err.endswith("key contract: expected [horizon] with it, whose months it is settled in, got none\n")
    assert err.count("\n") == 1


def test_scenarios_of_years_are_printed_and_in_the_json(call):
    status, out, _ = call("georgia-50mw-mining", "--years", 2, "--scenarios", 64, "--seed", 5)
    assert status == 0
    assert "64 scenarios of 2 years, seed 5" in out
    _, out, _ = call("georgia-50mw-mining", "--years", 2, "--scenarios", 64, "--seed", 5, "--json")
    found = json.loads(out)["scenarios"]
    assert len(found["yearly"]["net_usd"]) == 2
    assert found["total"]["net_usd"]["p90"] < found["total"]["net_usd"]["p50"]


def test_a_capital_plan_with_years_is_refused(call):
    plan = ("--scenarios", 8, "--capital", "50-mw-for-19.5-musd")
    status, _, err = call("georgia-50mw-mining", "--years", 2, *plan)
    assert status == 2
    assert err == "error: --years, [horizon]: expected no --capital with it, which takes a single year, got both\n"
