"""The tables of contracts on machines and space: hosting, leases and GPU-hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from hardware_profiles.tables import Broken, rule
from sites.file.contracts.quantities import Blocks, Dollars, Escalating, Kilowatts, Rise, UsdPerKwh, UsdPerKwMonth
from sites.file.values import Count, Flag, Percent, Usd, assumed


class HostingTable(Escalating):
    """[[contract]] of kind "hosting": machines of a customer at this site, or machines of this site at another."""

    kind: Literal["hosting"]
    role: Literal["host", "customer"] = "host"
    blocks: Blocks  # names of the hosted blocks
    usd_per_kwh: UsdPerKwh = assumed(0.0)
    usd_per_kw_month: UsdPerKwMonth = assumed(0.0)
    contracted_kw: Kilowatts | None = None
    revenue_share_percent: Percent = assumed(0.0)
    profit_share_percent: Percent = assumed(0.0)
    losses_carried: Flag = False
    minimum_usd_per_month: Dollars = assumed(0.0)
    energy_passed_through: Flag = False

    in_schema = ({"dependentRequired": {"usd_per_kw_month": ["contracted_kw"]}},)

    @rule
    def _power_of_its_fee(self) -> Iterator[Broken]:
        if self.usd_per_kw_month.value > 0 and self.contracted_kw is None:
            yield Broken("expected contracted_kw together with usd_per_kw_month, got none")

    @rule
    def _something_paid(self) -> Iterator[Broken]:
        charged = (self.usd_per_kwh, self.usd_per_kw_month, self.revenue_share_percent, self.profit_share_percent)
        if not any(price.value > 0 for price in (*charged, self.minimum_usd_per_month)):
            yield Broken(
                "expected a fee: usd_per_kwh, usd_per_kw_month, a share of revenue or profit, or a minimum, got none"
            )


class LeaseTable(Escalating):
    """[[contract]] of kind "lease": power and space for a tenant by the kW and month."""

    kind: Literal["lease"]
    blocks: Blocks  # names of the tenant's blocks
    contracted_kw: Kilowatts
    usd_per_kw_month: UsdPerKwMonth
    take_or_pay_percent: Percent = assumed(100.0)
    energy_passed_through: Flag = True
    markup_percent: Rise = assumed(0.0)  # on passed-through energy


class GpuHoursTable(Escalating):
    """[[contract]] of kind "gpu_hours": GPU-hours on demand, and reserved ones that are paid for, used or not."""

    kind: Literal["gpu_hours"]
    blocks: Blocks  # names of the blocks that serve it
    usd_per_gpu_hour: Usd
    reserved_gpus: Count | None = None
    reserved_usd_per_gpu_hour: Usd | None = None
    upfront_percent: Percent = assumed(0.0)

    in_schema = (
        {"dependentRequired": {"reserved_gpus": ["reserved_usd_per_gpu_hour"]}},
        {"dependentRequired": {"reserved_usd_per_gpu_hour": ["reserved_gpus"]}},
    )

    @rule
    def _reserved_at_a_price(self) -> Iterator[Broken]:
        if (self.reserved_gpus is None) != (self.reserved_usd_per_gpu_hour is None):
            yield Broken("expected both reserved_gpus and reserved_usd_per_gpu_hour, got one")
