"""The part of a record that only a live inference server has: its requests, its own counters and the client."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from bench.results.part import Count, CountFromOne, NonNegative, Part

if TYPE_CHECKING:
    from bench.results.record import Device

RANDOM_WEIGHTS = "random"
"""Setting `weights` of the device of a bundled server."""


def has_random_weights(device: "Device") -> bool:
    """Return whether a record is of a bundled server, whose figures stand for no product."""
    return device.settings.get("weights") == RANDOM_WEIGHTS


class ServerCounts(Part):
    """What the server counted from the first to the last reading of its counters, and what came here meanwhile."""

    server: str
    seconds: NonNegative = Field(description="from the first to the last reading [s]")
    readings: CountFromOne
    own_output_tokens: NonNegative = Field(description="tokens that the client counted meanwhile")
    output_tokens: NonNegative | None = None
    prompt_tokens: NonNegative | None = None
    prefix_hits: NonNegative | None = Field(default=None, description="prompt tokens from the prefix cache")
    preemptions: NonNegative | None = None
    running_mean: NonNegative | None = Field(default=None, description="requests that the server works on")
    waiting_mean: NonNegative | None = Field(default=None, description="requests in its queue")
    queue_s_mean: NonNegative | None = Field(default=None, description="for which a request waited there [s]")


class TokenCounts(Part):
    """The counts of the answers that ended in the windows; only `counted` makes a figure."""

    counted: NonNegative = Field(description="output tokens, by the count that `tokens_from` names")
    requested: Count
    stated: Count | None = Field(default=None, description="sum of the totals in the replies, null if a reply has none")
    chunks: Count
    characters: Count


class ClientCeiling(Part):
    """What the same client took after the run from a null server on its own machine, which computes nothing."""

    tokens_per_s: NonNegative
    chunks_per_s: NonNegative
    streams: CountFromOne = Field(description="requests at a time")
    chunk_bytes: CountFromOne = Field(description="of a chunk, as in the run [byte]")
    chunks_per_write: CountFromOne = Field(description="as many as came in a read of the run")
    seconds: NonNegative = Field(description="for which it ran [s]")


class ClientLoad(Part):
    """How busy the client was."""

    processes: CountFromOne
    cpu_s: NonNegative = Field(description="CPU time of its processes in the run [s]")
    largest_lag_s: NonNegative = Field(description="by which an event loop was late in the windows, at most [s]")
    local: bool = Field(description="whether it ran on the machine of the server")
    new_connections: Count = Field(default=0, description="requests of the windows that had to open a connection")
    start_spread_s: NonNegative | None = Field(default=None, description="between first and last start of a slot [s]")
    schedule_lag_s: NonNegative | None = Field(
        default=None, description="by which one request in 100 of an open loop was sent late [s]"
    )
    ceiling: ClientCeiling | None = Field(default=None, description="null if it was not measured")


class EndpointEvidence(Part):
    """The requests of the windows, and what else was seen."""

    loop: Literal["closed", "open"]
    input_tokens: tuple[NonNegative, ...] = Field(default=(), description="prompt tokens read in each window")
    outcomes: dict[str, Count] = Field(description="requests that ended in the windows, by outcome")
    unfinished: Count = Field(description="requests that were cut off at the end")
    tokens_from: str = Field(description="the count of output tokens that was used")
    counts: TokenCounts | None = None
    tokens_per_chunk: NonNegative
    prompt_tokens_mean: NonNegative | None = Field(default=None, description="as the server counts them")
    output_tokens_mean: NonNegative
    cached_prompt_tokens: NonNegative | None = Field(default=None, description="as its replies state them")
    definitions: dict[str, str] = Field(description="formula of each latency")
    server: ServerCounts | None = Field(default=None, description="null if it shows no counters")
    client: ClientLoad
