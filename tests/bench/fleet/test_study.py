"""A fleet from its records: the spread that was put in comes out, and what is not known is said."""

import json
import math

import numpy as np
import pytest
from doubles.fleets.store import miners, record

from bench.fleet import table
from bench.fleet.scatter import moderated, pooled
from bench.fleet.study import UNKNOWN_COVERAGE, fleet
from bench.results.folder import read_record
from bench.results.layout import result_folders
from bench.results.record import Record


def studies_of(*documents):
    return {study.kind.group: study for study in fleet(map(Record.model_validate, documents)).studies}


def test_the_spread_of_rate_power_and_energy_is_what_was_put_in(tmp_path):
    store = miners(tmp_path / "s", 30, rate_sd=0.02, power_sd=0.01, rng=np.random.default_rng(4))
    whole = fleet(map(read_record, result_folders(store)))
    by_group = {study.kind.group: study for study in whole.studies}
    for group, sd in (("rate", 0.02), ("power", 0.01), ("energy", math.hypot(0.02, 0.01))):
        low, high = by_group[group].spread.sd_interval
        assert low <= sd <= high
    assert by_group["rate"].outliers == ()
    assert whole.not_counted == {}


def test_a_bad_unit_and_a_drifting_one_are_named(tmp_path):
    store = miners(
        tmp_path / "s", 12, rate_sd=0.005, power_sd=0.005, rng=np.random.default_rng(2), repeats=4, off=-0.08
    )
    drifting = [
        record(900 + at, unit="d" * 8, rate=2e14 * (1.0 - 0.01 * at), watts=3500.0, days=10.0 * at, kind="asic",
               workload="sha256d_scan_asic", device="Bitmain Antminer S21", meter="plug-d")
        for at in range(4)
    ]  # fmt: skip
    records = [*map(read_record, result_folders(store)), *map(Record.model_validate, drifting)]
    rate = next(study for study in fleet(records).studies if study.kind.group == "rate")
    assert [unit.id for unit in rate.outliers] == ["asic:00000000"]
    assert [unit for unit, drift in rate.drifts.items() if drift.drifts] == ["asic:dddddddd"]
    assert "outliers asic 00000000, drift asic dddddddd of 13" in table.study_line(rate)


def test_one_unit_says_that_its_spread_is_unknown():
    rate = studies_of(record(1))["rate"]
    assert rate.spread is None
    assert rate.notes == ("one unit: the spread between units is unknown",)
    assert table.model_rows([rate])[0][4] == "unknown"


def test_few_units_that_were_not_measured_again_say_so():
    rate = studies_of(*(record(at, host=f"h{at}") for at in range(3)))["rate"]
    assert any("too few to test for outliers" in note for note in rate.notes)
    assert any("not measured again" in note for note in rate.notes)
    assert table.model_rows([rate])[0][-1] == "not tested"


def test_without_a_lab_run_the_coverage_is_not_known():
    whole = fleet([Record.model_validate(record(1)), Record.model_validate(record(2, plan="smoke"))])
    assert list(table.coverage_lines(whole)) == [UNKNOWN_COVERAGE, "not counted: 1 plan smoke"]
    assert table.document(whole)["coverage_known"] is False


def test_the_document_is_json_and_has_a_row_for_each_unit_and_figure():
    whole = fleet(Record.model_validate(record(at, host=f"h{at}", watts=100.0 + at, meter="pdu")) for at in range(6))
    document = json.loads(json.dumps(table.document(whole), allow_nan=False))
    figures = document["models"][0]["figures"]
    assert [figure["figure"] for figure in figures] == ["rate", "energy", "power"]
    assert len(table.flat_rows(whole)) == 18


def test_equal_scatter_is_pooled_and_unequal_scatter_is_kept_apart():
    rng = np.random.default_rng(3)
    alike = (rng.standard_normal((40, 3)) ** 2).mean(1)
    assert pooled([1.0, 4.0], [2.0, 1.0]) == (2.0, 3.0)
    unequal = alike * np.where(np.arange(40) < 4, 100.0, 1.0)
    kept = moderated(unequal.tolist(), [3.0] * 40)
    assert math.isfinite(kept.dof)
    assert min(kept.variances[:4]) > 5.0 * np.median(kept.variances)
    assert moderated([2.0, 4.0], [1.0, 1.0]).variances == pytest.approx((3.0, 3.0))
