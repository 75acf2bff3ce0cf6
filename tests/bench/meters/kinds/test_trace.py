"""A recorded log as a meter: forms, clocks, coverage, and the fault of each named."""

import math
import statistics
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.meters.kinds.trace_samples import RunClock
from bench.meters.logs import read_log
from bench.meters.protocol import MeterOptions
from bench.meters.registry import make_meter
from hardware_profiles.errors import InputError

START = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def joined(spec, options=None):
    """A log on the clock of a stored run that is UTC itself."""
    meter = make_meter(spec, options)
    meter.join(RunClock(0.0, -math.inf, math.inf))
    return meter


def power(t):
    return 2400.0 + 300.0 * math.sin(t / 40.0)


def ptdaemon(path, seconds=300, start=START):
    """A log in the form of SPEC's PTDaemon, 1 Hz, three channels, written here."""
    lines = []
    for i in range(seconds + 1):
        moment = datetime.fromtimestamp(start + i + 0.305, UTC)
        watts = power(i)
        stamp = f"{moment:%m-%d-%Y %H:%M:%S}.{moment.microsecond // 1000:03d}"
        channel = f"Watts,{watts / 3:.6f},Volts,239.1,Amps,3.4,PF,0.96"
        lines.append(
            f"Time,{stamp},Watts,{watts:.6f},Volts,239.166667,Amps,3.478000,PF,0.964409,Mark,run-1,"
            + ",".join(f"Ch{c},{channel}" for c in (1, 2, 3))
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_ptdaemon_log_integrates_to_its_mean_power_within_a_thousandth(tmp_path):
    path = ptdaemon(tmp_path / "spl.txt", seconds=3600)
    log = read_log(path)
    assert (log.form, len(log.samples)) == ("ptdaemon", 3601)
    found = joined(f"trace:{path}").energy(log.samples[0][0], log.samples[-1][0])
    mean_w = statistics.fmean(watts for _, watts in log.samples)
    assert found.mean_power_w == pytest.approx(mean_w, rel=1e-3)
    assert (found.boundary, found.samples) == ("wall", 3601)


def test_the_clock_offset_moves_a_local_log_onto_utc(tmp_path):
    path = ptdaemon(tmp_path / "spl.txt", start=START - 5 * 3600)
    meter = joined(f"trace:{path}", MeterOptions(clock_offset_s=-5 * 3600.0))
    assert meter.energy(START + 10, START + 110).valid
    found = joined(f"trace:{path},wait=0.1").energy(START + 10, START + 110)
    assert "trace_not_covering" in found.reasons
    assert "2025-12-31T19:00:00Z" in found.detail


@pytest.mark.parametrize(
    "lines",
    [
        ["", "time,watts", "{iso}Z,{w}"],
        ["", "Timestamp;Power (W)", "{iso};{comma}"],
        [",unit=W", "{unix},{w}"],
        ["", "unix\tpower_kW", "{unix}\t{kw}"],
        ["", "Date,Time,Voltage,Active Power (W)", "{date},{clock},230.1,{w}"],
        [",unit=W", "# a comment", "epoch,apower", "{ms},{w}"],
    ],
)
def test_common_exports_are_read(tmp_path, lines):
    settings, *lines = lines
    path = tmp_path / "power.csv"
    rows = lines[:-1] if len(lines) > 1 else []
    for i in range(200):
        moment = datetime.fromtimestamp(START + i, UTC)
        w = power(i)
        rows.append(
            lines[-1].format(
                iso=f"{moment:%Y-%m-%dT%H:%M:%S}", w=f"{w:.3f}", comma=f"{w:.3f}".replace(".", ","), kw=w / 1e3,
                unix=START + i, ms=round((START + i) * 1000), date=f"{moment:%Y-%m-%d}", clock=f"{moment:%H:%M:%S}",
            )
        )  # fmt: skip
    path.write_text("\n".join(rows) + "\n")
    found = joined(f"trace:{path}{settings}").energy(START + 10, START + 160)
    true_j = 2400.0 * 150 - 300.0 * 40.0 * (math.cos(160 / 40) - math.cos(10 / 40))
    assert found.joules == pytest.approx(true_j, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing here\nat all\n", "columns separated"),
        ("time,volts\n1,2\n", "one column of watts"),
        ("time,p1 watts,p2 watts\n1,2,3\n", "2 of them"),
        ("volts,watts\n1,2\n", "one column of time"),
        ("time,watts\nyesterday,2\nnever,3\n", "a time in each row"),
    ],
)
def test_what_is_no_log_is_refused_before_the_run(tmp_path, text, words):
    path = tmp_path / "power.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as error:
        make_meter(f"trace:{path}").open()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "time,watts\n", "# started\n"])
