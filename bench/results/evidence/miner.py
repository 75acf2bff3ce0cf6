"""The part of a record that only an ASIC miner has: verified shares, what its firmware showed, how windows were set."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from bench.results.part import Count, CountFromOne, Interval, NonNegative, Part, Positive

Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Uniformity(Part):
    """The test that hash over target of the valid shares is uniform, which no hidden filter passes."""

    uniform: bool
    ks_p: Fraction = Field(description="probability of such a distance from the uniform distribution, or a larger one")
    largest: Fraction = Field(description="largest hash over target [-]")
    largest_p: Fraction = Field(description="probability that all are at most that")
    effective_difficulty: Positive | None = Field(default=None, description="difficulty that the shares follow [-]")
    effective_difficulty_95: Interval | None = Field(default=None, description="its 95 % interval")


class ShareSteadiness(Part):
    """Tests of a constant rate, by the arrival of valid shares."""

    dispersion_index: NonNegative = Field(description="chi-squared of equal chunks over its degrees of freedom")
    dispersion_p: Fraction = Field(description="probability of at least this spread")
    halves_change_frac: FiniteFloat = Field(description="second half minus first over their mean")
    halves_p: Fraction = Field(description="probability of at least this change")
    longest_gap_s: NonNegative
    longest_gap_p: Fraction = Field(description="upper limit of the probability of such a gap")


class Shares(Part):
    """The shares of the windows, verified with our own double SHA-256."""

    verified_by_shares: bool = Field(description="whether every condition of method rule 8 is met")
    valid: Count = Field(description="shares that are credited")
    difficulty: Positive = Field(description="issued with their jobs and frozen [-]")
    hashes_per_share: Positive = Field(description="mean [hash]")
    rule: Literal["fixed_window", "mixed_difficulty"]
    by_class: dict[str, Count] = Field(description="all shares of the miner by class")
    refused_frac: Fraction = Field(description="shares of all other classes over all shares")
    refused_frac_95: Interval | None = None
    uniformity: Uniformity
    steadiness: ShareSteadiness | None = None
    job_age_q95_s: NonNegative | None = Field(default=None, description="age of the jobs of 95 % of the shares")
    disconnected_s: NonNegative = Field(description="time of the windows without a connection, which counts as time")


class MinerSession(Part):
    """The connection of the miner to the work server."""

    user_agent: str
    connections: CountFromOne = Field(description="of the miner, from its first to the end of the last window")
    workers: Count = Field(description="names of workers; more than one stands for a proxy")
    version_mask: str = Field(pattern="^[0-9a-f]{8}$", description="version bits that it may roll")
    suggested_difficulty: NonNegative | None = None
    minimum_difficulty: NonNegative | None = None
    notices: dict[str, Count] = Field(default_factory=dict, description="what connections did wrong, of all clients")


class WindowChoice(Part):
    """How the windows were fixed in advance."""

    wanted_error_frac: Positive = Field(description="half of the 95 % interval over the rate")
    expected_rate_h_s: Positive
    expected_from: str = Field(description="where the expected rate came from")
    expected_shares: Positive
    settled: bool
    settled_after_s: NonNegative
    settled_by: str


class Displayed(Part):
    """One figure that the firmware shows, over the same windows; tier D, never mixed with the verified ones."""

    quantity: Literal["rate", "power"]
    raw_key: str = Field(description="command and key of the firmware")
    method: Literal["mean_of_readings", "counter_difference"]
    kind: str = Field(description="basis of a rate, or kind of a power")
    averaging: str = Field(default="", description="how the firmware averages a rate")
    value: Positive = Field(description="[hash/s] or [W]")
    readings: CountFromOne


class MinerEvidence(Part):
    """Everything that the record of a miner has and that of a CPU has not."""

    shares: Shares
    session: MinerSession
    window: WindowChoice
    displayed: tuple[Displayed, ...] = ()
    temperatures_c: dict[str, FiniteFloat] = Field(default_factory=dict, description="mean over the windows, by place")
    mode: str = Field(default="", description="mode and profile in the firmware's words")
    readings: Count = Field(default=0, description="readings of the firmware during the windows")
    firmware_warnings: tuple[str, ...] = ()
