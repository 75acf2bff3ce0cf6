"""The settlement of contracts on power: terms from the tables of a site file, quantities from its ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.contracts.demand_response import Obligation, ResponseTerms, demand_response
from sites.contracts.lines import escalated
from sites.contracts.ppa import Market, PriceTerms, as_produced, baseload, ppa, shaped, swap
from sites.contracts.take import TakeTerms, minimum_take
from sites.contracts.transmission import PeakTerms, coincident_peaks
from sites.file.build_blocks import frac
from sites.file.contracts.power_tables import DemandResponseTable, PpaTable, SwapTable, TakeTable, TransmissionTable
from sites.hours.calendar import HOUR_S, anniversary

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites.arrays import Floats
    from sites.contracts.ledger import Ledger
    from sites.contracts.lines import Lines
    from sites.file.contracts.quantities import Dated
    from sites.file.horizon.tables import ForwardTable
    from sites.file.values import HourlyTable
    from sites.hours.clock import Clock
    from sites.hours.months import Months

KW = 1000.0  # in a MW


@dataclass(frozen=True, slots=True)
class Outside:
    """What contracts need beyond the ledger: the clock of the site, and the files that their tables name."""

    clock: Clock
    hourly: Callable[[HourlyTable], Floats]  # the series of a file over the steps of the horizon, [T]
    forward: Callable[[ForwardTable, Months], Floats]  # the prices of a forward curve, [M]


def check_within(table: Dated, months: Months) -> None:
    """Raise InputError for a contract that is never in force within the horizon."""
    place = f"contract {table.name}"
    if table.start is not None and table.start >= months.end:
        raise InputError.at(
            place, "start", expected=f"a day before {months.end}, the end of the horizon", got=str(table.start)
        )
    if table.end is not None and table.end < months.start:
        raise InputError.at(
            place, "end", expected=f"a day from {months.start} on, the start of the horizon", got=str(table.end)
        )


def lines(
    table: PpaTable | SwapTable | DemandResponseTable | TransmissionTable | TakeTable,
    ledger: Ledger,
    months: Months,
    outside: Outside,
) -> Lines:
    """Return the lines of a contract on power [USD], [M]."""
    if isinstance(table, PpaTable):
        return _ppa(table, ledger, months, outside)
    if isinstance(table, SwapTable):
        market = _market(table, ledger, months)
        rise = escalated(1.0, frac(table.escalator_percent_per_year), market.anniversaries)
        strike = table.fixed_usd_per_mwh.value * rise[market.month]
        return swap(strike, market, _volume(table, ledger, outside), floating=table.floating)
    if isinstance(table, DemandResponseTable):
        return _demand_response(table, ledger, months, outside)
    if isinstance(table, TransmissionTable):
        return _transmission(table, ledger, months, outside)
    return _take(table, ledger, months)


def _market(table: Dated, ledger: Ledger, months: Months) -> Market:
    return Market(ledger.spot_usd_per_mwh, ledger.month, months.anniversaries(table.start or months.start))


def _volume(table: PpaTable | SwapTable, ledger: Ledger, outside: Outside) -> Floats:
    """Return the contract volume of each step [MWh], [T]."""
    here = ledger.in_force(table.start, table.end)
    if table.mw is not None:
        return baseload(table.mw.value, here, ledger.step_h)
    if table.mw_by_hour_of_week is not None:
        return shaped(np.array(table.mw_by_hour_of_week), ledger.how, here, ledger.step_h)
    generated = outside.hourly(table.generated_mwh) if table.generated_mwh is not None else np.zeros(here.size)
    return as_produced(generated * here, frac(table.share_percent))


def _ppa(table: PpaTable, ledger: Ledger, months: Months, outside: Outside) -> Lines:
    def price(name: str) -> float | None:
        value = getattr(table, f"{name}_usd_per_mwh")
        return None if value is None else float(value.value)

    terms = PriceTerms(
        fixed_usd_per_mwh=price("fixed"),
        floor_usd_per_mwh=price("floor"),
        cap_usd_per_mwh=price("cap"),
        adder_usd_per_mwh=price("adder") or 0.0,
        escalator_frac=frac(table.escalator_percent_per_year),
        below_zero=table.below_zero,
    )
    index = outside.forward(table.index, months)[ledger.month] if table.index is not None else None
    return ppa(terms, _market(table, ledger, months), _volume(table, ledger, outside), index)


def _demand_response(table: DemandResponseTable, ledger: Ledger, months: Months, outside: Outside) -> Lines:
    """Return the lines of an enrolment, whose baseline is the month's mean power outside of events."""
    terms = ResponseTerms(
        enrolled_mw=table.enrolled_mw.value,
        usd_per_mw_hour=table.usd_per_mw_hour.value,
        usd_per_mwh=table.usd_per_mwh.value,
        threshold_frac=frac(table.threshold_percent),
        reduction_power=table.reduction_power.value,
        suspended_below_frac=frac(table.suspended_below_percent),
    )
    here = ledger.in_force(table.start, table.end)
    event = np.zeros(here.size)
    for index, each in enumerate(table.event):
        begin_s = outside.clock.unix_s(each.start, f"contract {table.name}.event[{index}].start")
        end_s = begin_s + each.hours.value * HOUR_S
        length_s = ledger.step_h * HOUR_S
        covered_s = np.minimum(ledger.start_s + length_s, end_s) - np.maximum(ledger.start_s, begin_s)
        event = np.maximum(event, np.clip(covered_s / length_s, 0.0, 1.0))
    drawn_mw = ledger.metered_mwh / ledger.step_h
    plain = here * (event == 0.0)
    hours = ledger.sums(ledger.step_h * plain, months)
    usual = ledger.sums(ledger.metered_mwh * plain, months)
    baseline_mw = np.divide(usual, hours, out=np.zeros(len(months)), where=hours > 0)[ledger.month]
    steps = Obligation(
        obliged=here,
        available_mw=drawn_mw,
        event=event * here,
        dropped_mw=np.maximum(baseline_mw - drawn_mw, 0.0),
        month=ledger.month,
        step_h=ledger.step_h,
    )
    return demand_response(terms, steps, len(months))


