"""The log of another host's meter, joined by the clocks: the interval holds the truth, and doubt leaves no joules."""

import os
import random
import statistics
from dataclasses import replace

import pytest
from doubles.lab.clocks import SimulatedHost
from doubles.lab.shared_meter import LEAD_S, LOAD_S, WINDOW_S, shared_run, with_accuracy

from bench.lab.clocks.alignment import ClockRefusedError
from bench.measure.joining.remote import attach_remote, with_remote
from bench.results.folder import read_whole
from bench.results.samples import read_samples
from bench.results.writing import write_record

RUNS = int(os.environ.get("PERWATT_TEST_RUNS", "40"))
ACCURACY_FRAC = 0.001


def joined(run):
    return with_remote(run.record, run.log, run.clock, {}, ["perwatt", "lab", "run"])[0]


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def within_edges(run, record, gain):
    """Whether the true energy of each window with joules is within the limit of its edges."""
    windows = zip(record.windows, run.true_j, strict=True)
    pairs = [(window.energy[0], true_j) for window, true_j in windows if window.energy[0].joules is not None]
    return [abs(energy.joules / gain - true_j) <= energy.edges_j for energy, true_j in pairs]


def test_the_interval_holds_the_truth_in_95_of_100_runs_for_any_offset_drift_and_delays(tmp_path):
    figures, refused, edges, edges_without_clocks = [], 0, [], []
    for seed in range(RUNS):
        gain = 1.0 + random.Random(seed).uniform(-ACCURACY_FRAC, ACCURACY_FRAC)
        run = shared_run(seed, tmp_path, gain=gain, info=with_accuracy(ACCURACY_FRAC))
        record = joined(run)
        if "energy_per_hash_rack" not in record.metrics:
            assert {"clock_uncertain", "energy_missing"} <= codes(record)
            assert 2.0 * run.clock.bound_s > 0.05 * WINDOW_S
            refused += 1
            continue
        low, high = record.metrics["energy_per_hash_rack"].interval_95
        figures.append(low <= statistics.fmean(run.true_j) / 1e6 <= high)
        edges += within_edges(run, record, gain)
        trusting = replace(run.clock, bound_s=0.0, rate_frac=0.0)
        edges_without_clocks += within_edges(run, joined(replace(run, clock=trusting)), gain)
    assert refused <= 0.1 * RUNS
    assert sum(figures) >= 0.95 * len(figures)
    assert sum(edges) >= 0.95 * len(edges)
    assert sum(edges_without_clocks) < 0.8 * len(edges_without_clocks)  # the clocks' bound is what holds them


def test_the_new_record_supersedes_the_old_one_and_says_what_the_meter_covers(tmp_path):
    run = shared_run(1, tmp_path, delay_s=0.001, codes=["idle_included"], detail="gpu03 idle")
    store = tmp_path / "results"
    store.mkdir()
    before = write_record(store, run.record, [])
    text = (before / "result.json").read_bytes()
    record = attach_remote(before, run.log, run.clock, {"drift_s": 0.1}, store=store, argv=["perwatt", "lab", "run"])
    assert record.supersedes == run.record.id
    assert (before / "result.json").read_bytes() == text
    assert read_whole(store / record.id).metrics["power_rack"].tier == "B"
    (used,) = record.meters_used  # it took the place of the log that the run was promised
    assert (used.name, used.boundary, used.scope) == ("lab:pdu-a", "rack", "pdu-a, read by gpu01")
    assert used.domains == ("shelly:192.0.2.9",)
    assert record.audit["remote_meter"] == {"drift_s": 0.1}
    assert codes(record) == {"idle_included", "no_idle"}
    assert "gpu03 idle" in next(warning.detail for warning in record.warnings if warning.code == "idle_included")
    assert {row["window"] for row in read_samples(store / record.id).to_pylist()} == {-1, 0, 1, 2}


def test_clocks_that_are_not_known_well_enough_leave_no_joules_and_say_how_well_they_are_known(tmp_path):
    record = joined(shared_run(2, tmp_path, delay_s=1.5))
    assert "energy_per_hash_rack" not in record.metrics
    (detail,) = (warning.detail for warning in record.warnings if warning.code == "clock_uncertain")
    assert "the clocks are known to ±" in detail
    assert "at both edges" in detail


def test_a_gap_in_the_log_leaves_no_joules(tmp_path):
    start_s = LOAD_S + LEAD_S + 5.0
    record = joined(shared_run(3, tmp_path, delay_s=0.001, gap=(start_s, start_s + 3.0)))
    assert "sample_gap" in codes(record)
    assert "energy_per_hash_rack" not in record.metrics
    assert record.windows[1].energy[0].joules is not None  # the gap is in the first window


def test_a_log_that_ends_before_the_run_leaves_no_joules(tmp_path):
    record = joined(shared_run(4, tmp_path, delay_s=0.001, gap=(LOAD_S + LEAD_S + 2.2 * WINDOW_S, 1e9)))
    assert "trace_not_covering" in codes(record)
    assert "energy_per_hash_rack" not in record.metrics


def test_another_machine_that_was_not_idle_leaves_no_joules(tmp_path):
    record = joined(shared_run(5, tmp_path, delay_s=0.001, codes=["meter_shared"], detail="gpu03 was 40 % busy"))
    assert "energy_per_hash_rack" not in record.metrics
    assert all(window.energy[0].joules is None for window in record.windows)
    assert "gpu03 was 40 % busy" in next(w.detail for w in record.warnings if w.code == "meter_shared")


def test_a_host_whose_clock_stood_still_during_the_run_is_refused_before_any_joules(tmp_path):
    with pytest.raises(ClockRefusedError, match="changed by"):
        shared_run(6, tmp_path, delay_s=0.001, reading=SimulatedHost(5.0, asleep=[(60.0, 70.0)]))
