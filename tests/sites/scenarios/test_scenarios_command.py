"""`perwatt yield --scenarios`: what it prints, writes and refuses."""

import csv
import errno
import json

import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from bench.cli import main
from bench.device_rates import resolve_device
from sites.examples import capital_path, example_path
from sites.file.build import load_site
from sites.plots.scenarios import exceedance, fan, fan_levels, switch_map, tornado
from sites.scenarios.causes import Cause, Tornado
from sites.scenarios.defaults import default_model
from sites.scenarios.engine import Run, fleet_cases, run_fleet

SITE = "georgia-50mw-gpu-modules"


@pytest.fixture
def perwatt(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["yield", *map(str, arguments)])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


def test_json_has_levels_causes_cases_and_the_model(perwatt):
    code, out, err = perwatt(SITE, "--scenarios", "64", "--json", "--capital", "4451-btc-for-gpu-modules")
    assert (code, err) == (0, "")
    found = json.loads(out)["scenarios"]
    net = found["fleet"]["net_usd"]
    assert net["p99"] < net["p90"] < net["p50"] < net["p10"]
    assert net["unit"] == "USD"
    assert found["scenarios"] == 64
    assert sum(cause["share_frac"] for cause in found["tornado"]["causes"]) == pytest.approx(1.0)
    assert set(found["cases_net_usd"]) == {"base", "low", "high"}
    assert found["model"]["btc"]["source"] == "assumption"
    assert found["capital"][0]["payback"]["years"] == 5


def test_the_same_seed_prints_the_same_and_another_does_not(perwatt):
    first = perwatt(SITE, "--scenarios", "16", "--json")[1]
    assert perwatt(SITE, "--scenarios", "16", "--json")[1] == first
    assert perwatt(SITE, "--scenarios", "16", "--seed", "2", "--json")[1] != first


def test_the_screen_names_levels_method_and_sources(perwatt):
    code, out, _ = perwatt(SITE, "--scenarios", "32", "--capital", "50-mw-for-19.5-musd")
    assert code == 0
    for text in (
        "P90 is exceeded with 90 %",
        "one input at a time",
        "bundled difficulty",
        "net USD by case",
        "payback within",
    ):
        assert text in out


