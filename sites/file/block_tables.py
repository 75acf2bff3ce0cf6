"""The tables of a site file that describe its miners and GPUs: [[mining]], [[inference]] and [inference.rate]."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from sites.file.values import (
    Age,
    Count,
    Fade,
    Growth,
    LossPercent,
    Megawatts,
    Model,
    Name,
    Overhead,
    Penalty,
    Percent,
    Tokens,
    Usd,
    Watts,
    assumed,
    one_of,
)


class MiningTable(Model):
    """[[mining]]: one block of miners, sized by count, facility power or share of the interconnect."""

    name: Name = "mining"
    device: Name | None = None
    modes: tuple[Name, ...] | None = None  # names of devices, one for each power mode
    rated_device: Name | None = None  # holds the rated figures if `device` is measured
    count: Count | None = None
    facility_mw: Megawatts | None = None
    interconnect_percent: Percent | None = None
    availability_percent: Percent = assumed(100.0)
    age_years: Age = assumed(0.0)
    degradation_percent_per_year: Fade = assumed(0.0)
    rejects_percent: LossPercent = assumed(0.0)  # rejected shares
    pool_fee_percent: LossPercent
    payout: Literal["fpps", "pps", "pplns", "solo"] = "fpps"

    @model_validator(mode="after")
    def _sized_once(self) -> Self:
        one_of(self, ("device", "modes"))
        one_of(self, ("count", "facility_mw", "interconnect_percent"))
        return self


class RateTable(Model):
    """[inference.rate]: the token rate and power of one GPU, entered by hand with its five tags and its source."""

    tokens_per_s: Tokens
    power_w: Watts
    boundary: Literal["chip", "board", "node", "rack", "wall"]
    power_kind: Literal["measured", "provisioned"]
    token_basis: Literal["output", "total"]
    lengths: Name
    latency_limit: Name


class InferenceTable(Model):
    """[[inference]]: one block of GPUs: its rate (of a device, published or entered by hand), demand and price."""

    name: Name = "inference"
    device: Name | None = None
    figure: Name | None = None  # a published figure
    rate: RateTable | None = None
    rated_tokens_per_s: Tokens | None = None  # the rated figure if the rate is measured
    provisioned_w_per_gpu: Watts | None = None
    gpus: Count | None = None
    modules: Count | None = None
    facility_mw: Megawatts | None = None
    interconnect_percent: Percent | None = None
    gpus_per_module: Count = assumed(1.0)
    spare_percent: LossPercent = assumed(0.0)
    host_overhead_percent: Overhead | None = None
    network_overhead_percent: Overhead = assumed(0.0)
    idle_percent: LossPercent = assumed(0.0)
    availability_percent: Percent = assumed(100.0)
    demand_percent: Percent  # mean demand, over what all working GPUs can serve
    demand_profile: str | tuple[float, ...] = "flat"  # a name, or the 168 hours of a week
    demand_growth_percent_per_year: Growth = assumed(0.0)
    usd_per_mtok: Usd | None = None
    usd_per_gpu_hour: Usd | None = None
    usd_per_kw_month: Usd | None = None
    tenant_pays_energy: bool = False
    sla_percent: Percent = assumed(0.0)  # of the demand
    sla_penalty_percent: Penalty | None = None  # of the price

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        one_of(self, ("device", "figure", "rate"))
        one_of(self, ("gpus", "modules", "facility_mw", "interconnect_percent"))
        one_of(self, ("usd_per_mtok", "usd_per_gpu_hour", "usd_per_kw_month"))
        if self.sla_percent.value > 0 and self.sla_penalty_percent is None:
            raise ValueError("expected sla_penalty_percent (of the price) together with sla_percent, got none")
        return self
