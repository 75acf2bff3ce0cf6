"""A lab whose measurements have all ended: every host is a folder of this machine, and nothing is collected yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.lab.host import layout
from bench.lab.host.identity import code_version, stamp
from bench.lab.host.sealing import seal
from bench.machine.identity import machine_key
from bench.results.integrity.digests import DIGESTS_FILE, digest, digests_text
from bench.results.labs.book import Book
from bench.results.labs.ending import Ending
from bench.results.labs.plan import Job, JobParts, LabPlan
from bench.results.layout import RECORD_FILE

RUN = "20261130T220000-abcdef"


def finished_lab(folder: Path, result: Path, hosts: int, jobs: int) -> Path:
    """Write a lab, the book of a run and the hosts' folders, and return the results folder.

    Parameters
    ----------
    folder
        An empty folder.
    result
        A stored result; every job has written a copy of it, under an id of its own.
    hosts
        Number of hosts.
    jobs
        Number of jobs of each host.
    """
    names = [f"host{number:02d}" for number in range(hosts)]
    version = code_version()
    plan = [job_of(name, number, version) for name in names for number in range(jobs)]
    for job in plan:
        write_finished(folder / job.host, job, result)
    lab_plan = LabPlan(
        run_id=RUN, lab="finished", created_utc=datetime.now(UTC), perwatt_version=version, jobs=tuple(plan)
    )
    store = folder / "results"
    Book.create(store, lab_plan, lab_file(folder, names).encode())
    return store


def lab_file(folder: Path, names: Sequence[str]) -> str:
    """Return the lab file: every host is reached locally and keeps its jobs in a folder of its own."""
    hosts = [f'[[host]]\nname = "{name}"\nreach = "local"\nfolder = "{folder / name}"\n' for name in names]
    return '[lab]\nname = "finished"\n' + "".join(hosts)


def job_of(host: str, number: int, version: str) -> Job:
    """Return a job of a host with this version of perwatt."""
    return Job.of(
        JobParts(
            run_id=RUN, host=host, host_id=machine_key(), device="cpu", workload=f"matmul_f32_cpu #{number}",
            argv=("matmul_f32_cpu", "--plan", "smoke"), plan="smoke", domains=(f"host:{host}",),
            perwatt_version=version, deadline_s=60.0,
        )
    )  # fmt: skip


def write_finished(folder: Path, job: Job, result: Path) -> None:
    """Write a job as its keeper leaves it."""
    partial = layout.partial(folder, job.id)
    document = json.loads((result / RECORD_FILE).read_bytes())
    document["id"] = f"{document['id'].rpartition('-')[0]}-{job.id[:8]}"
    document["run"]["host"]["name"] = job.host
    target = partial / layout.RESULTS_FOLDER / document["id"]
    target.mkdir(parents=True)
    content = json.dumps(document).encode()
    (target / RECORD_FILE).write_bytes(content)
    artifacts = {file["name"]: file["sha256"] for file in document["artifacts"]}
    for name in artifacts:
        shutil.copy(result / name, target / name)
    (target / DIGESTS_FILE).write_text(digests_text({RECORD_FILE: digest(content), **artifacts}))
    (partial / layout.JOB_FILE).write_text(job.model_dump_json())
    (partial / layout.LOG_FILE).write_bytes(b"measured 1 workload\n" * 50)
    (partial / layout.LOCK_FILE).touch()
    ending = Ending(
        job=job.id, host=job.host, host_id=job.host_id, perwatt_version=job.perwatt_version, exit_status=0,
        started=stamp(), ended=stamp(), results=(document["id"],),
    )  # fmt: skip
    seal(partial, ending)
