"""Measured over rated for a miner: which profile rates it, three ratios at one boundary, and the maker's tolerance."""

import dataclasses

import pytest
from doubles.asic_result import asic_document

from bench.compare.load import of_profile, of_record
from bench.compare.over_rated import over_rated, verdict
from bench.compare.overview import overview
from bench.compare.overview_table import rated_cells
from bench.compare.rated_miner import rated_miner
from bench.results.record import Record
from hardware_profiles.catalog import load, load_all

CATALOGUE = load_all()


def miner(name="Bitmain Antminer S21", nominal=2e14, mode="normal", **changes):
    figures = of_record(Record.model_validate(asic_document(name=name, **changes)))
    return dataclasses.replace(figures, nominal_rate_h_s=nominal, mode=mode)


@pytest.mark.parametrize(
    ("name", "nominal", "mode", "profile"),
    [
        ("Bitmain Antminer S21", 2e14, "normal", "antminer-s21:200t"),
        ("Bitmain ANTMINER S21", 1.89e14, "", "antminer-s21:188t"),
        ("MicroBT M60S++_VK40", 2.26e14, "", "whatsminer-m60s++"),
        ("MicroBT WhatsMiner M30S++", 1.12e14, "", "whatsminer-m30s++"),
        ("Canaan AvalonMiner 1246", 9e13, "", "avalon-a1246"),
        ("Bitmain Antminer T21", 1.9e14, "high", "antminer-t21:190t:high"),
    ],
)
def test_a_miner_is_recognised_by_its_model_its_nominal_rate_and_its_mode(name, nominal, mode, profile):
    known = rated_miner(miner(name, nominal, mode), CATALOGUE).profile
    assert known is not None
    assert known.name.startswith(profile)


@pytest.mark.parametrize(
    ("name", "nominal", "why"),
    [
        ("Bitmain Antminer S21 XP Turbo", 2e14, "the catalogue does not know"),
        ("cgminer/4.11", 2e14, "the catalogue does not know"),
        ("miner without a user agent", None, "the catalogue does not know"),
        ("Bitmain Antminer S21", None, "several bins of antminer-s21; name one (antminer-s21:200t, antminer-s21:188t)"),
        ("Bitmain Antminer S21", 1.5e14, "several bins of antminer-s21"),
    ],
)
def test_a_miner_that_is_not_known_for_sure_is_not_guessed(name, nominal, why):
    known = rated_miner(miner(name, nominal), CATALOGUE)
    assert known.profile is None
    assert why in known.why


def test_a_mode_that_is_not_rated_is_said():
    assert "its mode eco is not rated" in rated_miner(miner(mode="eco"), CATALOGUE).why


def test_rate_power_and_joules_stand_over_those_of_the_profile_that_the_user_names():
    rated = of_profile(load("antminer-s21:188t"))
    found = over_rated(miner(), CATALOGUE, [rated])
    assert [line.group for line in found.lines] == ["rate", "power", "energy"]
    assert [line.ratio for line in found.lines] == pytest.approx([198 / 188, 3500 / 3290, (3500 / 198) / (3290 / 188)])
    rate, power, energy = found.lines
    assert rate.interval_95 == pytest.approx((0.98 * 198 / 188, 1.021 * 198 / 188))
    assert {line.rated_by for line in found.lines} == {"antminer-s21:188t"}
    assert (rate.verdict, power.verdict, energy.verdict) == ("above rated", "above rated", "cannot tell")


def test_a_power_that_is_not_at_the_wall_has_no_ratio():
    found = over_rated(miner(boundary="board"), CATALOGUE)
    assert [line.group for line in found.lines] == ["rate"]
    assert any("no power over antminer-s21:200t: unequal boundaries: board and wall" in one for one in found.missing)


def test_without_a_meter_only_the_rate_has_a_ratio():
    found = over_rated(miner(watts=None), CATALOGUE)
    assert [line.group for line in found.lines] == ["rate"]
    assert any("no energy over antminer-s21:200t: not measured" in one for one in found.missing)


def test_a_rate_that_is_not_verified_has_no_verdict_but_the_power_has():
    verdicts = {line.group: line.verdict for line in over_rated(miner(verified=False), CATALOGUE).lines}
    assert verdicts["rate"] == verdicts["energy"] == "no verdict: not verified by shares"
    assert verdicts["power"] == "cannot tell"


@pytest.mark.parametrize(
    ("interval", "tolerance", "words"),
    [
        ((0.98, 1.02), None, "cannot tell"),
        ((0.97, 0.99), None, "below rated"),
        ((1.01, 1.03), None, "above rated"),
        ((0.98, 1.02), 0.03, "within tolerance"),
        ((0.94, 0.969), 0.03, "below tolerance"),
        ((1.031, 1.05), 0.03, "above tolerance"),
        ((0.96, 0.99), 0.03, "cannot tell"),
    ],
)
def test_the_verdict_is_by_the_interval_and_the_makers_tolerance(interval, tolerance, words):
    assert verdict(interval, tolerance) == words


def test_the_tolerance_of_joules_is_that_of_rate_and_power_together():
    profile = load("antminer-s21:200t")
    tolerances = {"hash_rate_th_s": 0.03, "wall_power_w": 0.05}
    figures = {key: one._replace(tolerance_frac=tolerances.get(key)) for key, one in profile.bin.figures.items()}
    rated = of_profile(dataclasses.replace(profile, bin=profile.bin._replace(figures=figures)))
    assert {figure.group: figure.tolerance_frac for figure in rated.figures} == {
        "rate": 0.03,
        "power": 0.05,
        "energy": pytest.approx(0.08),
    }


def test_the_table_has_a_row_a_figure_with_the_tolerance_beside_it():
    rows = rated_cells(overview([miner(), of_profile(load("antminer-s21:200t"))]))
    assert [row[1] for row in rows] == ["hash rate", "power at the wall", "J/TH at the wall"]
    assert rows[0][2:] == (
        "198 TH/s",
        "200 TH/s (antminer-s21:200t)",
        "unknown",
        "0.990",
        "0.970 to 1.011",
        "cannot tell",
    )
