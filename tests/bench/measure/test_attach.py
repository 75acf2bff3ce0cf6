"""Logs that are joined to a stored run: one source once, sums, disagreement, and a log under another name."""

import hashlib
import math
from pathlib import Path

import pytest

from bench.cli.show import _meter_lines
from bench.measure.joining.attach import attach
from bench.meters.protocol import MeterOptions
from bench.results.record import Record
from bench.results.samples import read_samples
from bench.results.writing import write_record
from hardware_profiles.errors import InputError

START = 1_780_000_000.0  # [s since 1970] the run's clock shows 500 s then
RUN = "20260528T120000Z-fake_cpu-0001"


def power(t):
    return 80.0 + 3.0 * math.sin(t / 3.0)


def write_log(path, watts=power, step_s=0.2, seconds=120.0, header="time,power_w"):
    """A log from 30 s before the windows to their end and beyond."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = [START - 30.0 + i * step_s for i in range(round(seconds / step_s) + 1)]
    rows = [f"{t:.3f},{watts(t):.3f}" for t in times]
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def no_log(name, boundary="wall"):
    return {"meter": name, "boundary": boundary, "tier": "C", "samples": 0,
            "reasons": ["edge_missing", "trace_not_covering"], "detail": "no such file"}  # fmt: skip


def used(name, boundary="wall", **more):
    return {"name": name, "kind": "power", "boundary": boundary, "tier": "C", "period_s": 0.2, "averaging_s": 0.2,
            "accuracy_source": "none stated", "domains": [f"trace:/{name}"], **more}  # fmt: skip


@pytest.fixture
def stored(tmp_path):
    """Write a run of three windows of 20 s that was to have these meters, and return its store."""

    def make(meters=(), plan="quick", energies=None):
        energies = [no_log(meter["name"], meter["boundary"]) for meter in meters] if energies is None else energies
        windows = [
            {"index": i, "start_utc": START + 20.5 * i, "start_s": 500.0 + 20.5 * i, "end_s": 520.0 + 20.5 * i,
             "work": 1e6 + 1e3 * i, "batches": 9, "energy": energies}
            for i in range(3)
        ]  # fmt: skip
        record = Record.model_validate({
            "id": RUN, "status": "ok", "system": {}, "device": {"kind": "cpu", "name": "a CPU"},
            "run": {"run_id": "r", "plan": plan, "argv": [], "started_utc": START - 20.0, "ended_utc": START + 70.0,
                    "perwatt_version": "0", "commit": None, "lead_s": 15.0, "tail_s": 5.0},
            "workload": {"name": "fake_cpu", "version": 1, "unit": "hash", "variant": "", "verification": []},
            "warnings": [{"code": "energy_missing"}] if meters else [],
            "meters": [meter["name"] for meter in meters], "meters_used": meters, "windows": windows,
            "audit": {"idle_spans_utc": [["before", START - 20.0, START - 10.0]]},
        })  # fmt: skip
        write_record(tmp_path / "results", record, [])
        return tmp_path / "results"

    (tmp_path / "results").mkdir()
    return make


def joined(store, *specs, notices=None, **options):
    on_notice = (lambda _: None) if notices is None else notices.append
    return attach(RUN, specs, MeterOptions(**options), store, ["run"], on_notice)


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def test_a_log_keeps_its_column_its_unit_its_hash_and_its_own_step(stored, tmp_path):
    path = write_log(tmp_path / "power.csv")
    notices = []
    record = joined(stored(), f"trace:{path}", notices=notices)
    (meter,) = record.meters_used
    assert (meter.column, meter.unit, meter.period_s) == ("power_w", "W", 0.2)
    assert meter.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "a new value every 0.2 s" in meter.scope
    assert "counts as its update period" in notices[0]
    assert record.metrics["power_wall"].value == pytest.approx(80.0, rel=0.01)
    assert record.idle[0].power_w == pytest.approx(80.0, rel=0.05)
    samples = read_samples(tmp_path / "results" / record.id).to_pylist()
    assert {row["window"] for row in samples} == {-1, 0, 1, 2}
    assert {row["series"] for row in samples} == {"trace:power.csv"}


def test_a_stated_period_that_is_shorter_than_what_the_log_shows_is_said(stored, tmp_path):
    path = write_log(tmp_path / "power.csv", step_s=0.5)
    notices = []
    record = joined(stored(), f"trace:{path},period=0.1", notices=notices)
    assert "a new value every 0.5 s, but 0.1 s is stated" in notices[0]
    assert "window_short" in codes(record)
    notices = []
    joined(tmp_path / "results", f"trace:{path}", notices=notices, period_s=0.5)
    assert notices == []


@pytest.mark.parametrize("other", ["same", "copy", "link", "reformatted", "named", "part"])
def test_one_log_counts_once(stored, tmp_path, other):
    path = write_log(tmp_path / "power.csv")
    again = tmp_path / "again.csv"
    spec = f"trace:{again}"
    if other == "copy":
        again.write_bytes(path.read_bytes())
    elif other == "link":
        again.symlink_to(path)
    elif other == "reformatted":
        again.write_text(path.read_text().replace(",", ";"))
    elif other == "named":
        spec = f"trace:{path},column=power_w,accuracy=1%"
    else:
        spec = f"trace:{path}"
    specs = [f"trace:{path}", spec]
    if other == "part":
        specs = [f"trace:{path},sum=node", f"trace:{spec.partition(':')[2]},sum=node"]
    with pytest.raises(InputError, match="expected each source once, got trace:"):
        joined(stored(), *specs)
    assert [folder.name for folder in (tmp_path / "results").iterdir()] == [RUN]


def test_a_log_that_is_attached_already_is_refused_under_any_name(stored, tmp_path):
    path = write_log(tmp_path / "power.csv")
    record = joined(stored(), f"trace:{path}")
    (tmp_path / "copy.csv").write_bytes(path.read_bytes())
    for name in ("power.csv", "copy.csv"):
        with pytest.raises(InputError, match="a log that is not attached yet"):
            attach(record.id, [f"trace:{tmp_path / name}"], MeterOptions(), tmp_path / "results", [])


def test_two_logs_of_one_base_name_and_two_columns_of_one_log_have_names_of_their_own(stored, tmp_path):
    write_log(tmp_path / "a" / "power.csv")
    write_log(tmp_path / "b" / "power.csv", lambda t: power(t) + 0.5)
    record = joined(stored(), f"trace:{tmp_path / 'a/power.csv'}", f"trace:{tmp_path / 'b/power.csv'}")
    assert record.meters == ("trace:a/power.csv", "trace:b/power.csv")
    assert {energy.meter for energy in record.windows[0].energy} == set(record.meters)
    assert record.meters_gaps[0].inner_over_outer == pytest.approx(80.0 / 80.5, rel=1e-3)

    both = tmp_path / "both.csv"
    lines = write_log(tmp_path / "one.csv", header="time,p1_w").read_text().splitlines()
    head, *rows = lines
    both.write_text("\n".join((f"{head},p2_w", *(f"{row},{row.partition(',')[2]}9" for row in rows))) + "\n")
    record = joined(tmp_path / "results", f"trace:{both},column=p1_w", f"trace:{both},column=p2_w")
    assert record.meters == ("trace:both.csv[p1_w]", "trace:both.csv[p2_w]")


def test_a_second_log_of_a_name_that_the_record_has_is_another_meter(stored, tmp_path):
    record = joined(stored(), f"trace:{write_log(tmp_path / 'a' / 'power.csv')}")
    other = write_log(tmp_path / "b" / "power.csv", lambda t: 1.3 * power(t))
    again = attach(record.id, [f"trace:{other}"], MeterOptions(), tmp_path / "results", [])
    assert again.meters == ("trace:power.csv", "trace:b/power.csv")
    assert "meter_disagreement" in codes(again)  # also against a meter that was read before
    assert all(energy.joules is None for window in again.windows for energy in window.energy)


def test_rule_04_a_value_that_a_log_repeats_is_one_sample(stored, tmp_path):
    store = stored()
    held = write_log(tmp_path / "held.csv", lambda t: power(10.0 * math.floor(t / 10.0)))
    record = joined(store, f"trace:{held},period=0.2")
    assert {"meter_too_slow", "too_few_samples"} <= codes(record)
    frozen = write_log(tmp_path / "frozen.csv", lambda t: power(min(t, START + 8.0)))
    record = joined(store, f"trace:{frozen},period=0.2")
    assert "samples_stale" in codes(record)
    assert "power_wall" not in record.metrics
    constant = write_log(tmp_path / "constant.csv", lambda _: 80.0)
    record = joined(store, f"trace:{constant},period=0.2")
    assert "samples_repeated" in codes(record)
    assert record.metrics["power_wall"].value == pytest.approx(80.0)


def test_rule_05_two_logs_that_disagree_leave_no_joules(stored, tmp_path):
    one = write_log(tmp_path / "one.csv")
    other = write_log(tmp_path / "other.csv", lambda t: 1.1 * power(t))
    record = joined(stored(), f"trace:{one}", f"trace:{other}")
    assert {"meter_disagreement", "energy_missing"} <= codes(record)
    assert all(energy.joules is None for window in record.windows for energy in window.energy)
    apart = joined(tmp_path / "results", f"trace:{one}", f"trace:{other},boundary=rack")
    assert "meter_disagreement" not in codes(apart)
    assert apart.meters_gaps[0].inner_over_outer == pytest.approx(1.1, rel=1e-3)


def test_two_supplies_of_one_node_are_added(stored, tmp_path):
    one = write_log(tmp_path / "one.csv")
    other = write_log(tmp_path / "other.csv", lambda t: 2.0 * power(t))
    record = joined(stored(), f"trace:{one},sum=node,accuracy=1%", f"trace:{other},sum=node,accuracy=4%")
    (meter,) = record.meters_used
    assert (meter.name, meter.tier, meter.boundary) == ("sum:node", "B", "wall")
    assert meter.accuracy_frac == pytest.approx((1 * 0.01 + 2 * 0.04) / 3, rel=1e-3)
    assert [(part.name, len(part.sha256)) for part in meter.parts] == [("trace:one.csv", 64), ("trace:other.csv", 64)]
    assert record.metrics["power_wall"].value == pytest.approx(240.0, rel=0.01)
    assert {row["series"] for row in read_samples(tmp_path / "results" / record.id).to_pylist()} == {
        "trace:one.csv", "trace:other.csv"
    }  # fmt: skip
    with pytest.raises(InputError, match="not attached yet"):
        attach(record.id, [f"trace:{one}"], MeterOptions(), tmp_path / "results", [])


def test_a_sum_lacks_what_one_of_its_parts_lacks(stored, tmp_path):
    one = write_log(tmp_path / "one.csv")
    short = write_log(tmp_path / "short.csv", lambda t: 2.0 * power(t), seconds=60.0)
    record = joined(stored(), f"trace:{one},sum=node", f"trace:{short},sum=node")
    assert "trace_not_covering" in codes(record)
    assert record.windows[0].energy[0].joules is not None
    assert record.windows[2].energy[0].joules is None
    assert "trace:short.csv: edge_missing" in record.windows[2].energy[0].detail
    assert "power_wall" not in record.metrics


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (",sum=node", None, r"key sum: expected a column of the log \(time, power_w\) or a second meter with sum=node"),
        (",sum=node", ",sum=node,boundary=rack", "key boundary: expected one boundary for all parts of a sum"),
    ],
)
def test_what_cannot_be_added_is_refused(stored, tmp_path, first, second, words):
    specs = [f"trace:{write_log(tmp_path / 'one.csv')}{first}"]
    if second:
        specs.append(f"trace:{write_log(tmp_path / 'other.csv', lambda t: 2.0 * power(t))}{second}")
    with pytest.raises(InputError, match=words):
        joined(stored(), *specs)


def test_a_log_completes_the_run_that_misses_one_whatever_its_file_is_called(stored, tmp_path):
    path = write_log(tmp_path / "export (2).csv")
    notices = []
    record = joined(stored([used("trace:later.csv")], plan="quick"), f"trace:{path},period=0.2", notices=notices)
    assert (record.status, record.meters) == ("ok", ("trace:export (2).csv",))
    assert "energy_missing" not in codes(record)
    assert notices == ["trace:export (2).csv takes the place of trace:later.csv"]
    (entry,) = record.audit["attached"]
    assert entry["in_place_of"] == "trace:later.csv"
    assert entry["sha256"] == [hashlib.sha256(path.read_bytes()).hexdigest()]
    assert Path(entry["source"][0].removeprefix("trace:").partition("[")[0]) == path


def test_of_several_missing_logs_the_name_or_the_settings_decide_and_else_the_user(stored, tmp_path):
    store = stored([used("trace:a.csv", "node"), used("trace:b.csv"), used("trace:c.csv")])
    log = write_log(tmp_path / "export.csv")
    with pytest.raises(InputError, match=r"the log that it is \(trace:b.csv, trace:c.csv\)"):
        joined(store, f"trace:{log}")
    record = joined(store, f"trace:{log},boundary=node")
    assert record.meters == ("trace:b.csv", "trace:c.csv", "trace:export.csv")
    record = joined(store, f"trace:{log.rename(tmp_path / 'b.csv')}")
    assert set(record.meters) == {"trace:a.csv", "trace:b.csv", "trace:c.csv"}


def test_a_log_of_another_boundary_than_the_missing_one_is_asked_about(stored, tmp_path):
    store = stored([used("trace:later.csv", "node")])
    extra = write_log(tmp_path / "rack.csv", lambda t: 3.0 * power(t))
    node = write_log(tmp_path / "node.csv")
    record = joined(store, f"trace:{extra},boundary=rack", f"trace:{node},boundary=node")
    assert record.meters == ("trace:rack.csv", "trace:node.csv")
    with pytest.raises(InputError, match=r"key boundary: expected node, as the run states for trace:later\.csv"):
        joined(store, f"trace:{write_log(tmp_path / 'export.csv')}")


def test_a_part_of_a_missing_sum_does_not_take_its_place(stored, tmp_path):
    parts = [used("trace:a.csv"), used("trace:b.csv"), used("trace:c.csv")]
    store = stored([used("sum:node", parts=parts)])
    one = write_log(tmp_path / "a.csv")
    record = joined(store, f"trace:{one}")
    assert record.meters == ("sum:node", "trace:a.csv")
    assert "energy_missing" in codes(record)
    other = write_log(tmp_path / "b.csv", lambda t: 2.0 * power(t))
    with pytest.raises(InputError, match=r"sum:node: expected its parts \(trace:a\.csv, trace:b\.csv, trace:c\.csv\)"):
        joined(store, f"trace:{one},sum=node", f"trace:{other},sum=node")


def test_a_meter_that_was_there_and_failed_is_not_a_missing_log(stored, tmp_path):
    failed = {**no_log("shelly:plug"), "reasons": ["meter_lost"]}
    store = stored([used("shelly:plug")], energies=[failed])
    record = joined(store, f"trace:{write_log(tmp_path / 'power.csv')}")
    assert record.meters == ("shelly:plug", "trace:power.csv")
    assert "energy_missing" in codes(record)


def test_the_record_of_a_sum_is_shown_with_the_column_and_the_hash_of_each_part(stored, tmp_path):
    one = write_log(tmp_path / "one.csv")
    other = write_log(tmp_path / "other.csv", lambda t: 2.0 * power(t), header="time,P [W]")
    record = joined(stored(), f"trace:{one},sum=node", f"trace:{other},sum=node")
    lines = "\n".join(_meter_lines(record))
    assert "sum:node: power, wall, tier C" in lines
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    assert f"trace:other.csv: column 'P [W]', in W, sha256 {digest}" in lines
