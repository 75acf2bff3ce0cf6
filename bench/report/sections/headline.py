"""Section 1 of the page: the headline figures of each product, with basis and uncertainty."""

from typing import TYPE_CHECKING

from bench.quantity import plain, rate, si
from bench.report.blocks import Block, Card, Cards, Chip, Missing, Section
from bench.report.text import (
    basis_chip,
    confidence_chips,
    energy_per_unit_text,
    metric_interval,
    plus_minus,
    ratio_interval,
)
from bench.results.evidence.endpoint import has_random_weights

if TYPE_CHECKING:
    from bench.fleet.study import Fleet
    from bench.report.gather import Gathered
    from bench.results.record import Metric, Record
    from sites.dispatch.year import BlockYear, SiteYear
    from sites.market.device_rate import DeviceRate
    from sites.model import InferenceBlock, MiningBlock

_WORK = {"hash": ("Bitcoin mining", "mining"), "token": ("AI inference", "inference")}
_SMOKE = "smoke"
_HOW_TO_METER = "name a meter (--meter shelly:HOST) or state a power (--watts)"


def title(gathered: "Gathered") -> str:
    """Return the page's title: the measured devices, or the site."""
    devices = list(dict.fromkeys(record.device.name for record in gathered.records))
    if len(devices) == 1:
        return f"{devices[0]}: what a megawatt is worth"
    if devices:
        return f"{len(devices)} devices: what a megawatt is worth"
    return f"{gathered.sites[0].site.name}: what a megawatt is worth" if gathered.sites else "What a megawatt is worth"


def lead(gathered: "Gathered") -> str:
    """Return the sentence below the title: the number of results, their dates, and the sites."""
    valid, every = len(gathered.valid), len(gathered.results) + len(gathered.unreadable)
    metered = sum(1 for record in gathered.valid if record.energy_per_unit is not None)
    parts = [f"{_count(every, 'stored result')}, {valid} valid, {metered} with measured energy"]
    if gathered.records:
        first = min(record.run.started_utc for record in gathered.records)
        last = max(record.run.started_utc for record in gathered.records)
        days = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
        parts.append(f"measured {days}")
    parts.extend(f"site {year.site.name}" for year in gathered.sites[:3])
    return "; ".join(parts) + "."


def section(gathered: "Gathered", whole: "Fleet") -> Section:
    """Return the headline; `whole` has the units of each model among the results."""
    year = gathered.sites[0] if gathered.sites else None
    cards = [
        _energy_card("hash", gathered, whole, year),
        _energy_card("token", gathered, whole, year),
        *(_value_card(product, year, gathered) for product in ("mining", "inference") if year is not None),
    ]
    shown = tuple(card for card in cards if isinstance(card, Card))
    missing = tuple(card for card in cards if isinstance(card, Missing))
    blocks: tuple[Block, ...] = (*((Cards(shown),) if shown else ()), *missing)
    if year is None:
        blocks = (*blocks, Missing("Revenue", "no site was named"))
    return Section(
        "headline",
        "The headline",
        "Energy per unit of each product, and revenue per megawatt-hour. Each figure names its basis and, if it was "
        "measured, its 95 % interval.",
        blocks,
    )


