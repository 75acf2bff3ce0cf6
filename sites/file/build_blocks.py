"""The construction of a site's mining and inference blocks from the tables of its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import Faults, InputError
from sites.file.storage.build import start_terms
from sites.file.values import SeriesTable
from sites.hours.demand import over_mean, week_profile
from sites.market.device_rate import DeviceRate, TokenTags
from sites.market.published_rates import published_rate, stated_rate
from sites.model import InferenceBlock, MiningBlock
from sites.modes import margins
from sites.operating_points import CURVE_PREFIXES, OperatingCurve, serving_curve
from sites.storage.ramps import MeasuredRamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sites.file.block_tables import InferenceTable, MiningTable, RateTable
    from sites.file.storage.tables import StartKeys
    from sites.file.values import Value
    from sites.operating_points import ServingCurve

    Resolve = Callable[[str], DeviceRate | OperatingCurve | MeasuredRamp]

COUNTS = {"hash": "hashes", "token": "tokens"}
NODE_BOUNDARIES = ("node", "rack", "wall")


def frac(value: Value) -> float:
    """Return a per-cent value as a share."""
    return value.value / 100.0


def mining_block(table: MiningTable, resolve: Resolve, path: str, pue: float, facility_mw: float) -> MiningBlock:
    """Return the mining block of a table; megawatts become whole devices in the mode with the highest power.

    Parameters
    ----------
    table
        The validated [[mining]] table.
    resolve
        Function that returns the DeviceRate of a device's name.
    path
        Path of the site file, for errors.
    pue
        Mean PUE of the mining blocks.
    facility_mw
        Power [MW] that the interconnect delivers to the facility.

    Raises
    ------
    InputError
        A device is unknown, does not hash, or its power is not known at the node, rack or wall.
    """
    location = f"{path}: mining block {table.name!r}"
    modes = [mode for name in table.modes or (table.device or "",) for mode in _modes(name, resolve, location)]
    steps = margins(modes)
    top = max(modes, key=lambda mode: mode.power_w or 0.0)
    if table.device is not None and table.device.startswith(CURVE_PREFIXES):  # not the name of a point
        top = replace(top, name=table.device)
    watts = sum(step.power_w for step in steps)
    count = table.count.value if table.count else _fitting(table, facility_mw, pue * watts, 1, location)
    return MiningBlock(
        name=table.name,
        rate=top.of_units(count),
        rated=_hash_rate(table.rated_device, resolve, location) if table.rated_device else None,
        margins=steps,
        count=count,
        availability_frac=frac(table.availability_percent),
        age_years=table.age_years.value,
        degradation_frac_per_year=frac(table.degradation_percent_per_year),
        rejects_frac=frac(table.rejects_percent),
        pool_fee_frac=frac(table.pool_fee_percent),
        pays_fees=table.payout != "pps",
        starts=start_terms(table, _ramp(table, resolve, location)),
    )


def inference_block(
    table: InferenceTable, resolve: Resolve, path: str, pue: float, facility_mw: float
) -> InferenceBlock:
    """Return the inference block of a table; megawatts become whole modules of GPUs.

    Parameters
    ----------
    table
        The validated [[inference]] table.
    resolve
        Function that returns the DeviceRate of a device's name.
    path
        Path of the site file, for errors.
    pue
        Mean PUE of the inference blocks.
    facility_mw
        Power [MW] that the interconnect delivers to the facility.

    Raises
    ------
    InputError
        The rate is unknown, does not count tokens, or lacks its tags or its power; or its power excludes the host and
        the table has no overhead for it.
    """
    location = f"{path}: inference block {table.name!r}"
    rate, curve = _token_rate(table, resolve, location)
    watts = _watts(table, rate, location)
    per_module = int(table.gpus_per_module.value)
    if table.gpus is not None:
        count = table.gpus.value
    elif table.modules is not None:
        count = table.modules.value * per_module
    else:
        count = _fitting(table, facility_mw, pue * watts, per_module, location)
    kind, price = _price(table)
    return InferenceBlock(
        name=table.name,
        rate=rate.of_units(count),
        rated_tokens_per_s=table.rated_tokens_per_s.value if table.rated_tokens_per_s else None,
        watts_per_gpu=watts,
        count=count,
        gpus_per_module=per_module,
        spare_frac=frac(table.spare_percent),
        idle_frac=frac(table.idle_percent),
        availability_frac=frac(table.availability_percent),
        demand_frac=frac(table.demand_percent),
        profile=_profile(table, location),
        growth_frac_per_year=frac(table.demand_growth_percent_per_year),
        priced_per=kind,
        price_usd=price,
        price_class=table.price_class,
        passes_energy=table.tenant_pays_energy,
        promised_frac=frac(table.sla_percent),
        penalty_frac=frac(table.sla_penalty_percent) if table.sla_penalty_percent else 0.0,
        take_or_pay_frac=frac(table.take_or_pay_percent) if table.take_or_pay_percent else 0.0,
        interruptible_above_usd_per_mwh=(
            table.interruptible_above_usd_per_mwh.value if table.interruptible_above_usd_per_mwh else None
        ),
        curve=curve,
        starts=start_terms(table, _ramp(table, resolve, location)),
    )


def _modes(name: str, resolve: Resolve, location: str) -> list[DeviceRate]:
    """Return the modes of a miner: the points of a curve, or its one rate."""
    rate = _resolved(name, resolve, location)
    rates = [point.rate for point in rate.points] if isinstance(rate, OperatingCurve) else [rate]
    return [_checked_hash_rate(one, location) for one in rates]


def _hash_rate(name: str, resolve: Resolve, location: str) -> DeviceRate:
    rate = _resolved(name, resolve, location)
    if isinstance(rate, OperatingCurve):
        raise InputError(f"{location}: expected one hash rate, got {rate.name}, a curve of several")
    return _checked_hash_rate(rate, location)


def _checked_hash_rate(rate: DeviceRate, location: str) -> DeviceRate:
    _counts(rate, "hash", location)
    if rate.boundary not in NODE_BOUNDARIES:
        raise InputError(
            f"{location}: expected power at the {', '.join(NODE_BOUNDARIES[:-1])} or {NODE_BOUNDARIES[-1]}, got "
            f"{rate.boundary} power for {rate.name}; a PUE covers only power outside the machine"
        )
    return rate


def _token_rate(table: InferenceTable, resolve: Resolve, location: str) -> tuple[DeviceRate, ServingCurve | None]:
    if table.figure is not None:
        provisioned = table.provisioned_w_per_gpu.value if table.provisioned_w_per_gpu else None
        try:
            return published_rate(table.figure, provisioned_w_per_gpu=provisioned), None
        except InputError as error:
            raise InputError(f"{location}: {error}") from None
    if table.rate is not None:
        return _stated(table, table.rate), None
    rate = _resolved(table.device or "", resolve, location)
    if isinstance(rate, OperatingCurve):
        limits_s = table.latency_limit.seconds() if table.latency_limit is not None else {}
        try:
            return serving_curve(rate, limits_s, frac(table.idle_percent))
        except InputError as error:
            raise InputError(f"{location}: {error}") from None
    _counts(rate, "token", location)
    return rate, None


def _stated(table: InferenceTable, stated: RateTable) -> DeviceRate:
    return stated_rate(
        name=f"{table.name} (stated)",
        tokens_per_s=stated.tokens_per_s.value,
        power_w=stated.power_w.value,
        tags=TokenTags(stated.boundary, stated.power_kind, stated.token_basis, stated.lengths, stated.latency_limit),
        basis="assumed",
        power_basis="assumed",
        confidence="unverified",
        source=f"{stated.tokens_per_s.source}, {stated.tokens_per_s.date}",
        tpot_s=stated.tpot_ms.value / 1000.0 if stated.tpot_ms else None,
    )


def _resolved(name: str, resolve: Resolve, location: str) -> DeviceRate | OperatingCurve:
    try:
        resolved = resolve(name)
    except InputError as error:
        raise InputError(f"{location}: key device: {error}") from None
    if isinstance(resolved, MeasuredRamp):
        raise InputError(f"{location}: key device: expected a device, got {name}, which is a ramp")
    return resolved


def _ramp(table: StartKeys, resolve: Resolve, location: str) -> MeasuredRamp | None:
    """Return the measured ramp that a block names, or None."""
    if table.ramp is None:
        return None
    try:
        resolved = resolve(table.ramp)
    except InputError as error:
        raise InputError(f"{location}: key ramp: {error}") from None
    if not isinstance(resolved, MeasuredRamp):
        raise InputError(f"{location}: key ramp: expected a result of perwatt ramp, got {table.ramp}")
    return resolved


def check_devices(documents: Iterable[dict[str, Any]], resolve: Resolve, path: str) -> None:
    """Raise InputError with a line for each device of unchecked documents that is unknown."""
    faults = Faults()
    for document in documents:
        for product in ("mining", "inference"):
            blocks = document.get(product)
            for block in blocks if isinstance(blocks, list) else []:
                for name in _device_names(block):
                    location = f"{path}: {product} block {block.get('name', product)!r}"
                    with faults.noted(location):
                        _resolved(name, resolve, location)
    faults.refuse()


def _device_names(block: Any) -> Iterator[str]:
    if isinstance(block, dict):
        modes = block.get("modes")
        names = [block.get("device"), block.get("rated_device"), *(modes if isinstance(modes, list) else [])]
        yield from (name for name in names if isinstance(name, str))


def _counts(rate: DeviceRate, unit: str, location: str) -> None:
    if rate.unit != unit:
        raise InputError(f"{location}: expected a {unit} rate, got {rate.name}, which counts {COUNTS[rate.unit]}")
    if rate.power_w is None:
        raise InputError(f"{location}: expected a power with the rate, got none for {rate.name}")


def _watts(table: InferenceTable, rate: DeviceRate, location: str) -> float:
    host = table.host_overhead_percent
    outside = rate.boundary in NODE_BOUNDARIES
    if not outside and host is None:
        raise InputError(
            f"{location}: key host_overhead_percent: expected the power of the host relative to its GPUs, because "
            f"{rate.name} has {rate.boundary} power, got none"
        )
    if outside and host is not None and host.value > 0:
        raise InputError(
            f"{location}: key host_overhead_percent: expected none, because {rate.name} has {rate.boundary} power, "
            f"which includes the host, got {host.value:g}"
        )
    over_host = 1.0 + (frac(host) if host is not None else 0.0)
    return (rate.power_w or 0.0) * over_host * (1.0 + frac(table.network_overhead_percent))


def _fitting(
    table: MiningTable | InferenceTable, facility_mw: float, facility_w: float, per_group: int, location: str
) -> float:
    share = table.interconnect_percent
    megawatts = table.facility_mw.value if table.facility_mw else facility_mw * (frac(share) if share else 0.0)
    groups = int(megawatts * 1e6 / (facility_w * per_group) + 1e-9)
    if groups < 1:
        raise InputError(
            f"{location}: expected at least the {facility_w * per_group / 1e6:.4g} MW of one unit, got {megawatts:g} MW"
        )
    return float(groups * per_group)


def _profile(table: InferenceTable, location: str) -> tuple[float, ...]:
    profile = table.demand_profile
    try:
        return week_profile(profile) if isinstance(profile, str) else over_mean(profile)
    except InputError as error:
        raise InputError(f"{location}: {error}") from None


def _price(table: InferenceTable) -> tuple[str, float]:
    if table.usd_per_mtok is not None:
        return "token", table.usd_per_mtok.value
    if isinstance(table.usd_per_gpu_hour, SeriesTable):
        raise InputError.at("usd_per_gpu_hour", expected="a number", got=table.usd_per_gpu_hour.described)
    if table.usd_per_gpu_hour is not None:
        return "gpu_hour", table.usd_per_gpu_hour.value
    return "kw_month", table.usd_per_kw_month.value if table.usd_per_kw_month else 0.0
