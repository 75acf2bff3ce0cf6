"""Scenario models: what they refuse, how they are read and calibrated."""

import math

import numpy as np
import pytest

from hardware_profiles.errors import InputError
from sites.scenarios.calibration import mean_reverting, random_walk
from sites.scenarios.defaults import default_model
from sites.scenarios.file import read_scenarios
from sites.scenarios.model import INPUT_NAMES, ScenarioModel, Uncertain, correlation_factor, steps


def _matrix(**entries):
    matrix = np.eye(6)
    for pair, value in entries.items():
        i, j = map(int, pair[1:].split("_"))
        matrix[i, j] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        (_matrix(_0_1=0.5), "symmetric"),
        (_matrix(_0_1=1.5, _1_0=1.5), "-1 to 1"),
        (_matrix(_0_0=2.0), "1 on the diagonal"),
        (np.eye(5), "6 rows of 6"),
        ([[1.0, 0.0], [1.0]], "unequal length"),
        (_matrix(_0_1=math.nan, _1_0=math.nan), "finite"),
        (_matrix(_0_1=0.9, _1_0=0.9, _0_2=0.9, _2_0=0.9, _1_2=-0.9, _2_1=-0.9), "positive semidefinite"),
    ],
)
def test_a_correlation_matrix_that_is_not_one_is_refused(matrix, text):
    with pytest.raises(InputError, match=text):
        ScenarioModel(correlation=tuple(tuple(row) for row in matrix))


def test_a_correlation_factor_gives_the_matrix_back_singular_or_not():
    for matrix in (np.eye(6), _matrix(_0_1=0.3, _1_0=0.3), _matrix(_0_1=1.0, _1_0=1.0)):
        factor = correlation_factor(matrix)
        assert factor @ factor.T == pytest.approx(matrix, abs=1e-7)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"btc": Uncertain(-0.1)}, "volatility_frac: expected a finite number of 0 or more"),
        ({"btc": Uncertain(math.nan)}, "volatility_frac"),
        ({"btc": Uncertain(0.1, reversion_per_year=-1)}, "reversion_per_year"),
        ({"btc": Uncertain(0.1, common_frac=1.5)}, "common_frac: expected a share of 0 to 1"),
        ({"btc": Uncertain(0.1, drift_frac_per_year=-1.0)}, "drift_frac_per_year"),
        ({"bitcoin": Uncertain(0.1)}, "expected one of btc"),
    ],
)
def test_an_input_that_cannot_be_is_refused(given, text):
    with pytest.raises(InputError, match=text):
        ScenarioModel(given)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("difficulty", 0.0), ("btc", 0.0), ("availability", 0.0), ("demand", 1e308), ("power", math.nan), ("btc", -3.0)],
)
def test_a_case_beyond_a_thousandfold_or_of_nothing_is_refused(name, factor):
    with pytest.raises(InputError, match=f"case low: key {name}: expected .*a factor of 0.001 to 1,000"):
        ScenarioModel(cases={"low": {name: factor}})
    assert ScenarioModel(cases={"low": {"power": 0.0, "demand": 0.0}}).cases
    with pytest.raises(InputError, match="case base: expected another name"):
        ScenarioModel(cases={"base": {"btc": 1.0}})


def test_a_case_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="case low"):
        ScenarioModel(cases={"low": {"btc": -1.0}})
    with pytest.raises(InputError, match="expected one of btc"):
        ScenarioModel(cases={"low": {"gold": 1.0}})


def test_steps_have_the_exact_variances_of_their_processes():
    model = ScenarioModel({"btc": Uncertain(0.6), "power": Uncertain(0.5, reversion_per_year=3.0)})
    found = steps(model, 24)
    for name, wanted in (
        ("btc", 0.36 * 23.5 / 12),
        ("power", 0.25 * -math.expm1(-6.0 * 23.5 / 12) / 6.0),
    ):
        i = INPUT_NAMES.index(name)
        variance = 0.0
        for step in range(24):
            variance = found.decay[i, step] ** 2 * variance + found.spread[i, step] ** 2
        assert variance == pytest.approx(wanted, rel=1e-12)
        assert found.mean[i, -1] == pytest.approx(-0.5 * wanted, rel=1e-12)


def test_calibration_finds_what_a_series_was_made_with():
    r = np.random.default_rng(1)
    walk = np.exp(np.cumsum(r.normal(0, 0.6 / math.sqrt(365), 20_000)))
    assert random_walk(walk, 365).volatility_frac == pytest.approx(0.6, rel=0.03)
    x = np.zeros(20_000)
    decay = math.exp(-8.0 / 365)
    for t in range(1, x.size):
        x[t] = decay * x[t - 1] + 0.5 * math.sqrt(-math.expm1(-16.0 / 365) / 16.0) * r.normal()
    found = mean_reverting(np.exp(x), 365)
    assert found.volatility_frac == pytest.approx(0.5, rel=0.03)
    assert found.reversion_per_year == pytest.approx(8.0, rel=0.2)


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, -2.0, 3.0], [1.0, math.nan, 2.0]])
def test_a_series_too_short_or_not_positive_is_refused(values):
    with pytest.raises(InputError, match="calibration"):
        random_walk(values, 12)
    with pytest.raises(InputError, match="calibration"):
        mean_reverting(values, 12)


