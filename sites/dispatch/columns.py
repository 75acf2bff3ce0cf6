"""Every column, kind and reason of the dispatch and of the scenario engine, each defined here and nowhere else.

A NamedTuple names the columns of an array. Its instance of whole numbers (HOUR, BLOCK, SUM) indexes the array, also in
compiled code: `series[HOUR.limit_mw, t]`. Its instance of views (Problem.hours, Problem.parts) reads better in NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sites.hours import power

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sites.arrays import Floats

Column = TypeVar("Column")

# Kinds of block, and their names.
KINDS = ("mining", "idle", "sla", "on-demand")
MINING, IDLE, SLA, ON_DEMAND = range(len(KINDS))

# Reasons for what a block does in an hour, and their words.
REASONS = (
    "runs all there is, worth above the price of power",
    "price of power above worth",
    "interconnect full",
    "curtailment event",
    "outage",
    "demand charge caps the month's peak",
    "resale pays more",
    "nothing to run",
    "idle power of what is switched on",
    "off as a whole, between two starts",
    "wakes up after a start",
)
FULL, PRICE, GRID, EVENT, OUTAGE, PEAK, RESALE, ABSENT, WAITS, OFF, WAKES = range(len(REASONS))

# Codes of Problem.event.
NO_EVENT, CURTAILED, OUT = power.PLAIN, power.EVENT, power.OUTAGE


class Hours(NamedTuple, Generic[Column]):
    """The rows of Problem.series: what each hour of a site is. Prices are at the meter."""

    spot_usd_per_mwh: Column  # [USD/MWh]
    adder_usd_per_mwh: Column  # [USD/MWh] delivery and coincident peaks
    resale_usd_per_mwh: Column  # [USD/MWh]
    limit_mw: Column  # [MW meter]
    mining_capacity_frac: Column  # share of the miners' power that the ambient temperature allows
    gpu_capacity_frac: Column  # the same for GPUs
    mining_meter_per_device: Column  # meter MW per device MW: PUE over the share that the lines deliver
    gpu_meter_per_device: Column
    subsidy_usd_per_hash: Column  # [USD/hash]
    fees_usd_per_hash: Column  # [USD/hash]
    forgone_usd_per_mwh: Column  # [USD/MWh] curtailment credit that drawn power forgoes, or a peak charge that it risks


HOUR: Hours[int] = Hours._make(range(len(Hours._fields)))


class Blocks(NamedTuple, Generic[Column]):
    """The columns of Problem.blocks: what each dispatched block of a site is."""

    kind: Column  # MINING, IDLE, SLA or ON_DEMAND
    capacity_mw: Column  # [MW device]
    worth: Column  # [hash/MWh device] for mining, [USD/MWh device] for inference
    pays_fees: Column  # 1 where transaction fees are paid out, else 0
    demand_mw: Column  # [MW device] mean of the first year
    growth_log_per_hour: Column  # [1/h] logarithm of the growth factor of worth (mining) or demand (inference)
    promised_frac: Column  # share of the demand that is promised
    profile: Column  # row of Problem.profiles
    passes_energy: Column  # 1 where the tenant pays for power, else 0
    penalty_usd_per_mwh: Column  # [USD/MWh device] for promised work that is not served; of other work, its priority
    units_per_mwh: Column  # [units/MWh device]
    is_firm: Column  # 1 where a contract forbids to give the load up for a payment, else 0
    better_frac: Column  # power of the block's better operating points, which take work first, over this one's own
    has_next: Column  # 1 where a worse operating point of the block follows, else 0
    price_path: Column  # row of Problem.price_paths, counted from 1; 0 where the price of the work is constant


BLOCK: Blocks[int] = Blocks._make(range(len(Blocks._fields)))


class BlockSums(NamedTuple):
    """The columns of Dispatch.blocks: sums of each block over the year."""

    device_mwh: int  # [MWh device]
    meter_mwh: int  # [MWh meter]
    revenue_usd: int  # [USD]
    energy_usd: int  # [USD] power at each hour's mean cost, without the demand charge
    short_mwh: int  # [MWh device] promised and not served
    units: int  # hashes, tokens, GPU-hours or kW-months


SUM = BlockSums._make(range(len(BlockSums._fields)))


class SiteTotals(NamedTuple):
    """Totals of a site over the year."""

    bought_mwh: float  # [MWh] bought on the spot market
    bought_usd: float  # [USD]
    sold_mwh: float  # [MWh] resold from the contract
    sold_usd: float  # [USD]
    adder_usd: float  # [USD] delivery and coincident peaks
    forgone_usd: float  # [USD] curtailment credit on what was drawn in events, or a peak charge that it risked
    penalty_usd: float  # [USD] for promised work that was not served
    drawn_mwh: float  # [MWh meter]
    resale_hours: int  # [h] in which power was resold


class HourLoad(NamedTuple):
    """The draw of a site in each hour, which its curtailment programme is paid by; empty arrays without a programme."""

    drawn_mw: Floats  # [MW meter] shape [T]
    load_mw: Floats  # [MW meter] what would be drawn without an event in the hour, shape [T]
    fixed_mw: Floats  # [MW meter] part of the load that cannot be given up for a payment, shape [T]


class HourDetail(NamedTuple):
    """What each block does in each hour, and why; all arrays are empty where only sums are kept."""

    mw: Floats  # [MW device], shape [T, B]
    why: NDArray[np.int8]  # index into REASONS, shape [T, B]
    price_usd_per_mwh: Floats  # [USD/MWh meter] the power price that decided, shape [T]


# The scenario engine's table, [T, TABLE_HOUR + TABLE_BLOCK * B]: first what an hour is ...
SPOT, ADDER, FORGONE, RESALE_OVER_SPOT, LIMIT = range(5)
TABLE_HOUR = 5
# ... then what each block is in it: CAP and WORTH for mining and idle, the others for inference (ABLE is its CAP).
CAP, WORTH = 0, 1
ABLE, ASKED, PAID, DEVICE = range(4)
TABLE_BLOCK = 4
# Its columns of a site with a curtailment programme, in the order of the table's rows, [T, 2].
LOAD_LIMIT, CREDIT = range(2)
# Its bounds of a month, [M, MONTH_BOUNDS]: rows of the table, which has the coupled hours of each month last.
FIRST_HOUR, FIRST_COUPLED, END_HOUR = range(3)
MONTH_BOUNDS = 3
# The scenario engine's sums of a block, [B, ROW_SUMS, S], and of a site, [TOTAL_SUMS, S].
METER_MWH, REVENUE_USD, UNITS, SHORT_MWH = range(4)
ROW_SUMS = 4
ENERGY_USD, CHARGE_USD, PENALTY_USD, CREDITS_USD = range(4)
TOTAL_SUMS = 4
# Slots of eight lanes that a block has in the merit order of coupled hours: factors, values of the hour, sums.
WORTH_FACTOR, ABLE_FACTOR, ASKED_FACTOR, UNITS_FACTOR, CAP_NOW, WORTH_NOW, BEFORE_NOW = range(7)
MWH_SUM, MADE_SUM, PASSED_SUM, SHORT_SUM = range(7, 11)
FIRST_SUM, OWN = 7, 11
