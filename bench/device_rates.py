"""The rate and power of a device by name, as the plain `DeviceRate` of a site: profiles, stored results and models."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results.layout import STORE, result_names
from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate, TokenTags
from sites.operating_points import LATENCIES, SWEEP_PREFIX, OperatingCurve, OperatingPoint

if TYPE_CHECKING:
    from bench.results.record import AssumedPower, Metric, Record
    from hardware_profiles.profile import Figure, Profile

RESULT_PREFIX = "result:"


def resolve_device(
    name: str, *, store: Path = STORE, profiles: Iterable[str | Path] = ()
) -> DeviceRate | OperatingCurve:
    """Return the rate and power of a device that a site file names, or the operating curve of a server.

    Parameters
    ----------
    name
        As in `resolve_rate`, a sweep over the load of a server (`sweep:<id>`), or power limits (`llm:...@caps`).
    store
        The results folder.
    profiles
        Files of further profiles.

    Raises
    ------
    InputError
        As `resolve_rate` and `operating_curve`.
    """
    if name.startswith(SWEEP_PREFIX):
        return operating_curve(name, store)
    if name.startswith("llm:"):
        from bench.inference.site.modelled import modelled_rate

        return modelled_rate(name, store)
    return resolve_rate(name, store=store, profiles=profiles)


def resolve_rate(name: str, *, store: Path = STORE, profiles: Iterable[str | Path] = ()) -> DeviceRate:
    """Return the rate and power of a named device.

    Parameters
    ----------
    name
        A profile (`antminer-s21:188t`), a stored result (`result:<id>`) or the throughput model (`llm:...`). The result
        of a language model's layers is that of decoding; its prompts are looked up in the same results folder.
    store
        The results folder.
    profiles
        Files of further profiles.

    Raises
    ------
    InputError
        The name is unknown, or its device has no rate, no power, or lacks one of the five tags of a token rate.
    """
    if name.startswith("llm:"):
        from bench.inference.site.modelled import modelled_rate

        modelled = modelled_rate(name, store)
        if isinstance(modelled, OperatingCurve):
            single = "one operating point, without @caps or a rate in requests/s"
            raise InputError.at("device", expected=single, got=name)
        return modelled
    if name.startswith(RESULT_PREFIX):
        from bench.results.folder import find_result, read_whole

        record = read_whole(find_result(store, name.removeprefix(RESULT_PREFIX)))
        return from_record(record, None if record.workload.unit != "token" else _prompts(record, store))
    from hardware_profiles.catalog import load

    return from_profile(load(name, profiles))


def from_profile(profile: "Profile") -> DeviceRate:
    """Return the rated hash rate and wall power of an ASIC's bin and mode.

    Raises
    ------
    InputError
        The profile is not of an ASIC, or lacks a rate or a power.
    """
    rate, power = profile.figure("hash_rate_th_s"), profile.figure("wall_power_w")
    if rate is None or power is None:
        missing = "hash_rate_th_s" if rate is None else "wall_power_w"
        raise InputError.at(f"profile {profile.name}", missing, expected="a figure; mining needs it")
    return DeviceRate(
        name=profile.name,
        unit="hash",
        rate_per_s=rate.si_value,
        rate_interval_per_s=_measured_interval(rate),
        power_w=power.si_value,
        power_interval_w=_measured_interval(power),
        boundary=power.boundary or "wall",
        basis=rate.basis,
        power_basis=power.basis,
        confidence=profile.confidence,
        source=", ".join(profile.device.sources[key].title for key in rate.sources) or "unknown",
    )


def _measured_interval(figure: "Figure") -> tuple[float, float] | None:
    """Return the 95 % interval of a measured figure, which is its tolerance; that of a rated one is a promise."""
    if figure.basis != "measured" or not figure.tolerance_frac:
        return None
    half = figure.si_value * figure.tolerance_frac
    return figure.si_value - half, figure.si_value + half


def from_record(record: "Record", prompts: "Record | None" = None) -> DeviceRate:
    """Return the measured rate of a result with its measured power, or with the power that was declared for it.

    The power of a miner is that at the wall; what its firmware displays is never taken.

    Parameters
    ----------
    record
        The result.
    prompts
        The result of reading the prompts of a decoding `record`, so that the rate is what a user gets. Without it a
        decoding record is the rate of answers alone, and its lengths say so.

    Raises
    ------
    InputError
        The record is not valid, only a smoke test or of random weights, counts neither hashes nor tokens, has no power,
        has an interval that reaches below 0, or lacks one of the five tags of a token rate.
    """
    place = f"result {record.id}"
    rate = _usable(record)
    if record.workload.unit == "token" and prompts is not None:
        from bench.inference.rates import served_rate

        _usable(prompts)
        return served_rate(prompts, record)
    if record.workload.unit not in ("hash", "token"):
        raise InputError.at(place, "workload.unit", expected="hash or token", got=record.workload.unit)
    tags = _tags(record, place) if record.workload.unit == "token" else None
    measured, assumed = _wall_power(record) if record.device.kind == "asic" else _power(record)
    return DeviceRate(
        name=record.id,
        unit="hash" if tags is None else "token",
        rate_per_s=rate.value,
        rate_interval_per_s=rate.interval_95,
        power_w=measured.value if measured else assumed.power_w if assumed else None,
        power_interval_w=measured.interval_95 if measured else None,
        boundary=(measured.boundary if measured else assumed.boundary if assumed else None) or "wall",
        basis="measured",
        power_basis="measured" if measured else "assumed",
        confidence="one_source",
        source=_source(record, measured),
        tags=tags,
        plan=record.run.plan,
        codes=tuple(reason.code for reason in record.warnings),
        tpot_s=record.metrics["tpot_q50"].value if "tpot_q50" in record.metrics else None,
    )


def operating_curve(name: str, store: Path = STORE) -> OperatingCurve:
    """Return the loads of one run of `perwatt run endpoint` as the operating curve of its server.

    Parameters
    ----------
    name
        `sweep:<id>` with the id of any result of the run.
    store
        The results folder.

    Raises
    ------
    InputError
        As `from_record` and `sweep_of`, or no load is valid, or their tags differ.
    """
    from bench.endpoint.sweep.records import doubts, sweep_of

    records = sweep_of(store, name.removeprefix(SWEEP_PREFIX))
    loads: dict[int, Record] = {}
    for record in records:  # of a repeated load the last valid record
        at = int(str(record.workload.parameters["concurrency"]))
        if at not in loads or record.status == "ok":
            loads[at] = record
    points, invalid = [], []
    for at, record in sorted(loads.items()):
        low = record.rate.interval_95[0] if record.rate is not None and record.rate.interval_95 is not None else 1.0
        if record.status != "ok":
            invalid.append(f"{at} at a time: {record.status} ({', '.join(reason.code for reason in record.reasons)})")
        elif low <= 0.0:
            invalid.append(f"{at} at a time: the interval of its rate reaches below 0")
        else:
            points.append(_operating_point(record, f"{at} at a time"))
    return OperatingCurve(name, tuple(points), tuple(invalid), tuple(doubts(records).values()))


def _operating_point(record: "Record", load: str) -> OperatingPoint:
    latency_s = {key: record.metrics[key].value for key in LATENCIES if key in record.metrics}
    energy = record.energy_per_unit
    return OperatingPoint(load, from_record(record), latency_s, energy.interval_95 if energy is not None else None)


def _power(record: "Record") -> "tuple[Metric | None, AssumedPower | None]":
    """Return the power by the best meter and the declared one; raise InputError if there is neither."""
    if record.power is None and record.assumed_power_w is None:
        expected = "a metered or declared power (run with --meter or --watts)"
        raise InputError.at(f"result {record.id}", "power", expected=expected)
    return record.power, record.assumed_power_w


def _wall_power(record: "Record") -> "tuple[Metric | None, AssumedPower | None]":
    """Return the power of a miner at the wall and the declared one; raise InputError if there is neither."""
    from bench.results.best_meter import POWER, best_metric
    from bench.results.record import tier_of

    measured = best_metric({n: m for n, m in record.metrics.items() if m.boundary == "wall"}, tier_of, POWER)
    if measured is None and record.assumed_power_w is None:
        other = record.power
        got = f"a power at the {other.boundary}" if other else "its rate only"
        raise InputError(
            f"result {record.id}: key power: expected the watts at the wall, got {got}: run `perwatt run asic` with "
            f"--meter shelly:HOST, or add a log with `perwatt run --attach {record.id} --meter trace:FILE` (the power "
            "that the firmware displays is not used)"
        )
    return measured, record.assumed_power_w


def _source(record: "Record", power: "Metric | None") -> str:
    """Return where the figures come from: the words before the comma begin alike for all measurements of ours."""
    origin = "measured here" if record.imported_from is None else f"imported from {record.imported_from}"
    words = [f"{origin}, {record.run.started_utc:%Y-%m-%d}, result {record.id}"]
    if power is not None:
        words.append(f"power of tier {power.tier} at the {power.boundary}")
    if record.miner is not None:
        words.append(f"rate {'' if record.miner.shares.verified_by_shares else 'NOT '}verified by shares")
    return ", ".join(words)


def is_usable(record: "Record") -> bool:
    """Return whether a record's rate may be carried to a site."""
    try:
        _usable(record)
    except InputError:
        return False
    return True


