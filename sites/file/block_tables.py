"""The tables of a site file that describe its hardware: [[mining]], [[inference]], [inference.rate] and [capital]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from hardware_profiles.errors import shown
from hardware_profiles.tables import Broken, Table, rule
from sites.file.horizon.tables import ends_after_start, sold_at_an_end
from sites.file.hourly.market_tables import UsdOrSeries  # noqa: TC001 (pydantic reads it)
from sites.file.storage.tables import StartKeys
from sites.file.values import (
    Age,
    Count,
    Day,
    Fade,
    Flag,
    Growth,
    Life,
    LossPercent,
    Megawatts,
    Money,
    Name,
    Overhead,
    Penalty,
    Percent,
    Tokens,
    Usd,
    Watts,
    assumed,
)
from sites.hours.demand import PROFILES, over_mean, week_profile
from sites.operating_points import (
    CAPS_MARK,
    CURVE_PREFIX,
    CURVE_PREFIXES,
    LATENCIES,
    MODELLED_PREFIX,
    RATE_MARK,
)


def _profile(content: Any) -> Any:
    if isinstance(content, str):
        week_profile(content)
        return content
    if not isinstance(content, list | tuple) or any(isinstance(item, bool | str) for item in content):
        raise ValueError(f"expected one of {', '.join(PROFILES)} or 168 numbers, got {shown(content)}")
    over_mean(content)
    return tuple(content)


_MEASURED = f"^({'|'.join(CURVE_PREFIXES)})"
_OF_SWEEP = {"type": "string", "pattern": _MEASURED}
_OF_CURVE = {"type": "string", "pattern": f"{_MEASURED}|{CAPS_MARK}(~|$)|^{MODELLED_PREFIX}.*{RATE_MARK}(@|~|$)"}
_ZERO = [{"const": 0}, {"type": "object", "properties": {"value": {"const": 0}}}]
_WEEK = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1e9}, "minItems": 168, "maxItems": 168}
Profile = Annotated[
    str | tuple[float, ...], BeforeValidator(_profile), WithJsonSchema({"anyOf": [{"enum": list(PROFILES)}, _WEEK]})
]


class MiningTable(StartKeys):
    """[[mining]]: one block of miners, sized by count, facility power or share of the interconnect."""

    one_of = (("device", "modes"), ("count", "facility_mw", "interconnect_percent"))

    name: Name = "mining"
    device: Name | None = None
    modes: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None  # names of devices, one for each power mode
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
    start: Day | None = None  # first day in service
    end: Day | None = None  # last day in service
    resale_usd: Money = assumed(0.0)  # for the miners, at their end

    @rule
    def _ends_after_its_start(self) -> Iterator[Broken]:
        yield from ends_after_start(self.start, self.end)
        yield from sold_at_an_end(self.resale_usd.value, self.end)


class RateTable(Table):
    """[inference.rate]: the token rate and power of one GPU, entered by hand with its five tags and its source."""

    tokens_per_s: Tokens
    power_w: Watts
    boundary: Literal["chip", "board", "node", "rack", "wall"]
    power_kind: Literal["measured", "provisioned"]
    token_basis: Literal["output", "total"]
    lengths: Name
    latency_limit: Name
    tpot_ms: Tokens | None = None  # mean time per output token of one user


class LatencyLimitTable(Table):
    """[inference.latency_limit]: the latencies that an operating point must keep, by quantile over requests."""

    ttft_q50_ms: Tokens | None = None  # time to the first token
    ttft_q90_ms: Tokens | None = None
    ttft_q99_ms: Tokens | None = None
    tpot_q50_ms: Tokens | None = None  # time per further token
    tpot_q90_ms: Tokens | None = None
    tpot_q99_ms: Tokens | None = None

    in_schema = ({"minProperties": 1},)

    @rule
    def _one_at_least(self) -> Iterator[Broken]:
        if not self.seconds():
            yield Broken(f"expected one or more of {', '.join(f'{name}_ms' for name in LATENCIES)}, got none")

    def seconds(self) -> dict[str, float]:
        """Return the limits by the name of their latency [s]."""
        limits = {name: getattr(self, f"{name}_ms") for name in LATENCIES}
        return {name: limit.value / 1000.0 for name, limit in limits.items() if limit is not None}


class InferenceTable(StartKeys):
    """[[inference]]: one block of GPUs: its rate (of a device, published or entered by hand), demand and price."""

    one_of = (
        ("device", "figure", "rate"),
        ("gpus", "modules", "facility_mw", "interconnect_percent"),
        ("usd_per_mtok", "usd_per_gpu_hour", "usd_per_kw_month"),
    )

    name: Name = "inference"
    device: Name | None = None
    latency_limit: LatencyLimitTable | None = None  # of the points of a curve
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
    demand_profile: Profile = "flat"  # a name, or the 168 hours of a week
    demand_growth_percent_per_year: Growth = assumed(0.0)
    usd_per_mtok: Usd | None = None
    price_class: Literal["interactive", "batch"] = "interactive"  # what the price per token is paid for
    usd_per_gpu_hour: UsdOrSeries | None = None
    usd_per_kw_month: Usd | None = None
    tenant_pays_energy: Flag = False
    sla_percent: Percent = assumed(0.0)  # of the demand
    sla_penalty_percent: Penalty | None = None  # of the price
    take_or_pay_percent: Percent | None = None  # share of the GPU-hours that the tenant pays for, taken or not
    interruptible_above_usd_per_mwh: Usd | None = None  # cost of power at which a tenant may be switched off
    start: Day | None = None  # first day in service
    end: Day | None = None  # last day in service
    resale_usd: Money = assumed(0.0)  # for the GPUs, at their end

    in_schema = (
        {"dependentRequired": {"take_or_pay_percent": ["usd_per_gpu_hour"]}},
        {
            "if": {"required": ["interruptible_above_usd_per_mwh"]},
            "then": {"anyOf": [{"required": ["usd_per_kw_month"]}, {"required": ["take_or_pay_percent"]}]},
        },
        {
            "if": {"required": ["sla_percent"], "not": {"properties": {"sla_percent": {"anyOf": _ZERO}}}},
            "then": {"required": ["sla_penalty_percent"]},
        },
        {"if": {"required": ["latency_limit"]}, "then": {"required": ["device"], "properties": {"device": _OF_CURVE}}},
        {
            "if": {"required": ["device"], "properties": {"device": _OF_CURVE}},
            "then": {"required": ["usd_per_mtok"]},
        },
        {
            "if": {"required": ["device"], "properties": {"device": _OF_SWEEP}},
            "then": {
                "anyOf": [
                    {"required": ["latency_limit"]},
                    {"required": ["price_class"], "properties": {"price_class": {"const": "batch"}}},
                ],
            },
        },
    )

    @rule
    def _limit_of_a_sweep(self) -> Iterator[Broken]:
        is_sweep = self.device is not None and self.device.startswith(CURVE_PREFIXES)
        modelled = (self.device or "").partition("~")[0]
        has_caps = modelled.endswith(CAPS_MARK)
        has_rates = modelled.startswith(MODELLED_PREFIX) and modelled.partition("@")[0].endswith(RATE_MARK)
        if self.latency_limit is not None and not (is_sweep or has_caps or has_rates):
            got = self.device or "no device"
            expected = (
                f'device = "{CURVE_PREFIX}ID" or "{MODELLED_PREFIX}...:all{RATE_MARK}" together with latency_limit'
            )
            yield Broken(f"expected {expected}, got {shown(got)}")
        if (is_sweep or has_caps or has_rates) and self.usd_per_mtok is None:
            curve = "a measured curve" if is_sweep else CAPS_MARK if has_caps else f"a rate ({RATE_MARK})"
            yield Broken(
                f"expected usd_per_mtok with {curve}, because a tenant chooses the load of its own GPUs, got none"
            )
        if is_sweep and self.latency_limit is None and self.price_class != "batch":
            yield Broken('expected latency_limit with a measured curve, or price_class = "batch", got neither')

    @rule
    def _ends_after_its_start(self) -> Iterator[Broken]:
        yield from ends_after_start(self.start, self.end)
        yield from sold_at_an_end(self.resale_usd.value, self.end)

    @rule
    def _penalty_of_a_promise(self) -> Iterator[Broken]:
        if self.sla_percent.value > 0 and self.sla_penalty_percent is None:
            yield Broken("expected sla_penalty_percent (of the price) together with sla_percent, got none")

    @rule
    def _take_or_pay_of_gpu_hours(self) -> Iterator[Broken]:
        if self.take_or_pay_percent is not None and self.usd_per_gpu_hour is None:
            yield Broken("expected usd_per_gpu_hour together with take_or_pay_percent, got none")

    @rule
    def _interruptible_tenant(self) -> Iterator[Broken]:
        contracted = self.usd_per_kw_month is not None or self.take_or_pay_percent is not None
        if self.interruptible_above_usd_per_mwh is not None and not contracted:
            yield Broken(
                "expected usd_per_kw_month or take_or_pay_percent together with interruptible_above_usd_per_mwh, "
                "got none"
            )

    @rule
    def _starts_of_own_work(self) -> Iterator[Broken]:
        contracted = self.usd_per_kw_month is not None or self.take_or_pay_percent is not None
        keys = [key for key in StartKeys.model_fields if getattr(self, key) is not None]
        if contracted and keys:
            yield Broken(f"expected no {keys[0]} for a block that a tenant has a right to, got both")


class CapitalTable(Table):
    """[capital]: prices of the hardware, and the terms that turn them into a yearly cost."""

    miner_usd_per_th_s: Usd | None = None  # without it, estimated from the efficiency of the miner
    mining_usd_per_mw: Money = assumed(0.0)  # building and grid connection of miners
    gpu_usd_per_mw: Money | None = None  # GPUs with their building
    years: Life = assumed(5.0)
    discount_percent: Overhead
    residual_percent: Percent = assumed(0.0)
