"""Records of pytest-benchmark's tests and files, and the export of records to such a file."""

import json
import math
import re
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bench import __version__
from bench.machine import environment
from bench.machine.devices import device_under_test
from bench.measure import stats
from bench.measure.energy import Metered, accuracy_frac, as_energy, as_used
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.summary import metrics
from bench.meters.protocol import EnergyReading, MeterInfo, MeterKind
from bench.pytest_plugin.energy import Timed
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.folder import Sample, new_id
from bench.results.record import AssumedPower, Device, Metric, Reason, Record, RunInfo, Window, WorkloadInfo
from hardware_profiles.errors import InputError

PLAN = "pytest"


def record_of_test(  # noqa: PLR0913, PLR0917 (the results of a test)
    nodeid: str,
    extra: Mapping[str, Any],
    timed: Timed,
    readings: Sequence[EnergyReading],
    by_round: Mapping[str, Sequence[EnergyReading]],
    infos: Sequence[MeterInfo],
    failed: str,
) -> tuple[Record, list[Sample]]:
    """Return the record and the samples of one test; a failed test has no figures."""
    now = datetime.now(UTC)
    shift_s = now.timestamp() - time.monotonic()
    work, unit = float(extra.get("work") or 1.0), str(extra.get("unit", "call"))
    windows = [
        Window(
            index=i, start_utc=datetime.fromtimestamp(each.start_s + shift_s, UTC), start_s=each.start_s,
            end_s=each.end_s, work=work, batches=1,
            energy=tuple(as_energy(energies[i]) for energies in by_round.values()),
        )
        for i, each in enumerate(timed.rounds)
    ]  # fmt: skip
    reading_infos = [info for info in infos if info.kind is not MeterKind.DECLARED]
    figures = metrics(unit, windows, reading_infos) if windows and not failed else {}
    if figures:
        for reading, info in zip(readings, infos, strict=True):
            figures = {**_span_metrics(reading, info, work * len(windows), unit), **figures}
    notes = [
        Reason(code=code, detail=reading.meter)
        for reading in readings
        for code in (*reading.reasons, *reading.warnings)
    ]
    samples = [Sample("work", w.index, w.start_s, w.end_s, w.start_utc.timestamp(), w.work, unit) for w in windows]
    record = build_record(
        RecordParts(
            id=new_id(_slug(nodeid), now),
            run=_run_info(nodeid, now, now),
            system=_system(),
            device=_device(),
            workload=_workload(nodeid, extra, unit),
            metered=Metered(tuple(windows), tuple(as_used(info) for info in reading_infos)),
            figures=figures,
            notes=() if failed else notes,
            faults=[Reason(code="test_failed", detail=failed)] if failed else (),
            failed=bool(failed),
            assumed_power=_assumed_power(readings),
        )
    )
    return record, samples


def _assumed_power(readings: Sequence[EnergyReading]) -> AssumedPower | None:
    for reading in readings:
        if reading.assumed_power_w is not None:
            return AssumedPower(power_w=reading.assumed_power_w, boundary=reading.boundary, source="--perwatt-watts")
    return None


def import_json(path: Path) -> list[Record]:
    """Return a record for each benchmark of a pytest-benchmark file.

    Raises
    ------
    InputError
        The file does not exist, or is not JSON of pytest-benchmark's form.
    """
    try:
        document = json.loads(path.read_bytes())
        when = datetime.fromisoformat(document["datetime"])
        benchmarks = list(document["benchmarks"])
    except OSError as error:
        raise InputError.at(path, expected="a file of pytest-benchmark", got=error.strerror) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: expected the JSON of pytest-benchmark, got {type(error).__name__}: {error}"
        ) from None
    records = []
    for index, bench in enumerate(benchmarks):
        try:
            records.append(_imported(bench, when if when.tzinfo else when.replace(tzinfo=UTC), document))
        except (KeyError, TypeError, ValueError) as error:
            place = f"{path}: benchmarks[{index}]"
            text = " ".join(str(error).split())[:200]
            raise InputError(f"{place}: expected a benchmark of pytest-benchmark, got {text}") from None
    return records


