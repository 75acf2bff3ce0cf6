"""The lines of the main job on the lab's miner: its result, what it displays, and how to measure it."""

from typing import TYPE_CHECKING

from bench.cli.output import plain, rate, say

if TYPE_CHECKING:
    from bench.lab_miner import LabMiner
    from bench.miners.record import MinerReading


def print_lab(lab: "LabMiner", why_no_megawatt: str) -> None:
    """Print where the figures of the miner come from, and what is missing."""
    if lab.answer is not None and lab.answer.fault:
        say(f"PERWATT_MINER: {lab.answer.fault}")
    if lab.record is not None:
        part = lab.record.miner
        verified = part is not None and part.shares.verified_by_shares
        how = "verified by shares" if verified else "NOT verified by shares"
        day = f"{lab.record.run.started_utc:%Y-%m-%d}"
        say(f"{lab.name}: measured {day}, rate {how}, result {lab.record.id}")
    if lab.answer is not None and lab.answer.reading is not None:
        say(f"{lab.answer.title} displays now (tier D, not measured): {_displayed(lab.answer.reading)}")
    if why_no_megawatt:
        say(f"not in the megawatt table: {why_no_megawatt}")
    answers = lab.answer is not None and lab.answer.reading is not None
    if answers and (lab.record is None or why_no_megawatt):
        say(f"measure it by its shares: {lab.command}")


def _displayed(reading: "MinerReading") -> str:
    from bench.miners.words import POWER_WORDS, rates_for_power, window_words

    rates = [f"{rate(one.rate_h_s, 'hash/s')} ({one.raw_key}, {window_words(one)})" for one in rates_for_power(reading)]
    powers = [f"{plain(one.power_w)} W ({one.raw_key}: {POWER_WORDS[one.kind]})" for one in reading.powers]
    return ", ".join([*rates, *powers]) or "neither a hash rate nor a power"