def _energy_card(unit: str, gathered: "Gathered", whole: "Fleet", year: "SiteYear | None") -> Card | Missing:
    product, tone = _WORK[unit]
    planned = _planned(unit, year)
    records = [r for r in gathered.valid if r.workload.unit == unit and not has_random_weights(r.device)]
    records = [record for record in records if record.run.plan != _SMOKE] or records
    pairs = sorted(_with_energy(records), key=lambda pair: (pair[0].imported_from is not None, pair[1].value))
    best = pairs[0] if pairs else None
    quantity = f"energy per {'10¹² hashes' if unit == 'hash' else 'token'}"
    if best is not None:
        record, metric = best
        number, in_unit = energy_per_unit_text(metric.value, metric.unit)
        count, of_units = _units_of(record, metric, whole)
        return Card(
            product,
            quantity,
            number,
            in_unit,
            (
                Chip("measured", "measured"),
                Chip(f"{metric.boundary}, tier {metric.tier}"),
                *((Chip(f"best of {count} units", "warn"),) if count > 1 else ()),
                *((Chip("plan smoke: not comparable", "warn"),) if record.run.plan == _SMOKE else ()),
                *((Chip(f"imported from {record.imported_from}", "warn"),) if record.imported_from is not None else ()),
            ),
            metric_interval(metric),
            (
                f"{record.device.name}, {record.workload.variant or record.workload.name}",
                *of_units,
                *_planned_line(planned),
            ),
            tone,  # type: ignore[arg-type]
        )
    state = _unmetered_line(records, product)
    if planned is None or planned.energy_j_per_unit is None:
        return Missing(f"{product}: {quantity}", state)
    number, in_unit = energy_per_unit_text(planned.energy_j_per_unit, f"J/{unit}")
    return Card(
        product,
        quantity,
        number,
        in_unit,
        (_origin(planned), *confidence_chips(planned.confidence), Chip(f"{planned.boundary} power")),
        _device_interval(planned),
        (f"{planned.name}, the site's device{_tags(planned)}", state),
        tone,  # type: ignore[arg-type]
    )


def _units_of(record: "Record", metric: "Metric", whole: "Fleet") -> tuple[int, tuple[str, ...]]:
    """Return how many units of the record's model have this figure, and the lines that say how the best one stands."""
    kind = ("energy", metric.boundary, metric.tier)
    for study in whole.studies:
        if (study.kind.group, study.kind.boundary, study.kind.tier) != kind or study.spread is None:
            continue
        if any(record.id in one.records for one in study.units):
            number, in_unit = energy_per_unit_text(study.spread.mean, metric.unit)
            covered = tuple(f"{coverage.lab}: {coverage.line()}" for coverage in whole.coverages)
            return len(study.units), (
                f"mean of the {len(study.units)} units: {number} {in_unit} (section Fleet)",
                *covered,
            )
    return 1, ()


def _value_card(product: str, year: "SiteYear", gathered: "Gathered") -> Card | Missing:
    blocks = [block for block in year.blocks if block.product == product]
    mwh = sum(block.facility_mwh for block in blocks)
    if mwh <= 0:
        reason = "no hour earned the price of its power" if blocks else f"the site has no {product}"
        return Missing(f"A megawatt-hour of {product}", f"{reason} ({year.site.name})")
    revenue, energy = sum(block.revenue_usd for block in blocks), sum(block.energy_usd for block in blocks)
    largest = max(blocks, key=lambda block: block.facility_mwh)
    device = _rate_of(year, largest)
    interval = None if device is None or len(blocks) > 1 else _per_joule(device, revenue / mwh)
    return Card(
        f"A megawatt-hour of {product}",
        "revenue per MWh (facility)",
        plain(revenue / mwh),
        "USD/MWh",
        (basis_chip("modelled"), *((_origin(device, "rate "),) if device else ())),
        _spread(product, gathered) or plus_minus(revenue / mwh, interval, _why_no_interval(device, len(blocks))),
        (
            f"{plain((revenue - energy) / mwh)} USD/MWh after energy{_after_capital(product, year, mwh)}",
            f"{_made(blocks, year)}; {year.site.name}; prices and difficulty are assumptions (listed below)",
        ),
        "mining" if product == "mining" else "inference",
    )


def _after_capital(product: str, year: "SiteYear", mwh: float) -> str:
    """Return what remains of the product's MWh after the cost of capital, in words."""
    from sites.perspective.blocks import perspectives

    amounts = [item.after_capital_usd for item in perspectives(year) if item.year.product == product]
    known = [amount for amount in amounts if amount is not None]
    return f", {plain(sum(known) / mwh)} after capital" if len(known) == len(amounts) else ", capital cost unknown"


def _spread(product: str, gathered: "Gathered") -> str:
    """Return P50 and P90 of the product's MWh, where scenarios were run for the one site of the page."""
    if gathered.outlook is None or len(gathered.sites) != 1:
        return ""
    spread, count = gathered.outlook.fleet[f"{product}_usd_per_mwh"], gathered.outlook.run.scenarios
    return f"P50 {plain(spread.p50)}, P90 {plain(spread.p90)} over {count:,} scenarios" if spread else ""


