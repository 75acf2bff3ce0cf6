"""`perwatt yield` and `perwatt validate mining` as a user runs them."""

import errno
import json
import os

import pytest
from faults.zygote import CORPUS

from bench.cli import main

GEORGIA = "georgia-50mw-gpu-modules"


def perwatt(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_the_example_prints_its_yields_and_every_assumption(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "112")
    status, out, _ = perwatt(capsys, "yield", GEORGIA)
    assert status == 0
    for wanted in (
        "BTC/day",
        "G tokens/day",
        "USD/MWh",
        "assumption",
        "2026-10-03",
        "1000:1000",
        "difficulty held at that",
    ):
        assert wanted in out
    assert max(map(len, out.splitlines()[:60])) <= 112


def test_the_blocks_say_what_their_rates_and_amounts_rest_on(capsys):
    _, out, _ = perwatt(capsys, "yield", GEORGIA)
    table = " ".join(out.partition("BTC/day")[0].split())
    assert "output and USD are modelled" in table
    assert "(facility)" in table
    assert "rated, 2" in table
    assert "modelled -36 % +56 %, 1" in table
    _, out, _ = perwatt(capsys, "yield", GEORGIA, "--json")
    (site,) = json.loads(out)["sites"]
    assert {row["basis"] for row in site["blocks"]} == {"modelled"}
    assert [(row["basis"], row["confidence"]) for row in site["devices"]] == [
        ("rated", "two_sources"),
        ("modelled", "one_source"),
    ]


def test_a_fleet_prints_a_line_each_and_the_whole(capsys):
    status, out, _ = perwatt(capsys, "yield", "fleet-40-sites")
    assert status == 0
    assert "all 40 sites" in out
    assert " 50.00 " in out


def test_json_is_one_document_and_nothing_else(capsys, tmp_path):
    status, out, err = perwatt(capsys, "yield", GEORGIA, "--json", "--out", tmp_path / "run", "--no-sam")
    assert (status, err) == (0, "")
    document = json.loads(out)
    (site,) = document["sites"]
    assert site["summary"]["btc_per_day"] > 0
    assert {row["product"] for row in site["waterfall"]} == {"mining", "inference"}
    assert all(row["source"] for row in site["assumptions"])
    assert document["written"][0] == f"written: {tmp_path / 'run'}"


def test_since_names_the_input_and_plots_are_written(capsys, tmp_path):
    from sites.examples import example_path

    site = tmp_path / "site.toml"
    text = example_path(GEORGIA).read_text(encoding="utf-8")
    site.write_text(text, encoding="utf-8")
    assert perwatt(capsys, "yield", site, "--out", tmp_path / "run", "--no-sam")[0] == 0
    site.write_text(text.replace("demand_percent = 40", "demand_percent = 50"), encoding="utf-8")
    status, out, _ = perwatt(capsys, "yield", site, "--since", tmp_path / "run", "--plots", tmp_path / "plots")
    assert status == 0
    assert "demand_percent" in out.replace("\n", "")
    assert len(list((tmp_path / "plots").glob("*.svg"))) == 3
    status, out, _ = perwatt(capsys, "yield", site, "--since", tmp_path / "run", "--json")
    assert json.loads(out)["since"]["changes"][0]["key"] == "inference[gpu modules].demand_percent"


def own_site(tmp_path, old, new):
    from sites.examples import example_path

    text = example_path(GEORGIA).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


NAME = 'name = "Georgia 50 MW, two GPU modules"'


def test_a_name_is_printed_and_drawn_as_it_is_written(capsys, tmp_path):
    site = own_site(tmp_path, NAME, r'name = "a[red]b[/x] $\\x{$ \u4e2d"')
    status, out, _ = perwatt(capsys, "yield", site)
    assert status == 0
    assert "a[red]b[/x] $\\x{$ \u4e2d: 8760 hours" in out
    status, out, err = perwatt(capsys, "yield", site, "--json", "--plots", tmp_path / "plots")
    assert (status, err) == (0, "")
    assert len(json.loads(out)["written"]) == 3


def test_control_characters_are_refused_in_a_site_file_and_marked_in_what_is_printed(capsys, tmp_path):
    status, out, err = perwatt(capsys, "yield", own_site(tmp_path, NAME, r'name = "a\u001b[31m"'))
    assert (status, out) == (2, "")
    assert "own.toml: key site.name: expected text without control characters, got 'a\\x1b[31m'" in err
    header = "company,month,days,deployed_ehs,avg_operating_ehs,btc_produced,fleet_j_per_th,all_in_power_c_per_kwh"
    data = tmp_path / "own.csv"
    data.write_text(f"{header},hashrate_used,basis_note,source\nA\x1b[31m,2025-07,31,,10,253,,,avg,x,y\n")
    status, out, _ = perwatt(capsys, "validate", "mining", "--data", data)
    assert status == 0
    assert "A\ufffd[31m" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["yield"], "perwatt yield: SITE...: expected a value, got nothing"),
        (["yield", "none.toml"], "none.toml: expected a readable TOML file, got no such file"),
        (["yield", "georgia"], "example site: expected a path or the name of a bundled site, got 'georgia'"),
        (["yield", GEORGIA, GEORGIA], "expected a different name for each site"),
        (["yield", GEORGIA, "--since", "nowhere"], "nowhere: expected a folder written by perwatt yield --out"),
        (["validate", "mining", "--data", "none.csv"], "none.csv: expected a readable CSV file"),
        (["validate", "mining", "--plot", "plot.exe"], "expected a name that ends in .svg, .png, .pdf"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_2(capsys, words, message):
    status, out, err = perwatt(capsys, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 50,", "value = 1e300,", "key power.interconnect_mw: expected a number of 0.001 to 100,000 MW"),
        ("value = 42,", "value = 1e308,", "key price.energy_usd_per_mwh: expected a number of"),
        (
            "value = 84714,",
            "value = 1e308,",
            "key market.btc_usd: expected a number of 0.0001 to 1,000,000,000 USD/BTC",
        ),
        ("start = 2026-01-01", "start = 9999-12-31", "key site.start: expected a day of 2009-01-05 to 2099-12-31"),
    ],
)
def test_an_extreme_number_is_one_line_that_names_file_and_key(capsys, tmp_path, old, new, message):
    status, out, err = perwatt(capsys, "yield", own_site(tmp_path, old, new), "--json")
    assert (status, out) == (2, "")
    assert "own.toml" in err
    assert message in err


