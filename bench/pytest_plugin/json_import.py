"""The import of a file of pytest-benchmark, from version 3.0 on, as records."""

import math
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.measure import stats
from bench.measure.energy import Metered
from bench.measure.record_builder import RecordParts, build_record
from bench.measure.summary import metrics
from bench.pytest_plugin.entry import Entry, entry_of
from bench.pytest_plugin.records import run_info, test_name, workload_info
from bench.results.best_meter import ENERGY_PER_UNIT
from bench.results.integrity.sense import sense_fault, values_fault
from bench.results.part import NonNegative
from bench.results.record import Device, Metric, Reason, Record, Window
from bench.results.text import encodable
from bench.results.writing import new_id
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import JSON, read_input
from hardware_profiles.reading import validate

_CPU_NAMES = ("brand_raw", "brand", "hardware_raw", "hardware")
"""Keys under which the versions of py-cpuinfo give a CPU's name; its `model` is a number."""
_ARCHITECTURES = ("arch_string_raw", "arch", "raw_arch_string")
_NO_COMMIT = ("unknown", "unversioned")


class _Stats(BaseModel):
    """The statistics of a benchmark: seconds for one call."""

    model_config = ConfigDict(strict=True)

    data: list[NonNegative] = []  # [s] mean of a round; empty in a file that was saved without single rounds
    iterations: Annotated[int, Field(ge=1)] = 1  # calls a round
    mean: NonNegative | None = None  # [s]
    stddev: NonNegative | None = None  # [s]
    rounds: Annotated[int, Field(ge=1)] | None = None


class _Benchmark(BaseModel):
    """One benchmark of a file."""

    name: str
    fullname: str = ""
    stats: _Stats
    extra_info: object = None


class _Commit(BaseModel):
    """The commit of the code under test."""

    id: str | None = None
    dirty: bool | None = None


class _File(BaseModel):
    """A file of pytest-benchmark; its other keys are not used."""

    datetime: datetime
    benchmarks: list[_Benchmark]
    machine_info: dict[str, Any] | None = None
    commit_info: _Commit | None = None


def import_json(path: Path) -> list[Record]:
    """Return a record for each benchmark of a pytest-benchmark file.

    Raises
    ------
    InputError
        The file does not exist, or is not JSON of pytest-benchmark's form, or a benchmark has a wrong entry
        `extra_info["perwatt"]`.
    """
    document = parse_json(read_input(path, JSON), path, "the JSON of pytest-benchmark")
    try:
        file = validate(_File, document, f"{path} (of pytest-benchmark)")
    except InputError as error:  # a program wrote the file, so its faults repeat
        raise InputError(error.faults[0]) from None
    if fault := values_fault({"machine_info": encodable(file.machine_info)}, path):
        raise InputError(fault)
    records = []
    for index, bench in enumerate(file.benchmarks):
        place = f"{path}: benchmarks[{index}]"
        entry = entry_of(bench.extra_info, place)
        try:
            records.append(_imported(bench, file, entry, place))
        except (ValidationError, ArithmeticError):  # 1e-320 s or 1e300 s
            raise InputError.at(f"{place}.stats", expected="plausible times [s]", got=bench.stats.data) from None
        if fault := sense_fault(records[-1].model_dump(mode="json"), b"", place):
            raise InputError(fault)
    return records


def _imported(bench: _Benchmark, file: _File, entry: Entry, place: str) -> Record:
    when = file.datetime if file.datetime.tzinfo else file.datetime.replace(tzinfo=UTC)
    timed, test = bench.stats.data, bench.fullname or bench.name
    notes = [Reason(code="imported", detail="pytest-benchmark")]
    windows: tuple[Window, ...] = ()
    if timed and min(timed) > 0.0:
        windows = _windows(bench.stats, when, entry.work or 1.0)
        figures = metrics(entry.unit, windows, [])
    else:
        figures, fault = _figures_of_mean(bench.stats, entry, place)
        notes += fault
    figures.update(_energy(entry))
    commit = file.commit_info or _Commit()
    machine = file.machine_info or {}
    return build_record(
        RecordParts(
            id=new_id(test_name(test), datetime.now(UTC)),
            run=run_info(test, when, when, (None if commit.id in _NO_COMMIT else commit.id, commit.dirty)),
            system=machine,
            device=Device(kind="cpu", name=cpu_name(machine)),
            workload=workload_info(test, entry),
            metered=Metered(windows),
            figures=figures,
            notes=notes,
        )
    )


