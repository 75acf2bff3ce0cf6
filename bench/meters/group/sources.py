"""The sources of a run's meters: each is read once, and each has a name of its own."""

import os
from collections.abc import Collection, Sequence
from itertools import combinations
from pathlib import Path

from bench.meters.group.sums import flat
from bench.meters.kinds.trace import Trace
from bench.meters.protocol import Meter, MeterInfo
from hardware_profiles.errors import InputError


def check_once(meters: Sequence[Meter], place: str = "--meter") -> None:
    """Check that no two opened meters read one source: the same device, the same column of one log, or a copy of it.

    Raises
    ------
    InputError
        Two meters do.
    """
    names = [meter.info.name for meter in meters if not isinstance(meter, Trace)]
    for name in names:
        if names.count(name) > 1:
            raise InputError.at(place, expected="each source once", got=name)
    for first, second in combinations(flat(meters), 2):
        if same_source(first.info, second.info) or (
            isinstance(first, Trace) and isinstance(second, Trace) and _same_samples(first, second)
        ):
            raise InputError(f"{place}: expected each source once, got {_source(first)} and {_source(second)}")


def same_source(first: MeterInfo, second: MeterInfo) -> bool:
    """Return whether two opened meters read one source by their descriptions, or share a part of one."""
    if first.sha256 and first.sha256 == second.sha256:
        return (first.column, first.rows) == (second.column, second.rows)
    return first.boundary == second.boundary and not set(first.domains).isdisjoint(second.domains)


def separate_names(meters: Sequence[Meter], taken: Collection[str] = ()) -> None:
    """Give logs of one file name longer names: with their folder, their column, or their whole path.

    Parameters
    ----------
    meters
        The meters, after their logs were read.
    taken
        Names of meters that a stored run has already.
    """
    by_name: dict[str, list[Trace]] = {}
    for meter in flat(meters):
        if isinstance(meter, Trace):
            by_name.setdefault(meter.info.name, []).append(meter)
    for name, traces in by_name.items():
        if len(traces) == 1 and name not in taken:
            continue
        labels: list[str] = []
        for form in ("{folder}/{name}", "{name}[{mark}]", "{folder}/{name}[{mark}]", "{path}", "{path}[{mark}]"):
            labels = [_label(form, trace) for trace in traces]
            if len(set(labels)) == len(labels) and not any(f"trace:{label}" in taken for label in labels):
                break
        for trace, label in zip(traces, labels, strict=True):
            trace.rename(label)


def _label(form: str, trace: Trace) -> str:
    path = Path(os.path.realpath(trace.path))
    mark = " ".join(filter(None, (trace.info.column, trace.info.rows))) or "power"
    return form.format(name=trace.path.name, mark=mark, folder=path.parent.name, path=path)


def _same_samples(first: Trace, second: Trace) -> bool:
    """Return whether two logs hold the same samples of a power that moves."""
    if first.log is None or second.log is None or first.log.samples != second.log.samples:
        return False
    power_w = first.log.samples.power_w
    return bool((power_w != power_w[0]).any())


def _source(meter: Meter) -> str:
    return f"trace:{meter.path}" if isinstance(meter, Trace) else meter.info.name
