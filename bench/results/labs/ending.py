"""The end of a job as its host writes it: how it ended, and when by which clocks."""

from typing import Annotated

from pydantic import Field, FiniteFloat

from bench.results.labs.plan import HOST_NAME, JOB_ID
from bench.results.part import Part
from bench.results.record import PLAIN_NAME

ResultId = Annotated[str, Field(pattern=PLAIN_NAME, max_length=200)]


class Stamp(Part):
    """A moment on a host by its clocks."""

    utc_s: FiniteFloat = Field(description="wall clock of the host, seconds since 1970 [s]")
    monotonic_s: FiniteFloat = Field(description="clock of the host that is never set [s]")
    boot_id: str = Field(max_length=64, description="of the boot that this monotonic clock belongs to")


class Ending(Part):
    """The content of a job's end.json."""

    job: str = Field(pattern=JOB_ID)
    host: str = Field(pattern=HOST_NAME)
    host_id: str
    perwatt_version: str
    exit_status: int | None = Field(default=None, description="of `perwatt run`; null if it did not end by itself")
    reason: str = Field(default="", pattern=r"^[a-z_]*$", description="code why nothing was measured; empty if it was")
    detail: str = Field(default="", max_length=2000)
    started: Stamp | None = Field(default=None, description="just before `perwatt run` starts; null if it never did")
    ended: Stamp | None = Field(default=None, description="after its last process has ended; null if nobody saw it")
    results: tuple[ResultId, ...] = Field(default=(), max_length=1000, description="ids of the results that it wrote")

    @property
    def is_measured(self) -> bool:
        """Whether `perwatt run` ended well."""
        return not self.reason and self.exit_status == 0
