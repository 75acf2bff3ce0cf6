"""Figures of a device from a stored result or a catalogue profile, found by name."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.compare.device_figures import DeviceFigures, Figure, Group
from bench.results.window_figures import metered_windows
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import MeterUsed, Record
    from hardware_profiles.profile import Figure as ProfileFigure
    from hardware_profiles.profile import Profile

_WARNINGS_OF_RATIOS = ("unstable", "unsteady", "foreign_load", "another_run", "clock_step")
"""Warnings of a result that are printed with every ratio it enters."""
_DTYPES = {"f32": "fp32", "f64": "fp64", "f16": "fp16"}
_MOST_SOURCES = 3


def load_device(name: str, store: Path, profiles: Iterable[str | Path] = ()) -> DeviceFigures:
    """Return the figures of a result (id, its beginning, path, `latest:WORKLOAD`) or of a profile.

    Raises
    ------
    InputError
        Neither a result nor a profile has this name, or a file of the result is missing or was changed.
    """
    from bench.results.folder import read_whole

    source = find_named(name, store, profiles)
    return of_record(read_whole(source)) if isinstance(source, Path) else of_profile(source)


def find_named(name: str, store: Path, profiles: Iterable[str | Path] = ()) -> "Path | Profile":
    """Return the profile of a name, or the folder of the result of that name.

    Raises
    ------
    InputError
        Neither a result nor a profile has this name; near profiles are listed.
    """
    from bench.results.folder import find_result
    from hardware_profiles.catalog import load, names, near_slugs

    slug, slugs = name.partition(":")[0].casefold(), names(profiles)
    if slug in slugs:
        return load(name, profiles)
    try:
        return find_result(store, name.removeprefix("result:"))
    except InputError as error:
        if name.startswith(("latest:", "result:")):
            raise
        near = near_slugs(slug, slugs)
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise InputError(f"{error}; nor is it a profile of `perwatt list profiles`{hint}") from None


def signatures(
    devices: Mapping[str, DeviceFigures], store: Path, profiles: Iterable[str | Path], signers: Path | None
) -> dict[str, str]:
    """Return the signatures of the signed results among devices, in words, by the ids of the results.

    Parameters
    ----------
    devices
        Figures as `load_device` returned them, by the names that they were loaded with.
    store, profiles
        As for `load_device`.
    signers
        File of allowed signers.

    Raises
    ------
    InputError
        As for `load_device`, or a result is no longer the one whose figures were loaded.
    """
    from bench.results.folder import read_whole_signable
    from bench.results.integrity.signature import State, signature_of

    words = {}
    for name, device in devices.items():
        folder = find_named(name, store, profiles)
        if isinstance(folder, Path):
            record, text = read_whole_signable(folder)
            if of_record(record) != device:
                raise InputError(f"{folder}: expected the result as it was read first, got one that was changed since")
            signature = signature_of(folder, text, signers)
            if signature.state is not State.UNSIGNED:
                words[record.id] = signature.words()
    return words


def _level_words(record: "Record") -> str:
    """Return the level of a lever that a sweep set, or an empty text."""
    level = record.device.settings.get("level")
    return f"at {level}" if level else ""


def of_record(record: "Record") -> DeviceFigures:
    """Return the rate, energy per unit and power of a result by each meter, and its declared power."""
    figures: list[Figure] = []
    refused = ""
    if record.status != "ok":
        refused = f"{record.status}: {', '.join(reason.code for reason in record.reasons)}"
    elif record.run.plan == "smoke":
        refused = "plan smoke is never compared"
    of = _work_of(record)
    rate = record.rate
    if rate is not None:
        figures.append(
            Figure(
                "rate", of, rate.value, rate.unit, rate.basis, interval=rate.interval_95,
                samples=tuple(window.rate_per_s for window in record.windows), u_work_frac=rate.u_work_frac or 0.0,
            )
        )  # fmt: skip
    for meter in record.meters_used:
        figures.extend(_metered(record, meter, of))
    if record.assumed_power_w is not None:
        assumed = record.assumed_power_w
        figures.append(
            Figure(
                "power", "", assumed.power_w, "W", "assumed", boundary=assumed.boundary, note=assumed.source,
            )
        )  # fmt: skip
    miner, nominal = record.miner, record.device.settings.get("nominal_rate_h_s")
    return DeviceFigures(
        name=record.id,
        title=" ".join(filter(None, (record.workload.name, record.workload.variant, _level_words(record)))),
        figures=tuple(replace(figure, origin=record.id) for figure in figures),
        source="result",
        workload=record.workload.name,
        version=record.workload.version,
        device=record.device.name,
        device_kind=record.device.kind,
        run_id=record.run.run_id,
        parameters=tuple((key, str(value)) for key, value in record.workload.parameters.items()),
        released=f"{record.run.started_utc:%Y-%m-%d}",
        sources=((f"result {record.id}", ""),),
        refused=refused,
        note=f"{record.workload.name} {record.workload.variant}",
        warned=tuple(code for code in _WARNINGS_OF_RATIOS if any(reason.code == code for reason in record.warnings)),
        mode=str(record.device.settings.get("mode") or ""),
        nominal_rate_h_s=float(nominal) if isinstance(nominal, int | float) and nominal > 0 else None,
        unverified="" if miner is None or miner.shares.verified_by_shares else "not verified by shares",
    )


def of_profile(profile: "Profile") -> DeviceFigures:
    """Return the rated rates, energy per hash and power of a profile."""
    figures: list[Figure] = []
    kind = profile.kind
    power = profile.figure("wall_power_w") or profile.figure("tdp_w")
    if kind == "asic" and (rate := profile.figure("hash_rate_th_s")) is not None:
        figures.append(_rated("rate", "hash", rate, "hash/s"))
        if power is not None and profile.rate_hash_s:
            figures.append(
                Figure(
                    "energy", "hash", power.si_value / profile.rate_hash_s, "J/hash", power.basis,
                    confidence=profile.confidence, boundary=power.boundary or "",
                    tolerance_frac=_tolerance(rate, power),
                )
            )  # fmt: skip
    for dtype, peak in profile.peak_figures.items():
        figures.append(_rated("rate", f"flop {dtype}", peak, "flop/s", "dense peak"))
    bandwidth = profile.figure("memory_bandwidth_tb_s") or profile.figure("memory_bandwidth_gb_s")
    if bandwidth is not None:
        figures.append(_rated("rate", "byte", bandwidth, "byte/s", "memory bandwidth"))
    if power is not None:
        figures.append(_rated("power", "", power, "W"))
    used = {source for figure in profile.figures.values() for source in figure.sources}
    sources = [source for key, source in profile.device.sources.items() if key in used]
    return DeviceFigures(
        profile.name,
        profile.title,
        tuple(replace(figure, origin=profile.name) for figure in figures),
        "profile",
        basis=profile.basis,
        confidence=profile.confidence,
        device=profile.slug,
        device_kind=kind,
        released=profile.device.released,
        sources=tuple((source.title, source.address) for source in sources[:_MOST_SOURCES]),
        note=profile.name,
    )


def _rated(group: Group, of: str, figure: "ProfileFigure", unit: str, note: str = "") -> Figure:
    tolerance = f"± {figure.tolerance_frac:.0%}" if figure.tolerance_frac is not None else "tolerance unknown"
    return Figure(
        group, of, figure.si_value, unit, figure.basis, figure.confidence, boundary=figure.boundary or "",
        note=note or tolerance, tolerance_frac=figure.tolerance_frac,
    )  # fmt: skip


def _tolerance(rate: "ProfileFigure", power: "ProfileFigure") -> float | None:
    """Return the tolerance of a quotient [-]: both may be off at once, so the two add up."""
    known = (rate.tolerance_frac, power.tolerance_frac)
    return None if None in known else sum(one for one in known if one is not None)


def _work_of(record: "Record") -> str:
    """Return the unit of work with its data type, because products in two data types are different work."""
    unit = record.workload.unit
    if unit != "flop":
        return unit
    words = record.workload.name.split("_")
    dtype = str(record.workload.parameters.get("dtype") or (words[1] if len(words) > 2 else ""))
    return f"flop {_DTYPES.get(dtype, dtype)}".strip()


def _metered(record: "Record", meter: "MeterUsed", of: str) -> list[Figure]:
    """Return energy per unit and power by one meter, or nothing if a window has no energy."""
    windows = metered_windows(record.windows, meter.name) if record.windows else None
    metrics = {m.unit == "W": m for m in record.metrics.values() if m.meter == meter.name}
    if windows is None or set(metrics) != {True, False}:
        return []
    unit = record.workload.unit
    figures = []
    for group, values, in_unit in (("energy", windows.energy_j_per_unit, f"J/{unit}"), ("power", windows.power_w, "W")):
        metric = metrics[group == "power"]
        figures.append(
            Figure(
                group, of if group == "energy" else "", math.fsum(values) / len(values), in_unit, "measured",  # type: ignore[arg-type]
                interval=metric.interval_95, samples=tuple(values), boundary=meter.boundary, tier=meter.tier,
                u_meter_frac=metric.u_meter_frac or 0.0,
                u_work_frac=math.hypot(metric.u_work_frac or 0.0, metric.u_edges_frac or 0.0),
                meter_domains=meter.domains, note=meter.name,
            )
        )  # fmt: skip
    return figures
