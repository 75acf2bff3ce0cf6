"""A site as plain numbers, hourly arrays and device rates, which are all that a year of it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from hardware_profiles.errors import InputError
from sites.hours.calendar import HOUR_S
from sites.hours.intervals import MINUTE_S
from sites.hours.power import EVENT, PLAIN
from sites.hours.service import ALWAYS, Service
from sites.modes import PointStep

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.hours.calendar import Calendar
    from sites.hours.prices import Period
    from sites.market.bitcoin import DifficultyPath
    from sites.market.device_rate import DeviceRate
    from sites.modes import Margin
    from sites.operating_points import ServingCurve
    from sites.storage.terms import Battery, StartTerms


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that a result depends on, as it is printed."""

    key: str  # in the site file
    value: float | str  # in the unit that the key states
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class CapitalTerms:
    """The prices and terms that turn a site's hardware into a yearly cost of capital."""

    miner_usd_per_th_s: float | None  # [USD per TH/s] None to estimate it from the efficiency of the miner
    mining_usd_per_mw: float  # [USD/MW facility] building and grid connection of miners
    gpu_usd_per_mw: float | None  # [USD/MW facility] GPUs with their building; None if it is not stated
    years: float  # life of the hardware
    discount_frac: float  # a year
    residual_frac: float  # of the capital cost, at the end of the life


@dataclass(frozen=True, slots=True)
class MiningBlock:
    """A block of equal miners."""

    name: str
    rate: DeviceRate  # of the mode with the highest power
    rated: DeviceRate | None  # rated figures, if `rate` is measured
    margins: tuple[Margin, ...]  # steps from off through the modes
    count: float  # devices
    availability_frac: float  # share of the time in which the devices could run
    age_years: float  # at the start of the year
    degradation_frac_per_year: float  # of the hash rate
    rejects_frac: float  # of the shares
    pool_fee_frac: float  # of the reward
    pays_fees: bool  # whether the pool pays transaction fees
    service: Service = ALWAYS  # when it is in service
    starts: StartTerms | None = None  # None if each device can be switched at any time at no cost


@dataclass(frozen=True, slots=True)
class InferenceBlock:
    """A block of equal GPUs that serve one model, are rented by the hour, or host a tenant."""

    name: str
    rate: DeviceRate  # of one GPU
    rated_tokens_per_s: float | None  # [token/s] rated figure, if `rate` is measured
    watts_per_gpu: float  # [W] at full load, with host and network
    count: float  # GPUs
    gpus_per_module: int  # deployed together
    spare_frac: float  # share of the GPUs kept off as spares
    idle_frac: float  # share of full power that is drawn without load
    availability_frac: float  # share of the time in which the GPUs could run
    demand_frac: float  # mean demand over what all working GPUs can serve
    profile: tuple[float, ...]  # [168] demand of each local hour of the week over its mean
    growth_frac_per_year: float  # of demand
    priced_per: str  # token, gpu_hour or kw_month
    price_usd: float  # [USD/Mtok, USD/GPU-hour or USD/kW-month] mean of the year
    price_class: str  # of a price per token: interactive or batch
    passes_energy: bool  # whether the tenant pays for energy
    promised_frac: float  # share of demand promised in the SLA
    penalty_frac: float  # of the price, for promised demand that is not served
    take_or_pay_frac: float  # share of the GPU-hours that the tenant pays for, taken or not
    interruptible_above_usd_per_mwh: float | None  # [USD/MWh meter] cost of power that lets a tenant be switched off
    curve: ServingCurve | None = None  # of `rate` and the points below it; None for a rate of one load
    price_over_mean: Floats | None = None  # [T] price over its mean of the year; None if it is constant
    service: Service = ALWAYS  # when it is in service
    starts: StartTerms | None = None  # None if GPUs can be switched at any time at no cost, but draw idle power

    @property
    def is_lease(self) -> bool:
        """Whether the block is let by contracted kW, whatever the tenant draws."""
        return self.priced_per == "kw_month"

    @property
    def steps(self) -> tuple[PointStep, ...]:
        """The steps from GPUs without load to full load; one without an operating curve."""
        if self.curve is not None:
            return self.curve.steps
        return (PointStep("", 1.0 - self.idle_frac, 1.0),)

    @property
    def is_contracted(self) -> bool:
        """Whether a tenant has a right to the block, so that it is not switched off for the price of power alone."""
        return self.is_lease or self.take_or_pay_frac > 0.0


