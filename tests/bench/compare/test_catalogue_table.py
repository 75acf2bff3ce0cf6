"""Rows of the catalogue: filters, order, unverified marks, marginal efficiency of modes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare.catalogue_table import SORTS, Filters, columns_for, describe, profile_row, released_key, select
from hardware_profiles.catalog import iter_profiles, load, load_all
from hardware_profiles.errors import InputError


@pytest.fixture(scope="module")
def rows():
    return [profile_row(profile, hashprice_usd_per_ph_s_day=40.0) for profile in iter_profiles(load_all())]


def test_a_row_holds_base_units_and_computed_efficiency():
    row = profile_row(load("antminer-s21"), hashprice_usd_per_ph_s_day=40.0)
    assert (row["rate_hash_s"], row["power_w"], row["power_boundary"]) == (200e12, 3500.0, "wall")
    assert row["j_per_th"] == 17.5
    assert row["hash_per_j"] == pytest.approx(1e12 / 17.5)
    assert row["usd_per_mwh"] == pytest.approx(40 / 24 * 1000 / 17.5)


def test_flop_per_joule_is_the_dense_peak_over_the_design_power():
    row = profile_row(load("nvidia-h200"))
    assert row["flop_per_j"]["bf16"] == pytest.approx(989.4e12 / 700)
    assert row["usd_per_mwh"] is None


def test_every_row_is_one_json_document(rows):
    assert json.loads(json.dumps(rows, allow_nan=False))[0]["name"] == rows[0]["name"]


def test_filters_keep_what_they_say(rows):
    kept = select(rows, Filters("asic", "hydro", 12.0, "2025", "j-per-th"))
    assert kept
    assert all(row["kind"] == "asic" and "hydro" in row["cooling"] and row["j_per_th"] <= 12 for row in kept)
    assert all(row["released"] >= "2025" for row in kept)
    assert [row["j_per_th"] for row in kept] == sorted(row["j_per_th"] for row in kept)
    assert "proto-rig" in [row["name"] for row in select(rows, Filters(cooling="immersion"))]


@pytest.mark.parametrize("order", sorted(SORTS))
def test_every_order_keeps_every_row_and_puts_those_without_a_figure_last(rows, order):
    kept = select(rows, Filters(sort=order))
    assert sorted(row["name"] for row in kept) == sorted(row["name"] for row in rows)
    known = [SORTS[order][0](row) is not None for row in kept]
    assert known == sorted(known, reverse=True)


@pytest.mark.parametrize("text", ["2026-13", "yesterday", "26-01-01", "2026-02-30", ""])
def test_a_day_that_does_not_exist_is_refused(rows, text):
    with pytest.raises(InputError, match="--released-after: expected a date"):
        select(rows, Filters(released_after=text))


@given(st.sampled_from(["2025", "2025-06", "2025-06-07", "2025-Q2", "unknown"]))
def test_a_partial_date_lies_between_its_first_and_its_last_day(text):
    assert released_key(text) <= released_key(text, end=True)


def test_an_unverified_figure_is_marked_in_its_cell(rows):
    for kind in ("asic", "gpu", "cpu"):
        of_kind = [row for row in rows if row["kind"] == kind]
        columns = columns_for(kind, of_kind)
        marked = [row for row in of_kind if any("?" in cell(row) for _, cell, _ in columns)]
        assert marked, kind
        assert all(row["unverified"] for row in marked)
        assert all(isinstance(cell(row), str) for row in of_kind for _, cell, _ in columns)


def test_a_description_holds_every_source_contradiction_and_what_the_next_terahash_costs():
    described = describe(load("antminer-t21").device)
    assert described["marginal_j_per_th"]["190t:190t-high"] == pytest.approx((5126 - 3610) / (233 - 190))
    assert described["computed"]["antminer-t21:190t"]["j_per_th"] == 19
    assert {source["address"] for source in described["sources"].values()}
    assert json.loads(json.dumps(described))["figures"]["bins.190t.wall_power_w"]["boundary"] == "wall"
    assert describe(load("nvidia-b200").device)["disagreements"]
