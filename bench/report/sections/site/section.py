"""Section 5 of the page: the sites' year, a week of dispatch, duration curves, waterfalls and assumptions."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bench.diagnostics import TABLE, Effect
from bench.quantity import plain, si
from bench.report.blocks import Block, Cell, Chip, Missing, Section, Table, figure_cell
from bench.report.charts.svg import COLOURS, Chart, Mark, render
from bench.report.sections.site.block_tables import blocks_table, perspective_table
from bench.report.sections.site.megawatt import megawatt_blocks
from bench.report.text import basis_chip, confidence_chips, plus_minus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.report.gather import Gathered
    from sites.dispatch.waterfall import Step, Waterfall
    from sites.dispatch.year import SiteYear
    from sites.market.device_rate import DeviceRate
    from sites.model import InferenceBlock, MiningBlock

DRAWN = 3
"""Number of sites whose charts a page draws; the table has every site."""
_ASSUMED = ("assumption", "unknown", "")


def section(gathered: "Gathered") -> Section:
    """Return the section of sites."""
    blocks: list[Block] = []
    if not gathered.sites:
        blocks.append(Missing("Sites", "no site was named"))
    else:
        blocks.extend((blocks_table(gathered.sites), perspective_table(gathered.sites)))
        blocks.extend(megawatt_blocks(gathered.megawatts))
    for number, year in enumerate(gathered.sites[:DRAWN]):
        blocks.extend(_charts(number, year))
    if len(gathered.sites) > DRAWN:
        blocks.append(Missing("More sites", f"charts are drawn for the first {DRAWN} of {len(gathered.sites)}"))
    if gathered.sites:
        blocks.extend((*_uncertainty(gathered), _assumptions(gathered), _devices(gathered)))
    return Section(
        "site",
        "The site: what a megawatt earns",
        "In every hour each megawatt mines, serves inference or stays off, whichever earns most after the cost of "
        "power. These figures are modelled; they are as good as the assumptions below.",
        tuple(blocks),
    )


def _charts(number: int, year: "SiteYear") -> list[Block]:
    from hardware_profiles.errors import InputError

    try:
        charts: list[Block] = [_week(number, year), _durations(number, year)]
    except InputError as fault:
        charts = [Missing(f"Dispatch of {year.site.name}", str(fault))]
    from sites.dispatch.waterfall import waterfalls

    charts.extend(_waterfall(f"waterfall-{number}-{falls.product}", year, falls) for falls in waterfalls(year))
    return charts


def _week(number: int, year: "SiteYear") -> Chart:
    from sites.dispatch.columns import REASONS
    from sites.hours.calendar import WEEK_HOURS
    from sites.plots import year as year_plots

    first = year_plots.busiest_week(year)
    drawn, price = year_plots.metered_mw(year), year_plots.prices(year)
    changes = len({tuple(row) for row in drawn[first : first + WEEK_HOURS].round(6).tolist()})
    summary = (
        f"{year.site.name}: megawatts by block in the week with the most changes ({changes} distinct hours), with "
        "the site's limit; the power price below."
    )

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        year_plots.dispatch_week(upper, year, COLOURS, first)
        year_plots.price_week(lower, year, COLOURS, first)
        upper.legend(loc="lower left", ncols=1 if narrow else 4, bbox_to_anchor=(0.0, 1.0))
        if narrow:
            lower.set_xticklabels([label.get_text().split()[0] for label in lower.get_xticklabels()])
        step = 6 if narrow else 2
        marks = []
        for hour in range(first, min(first + WEEK_HOURS, year.hours), step):
            does = [
                f"{label.text}: {drawn[hour, index]:.1f} MW"
                + (f" ({REASONS[year.dispatch.why[hour, index]]})" if year.dispatch.why is not None else "")
                for index, label in enumerate(year.labels)
            ]
            text = " · ".join([f"{_when(year, hour)}", f"{price[hour]:.2f} USD/MWh", *does])
            at = (hour - first) / 24.0
            marks.append(Mark(upper, at, 0.0, text, x_to=at + step / 24.0))
        return marks

    return render(f"week-{number}", "A week of dispatch", summary, draw, heights=(460.0, 460.0))


def _when(year: "SiteYear", hour: int) -> str:
    from datetime import UTC, datetime

    from sites.hours.calendar import zone

    moment = datetime.fromtimestamp(year.site.start_s + hour * 3600, tz=UTC).astimezone(zone(year.site.timezone))
    return f"{moment:%a %d %b %H:%M} local"


def _durations(number: int, year: "SiteYear") -> Chart:
    from sites.plots import year as year_plots

    price = year_plots.prices(year)
    drawn = year_plots.metered_mw(year).sum(axis=1)
    flat = float(price.max() - price.min()) < 1e-9
    summary = (
        f"{year.site.name}: power price from the highest hour to the lowest ({price.max():,.0f} to "
        f"{price.min():,.0f} USD/MWh{', flat' if flat else ''}) with the value of one more MWh in each part, and the "
        f"power drawn from the highest hour to the lowest ({drawn.max():,.1f} to {drawn.min():,.1f} MW)."
    )

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:
        upper, lower = figure.subplots(2, 1) if narrow else figure.subplots(1, 2)
        year_plots.price_duration(upper, year, COLOURS)
        year_plots.load_duration(lower, year, COLOURS)
        for axes in (upper, lower):
            axes.set_xlabel("per cent of the year's hours")
            axes.xaxis.set_major_formatter("{x:.0f}")
        lower.legend(loc="lower left")
        marks = []
        for axes, values in ((upper, sorted(price, reverse=True)), (lower, sorted(drawn, reverse=True))):
            unit = "USD/MWh" if axes is upper else "MW"
            for share in range(0, 100, 5):
                level = float(values[int(share / 100 * len(values))])
                marks.append(
                    Mark(axes, share, 0.0, f"{share} % of the hours are above {level:,.2f} {unit}", x_to=share + 5)
                )
        return marks

    return render(f"durations-{number}", "Duration curves", summary, draw, heights=(330.0, 560.0))


def _waterfall(key: str, year: "SiteYear", falls: "Waterfall") -> Chart:
    from sites.plots import year as year_plots

    first, last = falls.steps[0], falls.steps[-1]
    left = last.mwh / first.mwh if first.mwh else 0.0
    summary = (
        f"{year.site.name}, {falls.product}: {left:.1%} of the nameplate energy is sold, for "
        f"{si(falls.sold_usd, 'USD')} a year. Blue is physical, amber commercial, red economic."
    )
    shown = [
        step for index, step in enumerate(falls.steps) if index == 0 or abs(step.factor - 1.0) > year_plots.NEGLIGIBLE
    ]

    def draw(figure: "Figure", narrow: bool) -> Iterable[Mark]:  # noqa: ARG001 (Draw's signature)
        axes = figure.subplots()
        year_plots.waterfall(axes, falls, COLOURS)
        axes.grid(visible=False, axis="y")
        return [
            Mark(axes, 0.0, place - 0.4, _step_text(step),
                 x_to=axes.get_xlim()[1], y_to=place + 0.4)
            for place, step in enumerate(shown)
        ]  # fmt: skip

    height = 90.0 + 28.0 * (len(shown) + 1)
    return render(key, f"From nameplate to sold: {falls.product}", summary, draw, heights=(height, height))


def _step_text(step: "Step") -> str:
    stage = f", to the stage {step.reaches}" if step.reaches else ""
    return (
        f"{step.name} ({step.kind}{stage}) · keeps {step.factor:.2%} · {step.mwh:,.0f} MWh remaining · "
        f"worth {step.usd:,.0f} USD"
    )


def _uncertainty(gathered: "Gathered") -> list[Block]:
    from bench.report.sections.site.scenarios import scenario_blocks

    if gathered.outlook is not None:
        return scenario_blocks(gathered.outlook)
    reason = "no scenarios were run, so the figures above have no spread; `perwatt report --scenarios 2000` runs them"
    return [Missing("P50, P90 and their drivers", reason)]


def _assumptions(gathered: "Gathered") -> Table:
    many = len(gathered.sites) > 1
    rows = []
    for year in gathered.sites:
        for one in year.site.assumptions:
            value = f"{one.value:,g}" if isinstance(one.value, float) else one.value
            assumed = one.source.strip().casefold() in _ASSUMED
            rows.append((
                Cell(one.key, note=year.site.name if many else ""),
                figure_cell(value, one.value if isinstance(one.value, float) else None),
                Cell("" if assumed else one.source, one.source, (basis_chip("assumed"),) if assumed else ()),
                Cell(one.date),
            ))  # fmt: skip
    return Table(
        "assumptions",
        f"Inputs and assumptions: {len(rows)} values",
        ("Key", "Value", "Source", "Date"),
        tuple(rows),
        frozenset({1}),
        sortable=True,
        roomy=frozenset({2}),
        note="A value without a source is an assumption of perwatt or of the site file. After the last known "
        "difficulty: "
        + "; ".join(dict.fromkeys(f"{y.site.path.label()} ({y.assumed_frac:.0%} of the hours)" for y in gathered.sites))
        + ".",
    )


def _codes(rate: "DeviceRate") -> Iterator[Chip]:
    """Yield the chips of a result's plan and of the codes that it was measured with."""
    if rate.plan:
        yield Chip(f"plan {rate.plan}")
    yield from (Chip(code, "warn") for code in rate.codes if TABLE[code].effect is not Effect.NOTE)