def _origin(device: "DeviceRate", of: str = "") -> Chip:
    """Return the chip of a site's device: its basis, and whether a measurement is ours or published."""
    basis = basis_chip(device.basis)
    if device.basis != "measured":
        return Chip(f"{of}{basis.text}", basis.tone)
    by = "" if device.source.startswith("measured here") else ", published"
    return Chip(f"{of}measured{by}", "measured")


def _made(blocks: "list[BlockYear]", year: "SiteYear") -> str:
    days = year.hours / 24
    btc = sum(block.btc or 0.0 for block in blocks)
    if btc:
        return f"{plain(btc / days)} BTC a day"
    tokens = sum(block.units for block in blocks if _unit(block, year) == "token")
    return f"{si(tokens / days, '').strip()} tokens a day" if tokens else "no tokens sold"


def _unit(block: "BlockYear", year: "SiteYear") -> str:
    rated = _rate_of(year, block)
    return getattr(block, "unit", rated.unit if rated else "")


def _with_energy(records: "list[Record]") -> "list[tuple[Record, Metric]]":
    pairs = ((record, record.energy_per_unit) for record in records)
    return [(record, metric) for record, metric in pairs if metric is not None]


def _unmetered_line(records: "list[Record]", product: str) -> str:
    records = [record for record in records if record.imported_from is None]
    if not records:
        return f"measured here: no valid result for {product} on this page"
    newest = records[-1]
    metric = newest.rate
    shown = f"{rate(metric.value, metric.unit)} {metric_interval(metric)}" if metric else "no rate"
    if newest.assumed_power_w is None or metric is None:
        return f"measured here: {shown}, not metered, so no energy; {_HOW_TO_METER}"
    number, in_unit = energy_per_unit_text(newest.assumed_power_w.power_w / metric.value, f"J/{newest.workload.unit}")
    watts = newest.assumed_power_w
    assumed = f"with an assumed {watts.power_w:g} W ({watts.boundary}) that would be {number} {in_unit}"
    return f"measured here: {shown}; {assumed}"


def _planned(unit: str, year: "SiteYear | None") -> "DeviceRate | None":
    if year is None:
        return None
    blocks = year.site.mining if unit == "hash" else year.site.inference
    return next((block.rate for block in blocks if block.rate.unit == unit), None)


def _planned_line(planned: "DeviceRate | None") -> tuple[str, ...]:
    if planned is None or planned.energy_j_per_unit is None:
        return ()
    number, unit = energy_per_unit_text(planned.energy_j_per_unit, f"J/{planned.unit}")
    return (f"The site's device: {planned.name}, {number} {unit}, {planned.basis}, {planned.boundary} power",)


def _tags(planned: "DeviceRate") -> str:
    tags = planned.tags
    if tags is None:
        return ""
    return (
        f"; {tags.token_basis} tokens, {tags.lengths} in:out, latency limit {tags.latency_limit}, "
        f"{tags.boundary} power {tags.power_kind}"
    )


def _rate_of(year: "SiteYear", block: "BlockYear") -> "DeviceRate | None":
    blocks: tuple[MiningBlock | InferenceBlock, ...] = (*year.site.mining, *year.site.inference)
    return next((one.rate for one in blocks if one.name == block.name), None)


def _per_joule(device: "DeviceRate", value: float) -> tuple[float, float] | None:
    """Return the interval of a value per joule from those of the device's rate and power."""
    if device.power_w is None:
        return None
    parts = [(device.rate_per_s, device.rate_interval_per_s), (device.power_w, device.power_interval_w)]
    return ratio_interval(value, parts)


def _device_interval(device: "DeviceRate") -> str:
    value = device.energy_j_per_unit or 0.0
    return plus_minus(value, _per_joule(device, value), _why_no_interval(device, 1))


def _why_no_interval(device: "DeviceRate | None", blocks: int) -> str:
    if blocks > 1:
        return "no interval: several blocks together"
    if device is None or device.basis != "measured":
        return f"no interval: the rate is {device.basis if device else 'unknown'}, not measured"
    return "no interval: the power was not measured"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
