"""A lab whose hosts are the nodes of a cluster on this machine: each has a machine id, a folder of jobs and locks."""

import secrets
import subprocess
import sys
from pathlib import Path

import psutil

from bench.lab.host import layout
from bench.lab.host.sealing import read_started
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from doubles.slurm import cluster

ROOT = Path(__file__).resolve().parents[3]
# The node's own machine id, in a mount namespace of each process that is started there.
PYTHON = """\
#!/bin/sh
export PERWATT_LOCKS={folder}/locks PYTHONPATH={root}
exec unshare --mount sh -c 'mount --bind {folder}/machine-id /etc/machine-id && exec "$0" "$@"' {python} "$@"
"""


def missing():
    """Return why no such lab can run here, or an empty text."""
    if reason := cluster.missing():
        return reason
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no mount namespaces here: {done.stderr.strip()}"


class SlurmLab:
    """A lab of nodes; lab.toml is in the folder, and so are the results.

    Parameters
    ----------
    folder
        An empty folder.
    running
        The running cluster.
    domains
        The power domain of each node, or None.
    """

    def __init__(self, folder, running, domains):
        self.folder, self.cluster, self.store = folder, running, folder / "results"
        self.file = folder / "lab.toml"
        text = '[lab]\nname = "on slurm"\n[[domain]]\nname = "rack"\nwithin = "phase"\n[[domain]]\nname = "phase"\n'
        for node, domain in domains.items():
            own = folder / node
            own.mkdir()
            (own / "machine-id").write_text(secrets.token_hex(16) + "\n")
            python = own / "python"
            python.write_text(PYTHON.format(folder=own, root=ROOT, python=sys.executable))
            python.chmod(0o755)
            text += f'[[host]]\nname = "{node}"\nreach = "slurm"\npython = "{python}"\nfolder = "{own}"\n'
            text += f'domain = "{domain}"\n' if domain else ""
        self.file.write_text(text)

    def perwatt(self, *words, status=0):
        """Call `perwatt lab` as the operator does, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "bench", "lab", *map(str, words)], cwd=self.folder, capture_output=True, text=True,
            env={**self.cluster.variables, "PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    @property
    def book(self):
        """The book of the latest run."""
        return Book.open(self.store)

    def job(self, node):
        """Return the newest job of a node."""
        return [job for job in self.book.jobs().values() if job.host == node][-1]

    def row(self, node):
        """Return what the book says of the newest job of a node."""
        return next(row for row in coverage(self.book).rows if row.job.host == node)

    def measuring(self, job):
        """Wait until a job measures, and return its process, suspended."""
        partial = layout.partial(self.folder / job.host, job.id)

        def child():
            _, keeper = read_started(partial)
            children = psutil.Process(keeper).children() if keeper else []
            return children[0] if children else None

        process = self.cluster.until(child, f"{job.host} measures")
        process.suspend()
        return process

    def logs(self):
        """Return what all tasks have printed."""
        return "".join(path.read_text() for path in sorted((self.book.folder / "slurm").glob("*.txt")))

    def spans(self, *nodes):
        """Return start and end of every measurement of these nodes by the clock of this machine, in order [s]."""
        endings = [event.data["ending"] for event in self.book.events() if event.kind == "ended"]
        return sorted(
            (end["started"]["monotonic_s"], end["ended"]["monotonic_s"]) for end in endings if end["host"] in nodes
        )
