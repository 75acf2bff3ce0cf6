"""The five tags of a measured token rate, without which tokens per joule and per MWh mean nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from bench.results.best_meter import ENERGY_PER_UNIT, POWER, best_metric
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import BOUNDARIES, Boundary
from sites.market.device_rate import POWER_KINDS, TOKEN_BASES, TokenTags

if TYPE_CHECKING:
    from bench.results.record import AssumedPower, Metric, Record, TokenTagWords, WorkloadInfo

NOT_METERED = "not metered"
OF_WORKLOAD = ("token_basis", "lengths", "latency_limit")
"""The tags that a token workload states among its parameters; the meter determines the others."""


@dataclass(frozen=True, slots=True)
class TagSet:
    """The five tags of a record; a missing one is empty."""

    boundary: str  # NOT_METERED without a power
    power_kind: str  # NOT_METERED without a power
    token_basis: str
    lengths: str
    latency_limit: str

    def checked(self, place: str) -> TokenTags:
        """Return the tags in the form that a site takes.

        Raises
        ------
        InputError
            A tag is missing or is not one of its words.
        """
        _check_word(place, "boundary", self.boundary, BOUNDARIES)
        _check_word(place, "power_kind", self.power_kind, POWER_KINDS)
        _check_word(place, "token_basis", self.token_basis, TOKEN_BASES)
        _check_texts(place, {"lengths": self.lengths, "latency_limit": self.latency_limit})
        boundary = cast("Boundary", self.boundary)
        return TokenTags(boundary, self.power_kind, self.token_basis, self.lengths, self.latency_limit)

    def words(self) -> str:
        """Return the tags on one line."""
        power = NOT_METERED if self.power_kind == NOT_METERED else f"{self.boundary} power {self.power_kind}"
        return f"{self.token_basis} tokens, {self.lengths} in:out, latency limit {self.latency_limit}, {power}"


def tag_set(
    parameters: Mapping[str, object], metrics: "Mapping[str, Metric]", assumed: "AssumedPower | None"
) -> TagSet:
    """Return the tags of a measurement; a declared power counts as provisioned if no meter was used."""
    from bench.results.record import tier_of

    best = best_metric(metrics, tier_of, POWER, ENERGY_PER_UNIT)
    boundary = best.boundary if best is not None else assumed.boundary if assumed is not None else None
    kind = "measured" if best is not None else "provisioned" if assumed is not None else NOT_METERED
    words = [str(parameters.get(tag) or "") for tag in OF_WORKLOAD]
    return TagSet(boundary or NOT_METERED, kind, *words)


def tags_of(record: "Record") -> TagSet:
    """Return the tags of a token record: as stored, or derived from the parts of an older record."""
    if record.token_tags is not None:
        return TagSet(**record.token_tags.model_dump())
    return tag_set(record.workload.parameters, record.metrics, record.assumed_power_w)


def token_tag_words(
    workload: "WorkloadInfo", metrics: "Mapping[str, Metric]", assumed: "AssumedPower | None"
) -> "TokenTagWords | None":
    """Return the tags as a record stores them, or None for a workload that does not count tokens."""
    from bench.results.record import TokenTagWords

    if workload.unit != "token":
        return None
    return TokenTagWords.model_validate(asdict(tag_set(workload.parameters, metrics, assumed)))


def check_workload(name: str, parameters: Mapping[str, object]) -> None:
    """Refuse a token workload that lacks one of its tags, before it is timed.

    Raises
    ------
    InputError
        A tag is missing.
    """
    _check_texts(f"workload {name}", {tag: str(parameters.get(tag) or "") for tag in OF_WORKLOAD})


def _check_texts(place: str, tags: Mapping[str, str]) -> None:
    for tag, text in tags.items():
        if not text.strip():
            raise InputError.at(place, f"tag {tag}", expected="a text among the workload's parameters")


def _check_word(place: str, tag: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        hint = " (run with --meter, or --watts to state a power)" if value == NOT_METERED else ""
        raise InputError.at(place, f"tag {tag}", expected=f"one of {', '.join(allowed)}{hint}", got=value or "nothing")
