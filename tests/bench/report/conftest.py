"""Stores of records that a page must cope with: metered, not metered, invalid, failed, old, torn, and with markup."""

import dataclasses
import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from doubles.browser import chromium

from bench.report import collect, gather, write_page
from bench.results.layout import result_folders
from bench.results.record import Record
from bench.results.samples import Sample
from bench.results.writing import write_record

MARKUP = "<script>alert(1)</script>"
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def document(number=0, *, workload="sha256d_scan_cpu", unit="hash", rate=4.2e7, watts=None, variant="lanes16",
             device="A CPU of 16 cores", kind="cpu", status="ok", codes=(), warnings=(), windows=3, window_s=20.0,
             no_joules=(), assumed=None, parameters=None, extra_metrics=None):  # fmt: skip
    """Return a record as JSON-ready data: `watts` at the wall by one plug, or not metered."""
    started = START + timedelta(minutes=number)
    meter = {"meter": "shelly", "boundary": "wall", "tier": "B"}
    meter_used = {"kind": "power", "boundary": "wall", "tier": "B", "period_s": 0.5}
    taken = [
        {
            "index": index,
            "start_utc": (started + timedelta(seconds=30 + index * (window_s + 1))).isoformat(),
            "start_s": 130.0 + index * (window_s + 1),
            "end_s": 130.0 + index * (window_s + 1) + window_s,
            "work": rate * window_s * (1.0 + 0.001 * (index - (windows - 1) / 2)),
            "batches": 40,
            "energy": [
                {**meter, "samples": 40, "joules": None, "reasons": ["sample_gap"], "detail": "a gap of 4 s"}
                if index in no_joules
                else {**meter, "samples": 40, "joules": watts * window_s, "accuracy_frac": 0.01}
            ]
            if watts
            else [],
        }
        for index in range(windows)
    ]
    metrics = {} if status != "ok" else {"rate": _metric(rate, f"{unit}/s")}
    if watts and status == "ok" and not no_joules:
        where = {"boundary": "wall", "tier": "B", "meter": "shelly", "u_meter_frac": 0.006}
        metrics[f"energy_per_{unit}_wall"] = {**_metric(watts / rate, f"J/{unit}"), **where}
        metrics["power_wall"] = {**_metric(watts, "W"), **where}
    return {
        "schema_version": 1,
        "id": f"{started:%Y%m%dT%H%M%SZ}-{workload}-{number:04x}",
        "status": status,
        "reasons": [{"code": code, "detail": f"{code} in detail"} for code in codes],
        "warnings": [{"code": code, "detail": ""} for code in warnings or (() if watts else ("not_metered",))],
        "run": {
            "run_id": f"{started:%Y%m%dT%H%M%SZ}-abcdef",
            "plan": "quick",
            "argv": ["run"],
            "started_utc": started.isoformat(),
            "ended_utc": (started + timedelta(minutes=1)).isoformat(),
            "perwatt_version": "0.1.0",
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "commit_dirty": False,
        },
        "system": {"cpu": {"model": device, "features": ["avx2", "sha_ni"]}, "os": "Debian", "load_average": [number]},
        "device": {"kind": kind, "name": device, "settings": {}},
        "workload": {
            "name": workload,
            "version": 1,
            "unit": unit,
            "variant": variant,
            "parameters": parameters or {"threads": 16},
            "verification": ["known answer: nonce of block 0 found"],
        },
        "meters": ["shelly"] if watts else [],
        "meters_used": [{**meter_used, "name": "shelly"}] if watts else [],
        "idle": [{"meter": "shelly", "when": "before", "power_w": watts * 0.3, "duration_s": 10.0}] if watts else [],
        "assumed_power_w": {"power_w": assumed, "boundary": "wall", "source": "--watts"} if assumed else None,
        "windows": taken,
        "metrics": {**metrics, **(extra_metrics or {})},
    }  # fmt: skip


def _metric(value, unit):
    interval = (value * 0.98, value * 1.02)
    return {
        "value": value,
        "unit": unit,
        "basis": "measured",
        "n": 3,
        "relative_sd_frac": 0.01,
        "interval_95": interval,
    }


