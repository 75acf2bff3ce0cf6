"""The plan of a lab run: its jobs, which never change after the run has begun."""

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from bench.results.part import CountFromOne, Part, Positive
from bench.results.record import PLAIN_NAME
from hardware_profiles.errors import shown

HOST_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
JOB_ID = r"^[0-9a-f]{16}$"
RUN_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_LONGEST_ARGUMENT = 4096
Argument = Annotated[str, Field(max_length=_LONGEST_ARGUMENT, pattern=r"^[^\x00-\x1f\x7f]*$")]


class JobParts(Part):
    """What a job is; its id is made from this."""

    run_id: str = Field(pattern=RUN_ID)
    host: str = Field(pattern=HOST_NAME, description="name of the host that runs it")
    host_id: str = Field(pattern=r"^([0-9a-f]{8})?$", description="key of that machine; empty if it never answered")
    device: str = Field(
        pattern=r"^(cpu|(gpu|asic|meter):[A-Za-z0-9._-]{1,100})$",
        description="cpu, gpu:UUID or asic:NAME; meter:NAME for the log of a meter that the host reads for another",
    )
    workload: str = Field(min_length=1, max_length=200, description="what is measured, for tables")
    argv: tuple[Argument, ...] = Field(
        max_length=100, description="arguments of `perwatt run`, without --device and --out, which the host adds"
    )
    plan: str = Field(description="measurement plan")
    domains: tuple[str, ...] = Field(description="every power domain that it occupies while it runs")
    perwatt_version: str
    attempt: CountFromOne = 1
    supersedes: str | None = Field(default=None, pattern=JOB_ID, description="the job that it repeats")
    supersedes_result: str | None = Field(
        default=None, pattern=PLAIN_NAME, max_length=200, description="the result that its own result replaces"
    )
    deadline_s: Positive = Field(description="time after its start at which the host ends it [s]")


class Job(JobParts):
    """One measurement on one host: one call of `perwatt run` there; or one log of a meter, by `perwatt meter log`."""

    id: str = Field(pattern=JOB_ID)

    @property
    def is_log(self) -> bool:
        """Whether it is the log of a meter that the host reads for another, and no measurement by itself."""
        return self.device.startswith("meter:")

    @classmethod
    def of(cls, parts: JobParts) -> Self:
        """Return a job with the id that its parts have."""
        return cls(id=job_id(parts), **parts.model_dump())

    @model_validator(mode="after")
    def _id_is_of_the_parts(self) -> Self:
        if self.id != job_id(self):
            raise ValueError(f"expected the id of its content ({job_id(self)}), got {shown(self.id)}")
        return self

    def again(self, host_id: str = "", perwatt_version: str = "", result: str | None = None) -> "Job":
        """Return the next attempt at a job, which supersedes it.

        Parameters
        ----------
        host_id
            Key of the machine, where the first attempt did not know it.
        perwatt_version
            Version of the next attempt; by default the same.
        result
            The result of this attempt, where there is one that the next one replaces.
        """
        changes = {
            "attempt": self.attempt + 1,
            "supersedes": self.id,
            "supersedes_result": result,
            "host_id": host_id or self.host_id,
            "perwatt_version": perwatt_version or self.perwatt_version,
        }
        return Job.of(JobParts.model_validate({**self.model_dump(exclude={"id"}), **changes}))


class LabPlan(Part):
    """The plan of a lab run."""

    schema_version: Literal[1] = 1
    run_id: str = Field(pattern=RUN_ID)
    lab: str = Field(description="name of the lab")
    lab_folder: str = Field(default="", description="folder of the lab file, where the paths in it begin")
    created_utc: AwareDatetime
    perwatt_version: str
    jobs: tuple[Job, ...]

    @model_validator(mode="after")
    def _jobs_are_of_this_run(self) -> Self:
        ids = [job.id for job in self.jobs]
        if len(set(ids)) != len(ids):
            raise ValueError(f"expected each job once, got {shown(next(i for i in ids if ids.count(i) > 1))} again")
        for job in self.jobs:
            if job.run_id != self.run_id:
                raise ValueError(f"expected jobs of run {self.run_id}, got one of {shown(job.run_id)}")
        return self


def job_id(parts: JobParts) -> str:
    """Return the id of a job: the first 16 hexadecimal digits of the SHA-256 digest of its canonical JSON."""
    content = parts.model_dump(mode="json", exclude={"id"})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
