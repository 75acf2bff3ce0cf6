"""A stored ramp as the start terms of a block or a unit: `ramp:ID`."""

from pathlib import Path

from bench.results.folder import find_result, read_whole
from bench.results.layout import STORE
from bench.results.record import Record
from hardware_profiles.errors import InputError
from sites.storage.ramps import RAMP_PREFIX, MeasuredRamp


def resolve_ramp(name: str, store: Path = STORE) -> MeasuredRamp:
    """Return what a stored ramp says of a device.

    Parameters
    ----------
    name
        `ramp:<id>` with the id of the result.
    store
        The results folder.

    Raises
    ------
    InputError
        The result is unknown, is no ramp, or is not valid.
    """
    return measured_ramp(name, read_whole(find_result(store, name.removeprefix(RAMP_PREFIX))))


def measured_ramp(name: str, record: Record) -> MeasuredRamp:
    """Return what the record of a ramp says of its device.

    Raises
    ------
    InputError
        The record is no ramp, or is not valid.
    """
    place, evidence = f"result {record.id}", record.ramp
    if evidence is None:
        raise InputError.at(place, "workload", expected="ramp", got=record.workload.name)
    if record.status != "ok":
        codes = ", ".join(reason.code for reason in record.reasons)
        raise InputError.at(place, "status", expected="ok", got=f"{record.status} ({codes})")
    figures = {key: metric.value for key, metric in record.metrics.items()}
    full_power_s, full_w = figures["full_power_time"], figures["full_power"]
    spans = [one.off_s for one in evidence.repetitions]
    simulated = ", of a SIMULATED device" if evidence.simulated else ""
    return MeasuredRamp(
        name=name,
        down_s=figures["off_time"],
        up_s=max(figures.get("full_rate_time", 0.0), full_power_s),
        lost_output_s=figures.get("lost_output_time", full_power_s),
        off_energy_j=figures.get("off_energy", 0.0),
        full_w=full_w,
        start_energy_j=figures.get("start_energy"),
        shortest_off_s=min(spans),
        longest_off_s=max(spans),
        source=f"measured here{simulated}, {record.run.started_utc:%Y-%m-%d}, result {record.id}",
    )
