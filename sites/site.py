"""A site: plain numbers and device rates, built from a TOML file whose every value can carry its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hardware_profiles.errors import InputError
from hardware_profiles.reading import read_toml, validate
from sites.device_rate import DeviceRate, TokenTags
from sites.inference import published_rate, stated_rate
from sites.network import DifficultyPath
from sites.site_file import InferenceTable, MiningTable, SiteFile
from sites.values import Assumption, assumptions_of

Resolve = Callable[[str], DeviceRate]
FACILITY_BOUNDARIES = ("node", "rack", "wall")


@dataclass(frozen=True, slots=True)
class MiningBlock:
    """A block of equal miners.

    count: devices. pue: facility over device energy, >= 1. availability_frac: could run. rejects_frac: of shares.
    pool_fee_frac: of the reward.
    """

    name: str
    rate: DeviceRate
    count: float
    pue: float
    availability_frac: float
    rejects_frac: float
    pool_fee_frac: float


@dataclass(frozen=True, slots=True)
class InferenceBlock:
    """A block of equal GPUs serving one model.

    count: GPUs. demand_frac: of the tokens they could serve. usd_per_mtok: [USD/Mtok] on the rate's own token basis.
    """

    name: str
    rate: DeviceRate
    count: float
    pue: float
    availability_frac: float
    demand_frac: float
    usd_per_mtok: float


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a year of one site needs, in plain numbers.

    start_s: [s, unix]. limit_mw: [MW] that can reach the buildings. energy_usd_per_mwh: [USD/MWh] at the meter.
    delivered_frac: share of metered energy that reaches the buildings. btc_usd: [USD/BTC].
    fees_frac: transaction fees as a share of the subsidy.
    """

    name: str
    region: str
    start_s: int
    interconnect_mw: float
    delivered_frac: float
    availability_frac: float
    energy_usd_per_mwh: float
    btc_usd: float
    fees_frac: float
    path: DifficultyPath
    mining: tuple[MiningBlock, ...]
    inference: tuple[InferenceBlock, ...]
    assumptions: tuple[Assumption, ...]


def load_site(path: Path, resolve: Resolve) -> Site:
    """Read a site file and look its devices up.

    resolve: turns a device's name into its DeviceRate, or raises InputError with near names.
    Raises InputError, naming file and key, for whatever is wrong with the file or a name in it.
    """
    return build_site(validate(SiteFile, read_toml(path), path), resolve, str(path))


def build_site(file: SiteFile, resolve: Resolve, place: str) -> Site:
    """Turn a validated site file into a Site; `place` names it in errors."""
    return Site(
        name=file.site.name,
        region=file.site.region,
        start_s=file.start_unix(),
        interconnect_mw=file.power.interconnect_mw.value,
        delivered_frac=1.0 - file.power.losses_percent.value / 100.0,
        availability_frac=file.power.availability_percent.value / 100.0,
        energy_usd_per_mwh=file.price.energy_usd_per_mwh.value,
        btc_usd=file.market.btc_usd.value,
        fees_frac=file.market.fees_percent_of_subsidy.value / 100.0,
        path=DifficultyPath(file.market.difficulty_growth_percent_per_year.value / 100.0),
        mining=tuple(_mining(table, resolve, place) for table in file.mining),
        inference=tuple(_inference(table, resolve, place) for table in file.inference),
        assumptions=tuple(assumptions_of(file)),
    )


def _mining(table: MiningTable, resolve: Resolve, place: str) -> MiningBlock:
    where = f"{place}: mining block {table.name!r}"
    rate = _at_facility(_resolved(table.device, resolve, where), "hash", where)
    return MiningBlock(
        name=table.name,
        rate=rate,
        count=_count(table.count.value if table.count else None, table.facility_mw, table.pue.value, rate),
        pue=table.pue.value,
        availability_frac=table.availability_percent.value / 100.0,
        rejects_frac=table.rejects_percent.value / 100.0,
        pool_fee_frac=table.pool_fee_percent.value / 100.0,
    )


def _inference(table: InferenceTable, resolve: Resolve, place: str) -> InferenceBlock:
    where = f"{place}: inference block {table.name!r}"
    rate = _at_facility(_token_rate(table, resolve, where), "token", where)
    return InferenceBlock(
        name=table.name,
        rate=rate,
        count=_count(table.gpus.value if table.gpus else None, table.facility_mw, table.pue.value, rate),
        pue=table.pue.value,
        availability_frac=table.availability_percent.value / 100.0,
        demand_frac=table.demand_percent.value / 100.0,
        usd_per_mtok=table.usd_per_mtok.value,
    )


def _token_rate(table: InferenceTable, resolve: Resolve, where: str) -> DeviceRate:
    if table.figure is not None:
        provisioned = table.provisioned_w_per_gpu.value if table.provisioned_w_per_gpu else None
        try:
            return published_rate(table.figure, provisioned_w_per_gpu=provisioned)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
    if table.rate is not None:
        stated = table.rate
        return stated_rate(
            name=f"{table.name} (stated)",
            tokens_per_s=stated.tokens_per_s.value,
            power_w=stated.power_w.value,
            tags=TokenTags(
                stated.boundary, stated.power_kind, stated.token_basis, stated.lengths, stated.latency_limit
            ),
            basis="assumed",
            power_basis="assumed",
            confidence="unverified",
            source=f"{stated.tokens_per_s.source}, {stated.tokens_per_s.date}",
        )
    return _resolved(table.device or "", resolve, where)


def _resolved(name: str, resolve: Resolve, where: str) -> DeviceRate:
    try:
        return resolve(name)
    except InputError as error:
        raise InputError(f"{where}: key device: {error}") from None


def _at_facility(rate: DeviceRate, unit: str, where: str) -> DeviceRate:
    if rate.unit != unit:
        raise InputError(f"{where}: expected a {unit} rate, got {rate.name}, which counts {rate.unit}s")
    if rate.power_w is None:
        raise InputError(f"{where}: expected a power beside the rate, got none for {rate.name}")
    if rate.boundary not in FACILITY_BOUNDARIES:
        raise InputError(
            f"{where}: expected power at the {', '.join(FACILITY_BOUNDARIES[:-1])} or {FACILITY_BOUNDARIES[-1]}, "
            f"got {rate.boundary} power for {rate.name}; a PUE only covers what is outside the machine"
        )
    return rate


def _count(count: float | None, facility_mw: object, pue: float, rate: DeviceRate) -> float:
    if count is not None:
        return count
    megawatts: float = getattr(facility_mw, "value")  # noqa: B009 (a Value, one of the two is given)
    return float(int(megawatts * 1e6 / (pue * (rate.power_w or 1.0))))
