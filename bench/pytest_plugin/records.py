"""Records of the tests that pytest-benchmark runs with energy."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

from bench import __version__
from bench.machine import environment
from bench.machine.cores import cores
from bench.machine.devices import device_under_test
from bench.machine.identity import host_info
from bench.measure import stats
from bench.measure.energy import Metered, accuracy_frac, as_energy, as_used
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.summary import metrics
from bench.meters.protocol import EnergyReading, MeterInfo, MeterKind
from bench.pytest_plugin.energy import Timed
from bench.pytest_plugin.entry import Entry
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.record import AssumedPower, Device, Metric, Reason, Record, RunInfo, Window, WorkloadInfo
from bench.results.samples import Sample
from bench.results.writing import new_id

PLAN = "pytest"
_LONGEST_NAME = 80  # characters of a test's name in an id


def record_of_test(  # noqa: PLR0913, PLR0917 (the results of a test)
    nodeid: str,
    entry: Entry,
    timed: Timed,
    readings: Sequence[EnergyReading],
    by_round: Mapping[str, Sequence[EnergyReading]],
    infos: Sequence[MeterInfo],
    failed: str,
) -> tuple[Record, list[Sample]]:
    """Return the record and the samples of one test; a failed test has no figures."""
    now = datetime.now(UTC)
    shift_s = now.timestamp() - time.monotonic()
    work, unit = (entry.work or 1.0) * timed.iterations, entry.unit
    windows = [
        Window(
            index=i, start_utc=datetime.fromtimestamp(each.start_s + shift_s, UTC), start_s=each.start_s,
            end_s=each.end_s, work=work, batches=timed.iterations,
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
    notes += [Reason(code=code, detail=detail) for code, detail in cores().notes()]
    record = build_record(
        RecordParts(
            id=new_id(test_name(nodeid), now),
            run=run_info(nodeid, now, now, environment.commit()),
            system=_system(),
            device=_device(),
            workload=workload_info(nodeid, entry),
            metered=Metered(tuple(windows), tuple(as_used(info) for info in reading_infos)),
            figures=figures,
            notes=() if failed else notes,
            faults=[Reason(code="test_failed", detail=failed)] if failed else (),
            failed=bool(failed),
            assumed_power=_assumed_power(readings),
        )
    )
    return record, work_samples(windows, unit)


def work_samples(windows: Sequence[Window], unit: str) -> list[Sample]:
    """Return the samples of the work of each window."""
    return [Sample("work", w.index, w.start_s, w.end_s, w.start_utc.timestamp(), w.work, unit) for w in windows]


def _assumed_power(readings: Sequence[EnergyReading]) -> AssumedPower | None:
    for reading in readings:
        if reading.assumed_power_w is not None:
            return AssumedPower(power_w=reading.assumed_power_w, boundary=reading.boundary, source="--perwatt-watts")
    return None


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


def workload_info(nodeid: str, entry: Entry) -> WorkloadInfo:
    """Return the workload of a test: the one that its entry states, else the test itself."""
    return WorkloadInfo(
        name=entry.workload or test_name(nodeid),
        version=entry.version,
        unit=entry.unit,
        variant=entry.variant,
        parameters={"test": nodeid},
        verification=(),
    )


def run_info(nodeid: str, started: datetime, ended: datetime, commit: tuple[str | None, bool | None]) -> RunInfo:
    """Return the run of a test; `commit` is that of the code under test, and whether files differ from it."""
    return RunInfo(
        run_id=f"{started:%Y%m%dT%H%M%SZ}-pytest", plan=PLAN, argv=("pytest", nodeid), started_utc=started,
        ended_utc=ended, perwatt_version=__version__, commit=commit[0], commit_dirty=commit[1],
        host=host_info(),
    )  # fmt: skip


def test_name(nodeid: str) -> str:
    """Return a test's whole name in the characters of a record's id: `tests/test_a.py::TestB::test_c` has dots.

    A name with other characters (a parameter), or one that is too long, ends in eight digits of its digest, so that no
    two tests have one name.
    """
    parts = re.split("::|/", nodeid.replace(".py::", "::", 1))
    name = ".".join(re.sub(r"[^A-Za-z0-9_]+", "_", part).strip("_") for part in parts).strip("._")
    if name == ".".join(parts) and len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(nodeid.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[9 - _LONGEST_NAME :].strip('._') or 'test'}-{digest}"


@cache
def _system() -> dict[str, object]:
    return environment.capture()


@cache
def _device() -> Device:
    return device_under_test("cpu")
