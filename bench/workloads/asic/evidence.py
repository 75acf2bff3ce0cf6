"""The judgement of a miner's run: shares by class, uniformity, steadiness, and what the firmware showed.

Everything here is a pure function of what was collected.
"""

import numpy as np

from bench import limits
from bench.results.evidence.miner import MinerEvidence, MinerSession, Shares, ShareSteadiness, Uniformity, WindowChoice
from bench.results.record import Reason
from bench.stratum.difficulty import hashes_of
from bench.stratum.events import ShareTable
from bench.stratum.statistics.steadiness import dispersion, gaps, halves
from bench.stratum.statistics.uniformity import Uniformity as UniformityTest
from bench.stratum.statistics.uniformity import uniformity
from bench.stratum.verify import ShareClass
from bench.workloads.asic.collected import Collected
from bench.workloads.asic.reasons import WITHHELD, firmware_reasons, machine_reasons, share_reasons
from bench.workloads.protocol import Spans

FEWEST_OF_A_CHUNK = 20  # shares that a chunk of the dispersion expects
MOST_CHUNKS = 20


def evidence(collected: Collected) -> tuple[MinerEvidence, list[Reason]]:
    """Return the part of the record that only a miner has, and the reason codes."""
    uniform = uniformity(collected.valid.hash_frac)
    steady, drift = _steadiness(collected.valid, collected.spans)
    reasons = [*share_reasons(collected), *drift, *machine_reasons(collected), *firmware_reasons(collected)]
    if not uniform.uniform:
        factor = f"{uniform.difficulty_factor:.3g}"
        reasons.append(Reason(code="shares_not_uniform", detail=f"the shares follow {factor} times the difficulty"))
    firmware = collected.firmware
    part = MinerEvidence(
        shares=_shares(collected, uniform, steady, verified=not WITHHELD & {reason.code for reason in reasons}),
        session=_session(collected),
        window=_window(collected),
        displayed=firmware.displayed,
        temperatures_c=collected.temperatures_c,
        mode=firmware.mode,
        readings=firmware.readings,
        firmware_warnings=firmware.warnings,
    )
    return part, reasons


def _shares(collected: Collected, test: UniformityTest, steady: ShareSteadiness | None, *, verified: bool) -> Shares:
    counts, difficulty = collected.counts, collected.choice.difficulty
    total = sum(counts.values())
    refused = total - counts[ShareClass.VALID]
    follows_95 = (difficulty * test.difficulty_factor_low, difficulty * test.difficulty_factor_high)
    return Shares(
        verified_by_shares=verified,
        valid=counts[ShareClass.VALID],
        difficulty=difficulty,
        hashes_per_share=hashes_of(difficulty),
        rule="fixed_window" if collected.one_difficulty else "mixed_difficulty",
        by_class={str(name): counts[name] for name in ShareClass if counts[name]},
        refused_frac=refused / total if total else 0.0,
        refused_frac_95=_binomial(refused, total) if total else None,
        uniformity=Uniformity(
            uniform=test.uniform,
            ks_p=test.ks_p,
            largest=test.largest,
            largest_p=test.largest_p,
            effective_difficulty=difficulty * test.difficulty_factor,
            effective_difficulty_95=follows_95 if test.shares else None,
        ),
        steadiness=steady,
        job_age_q95_s=_age_q95_s(collected.valid),
        disconnected_s=collected.disconnected_s,
    )


def _session(collected: Collected) -> MinerSession:
    """Return the newest connection of the miner, with the number of all of them."""
    own = collected.company.own
    newest = own[-1] if own else None
    return MinerSession(
        user_agent=newest.user_agent if newest else "",
        connections=max(1, len(own)),
        workers=len(collected.company.workers),
        version_mask=f"{newest.mask if newest else 0:08x}",
        suggested_difficulty=newest.suggested_difficulty if newest else None,
        minimum_difficulty=newest.minimum_difficulty if newest else None,
        notices=collected.notices,
    )


def _window(collected: Collected) -> WindowChoice:
    choice, settled = collected.choice, collected.settled
    return WindowChoice(
        wanted_error_frac=choice.wanted_error_frac,
        expected_rate_h_s=choice.expected_rate_h_s,
        expected_from=choice.expected_from,
        expected_shares=choice.expected_shares,
        settled=settled.settled,
        settled_after_s=settled.after_s,
        settled_by=settled.by,
    )


def _age_q95_s(valid: ShareTable) -> float | None:
    ages_s = valid.job_age_s[np.isfinite(valid.job_age_s)]
    return float(np.quantile(ages_s, 0.95)) if ages_s.size else None


def _binomial(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of shares [-].

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413.
    """
    from scipy.special import betaincinv

    tail = (1.0 - limits.CONFIDENCE) / 2.0
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1.0 - tail)) if count < total else 1.0
    return low, high


def _steadiness(valid: ShareTable, spans: Spans) -> tuple[ShareSteadiness | None, list[Reason]]:
    """Return the tests of a constant rate over all windows, laid end to end, and a reason if one fails."""
    length_s = sum(end - start for start, end in spans)
    times, offset_s = [], 0.0
    for start, end in spans:
        within = valid.arrival_s[(valid.arrival_s >= start) & (valid.arrival_s < end)]
        times.append(within - start + offset_s)
        offset_s += end - start
    joined = np.concatenate(times) if times else np.empty(0)
    chunks = min(MOST_CHUNKS, int(joined.size // FEWEST_OF_A_CHUNK))
    if chunks < 2 or length_s <= 0.0:
        return None, []
    spread, half, gap = (
        dispersion(joined, 0.0, length_s, chunks), halves(joined, 0.0, length_s), gaps(joined, 0.0, length_s),
    )  # fmt: skip
    texts = []
    if spread.over_p < limits.SHARES_DRIFT_P:
        texts.append(f"shares over {chunks} chunks spread {spread.index:.2g} times as much as chance")
    if half.p < limits.SHARES_DRIFT_P:
        texts.append(f"shares of the second half {half.change_frac:+.1%}")
    if gap.longest_p < limits.SHARES_DRIFT_P:
        texts.append(f"no share for {gap.longest_s:.1f} s")
    steady = ShareSteadiness(
        dispersion_index=spread.index,
        dispersion_p=spread.over_p,
        halves_change_frac=half.change_frac,
        halves_p=half.p,
        longest_gap_s=gap.longest_s,
        longest_gap_p=gap.longest_p,
    )
    return steady, [Reason(code="unsteady", detail="; ".join(texts))] if texts else []