def _transmission(table: TransmissionTable, ledger: Ledger, months: Months, outside: Outside) -> Lines:
    listed: dict[int, list[datetime | date]] = {}
    for peak in table.peak:
        listed.setdefault(peak.year, []).append(peak)
    terms = PeakTerms(
        usd_per_kw_year=table.usd_per_kw_year.value,
        peaks=max(len(peaks) for peaks in listed.values()),
        losses_frac=frac(table.losses_percent),
        prior_kw=table.prior_kw.value,
    )
    here = ledger.in_force(table.start, table.end)
    demand: dict[int, list[float]] = {}
    last = max(listed)
    for year in range(min(months.start.year, *listed), months.end.year + 1):
        peaks = listed.get(year) or [_moved(peak, year - last) for peak in listed[last]]
        moments = [outside.clock.unix_s(peak, f"contract {table.name}.peak") for peak in peaks]
        steps = ledger.at(moments)
        if steps.size:  # a year before the horizon has no demand of its own
            kw = ledger.metered_mwh[steps] / ledger.step_h[steps] * here[steps] * KW
            demand[year] = kw.tolist()
    return coincident_peaks(terms, demand, months)


def _moved(peak: datetime | date, years: int) -> datetime | date:
    day = anniversary(date(peak.year, peak.month, peak.day), years)
    return peak.replace(year=day.year, month=day.month, day=day.day)


def _take(table: TakeTable, ledger: Ledger, months: Months) -> Lines:
    start = table.start or months.start
    here = ledger.in_force(table.start, table.end)
    return minimum_take(
        TakeTerms(
            contract_mwh_per_year=table.contract_mwh_per_year.value,
            usd_per_mwh=table.unused_usd_per_mwh.value,
            take_or_pay_frac=frac(table.take_or_pay_percent),
            make_up_years=int(table.make_up_years.value),
            most_frac=frac(table.most_percent) if table.most_percent is not None else None,
            surcharge_usd_per_mwh=table.surcharge_usd_per_mwh.value,
        ),
        taken_mwh=ledger.sums(ledger.metered_mwh * here, months),
        in_force=months.in_force(table.start, table.end),
        year=months.anniversaries(start),
    )
