"""The part of section 2 for ASIC miners: verified by shares, displayed by the firmware, and the checks behind."""

from typing import TYPE_CHECKING

from bench.quantity import plain, quantity, rate
from bench.report.blocks import Cell, Chip, Table
from bench.report.selection import latest
from bench.report.text import metric_interval

if TYPE_CHECKING:
    from bench.report.gather import Gathered
    from bench.results.evidence.miner import Displayed, MinerEvidence
    from bench.results.record import Metric, Record

Row = tuple[Cell, ...]
_TIER_D = Chip("displayed, tier D", "warn")


def tables(gathered: "Gathered") -> list[Table]:
    """Return one table for each miner of the page."""
    miners = [(record, record.miner) for record in latest(gathered.valid) if record.miner is not None]
    return [_table(number, record, part) for number, (record, part) in enumerate(miners)]


def _table(number: int, record: "Record", part: "MinerEvidence") -> Table:
    shares = part.shares
    return Table(
        f"miner-{number}",
        f"{record.device.name}: measured and displayed",
        ("Quantity", "Figure", "95 % interval, or ratio", "From"),
        (
            *_measured(record, part),
            *(_displayed(record, one) for one in part.displayed),
            _row("Shares", _classes(part), f"{shares.refused_frac:.2%} refused", _session(part)),
            _row("Uniformity", *_uniformity(part)),
            _row("Temperatures", _temperatures(part), "", "mean over the windows; ambient as stated"),
            _row("Firmware", _firmware(record, part), "", f"{part.readings:,} readings during the windows"),
        ),
        numeric=frozenset({1}),
        roomy=frozenset({3}),
        note="Shares are verified with our own double SHA-256. What the firmware displays is tier D: it stands apart "
        "and enters no other figure of this page.",
    )


def _row(quantity_: str, figure: str, ratio: str, source: str, *chips: Chip) -> Row:
    return Cell(quantity_), Cell(figure, chips=chips), Cell(ratio or "-"), Cell(source)


def _measured(record: "Record", part: "MinerEvidence") -> list[Row]:
    shares = part.shares
    label = Chip("verified by shares", "good") if shares.verified_by_shares else Chip("not verified by shares", "bad")
    behind = f"{shares.valid:,} shares of difficulty {shares.difficulty:g} in {len(record.windows)} windows"
    rows = [_of_metric("Hash rate", record.rate, behind, label)] if record.rate is not None else []
    power, energy = record.power, record.energy_per_unit
    if power is None or energy is None:
        return [*rows, _row("Power", "", "", "no meter: rate only", Chip("not metered", "warn"))]
    by = f"{power.meter}, tier {power.tier} at the {power.boundary}"
    return [*rows, _of_metric("Power", power, by), _of_metric("Energy of 10¹² hashes", energy, by)]


def _of_metric(name: str, metric: "Metric", source: str, *chips: Chip) -> Row:
    shown = f"{plain(metric.value)} W" if metric.unit == "W" else quantity(metric.value, metric.unit)
    return _row(name, shown, metric_interval(metric), source, *chips)


def _displayed(record: "Record", shown: "Displayed") -> Row:
    how = "mean" if shown.method == "mean_of_readings" else "difference"
    source = f"{shown.raw_key}: {shown.kind.replace('_', ' ')}, {how} of {shown.readings:,} readings"
    if shown.quantity == "rate":
        ratio = f"verified is {_over(record.rate, shown.value)} of it" if record.rate is not None else ""
        return _row("Hash rate", rate(shown.value, "hash/s"), ratio, source, _TIER_D)
    wall = record.power if record.power is not None and record.power.boundary == "wall" else None
    ratio = f"the wall draws {_over(wall, shown.value)} of it" if wall is not None else ""
    return _row("Power", f"{plain(shown.value)} W", ratio, source, _TIER_D)


def _over(metric: "Metric", displayed: float) -> str:
    """Return a measured figure over a displayed one with the interval of the measured one."""
    ratio, low_high = metric.value / displayed, metric.interval_95
    return f"{ratio:.3f}" + (f" ({low_high[0] / displayed:.3f} to {low_high[1] / displayed:.3f})" if low_high else "")


def _classes(part: "MinerEvidence") -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in part.shares.by_class.items()) or "none"


def _session(part: "MinerEvidence") -> str:
    connections = f"{part.session.connections} connection{'' if part.session.connections == 1 else 's'}"
    return f"{part.session.user_agent or 'no user agent'}, {connections}"


def _uniformity(part: "MinerEvidence") -> tuple[str, str, str]:
    test = part.shares.uniformity
    verdict = "uniform" if test.uniform else "not uniform: shares are missing"
    return verdict, f"p {test.ks_p:.2g}", f"hash over target up to {test.largest:.4g}"


def _temperatures(part: "MinerEvidence") -> str:
    return ", ".join(f"{place} {value:.1f} °C" for place, value in part.temperatures_c.items()) or "not known"


def _firmware(record: "Record", part: "MinerEvidence") -> str:
    settings = record.device.settings
    words = [str(settings.get(key) or "") for key in ("firmware", "firmware_version")]
    return " ".join(filter(None, (*words, part.mode))) or "not read"
