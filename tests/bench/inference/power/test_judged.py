"""Rows with watts against the whole model: the error of J/token is that of the watts over that of the rate."""

import math

import pytest

from bench.inference.power.judged import judged, judged_classes
from bench.inference.power.rows import watt_rows
from bench.inference.published import MEASURED, read_rows


@pytest.fixture(scope="module")
def rows():
    return [row for row in read_rows(MEASURED) if row.model_name == "llama-3.1-8b" and row.power_w is not None]


def test_with_measured_rates_joules_err_as_watts_do(rows):
    found = judged(((row, row.published_per_s) for row in rows), bundled=False)
    assert len(found) == len(rows) > 5
    for one, watts in zip(found, watt_rows(rows), strict=True):
        assert one.rate_ln == 0.0
        assert one.joules_ln == one.watts_ln == pytest.approx(watts.ln_error())


def test_a_rate_too_high_gives_too_many_watts_and_too_few_joules(rows):
    exact, fast = (
        judged(((row, factor * row.published_per_s) for row in rows), bundled=False) for factor in (1.0, 1.2)
    )
    for before, after in zip(exact, fast, strict=True):
        assert after.rate_ln == pytest.approx(math.log(1.2))
        assert after.watts_ln > before.watts_ln
        assert after.joules_ln < before.joules_ln


def test_rows_without_watts_are_passed_over():
    rows = [row for row in read_rows(MEASURED) if row.power_w is None]
    assert judged(((row, 1.0) for row in rows), bundled=True) == []


def test_a_file_with_one_model_alone_is_judged_by_the_stored_constants(rows):
    rates = [(row, row.published_per_s) for row in rows]
    assert judged(rates, bundled=True) == judged(rates, bundled=False)


def test_rows_are_judged_by_family_and_class(rows):
    classes = judged_classes(judged(((row, 1.1 * row.published_per_s) for row in rows), bundled=False))
    assert list(classes) == ["hopper, dense"]
    found = classes["hopper, dense"]
    assert found.rate.error_frac == pytest.approx(0.1)
    assert found.rate.rows == found.watts.rows == found.joules.rows == len(rows)