def _windows(timed: _Stats, when: datetime, work: float) -> tuple[Window, ...]:
    """Return the rounds end to end from the time of the file, because only their durations are stored."""
    windows, at_s = [], 0.0
    for index, seconds in enumerate(timed.data):
        end_s = at_s + seconds * timed.iterations
        windows.append(
            Window(
                index=index,
                start_utc=when + timedelta(seconds=at_s),
                start_s=at_s,
                end_s=end_s,
                work=work * timed.iterations,
                batches=timed.iterations,
            )
        )
        at_s = end_s
    return tuple(windows)


def _figures_of_mean(timed: _Stats, entry: Entry, place: str) -> tuple[dict[str, Metric], list[Reason]]:
    """Return the rate from the mean of all rounds, for a file without single rounds or with rounds of zero seconds."""
    faults = []
    if timed.data:
        mean, n = statistics.fmean(timed.data), len(timed.data)
        sd: float | None = statistics.stdev(timed.data) if n > 1 else None
        zero = sum(1 for seconds in timed.data if not seconds)
        faults.append(Reason(code="timer_coarse", detail=f"{zero} of {n} rounds took 0 s"))
        note = "from the mean of all rounds: some took 0 s"
    elif timed.mean is None or timed.rounds is None:
        raise InputError.at(f"{place}.stats", expected="data, or mean and rounds")
    else:
        mean, n, sd = timed.mean, timed.rounds, timed.stddev
        note = "from a summary: the file has no single rounds"
    if mean <= 0.0:
        return {}, [*faults, Reason(code="no_time", detail=f"{n} rounds")]
    rate = (entry.work or 1.0) / mean
    half = stats.t_quantile(n - 1.0) * sd / mean / math.sqrt(n) if sd is not None and n > 1 else None
    figure = Metric(
        value=rate, unit=f"{entry.unit}/s", basis="measured", n=n,
        relative_sd_frac=sd / mean if sd is not None and n > 1 else None,
        interval_95=(rate * (1 - half), rate * (1 + half)) if half is not None else None, note=note,
    )  # fmt: skip
    return {"rate": figure}, faults


def _energy(entry: Entry) -> dict[str, Metric]:
    """Return the energy figures that perwatt's plugin or its export wrote into a file."""
    figures = {
        f"{ENERGY_PER_UNIT}{entry.unit}_{energy.boundary}": Metric.model_validate(
            {"value": energy.joules_per_unit, "unit": f"J/{entry.unit}", "basis": "measured", "n": 1,
             "boundary": energy.boundary, "tier": energy.tier, "meter": energy.meter,
             "note": "one window over all rounds"}
        )
        for energy in entry.energy
        if energy.joules_per_unit is not None
    }  # fmt: skip
    return {**figures, **entry.metrics}


def cpu_name(machine: Mapping[str, Any]) -> str:
    """Return the name of the CPU in a file's `machine_info`, or its architecture where the file has no name."""
    cpu = machine.get("cpu")
    fields: Mapping[str, Any] = cpu if isinstance(cpu, Mapping) else {"brand": cpu}
    candidates = [
        *(fields.get(key) for key in _CPU_NAMES),
        machine.get("machine"),
        *(fields.get(key) for key in _ARCHITECTURES),
        machine.get("processor"),
    ]
    names = (" ".join(name.split()) for name in candidates if isinstance(name, str))
    return next((name for name in names if name), "unknown CPU")