def export_json(records: Iterable[Record]) -> dict[str, Any]:
    """Return records as one document of pytest-benchmark's form.

    Its times are seconds per unit of work, and its energies are in `extra_info`.
    A record that is not valid is omitted, as pytest-benchmark omits a test with an error.
    """
    kept = [record for record in records if record.status == "ok" and record.windows]
    first = kept[0] if kept else None
    return {
        "machine_info": first.system if first else {},
        "commit_info": {"id": first.run.commit, "dirty": first.run.commit_dirty} if first else {},
        "benchmarks": [_exported(record) for record in kept],
        "datetime": (first.run.started_utc if first else datetime.now(UTC)).isoformat(),
        "version": "5.1.0",
    }


def _exported(record: Record) -> dict[str, Any]:
    data = [window.duration_s / window.work for window in record.windows]
    name = f"{record.workload.name}[{record.workload.variant}]" if record.workload.variant else record.workload.name
    energies = {
        name: {"value": metric.value, "unit": metric.unit, "interval_95": metric.interval_95,
               "boundary": metric.boundary, "tier": metric.tier}
        for name, metric in record.metrics.items() if name != "rate"
    }  # fmt: skip
    return {
        "group": record.workload.unit,
        "name": name,
        "fullname": f"perwatt::{record.id}",
        "params": None,
        "param": record.workload.variant or None,
        "extra_info": {
            "work": 1.0, "unit": record.workload.unit, "workload": record.workload.name,
            "variant": record.workload.variant, "version": record.workload.version,
            "perwatt_metrics": energies, "perwatt_id": record.id,
        },
        "options": {"timer": "monotonic", "min_rounds": len(data), "warmup": False},
        "stats": {**_stats(data), "data": data, "iterations": 1},
    }  # fmt: skip


def _stats(data: Sequence[float]) -> dict[str, float | str]:
    """Return the statistics of pytest-benchmark's files."""
    mean, ordered = statistics.fmean(data), sorted(data)
    sd = statistics.stdev(data) if len(data) > 1 else 0.0
    q1, median, q3 = statistics.quantiles(data, n=4, method="inclusive") if len(data) > 1 else (mean,) * 3
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    within = [value for value in ordered if low <= value <= high]
    far_iqr = sum(1 for value in data if not low <= value <= high)
    far_sd = sum(1 for value in data if abs(value - mean) > sd)
    return {
        "min": ordered[0], "max": ordered[-1], "mean": mean, "stddev": sd, "rounds": len(data), "median": median,
        "iqr": q3 - q1, "q1": q1, "q3": q3, "iqr_outliers": far_iqr, "stddev_outliers": far_sd,
        "outliers": f"{far_sd};{far_iqr}", "ld15iqr": within[0], "hd15iqr": within[-1],
        "ops": 1.0 / mean, "total": math.fsum(data),
    }  # fmt: skip


def _imported(bench: Mapping[str, Any], when: datetime, document: Mapping[str, Any]) -> Record:
    extra, stored = dict(bench.get("extra_info") or {}), bench["stats"]
    work, unit = float(extra.get("work") or 1.0), str(extra.get("unit") or "call")
    iterations = int(stored.get("iterations", 1))
    data = [float(value) for value in stored.get("data") or []]
    windows, at_s = [], 0.0
    for index, seconds in enumerate(data):
        length_s = seconds * iterations
        # Only durations are stored, so the rounds are placed end to end from the time of the file.
        windows.append(
            Window(index=index, start_utc=when + timedelta(seconds=at_s), start_s=at_s, end_s=at_s + length_s,
                   work=work * iterations, batches=iterations)
        )  # fmt: skip
        at_s += length_s
    figures = metrics(unit, windows, []) if windows else {"rate": _rate_from_summary(stored, work, unit)}
    figures.update(_imported_energy(extra, unit))
    commit = document.get("commit_info") or {}
    run = _run_info(str(bench["fullname"]), when, when).model_copy(
        update={"commit": commit.get("id"), "commit_dirty": commit.get("dirty")}
    )
    machine = document.get("machine_info") or {}
    named = machine.get("cpu")
    cpu = named if isinstance(named, dict) else {}
    return build_record(
        RecordParts(
            id=new_id(_slug(str(bench["name"])), datetime.now(UTC)),
            run=run,
            system=dict(machine),
            device=Device(
                kind="cpu", name=str(cpu.get("brand_raw") or cpu.get("model") or machine.get("machine", "unknown"))
            ),
            workload=_workload(str(bench["fullname"]), extra, unit),
            metered=Metered(tuple(windows)),
            figures=figures,
            notes=[Reason(code="imported", detail="pytest-benchmark")],
        )
    )


