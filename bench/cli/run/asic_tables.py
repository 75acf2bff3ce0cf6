"""The lines of `perwatt run asic`: verified, at the wall, displayed, and the checks behind them."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import counted, j_per_th_with_unit, plain, rate, say
from bench.cli.run.tables import print_notes

if TYPE_CHECKING:
    from bench.results.evidence.miner import MinerEvidence
    from bench.results.record import Metric, Record


def print_asic(record: "Record", store: Path) -> None:
    """Print one measured miner for people."""
    say(f"miner      {record.device.name}, {_firmware(record)}")
    print_miner(record)
    print_notes([record])
    say(f"stored in {store}/: {record.id}")


def print_miner(record: "Record") -> None:
    """Print the shares, the wall, the displayed figures and the checks of a record; nothing if it has no miner."""
    part = record.miner
    if part is not None:
        _print_verified(record, part)
        _print_wall(record)
        _print_displayed(record, part)
        _print_checks(part)


def _firmware(record: "Record") -> str:
    settings = record.device.settings
    words = [str(settings.get(key) or "") for key in ("firmware", "firmware_version", "mode", "profile")]
    return " ".join(word for word in words if word) or "firmware not read"


def _print_verified(record: "Record", part: "MinerEvidence") -> None:
    shares = part.shares
    label = "verified by shares" if shares.verified_by_shares else "NOT verified by shares, see the notes"
    behind = f"{shares.valid:,} shares of difficulty {shares.difficulty:g} in {len(record.windows)} windows"
    if record.rate is None:
        say(f"rate       {record.status.upper()}; {behind}")
        return
    say(f"rate       {rate(record.rate.value, 'hash/s')} {_interval(record.rate)}, {behind}: {label}")
    connected = record.metrics.get("rate_while_connected")
    if connected is not None:
        say(f"connected  {rate(connected.value, 'hash/s')} without the {shares.disconnected_s:.1f} s of no connection")


def _print_wall(record: "Record") -> None:
    energy, power = record.energy_per_unit, record.power
    if energy is None or power is None:
        assumed = record.assumed_power_w
        words = f"; {assumed.power_w:g} W assumed" if assumed else ""
        metered = f"none by {', '.join(record.meters)}: see the notes" if record.meters else "not metered: rate only"
        say(f"energy     {metered}{words}")
        return
    say(
        f"energy     {j_per_th_with_unit(energy.value * 1e12)} {_interval(energy)} at the {energy.boundary}, "
        f"{plain(power.value)} W ({power.meter}, tier {power.tier})"
    )


def _print_displayed(record: "Record", part: "MinerEvidence") -> None:
    wall = record.power
    for shown in part.displayed:
        how = "mean" if shown.method == "mean_of_readings" else "difference"
        of = f"{how} of {counted(shown.readings, 'reading')}, {shown.kind}, tier D"
        if shown.quantity == "rate":
            ratio = f"; verified is {record.rate.value / shown.value:.3f} of it" if record.rate else ""
            say(f"displayed  {rate(shown.value, 'hash/s')} ({shown.raw_key}: {of}){ratio}")
        else:
            ratio = f"; the wall draws {wall.value / shown.value:.3f} of it" if wall and wall.boundary == "wall" else ""
            say(f"displayed  {plain(shown.value)} W ({shown.raw_key}: {of}){ratio}")
    for name, metric in record.metrics.items():
        if name.startswith("displayed_energy_"):
            note = metric.note.removeprefix("displayed: ")
            say(f"displayed  {j_per_th_with_unit(metric.value * 1e12)} ({note}, tier D)")


def _print_checks(part: "MinerEvidence") -> None:
    shares, uniform = part.shares, part.shares.uniformity
    classes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in shares.by_class.items())
    say(f"shares     {classes or 'none'}; {shares.refused_frac:.2%} refused")
    verdict = "uniform" if uniform.uniform else "NOT uniform"
    say(f"uniformity {verdict}: hash over target up to {uniform.largest:.4g}, p {uniform.ks_p:.2g}")
    if shares.steadiness is not None:
        steady = shares.steadiness
        say(
            f"steadiness second half {steady.halves_change_frac:+.1%} (p {steady.halves_p:.2g}), "
            f"spread {steady.dispersion_index:.2f} of chance, longest gap {steady.longest_gap_s:.1f} s"
        )
    if part.temperatures_c:
        words = ", ".join(f"{place} {value:.1f} °C" for place, value in part.temperatures_c.items())
        say(f"at         {words}")
    settled = "settled" if part.window.settled else "NOT settled"
    say(f"settling   {settled} after {part.window.settled_after_s:.0f} s: {part.window.settled_by}")


def _interval(metric: "Metric") -> str:
    if metric.interval_95 is None:
        return ""
    low, high = metric.interval_95
    return f"({low / metric.value - 1.0:+.2%} {high / metric.value - 1.0:+.2%})"
