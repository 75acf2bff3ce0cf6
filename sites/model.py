"""A site: plain numbers, hourly arrays and device rates, everything that a year of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.hours.calendar import Calendar
    from sites.market.bitcoin import DifficultyPath
    from sites.market.device_rate import DeviceRate
    from sites.modes import Margin


@dataclass(frozen=True, slots=True)
class Assumption:
    """One value a result rests on, as it is printed: key, value, source and date."""

    key: str
    value: float | str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class MiningBlock:
    """A block of equal miners.

    rate: of the mode with the highest power. rated: what the maker promises, where the rate was measured, else None.
    margins: steps from off through the modes. count: devices. availability_frac: could run. age_years: at the start.
    degradation_frac_per_year: of the hash rate. rejects_frac: of shares. pool_fee_frac: of the reward. pays_fees: the
    pool passes transaction fees on.
    """

    name: str
    rate: DeviceRate
    rated: DeviceRate | None
    margins: tuple[Margin, ...]
    count: float
    availability_frac: float
    age_years: float
    degradation_frac_per_year: float
    rejects_frac: float
    pool_fee_frac: float
    pays_fees: bool


@dataclass(frozen=True, slots=True)
class InferenceBlock:
    """A block of equal GPUs serving one model, or rented, or hosted for a tenant.

    rate: of one GPU. rated_tokens_per_s: promised, where the rate was measured, else None. watts_per_gpu: with host and
    network. count: GPUs; gpus_per_module: deployed together. spare_frac: kept off as spares. idle_frac: of full power,
    drawn whatever is served. demand_frac: mean demand over what all working GPUs can serve. profile: [168] over its
    mean. growth_frac_per_year: of demand. priced_per: token, gpu_hour or kw_month; price_usd: per million tokens, hour
    or month. passes_energy: the tenant pays the power. promised_frac: of demand. penalty_frac: of the price.
    """

    name: str
    rate: DeviceRate
    rated_tokens_per_s: float | None
    watts_per_gpu: float
    count: float
    gpus_per_module: int
    spare_frac: float
    idle_frac: float
    availability_frac: float
    demand_frac: float
    profile: tuple[float, ...]
    growth_frac_per_year: float
    priced_per: str
    price_usd: float
    passes_energy: bool
    promised_frac: float
    penalty_frac: float


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a year of one site needs, in plain numbers and arrays of its hours; USD throughout.

    interconnect_mw: [MW]. delivered_frac: share of metered energy that reaches the buildings. availability_frac: of
    the site's power. Hourly: spot, delivery and other adders, resale, credit [USD/MWh at the meter]; limit [MW at the
    meter] and what bounds it; capacity as a share; PUE; fees as a share of the subsidy. contract: take-or-pay [MW,
    USD/MWh]. demand_charge_usd_per_mw_month: on the monthly peak. enrolled_mw, ready_usd_per_mw_hour: curtailment
    programme. kg_per_mwh: carbon at the meter, or None. fixed_usd_per_year. btc_usd: [USD/BTC].
    """

    name: str
    region: str
    timezone: str
    currency: str
    currency_per_usd: float
    calendar: Calendar
    interconnect_mw: float
    delivered_frac: float
    availability_frac: float
    spot_usd_per_mwh: Floats
    adder_usd_per_mwh: Floats
    resale_usd_per_mwh: Floats
    credit_usd_per_mwh: Floats
    limit_mw: Floats
    event: Integers
    mining_capacity_frac: Floats
    gpu_capacity_frac: Floats
    mining_pue: Floats
    gpu_pue: Floats
    fees_frac: Floats
    contract_mw: float
    contract_usd_per_mwh: float
    demand_charge_usd_per_mw_month: float
    enrolled_mw: float
    ready_usd_per_mw_hour: float
    btc_usd: float
    path: DifficultyPath
    kg_per_mwh: float | None
    fixed_usd_per_year: float
    mining: tuple[MiningBlock, ...]
    inference: tuple[InferenceBlock, ...]
    assumptions: tuple[Assumption, ...]
    flags: tuple[str, ...]

    @property
    def blocks(self) -> tuple[MiningBlock | InferenceBlock, ...]:
        """Every block, miners first."""
        return (*self.mining, *self.inference)

    @property
    def start_s(self) -> int:
        """First second [unix] of the year."""
        return self.calendar.start_s

    @property
    def hours(self) -> int:
        """Hours of the year, 8760 or 8784."""
        return self.calendar.hours