def test_a_file_is_read_with_its_own_series_and_sources(tmp_path):
    (tmp_path / "btc.csv").write_text("day,usd\n" + "\n".join(f"{i},{100 + 5 * (i % 3)}" for i in range(30)))
    path = tmp_path / "s.toml"
    path.write_text(
        '[btc]\nseries = { file = "btc.csv", column = "usd", per_year = 365 }\n'
        '[power]\nvolatility_percent = { value = 30, source = "ours", date = "2026-01" }\nreversion_per_year = 2\n'
        "common_percent = 40\n[cases.low]\nbtc = 0.5\n"
    )
    model = read_scenarios(path)
    assert model.of("btc").volatility_frac > 0.5
    assert "btc.csv, 30 values" in model.of("btc").source
    power = model.of("power")
    assert (power.volatility_frac, power.common_frac, power.source, power.date) == (0.3, 0.4, "ours", "2026-01")
    assert model.varying() == ("btc", "power")
    assert model.cases["low"] == {"btc": 0.5}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[btc]\nvolatility_percent = -5\n", "volatility_percent"),
        ("[btc]\n", "expected one of volatility_percent, series"),
        ("[gold]\nvolatility_percent = 5\n", "gold"),
        ('[btc]\nseries = { file = "no.csv", column = "x", per_year = 12 }\n', "no.csv"),
        ("correlation = [[1, 0], [0, 1]]\n", "correlation"),
        ("[btc\n", "syntax error"),
    ],
)
def test_a_file_that_is_wrong_is_one_line_that_names_it(tmp_path, text, wanted):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=wanted) as refused:
        read_scenarios(path)
    assert str(path.parent) in str(refused.value)


def test_a_bad_value_in_a_series_names_its_line(tmp_path):
    (tmp_path / "b.csv").write_text("usd\n1\n2\nx\n")
    path = tmp_path / "s.toml"
    path.write_text('[btc]\nseries = { file = "b.csv", column = "usd", per_year = 12 }\n')
    with pytest.raises(InputError, match="line 4"):
        read_scenarios(path)
    (tmp_path / "b.csv").write_text("eur\n1\n2\n3\n")
    with pytest.raises(InputError, match="expected this column"):
        read_scenarios(path)


def test_the_default_model_names_its_sources():
    model = default_model()
    assert set(model.varying()) == set(INPUT_NAMES)
    assert "bundled difficulty" in model.of("difficulty").source
    assert 0.1 < model.of("difficulty").volatility_frac < 0.6
    assert model.of("btc").source == "assumption"


def _series(tmp_path, csv, table='series = { file = "b.csv", column = "usd", per_year = 12 }'):
    (tmp_path / "b.csv").write_text(csv)
    path = tmp_path / "s.toml"
    path.write_text(f"[btc]\n{table}\n")
    return path


@pytest.mark.parametrize(
    ("csv", "text"),
    [
        ("usd\n1\n2\n\n3\n4\n", r"b\.csv: line 4: key usd: expected a number above 0, got ''"),
        ("usd\n1\n1,000\n3\n", r"b\.csv: line 3: expected 1 cells, as in the heading, got 2 \(a decimal comma"),
        ("usd\n1\n2\n", r"b\.csv: key usd: expected at least 3 values to calibrate from, got 2"),
        ("usd\n", "at least 3 values"),
        ("", r"b\.csv: key usd: expected this column"),
        ("usd,usd\n1,2\n3,4\n5,6\n", "expected it once, got it 2 times"),
        ("usd\n1\nnan\n3\n", "line 3: key usd: expected a number above 0, got 'nan'"),
        ("usd\n" + "1" * 140_000 + "\n2\n3\n", "expected CSV, got field larger than field limit"),
        ("usd\n1e308\n1e-308\n1e308\n1e-308\n", "expected a spread of at most 300%"),
    ],
)
def test_a_series_with_a_hole_or_without_sense_is_one_line(tmp_path, csv, text):
    with pytest.raises(InputError, match=text):
        read_scenarios(_series(tmp_path, csv))


def test_empty_lines_at_the_end_and_comments_are_no_holes(tmp_path):
    path = _series(tmp_path, "# ours\nusd\n1\n# a remark\n1.2\n1.1\n\n\n")
    assert "3 values" in read_scenarios(path).of("btc").source


@pytest.mark.parametrize("per_year", ["0", "1e300", '"12"', "nan"])
def test_a_number_of_values_a_year_that_cannot_be_is_refused(tmp_path, per_year):
    table = f'series = {{ file = "b.csv", column = "usd", per_year = {per_year} }}'
    with pytest.raises(InputError, match=r"btc\.series\.per_year"):
        read_scenarios(_series(tmp_path, "usd\n1\n2\n3\n", table))


@pytest.mark.parametrize("text", ["volatility_percent = 301", "volatility_percent = 1e18"])
def test_a_spread_without_sense_is_refused_and_one_that_returns_to_its_mean_may_be_quick(tmp_path, text):
    with pytest.raises(InputError, match="scenarios: btc: expected a spread of at most 300%"):
        read_scenarios(_series(tmp_path, "", text))
    quick = read_scenarios(_series(tmp_path, "", "volatility_percent = 2000\nreversion_per_year = 500"))
    assert quick.of("btc").yearly_sd == pytest.approx(20 / math.sqrt(1000))


def test_words_that_only_look_like_truth_are_refused(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('measurement = "yes"\n')
    with pytest.raises(InputError, match="measurement: expected true or false"):
        read_scenarios(path)
