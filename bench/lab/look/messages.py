"""What a host is asked to look at, and what it saw, in the form in which it travels."""

from typing import Annotated

from pydantic import Field, FiniteFloat

from bench.results.part import Count, NonNegative, Part
from bench.results.record import MeterUsed

Words = Annotated[str, Field(max_length=2000)]


class MinerAsked(Part):
    """A miner that the host must reach."""

    name: str = Field(max_length=100)
    address: str = Field(max_length=1000)


class LookRequest(Part):
    """The request of `look`."""

    meters: tuple[Words, ...] = Field(default=(), max_length=1000, description="specs of --meter")
    miners: tuple[MinerAsked, ...] = Field(default=(), max_length=10_000)
    quiet_limit_s: NonNegative = Field(default=10.0, description="longest wait for a quiet second [s]")


class Quiet(Part):
    """Whether others leave the host alone."""

    is_quiet: bool
    detail: Words = ""


class MeterSeen(Part):
    """One meter, opened and read once on its host."""

    spec: Words
    meter: MeterUsed | None = Field(default=None, description="null if it could not be opened")
    power_w: FiniteFloat | None = Field(default=None, description="null of a counter")
    fault: Words = ""


class MinerSeen(Part):
    """One miner, asked by the host that measures it."""

    name: str = Field(max_length=100)
    title: Words = ""
    fault: Words = ""


class LookAnswer(Part):
    """The answer of `look`."""

    quiet: Quiet
    meters: tuple[MeterSeen, ...] = Field(max_length=1000)
    miners: tuple[MinerSeen, ...] = Field(max_length=10_000)


class Load(Part):
    """The answer of `load`: how busy the host was since its boot, to compare with a later one."""

    busy_s: NonNegative = Field(description="CPU time of all programs [s]")
    cores: Count
    monotonic_s: FiniteFloat
    boot_id: str = Field(max_length=100)
    gpu_processes: tuple[Words, ...] = Field(default=(), max_length=1000, description="that compute on a GPU now")