def test_a_hashprice_beyond_any_is_refused_by_the_option(capsys):
    status, _, err = perwatt(capsys, "compare", "antminer-s21", "nvidia-h200", "--hashprice", "1e308", "--json")
    assert (status, "--hashprice: expected a finite number above 0, up to 1,000,000,000" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--plan", "p.csv", "--out", "there"], "there: expected a path that does not exist yet"),
        (["--plots", "plots", "--plan", "there.csv"], "there.csv: expected a path that does not exist yet"),
        (["--out", "run", "--plan", "p.xlsx"], "expected a name that ends in .csv or .parquet"),
        (["--out", "run", "--plots", "there.csv"], "there.csv: expected a folder, got a file"),
        (["--plan", "p.csv", "--out", "there.csv/run"], "there.csv, which is a file"),
        (["--plan", "p.csv", "--out", "p.csv"], "expected different paths, got p.csv twice"),
        (["--sam"], "--sam: expected --out FOLDER"),
    ],
)
def test_every_target_is_checked_before_the_first_is_written(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there.csv").write_text("mine", encoding="utf-8")
    status, out, err = perwatt(capsys, "yield", GEORGIA, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert {path.name for path in tmp_path.iterdir()} == {"there", "there.csv"}
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "mine"


def test_a_plan_may_lie_in_the_folder_of_its_run(capsys, tmp_path):
    words = ("--out", tmp_path / "run", "--plan", tmp_path / "run" / "plan.csv", "--no-sam")
    assert perwatt(capsys, "yield", GEORGIA, *words)[0] == 0
    assert (tmp_path / "run" / "plan.csv").exists()


def test_a_full_disk_is_one_line_and_status_1(capsys, tmp_path, monkeypatch):
    from sites.planners import package

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(package, "write_pypsa", full)
    status, _, err = perwatt(capsys, "yield", GEORGIA, "--out", tmp_path / "run")
    assert status == 1
    assert "No space left on device" in err
    assert not list(tmp_path.iterdir())


def test_validate_mining_reports_every_row_and_the_error(capsys):
    status, out, err = perwatt(capsys, "validate", "mining", "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert document["mean_abs_error_frac"] <= 0.010
    assert len(document["rows"]) == 43
    assert all(row["reason"] for row in document["rows"] if row["status"] == "refused")
    january = next(row for row in document["rows"] if row["month"] == "2026-01")
    assert round(january["predicted_btc"], 2) == 496.09
    status, out, _ = perwatt(capsys, "validate", "mining")
    assert status == 0
    assert "mean_abs_error_frac of 2025-26: 0.0066, within 0.010" in out
    assert "26 rows used, 17 not used." in out
    assert out.count("month-end hash rate, not the month's average") == 1


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_plan_says_which_megawatt_does_what_when_and_why(capsys, tmp_path, ending):
    import pyarrow.csv
    import pyarrow.parquet

    path = tmp_path / f"plan{ending}"
    assert perwatt(capsys, "yield", GEORGIA, "--plan", path)[0] == 0
    table = pyarrow.csv.read_csv(path) if ending == ".csv" else pyarrow.parquet.read_table(path)
    assert table.num_rows == 8760 * 4
    assert {"time_utc", "block", "part", "meter_mw", "price_usd_per_mwh", "reason"} <= set(table.column_names)
    status, _, err = perwatt(capsys, "yield", GEORGIA, "--plan", tmp_path / "plan.xlsx")
    assert (status, "expected a name that ends in .csv or .parquet" in err) == (2, True)


def test_validate_mining_draws_its_plot(capsys, tmp_path):
    assert perwatt(capsys, "validate", "mining", "--plot", tmp_path / "backtest.svg")[0] == 0
    assert (tmp_path / "backtest.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_plots_of_every_kind_are_the_same_bytes_for_the_same_year(full_year, tmp_path):
    from sites.plots.files import year_files

    first, second = (year_files([full_year], tmp_path / folder) for folder in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_library_loads_runs_explains_plans_plots_and_compares(tmp_path, resolve, small_site_file):
    from sites import api

    ((inputs, site),) = api.read(small_site_file, resolve)
    year = api.run(site)
    assert api.summary(year).btc_per_day > 0
    assert api.explain(year)[0].product == "mining"
    assert api.plan(year).num_rows == 8760
    assert api.reasons()[0].startswith("runs all there is")
    assert len(api.plot(year, tmp_path / "plots")) == 3
    assert api.write(tmp_path / "run", [year], [inputs]) == []
    assert api.compare(tmp_path / "run", [inputs]).changes == ()
    done = api.statement(api.run_years(inputs, site, 2))
    assert done.yearly["net_usd"][0] == pytest.approx(year.net_usd, rel=1e-12)
    assert [one.net_usd for one in api.run_fleet(api.load(small_site_file, resolve))] == [year.net_usd]
    assert GEORGIA in api.examples()
    outcomes, recent = api.mining_backtest()
    assert (len(outcomes), recent.n) == (43, 10)
    assert set(api.__all__) >= {"read", "load", "run", "summary", "explain", "plan", "plot", "write", "compare"}


def test_an_idle_battery_saves_nothing_and_not_minus_nothing(capsys):
    status, out, _ = perwatt(capsys, "yield", CORPUS / "battery.toml")
    assert status == 0
    assert (
        "battery: 0 MWh shifted in 0 cycles, losses 0 MWh; saves 0 USD of power for 0 USD of degradation, net 0" in out
    )
