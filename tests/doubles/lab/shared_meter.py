"""A run on one host and the log of a meter that another host reads, from a power that is known at every moment.

The true time is that of the controller. The run's record has the stamps of the measuring host's clock, the log those of
the reading host's, and the truth is the integral of the power over the windows in true time.
"""

import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.lab.clocks.alignment import Look, align
from bench.lab.clocks.offset import offset_of
from bench.meters.kinds.remote_log import RemoteLog
from bench.meters.kinds.trace_samples import RunClock
from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.results.record import Record
from doubles.lab.clocks import UTC_S, SimulatedHost, exchanges

STEP_S = 0.01  # of the true power
PERIOD_S = 0.2  # of the meter
LEAD_S, TAIL_S, WINDOW_S, WINDOWS = 3.0, 0.3, 25.0, 3
LOAD_S = 40.0  # true time at which the load starts
RUN_ID = "20260528T120000Z-fake_cpu-0001"
INFO = MeterInfo("shelly:192.0.2.9", MeterKind.POWER, "wall", Tier.B, 0.0001, "its sheet", PERIOD_S, PERIOD_S, PERIOD_S,
                 ("shelly:192.0.2.9",))  # fmt: skip


@dataclass
class SharedRun:
    """One run in the lab, and what a perfect meter on a perfect clock would have read."""

    record: Record
    log: RemoteLog
    clock: RunClock
    true_j: list[float]


def true_power(chance, end_s):
    """Power of the measured and the idle host [W] every `STEP_S`: idle, a load that swings and wanders, idle.

    All windows have nearly the same energy, so that their spread does not hide an error of the clock; before the first
    window and after the last one the load is another, so that such an error shows.
    """
    generator = np.random.default_rng(chance.randrange(2**32))
    times_s = np.arange(0.0, end_s + 60.0, STEP_S)
    first_s, last_s = LOAD_S + LEAD_S, LOAD_S + LEAD_S + WINDOWS * WINDOW_S
    loaded = (times_s >= LOAD_S) & (times_s < last_s + TAIL_S)
    measured = (times_s >= first_s) & (times_s < last_s)
    wander = np.cumsum(generator.normal(0.0, 0.01, len(times_s)))
    swing_w = chance.uniform(0.0, 20.0) * np.sin(times_s * 2.0 * np.pi / (WINDOW_S / chance.randrange(1, 6)))
    level_w = chance.uniform(100.0, 800.0)
    around_w = level_w * chance.uniform(0.0, 0.8)
    return times_s, 150.0 + np.where(measured, level_w + swing_w, around_w * loaded) + np.clip(wander, -5.0, 5.0)


def shared_run(seed, folder, *, delay_s=None, reading=None, gain=1.0, info=INFO, gap=None, codes=(), detail=""):
    """A run, the log of another host's meter and the alignment of both clocks by round trips of unequal delays."""
    chance = random.Random(seed)
    measuring = _host(chance)
    reading = reading or _host(chance)
    end_s = LOAD_S + LEAD_S + WINDOWS * WINDOW_S + TAIL_S + 40.0
    times_s, power_w = true_power(chance, end_s)
    joules = np.concatenate([[0.0], np.cumsum(power_w[:-1]) * STEP_S])
    starts_s = [LOAD_S + LEAD_S + index * WINDOW_S for index in range(WINDOWS)]
    spans = [(start, start + WINDOW_S) for start in starts_s]
    true_j = [float(np.interp(end, times_s, joules) - np.interp(start, times_s, joules)) for start, end in spans]
    delay_s = 10.0 ** chance.uniform(-4.0, -0.4) if delay_s is None else delay_s
    looks = []
    for at_s in (1.0, end_s):
        pair = [
            offset_of(exchanges(host, chance, at_s + by, out_s=delay_s * chance.random(), back_s=delay_s))
            for by, host in ((0.0, measuring), (2.0, reading))
        ]
        looks.append(Look(*pair))
    record = _record([(measuring.monotonic_s(start), measuring.monotonic_s(end)) for start, end in spans])
    first_s, last_s = record.windows[0].start_s, record.windows[-1].end_s
    clock = align(*looks, first_s, last_s)
    path = Path(folder) / f"log-{seed}.csv"
    _write_log(path, chance, reading, gain, times_s, joules, gap)
    log = RemoteLog(
        path, info, name="lab:pdu-a", boundary="rack", scope="pdu-a, read by gpu01", codes=codes, detail=detail
    )
    shift_s = clock.shift_s + (UTC_S - reading.monotonic_s(0.0))  # the log's clock starts with UTC
    return SharedRun(record, log, RunClock(shift_s, 0.0, 0.0, clock.bound_s, clock.rate_frac), true_j)


def _host(chance):
    return SimulatedHost(
        chance.uniform(-1e6, 1e6), chance.uniform(-100e-6, 100e-6), chance.uniform(0.0, 40e-6),
        chance.uniform(100.0, 3000.0),
    )  # fmt: skip


def _write_log(path, chance, reading, gain, times_s, joules, gap):  # noqa: PLR0917
    """Write what a meter shows that gives the mean of its last period, every period, as its host reads it."""
    phase_s = PERIOD_S * chance.random()
    rows, t_s = ["time,power_w"], 3.0
    while t_s < times_s[-1] - 10.0:
        if gap is None or not gap[0] <= t_s <= gap[1]:
            shown_s = t_s - (t_s - phase_s) % PERIOD_S  # when the value that is read now appeared
            ends_j = np.interp([shown_s - PERIOD_S, shown_s], times_s, joules)
            mean_w = float(ends_j[1] - ends_j[0]) / PERIOD_S
            stamp_s = reading.monotonic_s(t_s) + UTC_S - reading.monotonic_s(0.0)
            rows.append(f"{stamp_s:.6f},{gain * mean_w:.6f}")
        t_s += PERIOD_S * chance.uniform(0.8, 1.2)
    path.write_text("\n".join(rows) + "\n")


def _record(spans):
    missing = {"meter": "trace:pdu-a.csv", "boundary": "rack", "tier": "B", "samples": 0,
               "accuracy_frac": INFO.accuracy_frac, "reasons": ["edge_missing", "trace_not_covering"]}  # fmt: skip
    promised = {"name": "trace:pdu-a.csv", "kind": "power", "boundary": "rack", "tier": "B", "period_s": 0.2,
                "accuracy_frac": INFO.accuracy_frac, "averaging_s": 0.2}  # fmt: skip
    windows = [
        {"index": index, "start_utc": UTC_S + 100.0 + start, "start_s": start, "end_s": end, "work": 1e6, "batches": 9,
         "energy": [missing]}
        for index, (start, end) in enumerate(spans)
    ]  # fmt: skip
    return Record.model_validate({
        "id": RUN_ID, "status": "ok", "system": {}, "device": {"kind": "cpu", "name": "a CPU"},
        "run": {"run_id": "r", "plan": "quick", "argv": [], "started_utc": UTC_S, "ended_utc": UTC_S + 400.0,
                "perwatt_version": "0", "commit": None, "lead_s": LEAD_S, "tail_s": TAIL_S},
        "workload": {"name": "fake_cpu", "version": 1, "unit": "hash", "variant": "", "verification": []},
        "warnings": [{"code": "energy_missing"}], "meters": ["trace:pdu-a.csv"], "meters_used": [promised],
        "windows": windows,
    })  # fmt: skip


def with_accuracy(accuracy_frac):
    return replace(INFO, accuracy_frac=accuracy_frac)
