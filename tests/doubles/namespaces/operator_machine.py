"""The operator's machine of a lab of namespaces: its lab file, its `perwatt` commands, and what its book says."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doubles.namespaces.lab import NamespaceLab, child_of, namespace_lab

ROOT = Path(__file__).resolve().parents[3]
QUIET = Path(__file__).with_name("quiet")
LONGEST_S = 240.0  # [s] of a command, so that no test hangs
WORKLOADS = ("matmul_f32_cpu", "matmul_f64_cpu", "sha256d_scan_cpu")  # under the plan smoke: about 2 s of CPU each
PATIENCE = """
import sys
from bench.lab.run import controller, schedule
schedule.START_S, schedule.MARGIN_S = 20.0, 5.0
controller.GRACE_S, controller.LOOK_S, controller.BUSY_S = 5.0, 3.0, 1.0
from bench.__main__ import main
main()
"""
"""`perwatt` with less patience, so that a test need not wait until a host counts as lost."""


@dataclass
class Operator:
    """Who runs `perwatt lab` on the machine to which every cable leads."""

    lab: NamespaceLab
    folder: Path
    runtime: str  # folder of the sockets of ssh: a short path, and connections to no other lab
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def store(self) -> Path:
        """The results folder."""
        return self.folder / "results"

    def environment(self) -> dict[str, str]:
        """Return the variables of this machine's programs."""
        own = {
            "HOME": self.folder,
            "XDG_RUNTIME_DIR": self.runtime,
            "PERWATT_LOCKS": self.folder / "locks",
            "PYTHONPATH": ROOT,
        }
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "COLUMNS": "200", **{name: str(value) for name, value in own.items()}}

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start a `perwatt` command in a group of its own."""
        argv = [sys.executable, "-c", PATIENCE, *map(str, words)]
        process = self.lab.start(
            argv, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def perwatt(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a `perwatt` command to its end."""
        return self.end_of(self.start(*words))

    def end_of(self, process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        """Return a command that was started, when it has ended."""
        output, errors = process.communicate(timeout=LONGEST_S)
        assert "Traceback" not in errors, errors
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill a command and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.communicate()

    def close(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            if process.poll() is None:
                self.kill(process)

    def book(self) -> Path:
        """Return the folder of the only run."""
        (book,) = [path for path in (self.store / "labs").iterdir() if not path.name.startswith(".")]
        return book

    def planned(self, book: Path | None = None) -> dict[str, dict[str, Any]]:
        """Return every job of a run by its id, further attempts too."""
        jobs = json.loads(((book or self.book()) / "plan.json").read_text())["jobs"]
        jobs += [event["data"]["planned"] for event in self.events(book) if event["kind"] == "planned"]
        return {job["id"]: job for job in jobs}

    def events(self, book: Path | None = None) -> list[dict[str, Any]]:
        """Return the whole lines of a ledger."""
        try:
            lines = ((book or self.book()) / "ledger.jsonl").read_text().split("\n")[:-1]
        except (FileNotFoundError, ValueError):
            return []
        return [json.loads(line) for line in lines]

    def heard(self, kind: str, host: str) -> list[dict[str, Any]]:
        """Return the events of one kind about one host."""
        return [event for event in self.events() if event["kind"] == kind and event["host"] == host]

    def check(self, *words: object) -> dict[str, dict[str, Any]]:
        """Return what `perwatt lab check` says of each host."""
        done = self.perwatt("lab", "check", "lab.toml", *words, "--json")
        assert done.returncode in {0, 1}, done.stderr
        document = json.loads(done.stdout)
        assert document["ok"] == (done.returncode == 0)
        return {host["name"]: host for host in document["hosts"]}

    def coverage(self) -> dict[str, Any]:
        """Return what `perwatt lab status --json` prints: every planned measurement and its state."""
        done = self.perwatt("lab", "status", "--json")
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    def endings(self, book: Path | None = None) -> list[dict[str, Any]]:
        """Return the end.json of every collected job of a run."""
        folders = (book or self.book()) / "jobs"
        return [json.loads(path.read_text()) for path in sorted(folders.glob("*/end.json"))]

    def runs_there(self, host: str) -> bool:
        """Return whether a measurement has begun on a host and has not ended, by a look at its disk."""
        init = self.lab.hosts[host].init
        assert init
        folder = Path(f"/proc/{child_of(init.pid)}/root{self.lab.hosts[host].folder}")  # its own disk is mounted there
        return any(folder.glob("jobs/*.partial/.started.json"))

    def collected(self) -> list[dict[str, Any]]:
        """Return the events of jobs that were collected with a measurement."""
        return [event for event in self.events() if event["kind"] == "collected" and not event["code"]]

    def results(self) -> set[str]:
        """Return the ids of the results that are stored here."""
        return {path.parent.name for path in self.store.glob("[!.]*/result.json")}

    def until_it_measures(self, host: str, process: subprocess.Popen[str]) -> None:
        """Wait until a host is in the middle of a measurement."""
        until(lambda: self.runs_there(host), process)

    def until_it_does_not_measure(self, host: str, process: subprocess.Popen[str]) -> None:
        """Wait until no measurement runs on a host."""
        until(lambda: not self.runs_there(host), process)


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for a condition while a command runs."""
    end_s = time.monotonic() + LONGEST_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s, "the condition did not come"
        time.sleep(0.02)


@contextlib.contextmanager
def operator(
    folder: Path,
    domains: Mapping[str, str | None],
    *,
    within: Mapping[str, str | None] = {},
    lines: Sequence[str] = (),
    **options: Any,
) -> Iterator[Operator]:
    """Yield the operator of a lab of namespaces with a lab file.

    Parameters
    ----------
    folder
        An empty folder.
    domains
        Power domain of each host, or None.
    within
        What each power domain is within, or None.
    lines
        Further lines at the end of the lab file.
    options
        As of `namespace_lab`.
    """
    hosts, own = folder / "hosts", folder / "operator"
    hosts.mkdir()
    own.mkdir()
    variables = {"PYTHONPATH": f"{QUIET}:{ROOT}", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as runtime,
        namespace_lab(hosts, list(domains), variables=variables, **options) as lab,
    ):
        machine = Operator(lab, own, runtime)
        (own / "lab.toml").write_text(lab_file(lab, domains, within, lines))
        (own / "ssh_config").write_text("".join(f"{key} {value}\n" for key, value in ssh_settings(lab).items()))
        try:
            yield machine
        finally:
            machine.close()


def ssh_settings(lab: NamespaceLab) -> dict[str, object]:
    """Return what the operator's ssh configuration says for all hosts."""
    known = lab.folder / "known_hosts"
    return {"IdentityFile": lab.folder / "key", "UserKnownHostsFile": known, "GlobalKnownHostsFile": known}


def lab_file(
    lab: NamespaceLab, domains: Mapping[str, str | None], within: Mapping[str, str | None], lines: Sequence[str]
) -> str:
    """Return the lab file of these hosts."""
    text = ["[lab]", 'name = "namespaces"', 'ssh_config = "ssh_config"']
    for name, domain in domains.items():
        host = lab.hosts[name]
        text += ["[[host]]", f'name = "{name}"', f'address = "root@{host.address}"', f'python = "{sys.executable}"']
        text += [f'folder = "{host.folder}"']
        text += [f'domain = "{domain}"'] if domain else []
    for name, outer in within.items():
        text += ["[[domain]]", f'name = "{name}"']
        text += [f'within = "{outer}"'] if outer else []
    return "\n".join([*text, *lines, ""])


def overlapping(endings: Collection[Mapping[str, Any]], jobs: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the pairs of measurements that ran at once in one domain, by the stamps of their hosts.

    All hosts share the monotonic clock of this machine, so that their stamps can be compared exactly.
    """
    whole = sorted(
        (end["started"]["monotonic_s"], end["ended"]["monotonic_s"], end["job"])
        for end in endings
        if end["started"] and end["ended"]
    )
    return [
        (first, second)
        for (_, end_s, first), (start_s, _, second) in itertools.combinations(whole, 2)
        if start_s < end_s and not set(jobs[first]["domains"]).isdisjoint(jobs[second]["domains"])
    ]


def unsound(machine: Operator) -> list[str]:
    """Return the files of collected jobs and results that are missing, or changed since they were sealed."""
    faulty = []
    for manifest in sorted(machine.book().glob("jobs/*/MANIFEST.sha256")):
        for line in manifest.read_text().splitlines():
            digest, name = line.split(maxsplit=1)
            path = manifest.parent / name
            if name.startswith("results/"):
                path = machine.store / name.removeprefix("results/")
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                faulty.append(str(path))
    return faulty
