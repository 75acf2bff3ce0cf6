"""A results folder of a simulated fleet: records of many hosts, GPUs and miners, as `perwatt run` writes them."""

import json
from datetime import UTC, datetime, timedelta

from doubles.stored import rewrite

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def record(
    number, *, host="gpu01", host_id=None, unit=None, rate=7e9, watts=None, days=0.0, workload="sha256d_scan_cpu",
    device="A CPU of 16 cores", kind="cpu", sd=0.001, meter="", tier="B", plan="quick", status="ok", supersedes=None,
    settings=None, variant="lanes16", u_meter=0.005,
):  # fmt: skip
    """Return a record as JSON-ready data; `unit` is a GPU's UUID or a miner's hash, `meter` the source of its watts."""
    started = START + timedelta(days=days, minutes=number)
    rates = [rate * (1.0 + sd * step) for step in (-1.0, 0.0, 1.0)]
    own = {"gpu": "uuid", "asic": "unit"}.get(kind)
    energies = (
        [{"meter": "plug", "boundary": "wall", "tier": tier, "samples": 120, "joules": watts * 20.0}] if watts else []
    )
    spread = {"basis": "measured", "n": 3, "relative_sd_frac": sd}
    metrics = {"rate": {"value": rate, "unit": "hash/s", "interval_95": [rate * 0.99, rate * 1.01], **spread}}
    if watts:
        where = {"boundary": "wall", "tier": tier, "meter": "plug", "u_meter_frac": u_meter, **spread}
        energy = sum(watts / one for one in rates) / 3.0
        metrics["power_wall"] = {"value": watts, "unit": "W", "interval_95": [watts * 0.99, watts * 1.01], **where}
        metrics["energy_per_hash_wall"] = {
            "value": energy, "unit": "J/hash", "interval_95": [energy * 0.98, energy * 1.02], **where,
        }  # fmt: skip
    return {
        "schema_version": 1,
        "id": f"{started:%Y%m%dT%H%M%SZ}-{workload}-{number:06x}",
        "status": status,
        "reasons": [] if status == "ok" else [{"code": "throttled_hardware"}],
        "supersedes": supersedes,
        "run": {
            "run_id": f"run-{number}", "plan": plan, "argv": ["run"], "started_utc": started.isoformat(),
            "ended_utc": (started + timedelta(minutes=2)).isoformat(), "perwatt_version": "0.1.0", "commit": None,
            "host": {"id": host_id or f"{sum(map(ord, host)):08x}", "name": host} if host else None,
        },
        "system": {},
        "device": {"kind": kind, "name": device, "settings": {**(settings or {}), **({own: unit} if own else {})}},
        "workload": {
            "name": workload, "version": 1, "unit": "hash", "variant": variant, "verification": ["a known answer"],
            "parameters": {},
        },
        "meters": ["plug"] if watts else [],
        "meters_used": [
            {"name": "plug", "kind": "power", "boundary": "wall", "tier": tier, "period_s": 0.5,
             "domains": [meter] if meter else []}
        ] if watts else [],
        "windows": [
            {
                "index": at, "start_utc": (started + timedelta(seconds=21 * at)).isoformat(),
                "start_s": 100.0 + 21.0 * at, "end_s": 120.0 + 21.0 * at, "work": one * 20.0, "batches": 40,
                "energy": energies,
            }
            for at, one in enumerate(rates)
        ],
        "metrics": metrics if status == "ok" else {},
    }  # fmt: skip


def put(store, *documents):
    """Write records to a results folder, and return the folder."""
    store.mkdir(exist_ok=True)
    for document in documents:
        rewrite(store / document["id"], json.loads(json.dumps(document)))
    return store


def miners(store, units, *, rate_sd, power_sd, rng, repeats=1, off=None, **changes):
    """Write the results of miners whose rates and powers differ by these standard deviations; `off` is of the first."""
    rates = 2e14 * (1.0 + rate_sd * rng.standard_normal(units))
    watts = 3500.0 * (1.0 + power_sd * rng.standard_normal(units))
    if off is not None:
        rates[0] = 2e14 * (1.0 + off)
    number = 0
    for at in range(units):
        for time in range(repeats):
            number += 1
            rate = float(rates[at] * (1.0 + 0.001 * rng.standard_normal()))
            put(store, record(
                number, host=f"lab{at % 4:02d}", unit=f"{at:08x}", rate=rate, watts=float(watts[at]), days=10.0 * time,
                workload="sha256d_scan_asic", device="Bitmain Antminer S21", kind="asic", meter=f"plug-{at}", **changes,
            ))  # fmt: skip
    return store