def _devices(gathered: "Gathered") -> Table:
    blocks: list[tuple[SiteYear, MiningBlock | InferenceBlock]] = []
    for year in gathered.sites:
        blocks.extend((year, block) for block in year.site.mining)
        blocks.extend((year, block) for block in year.site.inference)
    rows = [
        (
            Cell(block.name, note=year.site.name),
            Cell(rate.name),
            figure_cell(f"{block.count:,.0f}", block.count, note=rate.units_words(block.count)),
            Cell(
                "",
                rate.basis,
                (basis_chip(rate.basis), *confidence_chips(rate.confidence), *_codes(rate)),
                note=plus_minus(rate.rate_per_s, rate.rate_interval_per_s, ""),
            ),
            figure_cell(f"{plain(rate.power_w)} W" if rate.power_w else "-", rate.power_w, Chip(rate.boundary)),
            Cell("", rate.power_basis or "", (basis_chip(rate.power_basis),) if rate.power_basis else ()),
            Cell(rate.source),
        )
        for year, block in blocks
        for rate in (block.rate,)
    ]
    columns = ("Block", "Device", "Count", "Rate", "Power", "Power basis", "Source")
    return Table(
        "site-devices",
        "The sites' devices",
        columns,
        tuple(rows),
        frozenset({2, 4}),
        sortable=True,
        roomy=frozenset({6}),
    )
