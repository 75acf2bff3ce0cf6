"""The logs that a stored run was promised and did not get, and the attached ones that take their places."""

from collections.abc import Sequence

from bench.meters.protocol import MeterInfo
from bench.results.record import MeterUsed, Record
from hardware_profiles.errors import InputError

_NEVER = frozenset({"trace_not_covering", "log_pending"})  # with no sample: the log is not there yet


def logs_replaced(old: Record, attached: Sequence[MeterInfo]) -> dict[str, str]:
    """Return the missing logs of a run whose place an attached meter of another name takes, with that meter's name.

    A log of the same name completes the run anyway. Otherwise its settings decide (boundary, column, rows,
    accuracy), or that only one log is missing: an export seldom has the file name that was planned for it.

    Parameters
    ----------
    old
        The run.
    attached
        The logs, or sums of logs, that are attached to it.

    Raises
    ------
    InputError
        An attached log could take the place of several missing ones, or states another boundary than the missing one,
        or an attached sum has another number of parts.
    """
    missing = {used.name: used for used in old.meters_used if _never_came(old, used)}
    by_name = {info.name for info in attached} & set(missing)
    for info in attached:
        if info.name in by_name and len(info.parts) != len(missing[info.name].parts):
            names = ", ".join(part.name for part in missing[info.name].parts)
            got = ", ".join(part.name for part in info.parts)
            raise InputError.at(f"--attach {old.id}: {info.name}", expected=f"its parts ({names})", got=got)
    replaced: dict[str, str] = {}
    # Those that agree with a missing log come first, so that the others cannot take its place.
    for info in sorted(attached, key=lambda info: not any(_settings_agree(used, info) for used in missing.values())):
        open_ = [
            used
            for name, used in missing.items()
            if name not in replaced and name not in by_name and len(used.parts) in {0, len(info.parts)}
        ]
        if info.name in by_name or not open_:
            continue
        alike = [used for used in open_ if _settings_agree(used, info)]
        candidates = alike or open_
        if len(candidates) > 1:
            names = ", ".join(used.name for used in candidates)
            raise InputError.at(
                f"--attach {old.id}",
                expected=f"a file with the name of the log that it is ({names}), because the run misses several",
                got=info.name,
            )
        (used,) = candidates
        if used.boundary != info.boundary:
            raise InputError.at(
                f"--attach {old.id}: {info.name}",
                "boundary",
                expected=f"{used.boundary}, as the run states for {used.name} (add ,boundary={used.boundary})",
                got=info.boundary,
            )
        replaced[used.name] = info.name
    return replaced


def _never_came(old: Record, used: MeterUsed) -> bool:
    """Return whether a meter of a run is a log, or a sum of logs, that gave no sample."""
    energies = [energy for window in old.windows for energy in window.energy if energy.meter == used.name]
    parts = used.parts or (used,)
    return (
        all(part.name.startswith("trace:") for part in parts)
        and bool(energies)
        and all(energy.samples == 0 and not _NEVER.isdisjoint(energy.reasons) for energy in energies)
    )


def _settings_agree(used: MeterUsed, info: MeterInfo) -> bool:
    """Return whether a log has the settings of a missing one, as far as those were stated."""
    return (
        (used.boundary, used.accuracy_frac) == (info.boundary, info.accuracy_frac)
        and used.column in {"", info.column}
        and used.rows in {"", info.rows}
    )
