"""A stored result of an ASIC miner, as `perwatt run asic` writes it: 198 TH/s of shares, watts at the wall or none."""

from datetime import UTC, datetime, timedelta

from bench.results.record import Record
from bench.results.writing import write_record
from bench.stratum.difficulty import hashes_of

RATE_H_S = 1.98e14
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SHARES = 9600


def asic_document(number=0, *, rate=RATE_H_S, watts=3500.0, boundary="wall", verified=True, plan="quick", assumed=None,
                  name="Bitmain Antminer S21", settings=None, displayed=((2e14, "rate"), (3250.0, "power")),
                  warnings=("always_on",), status="ok"):  # fmt: skip
    """Return the record as JSON-ready data; `watts` None is a run without a meter."""
    started, window_s, windows = START + timedelta(minutes=number), 60.0, 3
    meter = {"meter": "shelly", "boundary": boundary, "tier": "B"}
    low, high = 0.98, 1.021
    metrics = {"rate": {"value": rate, "unit": "hash/s", "basis": "measured", "n": 3,
                        "interval_95": (rate * low, rate * high)}}  # fmt: skip
    if watts:
        where = {"basis": "measured", "n": 3, "boundary": boundary, "tier": "B", "meter": "shelly",
                 "u_meter_frac": 0.006}  # fmt: skip
        metrics[f"power_{boundary}"] = {
            "value": watts, "unit": "W", "interval_95": (watts * 0.988, watts * 1.012), **where,
        }  # fmt: skip
        energy = watts / rate
        metrics[f"energy_per_hash_{boundary}"] = {
            "value": energy, "unit": "J/hash", "interval_95": (energy * 0.975, energy * 1.025), **where,
        }  # fmt: skip
    return {
        "schema_version": 1,
        "id": f"{started:%Y%m%dT%H%M%SZ}-sha256d_scan_asic-{number:04x}",
        "status": status,
        "reasons": [{"code": "shares_not_uniform"}] if status != "ok" else [],
        "warnings": [{"code": code} for code in warnings],
        "run": {
            "run_id": f"{started:%Y%m%dT%H%M%SZ}-abcdef", "plan": plan, "argv": ["run", "asic"],
            "started_utc": started.isoformat(), "ended_utc": (started + timedelta(minutes=5)).isoformat(),
            "perwatt_version": "0.1.0", "commit": None,
        },
        "system": {"os": "Debian"},
        "device": {
            "kind": "asic", "name": name,
            "settings": settings or {
                "family": "luxos", "maker": "Bitmain", "model": "Antminer S21", "firmware": "LuxOS",
                "firmware_version": "2026.1", "unit": "ab12", "nominal_rate_h_s": 2e14, "mode": "normal",
            },
        },
        "workload": {
            "name": "sha256d_scan_asic", "version": 1, "unit": "hash", "variant": "stratum_v1",
            "verification": ["known answer: real blocks meet their targets"],
        },
        "meters": ["shelly"] if watts else [],
        "meters_used": (
            [{"kind": "power", "boundary": boundary, "tier": "B", "period_s": 0.5, "name": "shelly"}] if watts else []
        ),
        "assumed_power_w": {"power_w": assumed, "boundary": "wall", "source": "--watts"} if assumed else None,
        "windows": [
            {
                "index": index, "start_utc": (started + timedelta(seconds=61 * index)).isoformat(),
                "start_s": 100.0 + 61.0 * index, "end_s": 160.0 + 61.0 * index, "work": rate * window_s, "batches": 60,
                "energy": [{**meter, "samples": 120, "joules": watts * window_s}] if watts else [],
            }
            for index in range(windows)
        ],
        "metrics": metrics if status == "ok" else {},
        "miner": {
            "shares": {
                "verified_by_shares": verified, "valid": SHARES, "difficulty": 4096.0,
                "hashes_per_share": hashes_of(4096.0), "rule": "fixed_window",
                "by_class": {"valid": SHARES, "stale": 12}, "refused_frac": 0.00125,
                "refused_frac_95": (0.0006, 0.0022),
                "uniformity": {"uniform": True, "ks_p": 0.41, "largest": 0.9999, "largest_p": 0.4},
                "disconnected_s": 0.0,
            },
            "session": {"user_agent": "luxminer/1", "connections": 1, "workers": 1, "version_mask": "1fffe000"},
            "window": {
                "wanted_error_frac": 0.02, "expected_rate_h_s": 2e14, "expected_from": "nominal rate of the firmware",
                "expected_shares": 9654.0, "settled": True, "settled_after_s": 180.0, "settled_by": "3 blocks",
            },
            "displayed": [
                {
                    "quantity": quantity, "raw_key": "summary: GHS 5s" if quantity == "rate" else "power: Watts",
                    "method": "mean_of_readings", "kind": "nonces" if quantity == "rate" else "estimate",
                    "value": value, "readings": 34,
                }
                for value, quantity in displayed
            ],
            "temperatures_c": {"ambient": 24.0, "board": 61.5}, "mode": "normal", "readings": 34,
        },
    }  # fmt: skip


def put_asic(store, number=0, **changes):
    """Write a result to a store, and return its folder."""
    store.mkdir(exist_ok=True)
    return write_record(store, Record.model_validate(asic_document(number, **changes)), [])
