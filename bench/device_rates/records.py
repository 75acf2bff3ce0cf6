"""The rate and power of a stored result as the plain `DeviceRate` of a site, or why a site may not use it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results.layout import result_names
from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate, TokenTags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.results.record import AssumedPower, Metric, Record


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


def prompts_in(store: Path, record: "Record") -> "Record | None":
    """Return the record of a decoding record's prompts in a results folder, or None if it is not of decoding.

    Raises
    ------
    InputError
        It is of decoding, and the folder has no prompts of its run.
    """
    if not record.workload.name.startswith("llm_decode_"):
        return None
    from bench.inference.rates import prompts_of
    from bench.results.folder import read_record

    prefill = record.workload.name.replace("_decode_", "_prefill_")
    ids = [id_ for id_ in reversed(result_names(store)) if f"-{prefill}-" in id_]  # the newest first: it may supersede
    return prompts_of(record, (read_record(store / id_) for id_ in ids))
