"""What a host says of itself and of its jobs, in the form in which it travels."""

from typing import Literal

from pydantic import Field

from bench.results.labs.ending import Ending, Stamp
from bench.results.labs.plan import JOB_ID
from bench.results.part import Count, Part


class DeviceSeen(Part):
    """A device that the host can measure."""

    device: str = Field(max_length=200, description="cpu or gpu:UUID, as in a job")
    name: str = Field(max_length=200)
    index: Count | None = Field(default=None, description="of a GPU; it may change at the next boot")


class Hello(Part):
    """The answer of `hello`."""

    host_id: str = Field(pattern=r"^[0-9a-f]{8}$")
    hostname: str = Field(max_length=255)
    user: str = Field(max_length=255)
    perwatt_version: str = Field(max_length=200, description="version and commit of the code")
    devices: tuple[DeviceSeen, ...] = Field(max_length=1000)
    now: Stamp
    folder: str = Field(max_length=4096)
    folder_fault: str = Field(default="", max_length=2000, description="why it cannot keep jobs; else empty")
    room_bytes: Count | None = Field(description="free room for the jobs' folder [byte]")


class JobSeen(Part):
    """One job in the answer of `state`."""

    id: str = Field(pattern=JOB_ID)
    state: Literal["running", "ended", "dead"] = Field(description="dead: ended, but not yet ready to be collected")
    started: Stamp | None = None
    ending: Ending | None = Field(default=None, description="of an ended job")
    code: str = Field(default="", max_length=100, description="of a dead job: the reason")
    detail: str = Field(default="", max_length=2000)
    size_bytes: Count = 0


class States(Part):
    """The answer of `state`."""

    host_id: str = Field(pattern=r"^[0-9a-f]{8}$")
    now: Stamp
    room_bytes: Count | None
    jobs: tuple[JobSeen, ...] = Field(max_length=100_000)
