"""Rule 7, RAPL, broken on purpose on a fake powercap tree."""

import pytest

from bench.measure.runner import measure
from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.integrate import counter_energy
from bench.meters.kinds.rapl import Rapl, choose, find_zones
from bench.meters.protocol import MeterInfo, MeterKind, Reading, Tier


def info(kind=MeterKind.POWER, period_s=0.1, **more):
    return MeterInfo("m", kind, "wall", Tier.C, None, "none", period_s, poll_s=period_s, **more)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_rule_07_three_wraps_and_one_failed_read_give_the_true_joules(powercap):
    range_j, power_w, step_s = 262143.32885, 800.0, 60.0
    powercap.zone("intel-rapl:0", "package-0", 100_000.0, range_j)
    clock = Clock()
    meter = Rapl(root=powercap.root, clock=clock)
    meter._info = meter.connect()
    readings = []
    true_j = 0.0
    for i in range(20):  # 912 kJ: three wraps and a bit
        clock.now = i * step_s
        true_j = i * step_s * power_w
        powercap.set("intel-rapl:0", (100_000.0 + true_j) % range_j)
        if i == 7:
            (powercap.root / "intel-rapl:0" / "energy_uj").write_text("")
        meter.take()
    readings = meter.readings()
    assert sum(1 for r in readings if r.value is None) == 1
    assert sum("counter_wrapped" in r.codes for r in readings) == 3
    assert readings[-1].value == pytest.approx(true_j, rel=1e-6)
    wide = info(MeterKind.COUNTER, period_s=step_s)
    found = counter_energy(wide, readings, 0.0, 19 * step_s)
    assert found.joules == pytest.approx(true_j, rel=1e-6)
    assert "read_failed" in found.warnings


def test_rule_07_a_failed_read_at_the_edge_is_missing_never_zero():
    readings = [Reading(float(t), 1e9 + t, 100.0 * t) for t in range(10)]
    readings += [Reading(float(t), 1e9 + t, None, codes=("read_failed",)) for t in range(10, 14)]
    readings += [Reading(float(t), 1e9 + t, 100.0 * t) for t in range(14, 20)]
    found = counter_energy(info(MeterKind.COUNTER, period_s=1.0), readings, 1.0, 12.0)
    assert found.joules is None
    assert "edge_missing" in found.reasons
    inside = counter_energy(info(MeterKind.COUNTER, period_s=1.0), readings, 1.0, 18.0)
    assert inside.joules == pytest.approx(1700.0)


def test_rule_07_a_counter_that_goes_back_without_a_wrap_is_refused():
    unwrap = Unwrapper((262143.0,), 1500.0)
    unwrap.add(0.0, 1000.0)
    assert unwrap.add(1.0, 500.0) == (0.0, ("counter_went_back",))
    assert unwrap.add(2.0, 700.0) == (200.0, ())


def test_rule_07_readings_so_far_apart_that_a_second_wrap_may_hide_are_refused():
    unwrap = Unwrapper((1000.0,), 100.0)
    unwrap.add(0.0, 0.0)
    assert "wrap_ambiguous" in unwrap.add(11.0, 500.0)[1]
    readings = [Reading(0.0, 0.0, 0.0), Reading(11.0, 11.0, 500.0, codes=("wrap_ambiguous",))]
    found = counter_energy(info(MeterKind.COUNTER, period_s=11.0), readings, 0.0, 11.0)
    assert found.joules is None


def test_rule_07_domains_are_never_summed_and_twins_counted_once(powercap):
    powercap.zone("intel-rapl:0", "package-0", 10.0)
    powercap.zone("intel-rapl:0:0", "core", 5.0)
    powercap.zone("intel-rapl:0:1", "dram", 2.0)
    powercap.zone("intel-rapl:1", "package-1", 20.0)
    powercap.zone("intel-rapl:2", "psys", 50.0)
    powercap.zone("intel-rapl-mmio:0", "package-0", 10.0)
    zones = find_zones(powercap.root)
    assert [z.folder.name for z in choose(zones, "package")] == ["intel-rapl:0", "intel-rapl:1"]
    assert [z.folder.name for z in choose(zones, "psys")] == ["intel-rapl:2"]
    assert [z.folder.name for z in choose(zones, "core")] == ["intel-rapl:0:0"]
    mmio_only = [zone for zone in zones if zone.mmio]
    assert [z.folder.name for z in choose(mmio_only, "package")] == ["intel-rapl-mmio:0"]
    meter = Rapl(root=powercap.root)
    meter._info = meter.connect()
    meter.take()
    for folder in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl:2", "intel-rapl-mmio:0"):
        powercap.set(folder, 60.0)
    meter.take()
    assert meter.readings()[-1].value == pytest.approx(90.0)


def test_rule_07_a_zone_that_fails_makes_the_sum_missing(powercap):
    powercap.zone("intel-rapl:0", "package-0", 10.0)
    second = powercap.zone("intel-rapl:1", "package-1", 20.0)
    meter = Rapl(root=powercap.root)
    meter._info = meter.connect()
    (second / "energy_uj").unlink()
    meter.take()
    assert meter.readings()[-1].value is None
    assert meter.readings()[-1].codes == ("read_failed",)


def test_rule_07_no_rapl_and_no_permission_are_one_line_with_the_cure(powercap, monkeypatch):
    with pytest.raises(MeterError, match=r"no RAPL here.*shelly"):
        Rapl(root=powercap.root).open()
    zone = powercap.zone("intel-rapl:0", "package-0")
    real = type(zone).read_text

    def refuse(path, *args, **kwargs):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(type(zone), "read_text", refuse)
    with pytest.raises(MeterError, match=r"only root can read .*chmod"):
        Rapl(root=powercap.root).open()


@pytest.mark.parametrize(
    ("happens", "code"),
    [("reset", "counter_went_back"), ("vanishes", "meter_lost"), ("garbage", "meter_lost"), ("nothing", None)],
)
def test_rule_07_what_happens_to_the_counter_in_a_run_is_in_its_record(  # noqa: PLR0917 (fixtures)
    happens, code, clock, powercap, fake_workload, short_job, cpu_device
):
    zone = powercap.zone("intel-rapl:0", "package-0", 5000.0)
    start, calls = clock.monotonic(), []
    run = fake_workload.run
    fake_workload.run = lambda n: (calls.append(n), run(n))[1]

    def write():
        late = len(calls) > 25  # in the second of three windows of ten calls
        if late and happens == "vanishes":
            (zone / "energy_uj").unlink(missing_ok=True)
            return
        energy_j = 100.0 * (clock.monotonic() - start) + (0.0 if late and happens == "reset" else 5000.0)
        text = "nan" if late and happens == "garbage" else str(round(energy_j * 1e6))
        (zone / "energy_uj").write_text(text + "\n")

    meter = Rapl(root=powercap.root, poll_s=0.1)
    read_once = meter.read_once
    meter.read_once = lambda: (write(), read_once())[1]
    meter.open()
    record = measure(fake_workload, short_job(window_s=0.5), [meter], device=cpu_device)
    meter.close()
    assert record.status == "ok"
    given = {reason.code for reason in record.warnings}
    if code is None:
        assert record.metrics["power_package"].value == pytest.approx(100.0, rel=0.03)
    else:
        assert code in given
        assert "energy_missing" in given
        assert not [name for name in record.metrics if "energy" in name]
