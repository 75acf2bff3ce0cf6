"""What `perwatt yield` prints for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.cli.output import plain, say, short
from bench.cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.changes import Changes
    from sites.dispatch.year import BlockYear, SiteYear
    from sites.market.device_rate import DeviceRate

EH = 1e18
UNITS = {"hash": "EH", "token": "G tokens", "gpu_hour": "GPU-hours", "kw_month": "kW-months"}
CONFIDENCE = {"two_sources": "2 sources", "one_source": "1 source", "unverified": "unverified"}


def print_site(year: SiteYear) -> None:
    """Print one site: yields, what each loss takes, what it rests on, and the devices."""
    from sites.dispatch.year import summarise

    summary = summarise(year)
    first = datetime.fromtimestamp(year.site.start_s, tz=UTC).strftime("%Y-%m-%d %H:%M")
    sources = {block.name: block for block in year.site.blocks}
    print_table(
        ["block", "device", "rate", "count", "MW mean", "made a day", "revenue USD", "power USD", "USD/MWh buildings"],
        [
            [
                block.name,
                sources[block.name].rate.name,
                _origin(sources[block.name].rate),
                f"{sources[block.name].count:,.0f}",
                plain(block.facility_mwh / year.hours, 3),
                _made(block, year.hours),
                short(block.revenue_usd),
                short(block.energy_usd),
                plain(block.revenue_usd / block.facility_mwh) if block.facility_mwh > 0 else "-",
            ]
            for block in year.blocks
        ],
        title=f"{summary.site}: {year.hours} hours from {first} UTC; amounts and USD are modelled",
        right=(3, 4, 5, 6, 7, 8),
    )
    tokens = f", {plain(summary.tokens_per_day / 1e9)} G tokens/day" if year.site.inference else ""
    say(f"{plain(summary.btc_per_day)} BTC/day{tokens}")
    say(
        f"{plain(summary.revenue_usd_per_mwh)} USD/MWh revenue, {plain(summary.margin_usd_per_mwh)} after power, "
        f"of {plain(summary.metered_mwh, 6)} MWh at the meter"
    )
    _print_money(year)
    print_token_tags(year)
    if summary.kg_per_btc is not None or summary.kg_per_mtok is not None:
        parts = [f"{plain((summary.carbon_kg or 0.0) / 1000.0)} t CO2 in the year"]
        if summary.kg_per_btc is not None:
            parts.append(f"{plain(summary.kg_per_btc)} kg per BTC")
        if summary.kg_per_mtok is not None:
            parts.append(f"{plain(summary.kg_per_mtok)} kg per million tokens")
        say(", ".join(parts))
    if summary.difficulty_assumed_frac > 0:
        say(f"assumed for {summary.difficulty_assumed_frac:.0%} of the hours: {summary.difficulty_path}")
    say("USD/MWh of a block: revenue of a MWh at the buildings. Below, MWh at nameplate efficiency.")
    _print_plan(year)
    _print_waterfalls(year)
    _print_assumptions(year)
    _print_devices(year)


def print_token_tags(year: SiteYear) -> None:
    """Print the five tags of each inference block: without them tokens per MWh mean nothing."""
    for block in year.site.inference:
        tags = block.rate.tags
        if tags is not None:
            say(
                f"{block.name}: {tags.token_basis} tokens, {tags.lengths} in:out, latency limit {tags.latency_limit}, "
                f"{tags.boundary} power {tags.power_kind}"
            )


def _signed(value: float) -> str:
    return f"+{short(value)}" if value > 0 else short(value)


def _origin(rate: DeviceRate) -> str:
    """Basis and confidence of a device's rate: rated, 2 sources."""
    return f"{rate.basis}, {CONFIDENCE[rate.confidence]}"


def _made(block: BlockYear, hours: int) -> str:
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
    ]
    signed = [("+" if value >= 0 else "-", name, plain(abs(value))) for name, value in lines if value != 0.0]
    shown = " ".join(" ".join(parts) for parts in signed)
    inside = [
        f"{name} {plain(value)}"
        for name, value in (("demand charge", year.demand_charge_usd), ("earned by resale", year.resale_usd))
        if value != 0.0
    ]
    within = f" (in power: {', '.join(inside)})" if inside else ""
    say(f"net {plain(year.net_usd)} USD = {shown.removeprefix('+ ')}{within}; machines and money not counted")


def _print_plan(year: SiteYear) -> None:
    from sites.planners.plan import part_plans

    print_table(
        ["part", "MW mean", "hours at full", "less, because"],
        [
            [
                plan.part,
                f"{plan.mean_mw:.3g}",
                f"{plan.full_frac:.1%}",
                ", ".join(f"{reason} {share:.1%}" for reason, share in plan.less),
            ]
            for plan in part_plans(year)
        ],
        title="What each part does (MW at the device)",
        right=(1, 2),
    )