def samples_of(data):
    """Return a sample of work a second and two of power, idle and load around the windows included."""
    record = Record.model_validate(data)
    first, last = record.windows[0].start_s, record.windows[-1].end_s
    zero = record.windows[0].start_utc.timestamp() - first
    samples = []
    for window in record.windows:
        step = window.duration_s / window.batches
        for index in range(window.batches):
            t = window.start_s + index * step
            samples.append(
                Sample("work", window.index, t, t + step, zero + t, window.work / window.batches, record.workload.unit)
            )
    if record.meters:
        power = record.metrics["power_wall"].value if "power_wall" in record.metrics else 100.0
        for index in range(int((last - first + 24.0) / 0.5)):
            t = first - 14.0 + index * 0.5
            load = power if t > first - 3.0 else power * 0.3
            samples.append(Sample("shelly", -1, t, t, zero + t, load * (1.0 + 0.01 * math.sin(t)), "W"))
    return samples


class Store:
    """Writes records into a store; called with what `document` takes, it returns the result's folder."""

    def __init__(self, store):
        self.store = store
        store.mkdir()

    def __call__(self, number=0, *, samples=True, **keys):
        data = document(number, **keys)
        record = Record.model_validate(data)
        return write_record(self.store, record, samples_of(data) if samples and record.windows else [])


@pytest.fixture
def put(tmp_path):
    """An empty store and the way to fill it."""
    return Store(tmp_path / "results")


@pytest.fixture(scope="session")
def full_store(tmp_path_factory):
    """A store with one of everything that a page must show, markup in every name that a person can choose."""
    put = Store(tmp_path_factory.mktemp("full") / "results")
    put(0, watts=142.0)
    put(1, workload="matmul_f32_cpu", unit="flop", rate=1.1e12, variant="blas", watts=150.0,
        parameters={"m": 2048, "n": 2048, "k": 2048, "dtype": "f32", "threads": 16})  # fmt: skip
    put(2, workload="memory_triad_cpu", unit="byte", rate=4.1e10, variant="numba")
    put(3, workload="matmul_bf16_nt_cuda", unit="flop", rate=7.9e14, variant="cublaslt", device="NVIDIA H200",
        kind="gpu", watts=690.0, parameters={"m": 8192, "n": 8192, "k": 8192, "dtype": "bf16"},
        extra_metrics={"fraction_of_bound": {**_metric(0.81, "1"), "note": "over the rated peak"}})  # fmt: skip
    put(4, workload="llm_decode_cpu", unit="token", rate=31.0, variant="tiny", watts=140.0)
    put(5, device=MARKUP, variant='"><img src=x onerror=alert(2)>', warnings=("unstable",))
    put(6, status="invalid", codes=("throttled_hardware",), watts=140.0)
    put(7, status="failed", codes=("run_failed",), windows=0)
    put(8, watts=133.0, no_joules=(1,))
    put(9, assumed=120.0, variant="shani", extra_metrics={"fraction_of_bound": _metric(0.93, "1")})
    missing = put(10, watts=130.0)
    (missing / "samples.parquet").unlink()
    torn = put(11)
    (torn / "samples.parquet").write_bytes(b"PAR1 not parquet")
    old = put(12)
    data = json.loads((old / "result.json").read_text())
    data["schema_version"], data["workload"]["name"] = 0, MARKUP
    (old / "result.json").write_text(json.dumps(data))
    corrupt = put(13)
    (corrupt / "result.json").write_text("{ not json")
    (put.store / ".tmp-20260304T050607Z-x-1").mkdir()
    return put.store


@pytest.fixture(scope="session")
def markup_profiles(tmp_path_factory):
    """A folder of one's own profiles with one that is called <script>."""
    from hardware_profiles.catalog import OURS

    folder = tmp_path_factory.mktemp("profiles")
    text = (OURS / "asic" / "antminer-s9.toml").read_text(encoding="utf-8")
    assert 'model = "Antminer S9"' in text
    text = text.replace('model = "Antminer S9"', 'model = "<script>alert(3)</script>"')
    (folder / "script.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def full_page(full_store, markup_profiles, tmp_path_factory):
    """The page of one of everything, as a file: drawn once, for a drawing takes a tenth of a second."""
    return write_page(gather([], full_store, [markup_profiles]), tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def bare(put):
    """What the test's store holds, without catalogue and site, so that only its own charts are drawn."""

    def read(*more):
        gathered = collect([*result_folders(put.store), *more], [], put.store)
        return dataclasses.replace(gathered, catalogue=())

    return read


@pytest.fixture(scope="session")
def report_document():
    """Return the function that makes a record's data."""
    return document


@pytest.fixture(scope="module")  # while it runs, no other test of the same process can run an event loop
def browser():
    with chromium() as running:
        yield running