def test_a_log_that_has_no_sample_yet_is_in_order_before_the_run_and_not_after(tmp_path, text):
    path = tmp_path / "power.csv"
    path.write_text(text)
    meter = make_meter(f"trace:{path},wait=0.1")
    meter.open()
    found = meter.energy(0.0, 1.0)
    meter.close()
    assert found.reasons
    assert "expected lines of time and watts" in found.detail


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "power.csv"
    path.write_text(
        "when,p1 watts,p2 watts\n" + "".join(f"{START + i},{100 + i % 7},{200 + i % 7}\n" for i in range(200))
    )
    found = joined(f"trace:{path},time=when,column=p2 watts").energy(START + 10, START + 110)
    assert found.mean_power_w == pytest.approx(203.0, rel=0.01)
    with pytest.raises(InputError, match="expected one of when, p1 watts"):
        make_meter(f"trace:{path},time=when,column=p3").open()


def test_unreadable_and_missing_samples_are_missing_and_told(tmp_path):
    rows = [f"{START + i},{power(i)}" for i in range(300)]
    rows[50] = f"{START + 50},overload"
    rows[60] = f"{START + 60},nan"
    path = tmp_path / "power.csv"
    path.write_text("time,watts\n" + "\n".join(rows) + "\n")
    found = joined(f"trace:{path}").energy(START + 10, START + 210)
    assert found.valid
    assert {"trace_malformed", "bad_sample"} <= set(found.warnings)


def test_a_log_whose_clock_goes_back_is_refused_where_it_does(tmp_path):
    path = tmp_path / "power.csv"
    times = [*range(150), *range(90, 300)]
    path.write_text("time,watts\n" + "".join(f"{START + t},{power(i)}\n" for i, t in enumerate(times)))
    meter = joined(f"trace:{path}")
    assert "trace_clock_back" in meter.energy(START + 80, START + 200).reasons
    assert meter.energy(START + 5, START + 85).valid


def test_a_live_log_is_waited_for_until_it_covers_the_window(clock, tmp_path):
    path = tmp_path / "power.csv"
    meter = make_meter(f"trace:{path},period=0.02,wait=3")
    meter.open()
    t0 = clock.monotonic()
    clock.sleep(1.2)
    t1 = clock.monotonic()
    first = t0 + clock.time() - t1 - 0.1
    rows = [f"{first + i * 0.02:.3f},{power(i)}\n" for i in range(100)]
    clock.after(2.0, lambda: path.write_text("time,watts\n" + "".join(rows)))
    found = meter.energy(t0, t1)
    meter.close()
    assert found.valid
    assert found.joules == pytest.approx(2400.0 * (t1 - t0), rel=0.15)


def test_a_log_that_never_covers_the_window_is_given_up_in_bounded_time(clock, tmp_path):
    meter = make_meter(f"trace:{tmp_path / 'never.csv'},wait=0.3")
    meter.open()
    assert "never.csv: this log does not exist yet" in meter.notice
    assert "up to 0.3 s" in meter.notice
    t0 = clock.monotonic()
    found = meter.energy(t0, t0 + 0.1)
    meter.close()
    assert clock.monotonic() - t0 == pytest.approx(0.3)
    assert "trace_not_covering" in found.reasons
    assert "No such file" in found.detail


def test_a_stepped_wall_clock_cannot_be_joined_to_a_log(tmp_path):
    path = ptdaemon(tmp_path / "spl.txt")
    meter = make_meter(f"trace:{path},wait=0.1")
    now = [START + 20.0]
    meter._wall_clock = lambda: now[0]
    meter.mark()
    t0 = meter._anchors[0][0]
    assert meter.energy(t0, t0 + 100).valid
    now[0] += 3600.0
    assert "clock_step_join" in meter.energy(t0, t0 + 100).reasons


def test_the_folder_of_a_log_that_is_yet_to_come_must_exist(tmp_path):
    with pytest.raises(InputError, match="a folder that exists"):
        make_meter(f"trace:{tmp_path / 'no' / 'power.csv'}").open()


@pytest.mark.slow
@given(st.text(max_size=300))
def test_any_text_is_a_log_or_one_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("log") / "power.csv"
    path.write_text(text, encoding="utf-8", errors="surrogateescape" if "\ud800" in text else "replace")
    try:
        log = read_log(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert log.samples
        assert all(math.isfinite(watts) for _, watts in log.samples if watts is not None)
