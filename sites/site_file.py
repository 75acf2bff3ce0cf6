"""The tables and keys of a site file (TOML), each value with its bounds; per cent live only here and in print."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sites.values import (
    Count,
    GrowthPercent,
    LossPercent,
    Model,
    NotNegative,
    Number,
    Percent,
    Positive,
    Pue,
    Value,
)

Name = Annotated[str, Field(min_length=1, max_length=80)]


class SiteTable(Model):
    """[site]: what it is called, where it is and the first day (UTC) of the year that is computed."""

    name: Name
    region: str = "unknown"
    start: date
    note: str = ""


class PowerTable(Model):
    """[power]: what arrives. Losses are those between the meter and the buildings."""

    interconnect_mw: Positive
    losses_percent: LossPercent = Value(value=0.0)
    availability_percent: Percent = Value(value=100.0)


class PriceTable(Model):
    """[price]: what a MWh at the meter costs."""

    energy_usd_per_mwh: Number


class MarketTable(Model):
    """[market]: bitcoin price, fees as a share of the subsidy, and difficulty after the bundled data."""

    btc_usd: Positive
    fees_percent_of_subsidy: NotNegative
    difficulty_growth_percent_per_year: GrowthPercent = Value(value=0.0)


class MiningTable(Model):
    """[[mining]]: one block of miners, sized by count or by megawatts at the meter's side of the PUE."""

    name: Name = "mining"
    device: Name
    count: Count | None = None
    facility_mw: Positive | None = None
    pue: Pue
    availability_percent: Percent = Value(value=100.0)
    rejects_percent: LossPercent = Value(value=0.0)
    pool_fee_percent: LossPercent

    @model_validator(mode="after")
    def _sized_once(self) -> Self:
        if (self.count is None) == (self.facility_mw is None):
            raise ValueError("expected either count or facility_mw, got " + ("both" if self.count else "neither"))
        return self


class RateTable(Model):
    """[inference.rate]: a token rate stated by hand, per GPU, with its five tags and its source."""

    tokens_per_s: Positive
    power_w: Positive
    boundary: Literal["node", "rack", "wall"]
    power_kind: Literal["measured", "provisioned"]
    token_basis: Literal["output", "total"]
    lengths: Name
    latency_limit: Name


class InferenceTable(Model):
    """[[inference]]: one block of GPUs and what they serve; the rate is a device's, a published figure's or stated."""

    name: Name = "inference"
    device: Name | None = None
    figure: Name | None = None
    rate: RateTable | None = None
    provisioned_w_per_gpu: Positive | None = None
    gpus: Count | None = None
    facility_mw: Positive | None = None
    pue: Pue
    availability_percent: Percent = Value(value=100.0)
    demand_percent: Percent
    usd_per_mtok: NotNegative

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        rates = [key for key in ("device", "figure", "rate") if getattr(self, key) is not None]
        if len(rates) != 1:
            raise ValueError(f"expected one of device, figure or rate, got {' and '.join(rates) or 'none'}")
        if (self.gpus is None) == (self.facility_mw is None):
            raise ValueError("expected either gpus or facility_mw, got " + ("both" if self.gpus else "neither"))
        return self


class SiteFile(Model):
    """A whole site file."""

    site: SiteTable
    power: PowerTable
    price: PriceTable
    market: MarketTable
    mining: tuple[MiningTable, ...] = ()
    inference: tuple[InferenceTable, ...] = ()

    @model_validator(mode="after")
    def _something_to_run(self) -> Self:
        blocks = [block.name for block in (*self.mining, *self.inference)]
        if not blocks:
            raise ValueError("expected at least one [[mining]] or [[inference]] block, got none")
        for name in blocks:
            if blocks.count(name) > 1:
                raise ValueError(f"expected every block's name once, got {name!r} twice")
        return self

    def start_unix(self) -> int:
        """First second [unix] of the year that is computed."""
        day = self.site.start
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
