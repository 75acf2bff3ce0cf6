"""The check of a received job: it is the one that was planned, from its own host, and unchanged to the byte."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.lab.host.layout import JOB_FILE, MANIFEST_FILE, RESULTS_FOLDER
from bench.lab.host.sealing import read_ending, read_job
from bench.results.folder import read_whole
from bench.results.labs.ending import Ending
from bench.results.labs.plan import Job
from hardware_profiles.errors import InputError, shown
from hardware_profiles.opening import MIB, Kind, read_input

_MANIFEST = Kind("manifest of a job", 4 * MIB, stdin=False)
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)")


class JobRefusedError(ValueError):
    """A job that is not stored; `str()` is the detail.

    Parameters
    ----------
    code
        Reason, from bench/results/labs/reasons.py.
    detail
        What is wrong.
    """

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Received:
    """A job that was received whole."""

    ending: Ending
    code: str  # reason why nothing was measured; empty if a valid result was
    detail: str


def check_received(folder: Path, job: Job, digests: Mapping[str, str], hosts: Mapping[str, str]) -> Received:
    """Return what a received job says of itself, after every check.

    Parameters
    ----------
    folder
        Where it was unpacked.
    job
        The job as it was planned.
    digests
        SHA-256 digest of each file that was written, by its path within the folder.
    hosts
        Names of the hosts of the run by the key of their machine.

    Raises
    ------
    JobRefusedError
        It is another job, comes from another host, or a file is missing, too much or changed.
    """
    try:
        _check_manifest(folder, digests)
        if (sent := read_job(folder)) != job:
            raise JobRefusedError("bundle_refused", f"{JOB_FILE} is of job {shown(sent.id)} on {shown(sent.host)}")
        ending = read_ending(folder)
    except InputError as fault:
        raise JobRefusedError("bundle_refused", str(fault).replace(f"{folder}/", "")) from None
    if ending.job != job.id or ending.host != job.host:
        raise JobRefusedError("bundle_refused", f"the ending is of job {ending.job} on {ending.host}")
    _check_machine(ending.host_id, job, hosts)
    there = {path.split("/")[1] for path in digests if path.startswith(f"{RESULTS_FOLDER}/")}
    if there != set(ending.results):
        raise JobRefusedError("bundle_refused", f"it has the results {sorted(there)}, not {sorted(ending.results)}")
    statuses = [_check_result(folder / RESULTS_FOLDER / id_, job, hosts) for id_ in ending.results]
    if "ok" in statuses:
        return Received(ending, "", "")
    return Received(ending, ending.reason or "measurement_failed", ending.detail)


def _check_manifest(folder: Path, digests: Mapping[str, str]) -> None:
    path = folder / MANIFEST_FILE
    listed = {}
    for line in read_input(path, _MANIFEST).decode("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise JobRefusedError("bundle_refused", f"{MANIFEST_FILE} has the line {shown(line)}")
        listed[match[2]] = match[1]
    received = {name: sha256 for name, sha256 in digests.items() if name != MANIFEST_FILE}
    for name in sorted(listed.keys() | received.keys()):
        if name not in received:
            raise JobRefusedError("files_differ", f"{name} is missing")
        if name not in listed:
            raise JobRefusedError("files_differ", f"{name} is not in {MANIFEST_FILE}")
        if listed[name] != received[name]:
            raise JobRefusedError("files_differ", f"{name} has sha256 {received[name][:12]}…, not {listed[name][:12]}…")


def _check_machine(host_id: str, job: Job, hosts: Mapping[str, str]) -> None:
    if job.host_id and host_id != job.host_id:
        other = hosts.get(host_id)
        if other is not None:
            raise JobRefusedError("answers_for", f"machine {host_id} is {other}")
        raise JobRefusedError("host_changed", f"expected machine {job.host_id}, got {shown(host_id)}")


def _check_result(folder: Path, job: Job, hosts: Mapping[str, str]) -> str:
    """Return the status of a received result."""
    try:
        record = read_whole(folder)
    except InputError as fault:
        raise JobRefusedError("files_differ", str(fault).replace(f"{folder.parent}/", "")) from None
    if record.id != folder.name:
        raise JobRefusedError("bundle_refused", f"the result {folder.name} says that it is {shown(record.id)}")
    if record.run.host is None:
        raise JobRefusedError("bundle_refused", f"the result {folder.name} does not say which machine measured it")
    _check_machine(record.run.host.id, job, hosts)
    return record.status