@dataclass(frozen=True, slots=True)
class Site:
    """A site and the T steps of its year, in USD; a step is an hour, unless the site is built native."""

    name: str
    region: str
    timezone: str  # IANA name
    currency: str  # of the prices in the site file
    currency_per_usd: float
    calendar: Calendar
    price_step_s: int  # [s] shortest interval of the prices in their file; an hour for prices without one
    interconnect_mw: float  # [MW at the meter]
    delivered_frac: float  # share of metered energy that reaches the facility
    availability_frac: float  # of the site's power
    spot_usd_per_mwh: Floats  # [T] market price at the meter
    adder_usd_per_mwh: Floats  # [T] delivery and other charges on top of the price
    resale_usd_per_mwh: Floats  # [T] price of contracted power that is resold
    peak_risk_usd_per_mwh: Floats  # [T] peak charge that drawn power risks on days that are called without a peak
    credit_usd_per_mwh: Floats  # [T] for energy not drawn during curtailment events
    limit_mw: Floats  # [T] power that may be drawn at the meter
    load_limit_mw: Floats  # [T] the same without curtailment events
    event: Integers  # [T] cause of the limit: hours.power.PLAIN, EVENT or OUTAGE
    mining_capacity_frac: Floats  # [T] share of the miners usable at the ambient temperature
    gpu_capacity_frac: Floats  # [T] the same for GPUs
    mining_pue: Floats  # [T]
    gpu_pue: Floats  # [T]
    fees_frac: Floats  # [T] transaction fees as a share of the subsidy
    fees_btc_per_block: float | None  # [BTC/block] if they are constant in BTC; `fees_frac` follows from them
    contract_mw: float  # take-or-pay power
    contract_usd_per_mwh: float
    demand_charge_usd_per_mw_month: float  # on the monthly peak
    enrolled_mw: float  # in the curtailment programme
    ready_usd_per_mw_hour: float  # for enrolled power
    btc_usd: float  # [USD/BTC] mean of the year
    btc_path_usd: Floats | None  # [T] [USD/BTC] None if it is constant
    path: DifficultyPath  # after the bundled data
    kg_per_mwh: float | None  # [kgCO2/MWh at the meter]
    fixed_usd_per_year: float
    capital: CapitalTerms | None  # None if the site file states none
    mining: tuple[MiningBlock, ...]
    inference: tuple[InferenceBlock, ...]
    assumptions: tuple[Assumption, ...]
    flags: tuple[str, ...]  # warnings about unusual and doubtful values
    notes: tuple[str, ...]  # what a reader should know: how the file is read, its currency, negative prices
    tariff: tuple[Period, ...] = ()  # periods of time of use, by which later years have their prices
    contract_service: Service = ALWAYS  # when power is contracted
    programme_service: Service = ALWAYS  # when the site is enrolled in its curtailment programme
    battery: Battery | None = None

    @property
    def blocks(self) -> tuple[MiningBlock | InferenceBlock, ...]:
        """All blocks, miners first."""
        return (*self.mining, *self.inference)

    @property
    def start_s(self) -> int:
        """Start of the year [s, unix]."""
        return self.calendar.start_s

    @property
    def hours(self) -> int:
        """Number of hours of the year, 8760 or 8784."""
        return self.calendar.hours

    @property
    def services(self) -> tuple[Service, ...]:
        """When each block, the contract of power and the curtailment programme are in service."""
        return (*(block.service for block in self.blocks), self.contract_service, self.programme_service)

    @property
    def has_phases(self) -> bool:
        """Whether a part of the site begins, ends or is converted at a date."""
        return any(service != ALWAYS for service in self.services)

    def in_service(self, at_s: float) -> Site:
        """Return the site with what is in service at a time [s, unix], which it has in every step."""
        if not self.has_phases:
            return self
        present = replace(
            self,
            mining=_in_service(self.mining, at_s),
            inference=_in_service(self.inference, at_s),
            contract_mw=self.contract_mw * self.contract_service.frac(at_s),
            contract_service=ALWAYS,
            programme_service=ALWAYS,
        )
        if self.programme_service.frac(at_s) > 0.0:
            return present
        return replace(
            present,
            enrolled_mw=0.0,
            ready_usd_per_mw_hour=0.0,
            credit_usd_per_mwh=0.0 * self.credit_usd_per_mwh,
            limit_mw=self.load_limit_mw,
            event=np.where(self.event == EVENT, PLAIN, self.event),
        )

    def check_plain(self, what: str) -> None:
        """Raise InputError if the site has a battery or start costs, which `what` does not take."""
        if self.has_storage:
            got = "a [battery]" if self.battery is not None else "start costs"
            raise InputError(f"{what}: expected site {self.name!r} without battery and start costs, got {got}")

    @property
    def has_storage(self) -> bool:
        """Whether the site has a battery or a block with start costs."""
        return self.battery is not None or any(block.starts is not None for block in self.blocks)

    def check_hourly(self, what: str) -> None:
        """Raise InputError if the steps of the year are shorter than hours, which `what` does not take."""
        if self.calendar.step_s != HOUR_S:
            minutes = f"steps of {self.calendar.step_s // MINUTE_S} minutes (without native)"
            raise InputError(f"{what}: expected site {self.name!r} in hours, got {minutes}")


Block = TypeVar("Block", MiningBlock, InferenceBlock)


def _in_service(blocks: tuple[Block, ...], at_s: float) -> tuple[Block, ...]:
    shares = [(block, block.service.frac(at_s)) for block in blocks]
    return tuple(replace(block, count=block.count * share, service=ALWAYS) for block, share in shares if share > 0.0)
