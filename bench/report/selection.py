"""The choice of devices and records that the page shows: one result of each device, workload and variant."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bench.compare.device_figures import DeviceFigures
from bench.compare.load import of_profile, of_record

if TYPE_CHECKING:
    from bench.report.gather import Gathered
    from bench.results.record import Record


def measured_devices(gathered: "Gathered") -> list[DeviceFigures]:
    """Return the figures of one valid result of each device, workload and variant that hashes or multiplies."""
    records = [record for record in gathered.valid if record.workload.unit in {"hash", "flop"} and record.rate]
    counts = Counter(_kind(record) for record in records)
    return [_with_count(of_record(record), counts[_kind(record)]) for record in latest(records)]


def catalogue_devices(gathered: "Gathered") -> list[DeviceFigures]:
    """Return the figures of each bin of the catalogue's miners, GPUs and CPUs."""
    return [of_profile(profile) for device in gathered.catalogue for profile in device.profiles()]


def latest(records: "Sequence[Record]") -> "list[Record]":
    """Return one record of each device, workload and variant, chosen by `rank`, in the order of first appearance."""
    chosen: dict[tuple[str, str, str], Record] = {}
    for record in records:
        kind = _kind(record)
        if kind not in chosen or rank(record) >= rank(chosen[kind]):
            chosen[kind] = record
    return list(chosen.values())


def rank(record: "Record") -> tuple[bool, bool, datetime]:
    """Return the key that chooses among results of one kind: comparable figures, measured energy, then the newest."""
    return record.run.plan != "smoke", record.energy_per_unit is not None, record.run.started_utc


def _kind(record: "Record") -> tuple[str, str, str]:
    return record.device.name, record.workload.name, record.workload.variant


def _with_count(device: DeviceFigures, count: int) -> DeviceFigures:
    return replace(device, note=f"{device.note}; chosen of {count}") if count > 1 else device
