"""Meters that are added, and sources that are read once, in a run that is measured."""

import math

import pytest

from bench.measure.runner import measure
from bench.meters.group.sums import SumMeter
from bench.meters.protocol import MeterOptions, Tier
from bench.meters.registry import close_meters, make_meters, open_meters
from hardware_profiles.errors import InputError


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


@pytest.fixture
def two(fake_meter):
    """Two plugs, 100 W within 1 % and 50 W within 4 %."""
    return (
        fake_meter(lambda t: 100.0 + math.sin(t), name="a", accuracy=0.01, period_s=0.004),
        fake_meter(lambda t: 50.0 + math.sin(t), name="b", accuracy=0.04, tier=Tier.C, period_s=0.005),
    )


def test_two_plugs_of_one_node_are_one_meter_in_a_run(two, fake_workload, short_job, cpu_device):
    node = SumMeter("node", two)
    assert node.info.accuracy_frac == 0.04  # nothing is read yet: the worst
    record = measure(fake_workload, short_job(), [node], device=cpu_device)
    assert record.status == "ok"
    (used,) = record.meters_used
    assert (used.name, used.tier, used.period_s, used.domains) == ("sum:node", "C", 0.005, ("fake:a", "fake:b"))
    assert used.accuracy_frac == pytest.approx((100 * 0.01 + 50 * 0.04) / 150, rel=0.01)
    assert [part.name for part in used.parts] == ["a", "b"]
    assert record.metrics["power_wall"].value == pytest.approx(150.0, rel=0.02)
    assert record.metrics["power_wall"].meter == "sum:node"
    assert "meter_disagreement" not in codes(record)


def test_a_part_that_breaks_leaves_no_sum(clock, two, fake_workload, short_job, cpu_device):
    clock.after(1.0, lambda: setattr(two[1], "broken", True))
    record = measure(fake_workload, short_job(), [SumMeter("node", two)], device=cpu_device)
    assert {"meter_lost", "energy_missing"} <= codes(record)
    assert "power_wall" not in record.metrics
    last = record.windows[-1].energy[0]
    assert last.joules is None
    assert "b: " in last.detail


def test_parts_of_unequal_boundaries_and_declared_powers_are_not_added(fake_meter):
    plug = fake_meter(name="a")
    with pytest.raises(InputError, match=r"expected one boundary .*, got 'wall \(a\), board \(b\)'"):
        SumMeter("node", [plug, fake_meter(name="b", boundary="board")])
    with pytest.raises(InputError, match="expected meters that measure"):
        make_meters(["declared:5,sum=node", "declared:6,sum=node"])
    with pytest.raises(InputError, match=r"two or more meters with this sum, got 'shelly:10\.0\.0\.7'"):
        make_meters(["shelly:10.0.0.7,sum=node"])


def test_a_sum_opens_all_of_its_parts_or_none(tmp_path):
    (good,) = make_meters([f"trace:{tmp_path / 'later.csv'}"])
    (bad,) = make_meters([f"trace:{tmp_path / 'no' / 'later.csv'}"])
    with pytest.raises(InputError, match="a folder that exists"):
        SumMeter("node", [good, bad]).open()
    assert good._thread is None


def test_a_name_of_a_column_adds_rows_and_another_name_adds_logs(tmp_path):
    for name in ("a", "b"):
        rows = "".join(f"{1_780_000_000 + i // 2},{i % 2},{100 + i % 7}\n" for i in range(100))
        (tmp_path / f"{name}.csv").write_text(f"time,gpu,{name}_w\n{rows}")
    one, other = (f"trace:{tmp_path / name}.csv" for name in ("a", "b"))
    assert [meter.info.rows for meter in make_meters([f"{one},sum=gpu"])] == ["sum gpu"]
    assert len(make_meters([f"{one},sum=gpu", f"{other},sum=gpu"])) == 2
    (total,) = make_meters([f"{one},sum=rack", f"{other},sum=rack"])
    assert total.info.name == "sum:rack"
    (later,) = make_meters([f"trace:{tmp_path / 'later.csv'},sum=gpu"])
    assert later.info.rows == "sum gpu"