def usable_in_sites(records: "Iterable[Record]") -> "dict[str, Record]":
    """Return the records that a site can use, by their id: their rate may be carried there, and they have a power."""
    return {record.id: record for record in records if is_usable(record) and (record.power or record.assumed_power_w)}


def _usable(record: "Record") -> "Metric":
    """Return the rate of a record; raise InputError if it may not be carried to a site."""
    from bench.results.evidence.endpoint import has_random_weights

    place, rate = f"result {record.id}", record.rate
    if record.status != "ok" or rate is None:
        codes = ", ".join(reason.code for reason in record.reasons)
        raise InputError.at(place, "status", expected="ok", got=f"{record.status} ({codes})")
    if record.run.plan == "smoke":
        raise InputError(
            f"{place}: key plan: expected quick or publish, got smoke, which only checks that the run works and is "
            "never compared or carried to a site (measure again with --plan quick)"
        )
    if has_random_weights(record.device):
        raise InputError.at(place, "device", expected="a server whose model is a product", got=record.device.name)
    if rate.interval_95 is not None and rate.interval_95[0] <= 0.0:
        low, high = rate.interval_95
        raise InputError(
            f"{place}: key rate: expected an interval above 0, got {low:,.4g} to {high:,.4g} {rate.unit}: so uncertain "
            "a figure cannot be carried to a site (measure longer, on a quieter machine)"
        )
    return rate


def _tags(record: "Record", place: str) -> TokenTags:
    from bench.results.token_tags import tags_of

    tags = tags_of(record).checked(place)
    alone = record.workload.name.startswith("llm_decode_")
    return replace(tags, lengths=f"{tags.lengths}, answers alone") if alone else tags


def _prompts(record: "Record", store: Path) -> "Record | None":
    """Return the record of a decoding record's prompts in a results folder, or None if it is not of decoding."""
    if not record.workload.name.startswith("llm_decode_"):
        return None
    from bench.inference.rates import prompts_of
    from bench.results.folder import read_record

    prefill = record.workload.name.replace("_decode_", "_prefill_")
    ids = [id_ for id_ in reversed(result_names(store)) if f"-{prefill}-" in id_]  # the newest first: it may supersede
    return prompts_of(record, (read_record(store / id_) for id_ in ids))
