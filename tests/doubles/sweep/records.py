"""Records of the visits of a sweep, as the runner writes them."""

from datetime import UTC, datetime, timedelta

from bench.measure import stats
from bench.results.record import Device, Energy, Metric, Record, RunInfo, Window, WorkloadInfo

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
METER = {"boundary": "wall", "tier": "B", "meter": "plug"}


def a_visit(level, at_s, rates, powers, *, number=0, run="one", window_s=60.0, accuracy_frac=0.01, **changes):
    """The record of one visit: `rates` [hash/s] and `powers` [W], one of each a window; no powers, no meter."""
    started = START + timedelta(seconds=at_s)
    windows = tuple(
        Window(
            index=i, start_utc=started + timedelta(seconds=i * window_s), start_s=at_s + i * window_s,
            end_s=at_s + (i + 1) * window_s, work=rate * window_s, batches=1,
            energy=(Energy(**METER, joules=powers[i] * window_s, samples=60),) if powers else (),
        )
        for i, rate in enumerate(rates)
    )  # fmt: skip
    u_meter = stats.standard_from_limits(accuracy_frac)
    metrics = {"rate": _metric(rates, "hash/s")}
    if powers:
        each = [power / rate for power, rate in zip(powers, rates, strict=True)]
        metrics["power_wall"] = _metric(powers, "W", u_meter)
        metrics["energy_per_hash_wall"] = _metric(each, "J/hash", u_meter)
    fields = {
        "id": f"{started:%Y%m%dT%H%M%SZ}-sha256d_scan_asic-{number}",
        "status": "ok",
        "run": RunInfo(
            run_id=run, plan="quick", argv=(), started_utc=started,
            ended_utc=started + timedelta(seconds=len(rates) * window_s), perwatt_version="0", commit=None,
        ),
        "system": {},
        "device": Device(
            kind="asic", name="a miner", settings={"lever": "luxos", "level": level, "level_as_found": "on"}
        ),
        "workload": WorkloadInfo(
            name="sha256d_scan_asic", version=1, unit="hash", variant="stratum_v1", verification=("shares",)
        ),
        "windows": windows,
        "metrics": metrics,
    }  # fmt: skip
    return Record(**{**fields, **changes})


def _metric(values, unit, u_meter_frac=0.0):
    estimate = stats.estimate(values, u_meter_frac)
    meter = {**METER, "u_meter_frac": u_meter_frac} if u_meter_frac else {}
    return Metric(
        value=estimate.value, unit=unit, basis="measured", n=len(values), interval_95=estimate.interval, **meter
    )