def _rate_from_summary(summary: Mapping[str, Any], work: float, unit: str) -> Metric:
    mean, n = float(summary["mean"]), int(summary["rounds"])
    sd = float(summary["stddev"]) / mean
    half = stats.t_quantile(n - 1.0) * sd / math.sqrt(n) if n > 1 else None
    rate = work / mean
    return Metric(
        value=rate, unit=f"{unit}/s", basis="measured", n=n, relative_sd_frac=sd if n > 1 else None,
        interval_95=(rate * (1 - half), rate * (1 + half)) if half is not None else None,
        note="from a summary: the file has no single rounds",
    )  # fmt: skip


def _imported_energy(extra: Mapping[str, Any], unit: str) -> dict[str, Metric]:
    """Return the energy figures that perwatt's plugin or its export wrote into a file."""
    figures: dict[str, Metric] = {}
    for entry in (extra.get("perwatt") or {}).get("energy", []):
        per_unit = entry.get("joules_per_unit")
        if per_unit:
            figures[f"{ENERGY_PER_UNIT}{unit}_{entry['boundary']}"] = Metric(
                value=per_unit, unit=f"J/{unit}", basis="measured", n=1, boundary=entry["boundary"],
                tier=entry["tier"], meter=entry["meter"], note="one window over all rounds",
            )  # fmt: skip
    for name, entry in (extra.get("perwatt_metrics") or {}).items():
        figures[name] = Metric.model_validate({"basis": "measured", "n": 1, **entry})
    return figures


def _span_metrics(reading: EnergyReading, info: MeterInfo, work: float, unit: str) -> dict[str, Metric]:
    """Return energy and power over the span of all rounds, for rounds that are too short one by one."""
    if reading.joules is None or reading.mean_power_w is None:
        return {}
    u_meter = stats.standard_from_limits(accuracy_frac(info))
    common = {"basis": "measured", "n": 1, "u_meter_frac": u_meter, "boundary": info.boundary,
              "tier": info.tier.value, "meter": info.name, "note": "one window over all rounds"}  # fmt: skip
    return {
        f"{ENERGY_PER_UNIT}{unit}_{info.boundary}": Metric.model_validate(
            {"value": reading.joules / work, "unit": f"J/{unit}", **common}
        ),
        f"{POWER}{info.boundary}": Metric.model_validate({"value": reading.mean_power_w, "unit": "W", **common}),
    }


def _workload(nodeid: str, extra: Mapping[str, Any], unit: str) -> WorkloadInfo:
    return WorkloadInfo(
        name=str(extra.get("workload") or _slug(nodeid)),
        version=int(extra.get("version") or 1),
        unit=unit,
        variant=str(extra.get("variant") or ""),
        parameters={"test": nodeid},
        verification=(),
    )


def _run_info(nodeid: str, started: datetime, ended: datetime) -> RunInfo:
    commit, dirty = environment.commit()
    return RunInfo(
        run_id=f"{started:%Y%m%dT%H%M%SZ}-pytest", plan=PLAN, argv=("pytest", nodeid), started_utc=started,
        ended_utc=ended, perwatt_version=__version__, commit=commit, commit_dirty=dirty,
    )  # fmt: skip


def _slug(nodeid: str) -> str:
    """Return a test's name in the characters of a record's id."""
    name = nodeid.rsplit("::", 1)[-1].rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._]+", "_", name).strip("_.")[:80] or "test"


@cache
def _system() -> dict[str, object]:
    return environment.capture()


@cache
def _device() -> Device:
    return device_under_test("cpu")
