"""The tables of `perwatt yield` for one site: its blocks, money, plan, losses and devices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.cli.output import plain, say, short
from bench.cli.table import print_table
from bench.cli.yield_.storage import print_storage, storage_money
from bench.cli.yield_.warnings import lessens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.dispatch.year import BlockYear, SiteYear
    from sites.market.device_rate import DeviceRate
    from sites.model import Site

UNITS = {"hash": "EH", "token": "G tokens", "gpu_hour": "GPU-hours", "kw_month": "kW-months"}
CONFIDENCE = {"two_sources": "2 sources", "one_source": "1 source", "unverified": "unverified"}


def print_site(year: SiteYear) -> None:
    """Print one site: yields, net revenue, the plan of each part, the losses, and the devices."""
    from bench.cli.yield_.perspective import print_perspective
    from sites.dispatch.year import summarise
    from sites.perspective.blocks import net_after_capital_usd, perspectives

    summary = summarise(year)
    items = perspectives(year)
    first = datetime.fromtimestamp(year.site.start_s, tz=UTC).strftime("%Y-%m-%d %H:%M")
    sources = {block.name: block for block in year.site.blocks}
    print_table(
        [
            "block",
            "device",
            "rate",
            "count",
            "mean MW",
            "output/day",
            "revenue USD",
            "power USD",
            "USD/MWh (facility)",
            "after capital USD",
        ],
        [
            [
                block.name,
                sources[block.name].rate.name,
                _origin(sources[block.name].rate),
                f"{sources[block.name].count:,.0f}",
                plain(block.facility_mwh / year.hours, 3),
                output_per_day(block, year.hours),
                short(block.revenue_usd),
                short(block.energy_usd),
                plain(block.revenue_usd / block.facility_mwh) if block.facility_mwh > 0 else "-",
                "-" if item.after_capital_usd is None else short(item.after_capital_usd),
            ]
            for block, item in zip(year.blocks, items, strict=True)
        ],
        title=f"{summary.site}: {year.hours} hours{_steps(year)} from {first} UTC; output and USD are modelled",
        right=(3, 4, 5, 6, 7, 8, 9),
    )
    if sold := ", ".join(_sold_per_day(year)):
        say(sold)
    if summary.metered_mwh > 0:
        say(
            f"revenue {plain(summary.revenue_usd_per_mwh)} USD/MWh, after power {plain(summary.margin_usd_per_mwh)}, "
            f"for {plain(summary.metered_mwh, 6)} MWh at the meter"
        )
    _print_money(year)
    print_storage(year)
    after_capital = net_after_capital_usd(year)
    if after_capital is not None:
        say(f"net after capital {plain(after_capital)} USD")
    print_token_tags(year)
    print_perspective(items)
    if summary.kg_per_btc is not None or summary.kg_per_mtok is not None:
        parts = [f"{plain((summary.carbon_kg or 0.0) / 1000.0)} t CO2 per year"]
        if summary.kg_per_btc is not None:
            parts.append(f"{plain(summary.kg_per_btc)} kg per BTC")
        if summary.kg_per_mtok is not None:
            parts.append(f"{plain(summary.kg_per_mtok)} kg per million tokens")
        say(", ".join(parts))
    if summary.difficulty_assumed_frac > 0 and year.site.mining:
        say(f"difficulty is assumed for {summary.difficulty_assumed_frac:.0%} of the hours: {summary.difficulty_path}")
    for note in year.site.notes:
        say(note)
    say(
        "USD/MWh (facility): revenue per MWh that the facility takes. MWh in the tables below: at nameplate efficiency."
    )
    say()
    _print_plan(year)
    _print_points(year)
    _print_waterfalls(year)
    _print_devices(year)


def _steps(year: SiteYear) -> str:
    """Return the length of the steps, if they are shorter than hours."""
    calendar = year.site.calendar
    return "" if calendar.steps == calendar.hours else f" in steps of {calendar.step_s // 60} minutes"


def print_token_tags(year: SiteYear) -> None:
    """Print the five tags of each inference block, which define its tokens per MWh."""
    for block in year.site.inference:
        tags = block.rate.tags
        if tags is not None:
            say(
                f"{block.name}: {tags.token_basis} tokens, {tags.lengths} in:out, latency limit {tags.latency_limit}, "
                f"{tags.boundary} power {tags.power_kind}{_interval(block.rate.power_w, block.rate.power_interval_w)}"
            )


def _origin(rate: DeviceRate) -> str:
    """Return basis, interval, confidence and codes of a rate: measured ± 1.2 %, 1 source, unstable."""
    codes = (code for code in rate.codes if lessens(code))
    interval = _interval(rate.rate_per_s, rate.rate_interval_per_s)
    return ", ".join([f"{rate.basis}{interval}", CONFIDENCE[rate.confidence], *codes])


def _interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return ""
    below, above = (abs(end / value - 1.0) * 100.0 for end in interval)
    if abs(above - below) <= 0.1 * max(above, below):
        return f" ± {(above + below) / 2.0:.2g} %"
    return f" -{below:.2g} % +{above:.2g} %"


def _sold_per_day(year: SiteYear) -> Iterator[str]:
    """Yield bitcoin and tokens a day, each only of a site that sells it."""
    from sites.dispatch.year import summarise

    summary = summarise(year)
    if year.site.mining:
        yield f"{plain(summary.btc_per_day)} BTC/day"
    if sells_tokens(year.site):
        yield f"{plain(summary.tokens_per_day / 1e9)} G tokens/day"


def sells_tokens(site: Site) -> bool:
    """Return whether a block of a site sells tokens, and not GPU-hours or kilowatts."""
    return any(block.priced_per == "token" for block in site.inference)


def output_per_day(block: BlockYear, hours: int) -> str:
    """Return what a block sells a day, in the unit that it is sold in."""
    days = hours / 24
    if block.btc is not None:
        return f"{plain(block.btc / days)} BTC"
    scale = 1e9 if block.unit == "token" else 1.0
    return f"{plain(block.units / days / scale)} {UNITS[block.unit]}"


def _print_money(year: SiteYear) -> None:
    lines = [
        ("revenue", year.revenue_usd),
        ("power", -year.energy_usd),
        ("curtailment programme", year.credits_usd),
        ("penalties", -year.penalty_usd),
        ("fixed cost", -year.fixed_usd),
        *storage_money(year),
    ]
    signed = [("+" if value >= 0 else "-", name, plain(abs(value))) for name, value in lines if value != 0.0]
    shown = " ".join(" ".join(parts) for parts in signed)
    inside = [
        f"{name} {plain(value)}"
        for name, value in (
            ("demand charge", year.demand_charge_usd),
            ("resale revenue", year.resale_usd),
            ("battery", year.storage.power_usd if year.storage else 0.0),
        )
        if value != 0.0
    ]
    within = f" (power includes {', '.join(inside)})" if inside else ""
    sum_of = f" = {shown.removeprefix('+ ')}{within}" if shown else ""
    nothing = f": nothing runs; {_why_nothing_runs(year)}" if year.metered_mwh <= 0 else ""
    say(f"net {plain(year.net_usd)} USD{sum_of}{nothing}; excludes hardware and financing")


def _why_nothing_runs(year: SiteYear) -> str:
    """Return the reasons why no part draws power, each with its hours, the most frequent first."""
    from sites.dispatch.columns import PRICE, REASONS, WAITS

    _, why, _ = year.in_hours()
    counted = year.site.calendar.hours_where
    hours = {code: counted((why == code).any(axis=1)) for code in range(len(REASONS)) if code != WAITS}
    words = {**dict(enumerate(REASONS)), PRICE: "power costs more than the output is worth"}
    stated = sorted((code for code, count in hours.items() if count), key=lambda code: -hours[code])
    return ", ".join(
        f"{words[code]} in {'all ' if hours[code] == year.hours else ''}{hours[code]:,.10g} hours" for code in stated
    )


def _print_plan(year: SiteYear) -> None:
    from sites.planners.plan import part_plans

    print_table(
        ["part", "mean MW", "hours at full power", "reasons for less"],
        [
            [
                plan.part,
                f"{plan.mean_mw:.3g}",
                f"{plan.full_frac:.1%}",
                ", ".join(f"{reason} {share:.1%}" for reason, share in plan.less),
            ]
            for plan in part_plans(year)
        ],
        title="Plan of each part (MW at the device)",
        right=(1, 2),
    )


def _print_points(year: SiteYear) -> None:
    """Print the operating points of each block that has a curve: how much each is used, or why it is not."""
    from sites.dispatch.parts import point_shares

    for block in year.site.inference:
        if block.curve is None:
            continue
        shares = iter(point_shares(year, block))
        print_table(
            ["load", "tok/s", "W", "J/token", "95 % interval", "share of the GPU-hours"],
            [
                [
                    point.load,
                    f"{plain(point.rate.rate_per_s)}{_interval(point.rate.rate_per_s, point.rate.rate_interval_per_s)}",
                    plain(point.rate.power_w or 0.0),
                    plain(point.rate.energy_j_per_unit or 0.0),
                    " to ".join(map(plain, point.energy_interval_j_per_token or ())) or "-",
                    f"not used: {why}" if why else f"{next(shares):.1%}",
                ]
                for point, why in block.curve.points
            ],
            title=f"Operating points of {block.name}, one device each",
            right=(1, 2, 3),
        )
        for words in block.curve.invalid:
            say(f"{block.name}: no point: {words}")


def _print_waterfalls(year: SiteYear) -> None:
    from sites.dispatch.waterfall import waterfalls

    for fall in waterfalls(year):
        print_table(
            ["step", "kind", "remaining", "MWh", "USD remaining", "USD", "stage"],
            [
                [
                    step.name,
                    step.kind,
                    "" if index == 0 or _unmeasured(year, fall.product, index) else f"{step.factor:.2%}",
                    short(step.mwh),
                    "" if index == 0 or _unmeasured(year, fall.product, index) else f"{step.factor_usd:.2%}",
                    short(step.usd),
                    step.reaches,
                ]
                for index, step in enumerate(fall.steps)
                if step.reaches or abs(step.factor_usd - 1.0) > 5e-7
            ],
            title=f"{fall.product}: from nameplate to sold",
            right=(2, 3, 4, 5),
        )


def _unmeasured(year: SiteYear, product: str, index: int) -> bool:
    """Return whether the step "measured against rated" does not apply, because no block has a measured rate."""
    if index != 1:
        return False
    if product == "mining":
        return all(block.rated is None for block in year.site.mining)
    return all(block.rated_tokens_per_s is None for block in year.site.inference)


def _print_devices(year: SiteYear) -> None:
    for block in year.site.blocks:
        rate = block.rate
        say(
            f"{block.name}: {rate.name}, rate {rate.basis}, power {rate.power_basis} at the {rate.boundary}, "
            f"{rate.confidence}; {rate.source}"
            + (f"; plan {rate.plan}" if rate.plan else "")
            + (f"; codes {', '.join(rate.codes)}" if rate.codes else "")
        )