@pytest.mark.parametrize(
    "specs",
    [
        ("trace:log.csv", "trace:./log.csv"),
        ("trace:log.csv", "trace:link.csv"),
        ("trace:log.csv", "trace:copy.csv"),
        ("trace:later.csv", "trace:later.csv,period=0.5"),
        ("trace:log.csv,sum=x", "trace:other.csv,sum=x", "trace:copy.csv"),
        ("declared:5", "declared:5"),
    ],
)
def test_each_source_is_read_once_in_a_run(specs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "time,power_w\n" + "".join(f"{1_780_000_000 + i},{100 + i % 7}\n" for i in range(100))
    (tmp_path / "log.csv").write_text(text)
    (tmp_path / "copy.csv").write_text(text)
    (tmp_path / "other.csv").write_text(text.replace(",10", ",20"))
    (tmp_path / "link.csv").symlink_to("log.csv")
    with pytest.raises(InputError, match="expected each source once"):
        open_meters(specs)


def test_columns_of_a_log_that_is_yet_to_come_are_two_sources(tmp_path):
    path = tmp_path / "later.csv"
    meters = open_meters([f"trace:{path},column=p1", f"trace:{path},column=p2"])
    assert [meter.info.name for meter in meters] == ["trace:later.csv[p1]", "trace:later.csv[p2]"]
    close_meters(meters)


def test_rule_05_copies_of_a_log_that_come_after_the_start_leave_no_joules(
    clock, tmp_path, fake_workload, short_job, cpu_device
):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    meters = open_meters([f"trace:{path},sum=node,wait=1" for path in paths], MeterOptions(period_s=0.004))
    start = clock.time()

    def export():
        rows = "".join(f"{start - 1 + i * 0.004:.4f},{100 + math.sin(i):.4f}\n" for i in range(2000))
        for path in paths:
            path.write_text(f"time,power_w\n{rows}")

    clock.after(2.0, export)
    record = measure(fake_workload, short_job(), meters, device=cpu_device)
    close_meters(meters)
    assert "source_twice" in codes(record)
    assert all(energy.joules is None for window in record.windows for energy in window.energy)


@pytest.mark.parametrize(
    ("steps", "settings", "planned"),
    [
        ((0.5, 1), "", (0.5, "a new value every 0.5 s, which counts as its update period")),
        ((0.5, 1), ",period=2", (2.0, "")),
        ((0.5, 4), ",period=0.5", (0.5, "a new value every 2 s, but 0.5 s is stated")),
        ((1.0, 30), "", (1.0, "a new value every 30 s; in a window, more than 5 s is too slow")),
        ((4.0, 1), ",period=0.1", (4.0, "a new value every 4 s, but 0.1 s is stated")),
    ],
)
def test_the_steps_of_an_existing_log_propose_the_period_by_which_a_run_is_planned(
    clock, tmp_path, steps, settings, planned
):
    row_s, hold = steps
    path = tmp_path / "log.csv"
    start = clock.time() - 1000.0
    rows = "".join(f"{start + i * row_s:.3f},{100 + (i // hold) % 7}\n" for i in range(240))
    path.write_text(f"time,power_w\n{rows}")
    (meter,) = open_meters([f"trace:{path}{settings}"])
    close_meters([meter])
    period_s, said = planned
    assert meter.info.period_s == period_s
    assert said in meter.notice
    assert bool(meter.notice) == bool(said)


def test_a_log_of_one_row_shows_no_period_and_keeps_the_usual_one(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,power_w\n1780000000,100\n")
    (meter,) = open_meters([f"trace:{path}"])
    close_meters([meter])
    assert (meter.info.period_s, meter.notice) == (1.0, "")


def test_rows_that_are_too_far_apart_are_refused_before_a_run_of_hours(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,power_w\n" + "".join(f"{1_780_000_000 + 60 * i},{100 + i}\n" for i in range(20)))
    with pytest.raises(InputError, match=r"expected a row at least every 5 s, .*, got 'one every 60 s'"):
        open_meters([f"trace:{path}"])
