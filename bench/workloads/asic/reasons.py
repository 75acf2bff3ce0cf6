"""The reason codes of a miner's run: of its shares, of the machine behind them, and of its firmware."""

from bench import limits
from bench.miners.record import MinerReading
from bench.results.record import Reason
from bench.stratum.simulator.client import USER_AGENT as SIMULATED
from bench.stratum.verify import ShareClass
from bench.workloads.asic.collected import Collected

WITHHELD = frozenset(
    {
        "shares_not_uniform",
        "shares_few",
        "shares_lost",
        "mask_ignored",
        "aggregated",
        "rate_above_expected",
        "peer_mismatch",
        "difficulty_mixed",
    }
)
"""Codes with which a rate is not verified by shares."""
_AGENTS = {  # beginnings of user agents by the word that a family or a firmware has in its name
    "antminer": ("antminer", "bmminer", "cgminer"),
    "whatsminer": ("whatsminer", "btminer", "cgminer"),
    "avalon": ("cgminer", "avalon"),
    "luxos": ("luxminer", "luxos"),
    "braiins": ("bosminer", "braiins", "bos"),
    "vnish": ("xminer", "vnish", "anthill"),
    "axeos": ("bitaxe", "nerd", "axeos", "esp-miner"),
    "epic": ("powerplay",),
    "sealminer": ("bdminer", "sealminer", "cgminer"),
    "auradine": ("auradine", "flux", "cgminer"),
    "proto": ("proto", "mujina"),
}


def share_reasons(collected: Collected) -> list[Reason]:
    """Return the codes of the shares."""
    reasons, counts = [], collected.counts
    valid, total = counts[ShareClass.VALID], sum(counts.values())
    if valid < limits.VERIFIED_SHARES:
        reasons.append(Reason(code="shares_few", detail=f"{valid:,} valid shares in {collected.duration_s:.0f} s"))
    if collected.shares_lost:
        reasons.append(Reason(code="shares_lost"))
    if counts[ShareClass.MASK_VIOLATION]:
        detail = f"{counts[ShareClass.MASK_VIOLATION]:,} of {total:,} shares"
        reasons.append(Reason(code="mask_ignored", detail=detail))
    if total and (total - valid) / total > limits.REFUSED_SHARES_FRAC:
        classes = ", ".join(f"{count:,} {name}" for name, count in counts.items() if name is not ShareClass.VALID)
        reasons.append(Reason(code="shares_refused", detail=f"{classes} of {total:,}"))
    if not collected.one_difficulty:
        others = sorted(set(map(float, collected.valid.difficulty)) - {collected.choice.difficulty})
        detail = f"{collected.choice.difficulty:g} and {', '.join(f'{other:g}' for other in others)}"
        reasons.append(Reason(code="difficulty_mixed", detail=detail))
    if not collected.settled.settled:
        detail = f"after {collected.settled.after_s:.0f} s; {collected.settled.by}"
        reasons.append(Reason(code="not_settled", detail=detail))
    return reasons


def machine_reasons(collected: Collected) -> list[Reason]:
    """Return the codes of the connections: whether one machine is behind them."""
    company, reasons = collected.company, [Reason(code="always_on")]
    doubts = []
    if len(company.workers) > 1:
        doubts.append(f"{len(company.workers)} workers on its connections")
    if company.neighbours:
        number = "1 connection" if company.neighbours == 1 else f"{company.neighbours} connections"
        doubts.append(f"{number} of other programs at the same address")
    if doubts:
        reasons.append(Reason(code="aggregated", detail="; ".join(doubts)))
    ratio = collected.rate_h_s / collected.choice.expected_rate_h_s
    if ratio > limits.ABOVE_EXPECTED:
        detail = f"{ratio:.2f} times the rate that is {collected.choice.expected_from}"
        reasons.append(Reason(code="rate_above_expected", detail=detail))
    if company.at_once > 1:
        reasons.append(
            Reason(code="connected_twice", detail=f"{company.at_once} connections at once, counted together")
        )
    if company.strangers:
        detail = f"{company.strangers} connections of other addresses, whose shares are not counted"
        reasons.append(Reason(code="other_miners", detail=detail))
    if collected.disconnected_s > limits.DISCONNECTED_S:
        detail = f"for {collected.disconnected_s:.1f} s of {collected.duration_s:.0f} s, which count as time"
        reasons.append(Reason(code="disconnected", detail=detail))
    if any(session.user_agent == SIMULATED for session in company.own):
        reasons.append(Reason(code="simulated_miner"))
    return reasons


def firmware_reasons(collected: Collected) -> list[Reason]:
    """Return the codes of what the firmware showed."""
    reasons, first, firmware = [], collected.first, collected.firmware
    if not collected.temperatures_c:
        reasons.append(Reason(code="temperature_missing"))
    if first is None:
        return reasons
    if collected.same_address is False:
        reasons.append(Reason(code="peer_mismatch"))
    agents = [session.user_agent for session in collected.company.own]
    if first.identity.family and agents and not any(_agrees(agent, first) for agent in agents):
        detail = f"{agents[-1][:60]} and {first.identity.firmware or first.identity.family}"
        reasons.append(Reason(code="agent_mismatch", detail=detail))
    if collected.failures or not firmware.readings:
        detail = f"{firmware.readings} readings, {collected.failures} failed"
        reasons.append(Reason(code="telemetry_gaps", detail=detail))
    if firmware.restarts:
        reasons.append(Reason(code="firmware_restarted", detail=f"{firmware.restarts} times"))
    if first.fee_frac:
        reasons.append(Reason(code="firmware_fee", detail=f"{first.fee_frac:.2%} of the work"))
    return reasons


def _agrees(agent: str, reading: MinerReading) -> bool:
    """Return whether a user agent may be that of the firmware; an unknown family agrees with any."""
    words = f"{reading.identity.family} {reading.identity.firmware}".casefold()
    known = [begins for word, begins in _AGENTS.items() if word in words]
    return not known or not agent or any(agent.casefold().startswith(begins) for begins in known)