def _print_waterfalls(year: SiteYear) -> None:
    from sites.dispatch.waterfall import waterfalls

    for fall in waterfalls(year):
        print_table(
            ["step", "kind", "left", "MWh", "left of USD", "USD", "reaches"],
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
            title=f"{fall.product}: nameplate to sold",
            right=(2, 3, 4, 5),
        )


def _unmeasured(year: SiteYear, product: str, index: int) -> bool:
    """Whether the step "measured against rated" stands for nothing, because nothing rated was measured."""
    if index != 1:
        return False
    if product == "mining":
        return all(block.rated is None for block in year.site.mining)
    return all(block.rated_tokens_per_s is None for block in year.site.inference)


def _print_assumptions(year: SiteYear) -> None:
    print_table(
        ["key", "value", "source", "date"],
        [
            [a.key, f"{a.value:,g}" if isinstance(a.value, float) else a.value, a.source, a.date]
            for a in year.site.assumptions
        ],
        title="What this rests on",
    )


def _print_devices(year: SiteYear) -> None:
    for block in year.site.blocks:
        rate = block.rate
        say(
            f"{block.name}: {rate.name}, rate {rate.basis}, power {rate.power_basis} at the {rate.boundary}, "
            f"{rate.confidence}; {rate.source}"
        )


def print_fleet(years: Sequence[SiteYear]) -> None:
    """Print many sites: one line each, a region's sites above its sum, and the whole."""
    from sites.dispatch.year import summarise

    def line(name: str, chosen: Sequence[SiteYear]) -> list[str]:
        found = [summarise(year) for year in chosen]
        metered = sum(one.metered_mwh for one in found)
        net = sum(one.net_usd for one in found)
        hashes = sum(block.count * block.rate.rate_per_s for year in chosen for block in year.site.mining)
        return [
            name,
            plain(sum(year.site.interconnect_mw for year in chosen), 4),
            f"{hashes / EH:.2f}",
            plain(sum(one.btc_per_day for one in found)),
            plain(sum(one.tokens_per_day for one in found) / 1e9),
            short(metered),
            plain(sum(one.revenue_usd for one in found) / metered) if metered > 0 else "-",
            short(net),
        ]

    regions: dict[str, list[SiteYear]] = {}
    for year in years:
        regions.setdefault(year.site.region, []).append(year)
    rows = []
    for region, chosen in regions.items():
        rows += [line(year.site.name, [year]) for year in chosen]
        rows.append(line(f"all {len(chosen)} in {region}", chosen))
    rows.append(line(f"all {len(years)} sites", years))
    print_table(
        ["site", "MW", "EH/s", "BTC/day", "G tok/day", "MWh", "USD/MWh", "net USD"],
        rows,
        title=f"{len(years)} sites, one year each (EH/s: deployed)",
        right=tuple(range(1, 8)),
    )
    assumed = max(year.assumed_frac for year in years)
    if assumed > 0:
        say(f"assumed for {assumed:.0%} of the hours: {years[0].site.path.label()}")
    _print_common(years)


def _print_common(years: Sequence[SiteYear]) -> None:
    found: dict[tuple[str, str, str, str], int] = {}
    for year in years:
        for a in year.site.assumptions:
            text = f"{a.value:,g}" if isinstance(a.value, float) else a.value
            key = (a.key, text, a.source, a.date)
            found[key] = found.get(key, 0) + 1
    print_table(
        ["key", "value", "source", "date", "sites"],
        [[*key, str(count)] for key, count in sorted(found.items(), key=lambda item: item[0][0])],
        title="What this rests on",
        right=(4,),
    )


def print_changes(changes: Changes) -> None:
    """Print what changed since a stored run, and which input did it."""
    if changes.changes:
        print_table(
            ["site", "input", "before", "after", "net USD", "BTC/day", "G tok/day"],
            [
                [
                    change.site,
                    change.key,
                    change.before,
                    change.after,
                    _signed(change.net_usd),
                    _signed(change.btc_per_day),
                    _signed(change.tokens_per_day / 1e9),
                ]
                for change in changes.changes
            ],
            title=f"Since {changes.run}: one input after the other",
            right=(4, 5, 6),
        )
    else:
        say(f"Since {changes.run}: no input changed")
    for word, names in (("added", changes.added), ("no longer there", changes.removed)):
        if names:
            say(f"sites {word}: {', '.join(names)}")