def test_tables_and_plots_are_one_new_folder(perwatt, tmp_path):
    target = tmp_path / "run"
    assert perwatt(SITE, "--scenarios", "32", "--scenario-out", target, "--capital", "4451-btc-for-gpu-modules")[0] == 0
    with (target / "yield_annual.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert {row["statistic"] for row in rows} >= {"base", "mean", "p50", "p90", "p99", "cvar"}
    assert all(row["scenarios"] == "32" for row in rows if row["statistic"] != "base")
    assert {row["block"] for row in rows} >= {"", "miners", "gpu modules"}
    curve = pq.read_table(target / "value_curve.parquet").to_pylist()
    assert {row["statistic"] for row in curve} == {"base", "mean", "p50", "p90", "p99", "cvar"}
    keys = [
        row["key"] for row in csv.DictReader((target / "assumption.csv").read_text(encoding="utf-8-sig").splitlines())
    ]
    assert "scenarios.btc.volatility_frac" in keys
    assert {path.name for path in target.glob("*.svg")} == {
        "exceedance.svg",
        "fan.svg",
        "switch-4451-btc-for-gpu-modules.svg",
        "tornado.svg",
    }
    code, _, err = perwatt(SITE, "--scenarios", "8", "--scenario-out", target)
    assert code == 2
    assert "does not exist yet" in err


def test_where_nothing_varies_there_is_no_spread_to_share_out(perwatt, tmp_path):
    (tmp_path / "still.toml").write_text("measurement = false\n")
    code, out, _ = perwatt(SITE, "--scenarios", "4", "--scenario-file", tmp_path / "still.toml")
    assert code == 0
    assert "no input varies" in out
    assert "share of spread" not in out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--scenarios", "0"), "expected a whole number of 1 to"),
        (("--scenarios", "-3"), "expected a whole number of 1 to"),
        (("--scenarios", "many"), "--scenarios: expected a whole number, got 'many'"),
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler: expected --scenarios with it, got nothing"),
        (("--scenarios", "8", "--scheduler", "nowhere"), "expected an address"),
        (("--scenarios", "8", "--scheduler", ""), "expected an address"),
        (("--scenarios", "8", "--scheduler", "tcp://127.0.0.1:99999"), "expected an address"),
        (("--scenarios", "8", "--seed", "-1"), "seed"),
        (("--scenarios", "8", "--scenario-file", "none.toml"), "no such file"),
        (("--scenarios", "8", "--capital", "moon"), "capital plan"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(perwatt, arguments, text):
    code, out, err = perwatt(SITE, *arguments)
    assert (code, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


def test_plots_draw_on_axes_that_are_given():
    figure = Figure()
    axes = figure.subplots(2, 2).ravel()
    model = default_model()
    cases = fleet_cases([load_site(example_path(), resolve_device)], model, years=(0, 1))
    run = run_fleet(cases, Run(1, model), 32)
    exceedance(axes[0], run)
    values = fan_levels(run.rows[0][:2, 1])
    assert (values[:, 0] <= values[:, 4]).all()
    fan(axes[1], values)
    tornado(axes[2], Tornado("net_usd", 10.0, 2.0, (Cause("btc", 8.0, 12.0, 2.0, 1.0),), 0.0))
    switch_map(axes[3], values[:, :2] * 0.0, (5e4, 1e5), (0.2, 0.4))
    figure.canvas.draw()
    assert all(axis.get_xlabel() for axis in axes)
    assert [label.get_text() for label in axes[1].get_xticklabels()] == ["1", "2"]
    assert axes[1].yaxis.get_major_formatter()(2.6e8) == "260M"
    assert {text.get_color() for text in axes[3].texts} == {"#ffffff"}  # on the dark end of the scale


def test_a_plans_site_may_stand_beside_it(perwatt, tmp_path):
    (tmp_path / "ours.toml").write_text(example_path("georgia-50mw-mining").read_text())
    plan = capital_path("50-mw-for-19.5-musd").read_text().replace('"georgia-50mw-mining"', '"ours.toml"')
    (tmp_path / "plan.toml").write_text(plan)
    assert perwatt(SITE, "--scenarios", "4", "--capital", tmp_path / "plan.toml")[0] == 0


@pytest.mark.parametrize("name", ["nosuch", "n" * 300, "nosuch.toml", ".", "-", "/dev/null", "\\u0000"])
@pytest.mark.parametrize("key", ["site", "module_from"])
def test_a_plan_whose_site_is_not_there_is_named_with_its_key(perwatt, tmp_path, key, name):
    plan = capital_path("4451-btc-for-gpu-modules").read_text()
    named = {"site": "georgia-50mw-mining", "module_from": "georgia-50mw-gpu-modules"}[key]
    assert f'{key} = "{named}"' in plan
    (tmp_path / "plan.toml").write_text(plan.replace(f'{key} = "{named}"', f'{key} = "{name}"'))
    code, out, err = perwatt(SITE, "--scenarios", "8", "--capital", tmp_path / "plan.toml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"plan.toml: key {key}: expected a bundled example or a file beside the plan, got '" in err
    assert len(err) < len(str(tmp_path)) + 250


def test_a_plan_that_does_not_fit_its_site_is_named_by_its_file(perwatt, tmp_path):
    plan = capital_path("50-mw-for-19.5-musd").read_text().replace("value = 50,", "value = 51,")
    (tmp_path / "plan.toml").write_text(plan)
    code, _, err = perwatt(SITE, "--scenarios", "8", "--capital", tmp_path / "plan.toml")
    assert code == 2
    assert "plan.toml: key purchase.mw: expected the site's interconnect (50 MW), got 51" in err


def test_a_folder_that_exists_or_is_asked_for_twice_is_refused_before_anything_runs(perwatt, tmp_path, monkeypatch):
    monkeypatch.setattr("sites.scenarios.engine.run_fleet", None)
    (tmp_path / "there").mkdir()
    code, out, err = perwatt(SITE, "--scenarios", "8", "--scenario-out", tmp_path / "there")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "there: expected a path that does not exist yet" in err
    code, out, err = perwatt(SITE, "--scenarios", "8", "--scenario-out", tmp_path / "a", "--out", tmp_path / "a")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "expected different paths, got" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_a_disk_that_fills_up_is_one_line_that_names_the_folder(perwatt, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28]")

    monkeypatch.setattr("sites.planners.scenario_tables.write_table", full)
    code, out, err = perwatt(SITE, "--scenarios", "8", "--scenario-out", tmp_path / "full")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "full: could not be written: No space left on device; nothing was written" in err
    assert list(tmp_path.iterdir()) == []
