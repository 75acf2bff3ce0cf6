"""What is fixed before the windows: the expected rate, the difficulty, and the length of the windows (rule 8)."""

import math
import re
from dataclasses import dataclass

from bench import limits
from bench.miners.record import MinerReading
from bench.stratum.difficulty import check_difficulty, hashes_of
from bench.stratum.statistics.planning import MOST_SHARES_S, choose_difficulty, seconds_for, shares_for
from hardware_profiles.errors import InputError

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15}
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]?)h/s\s*", re.IGNORECASE | re.ASCII)
_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", re.ASCII)
MOST_SHARES = 0.7 * limits.SHARES_KEPT  # that may be expected: the rest is for refused ones and a faster miner
LEAST_ASIC_H_S = 1e11  # [hash/s] a slower miner is a CPU or a toy, whose chips have no ticket mask
TICKET_MASK = 256.0  # [-] difficulty below which the chips of most ASICs report nothing


@dataclass(frozen=True, slots=True)
class Choice:
    """Difficulty and windows of one measurement."""

    difficulty: float  # [-] issued with every job and frozen
    expected_rate_h_s: float  # [hash/s]
    expected_from: str  # where that rate came from
    wanted_error_frac: float  # [-] half of the 95 % interval over the rate
    window_s: float  # [s] length of one window
    windows: int

    @property
    def expected_shares(self) -> float:
        """Number of shares that all windows together should give."""
        return self.expected_rate_h_s / hashes_of(self.difficulty) * self.window_s * self.windows

    @property
    def expected_shares_s(self) -> float:
        """Rate of shares that is expected [1/s]."""
        return self.expected_rate_h_s / hashes_of(self.difficulty)


def parse_rate(text: str, place: str = "--nominal") -> float:
    """Return a hash rate [hash/s] from a text such as `200 TH/s`.

    Raises
    ------
    InputError
        It is no number with its unit, or not above 0.
    """
    match = _RATE.fullmatch(text)
    rate_h_s = float(match[1]) * _PREFIXES[match[2].lower()] if match else 0.0
    if not 0.0 < rate_h_s < 1e21:
        raise InputError.at(place, expected="a hash rate with its unit, such as '200 TH/s'", got=text)
    return rate_h_s


def parse_error(text: str, place: str = "--error") -> float:
    """Return a relative error [-] from a text such as `1%`.

    Raises
    ------
    InputError
        It is no percentage from 0.25 % to 50 %: a smaller error takes more shares than the work server keeps.
    """
    match = _PERCENT.fullmatch(text)
    error_frac = float(match[1]) / 100.0 if match else 0.0
    if not 0.0025 <= error_frac <= 0.5:
        raise InputError.at(place, expected="a percentage from 0.25% to 50%", got=text)
    return error_frac


def expected_rate(stated_h_s: float | None, reading: MinerReading | None) -> tuple[float, str]:
    """Return the rate to plan with [hash/s] and where it came from: the user, else the firmware's own figures.

    Raises
    ------
    InputError
        Neither states one.
    """
    if stated_h_s is not None:
        return stated_h_s, "stated by the user"
    if reading is not None:
        if reading.nominal_rate_h_s:
            return reading.nominal_rate_h_s, "nominal rate of the firmware"
        shown = [rate for rate in reading.rates if rate.rate_h_s > 0.0]
        if shown:
            largest = max(shown, key=lambda rate: rate.rate_h_s)
            return largest.rate_h_s, f"largest rate that the firmware shows ({largest.raw_key})"
    raise InputError.at("--nominal", expected="the rated hash rate, such as '200 TH/s', because no firmware states it")


def choose(  # noqa: PLR0913 (what a user may fix)
    rate: tuple[float, str],
    error_frac: float,
    windows: int,
    *,
    difficulty: float | None = None,
    measure_s: float | None = None,
    minimum_difficulty: float | None = None,
    least_window_s: float = 0.0,
) -> Choice:
    """Return difficulty and windows.

    Parameters
    ----------
    rate
        Expected hash rate [hash/s], and where it came from.
    error_frac
        Half of the 95 % interval that is wanted, over the rate [-].
    windows
        Number of windows of the plan.
    difficulty
        Difficulty that the user states; None takes the smallest power of two at which shares do not come too often.
    measure_s
        Time of all windows together that the user states [s]; None takes what the error needs.
    minimum_difficulty
        Smallest difficulty that the miner accepts.
    least_window_s
        Shortest window of the plan [s].

    Raises
    ------
    InputError
        The time is too short for the error or too long, the difficulty is no power of two or below what the miner
        accepts, or more shares would come than the server is meant for or keeps.
    """
    rate_h_s, source = rate
    mask = TICKET_MASK if rate_h_s >= LEAST_ASIC_H_S else 2.0**-32
    least = max(mask, minimum_difficulty or 0.0)
    if difficulty is None:
        difficulty = choose_difficulty(rate_h_s, least).difficulty
    check_difficulty(difficulty, "--difficulty")
    if math.frexp(difficulty)[0] != 0.5:
        near = 2.0 ** round(math.log2(difficulty))
        expected = "a power of two, because firmware rounds others without a word"
        raise InputError.at("--difficulty", expected=expected, got=difficulty, near=[f"{near:g}"])
    if minimum_difficulty is not None and difficulty < minimum_difficulty:
        expected = f"at least {minimum_difficulty:g}, the least that the miner accepts"
        raise InputError.at("--difficulty", expected=expected, got=difficulty)
    shares_s = rate_h_s / hashes_of(difficulty)
    if shares_s > limits.MOST_SHARES_S:
        least = 2.0 ** math.ceil(math.log2(rate_h_s / hashes_of(MOST_SHARES_S)))
        expected = (
            f"at least {least:g} at {rate_h_s:.4g} hash/s, so that at most {MOST_SHARES_S:g} shares come a second"
        )
        raise InputError.at("--difficulty", expected=expected, got=difficulty)
    needed_s = seconds_for(error_frac, difficulty, rate_h_s)
    if measure_s is not None and measure_s < needed_s:
        raise InputError.at(
            "--measure-s",
            expected=f"at least {math.ceil(needed_s)} s for an error of {error_frac:.2%} ({shares_for(error_frac):,} "
            f"shares of difficulty {difficulty:g} at {rate_h_s:.4g} hash/s)",
            got=measure_s,
        )
    if needed_s > limits.LONGEST_MEASUREMENT_S:
        raise InputError.at(
            "--error",
            expected=f"an error that takes at most {limits.LONGEST_MEASUREMENT_S:,.0f} s, not {needed_s:,.0f} s with "
            f"shares of difficulty {difficulty:g} at {rate_h_s:.4g} hash/s, or a lower --difficulty",
            got=f"{error_frac:.2%}",
        )
    total_s = measure_s if measure_s is not None else needed_s
    choice = Choice(difficulty, rate_h_s, source, error_frac, max(total_s / windows, least_window_s), windows)
    if choice.expected_shares > MOST_SHARES:
        raise InputError.at(
            "--measure-s",
            expected=f"at most {math.floor(MOST_SHARES / shares_s):,} s with shares of difficulty {difficulty:g} at "
            f"{rate_h_s:.4g} hash/s, because the work server keeps {limits.SHARES_KEPT:,} shares; or a higher "
            "--difficulty",
            got=choice.window_s * windows,
        )
    return choice
