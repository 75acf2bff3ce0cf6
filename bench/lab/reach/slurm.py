"""Hosts over Slurm's `srun`, for clusters that let nobody log in to a node: the same conversation with a task there.

The task waits until nothing else has the node for itself, so that it never disturbs a measurement. Slurm kills what a
task leaves behind: jobs are started by the script of `perwatt lab script` and never this way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from bench.lab.inventory.lab import Host
from bench.lab.reach.pipe import PipeChannel, PipeReach, conversation
from bench.lab.reach.protocol import OPEN_LIMIT_S

# What srun prints, the first match counts.
_SIGNS = (
    ("No module named", "no_perwatt"),
    ("No such file or directory", "no_perwatt"),
    ("No such command", "no_perwatt"),
)


class SlurmReach(PipeReach):
    """The way to a host over `srun`, with the partition and the account that the SLURM_ variables of the user say.

    Parameters
    ----------
    host
        The host; its name is that of the node.
    """

    def __init__(self, host: Host) -> None:
        self.host = host.name
        self._folder = host.folder
        remote = ["perwatt"] if host.python is None else [host.python, "-m", "bench"]
        self._remote = [*remote, "lab", "host"]

    @contextmanager
    def open(self, *, limit_s: float = OPEN_LIMIT_S) -> Iterator[PipeChannel]:
        """Open a conversation; see `Reach.open`."""
        options = ["--quiet", "--nodes=1", "--ntasks=1", "--job-name=perwatt-ask", f"--immediate={ceil(limit_s)}"]
        command = ["srun", *options, f"--nodelist={self.host}", *self._remote]
        with conversation(self.host, self._folder, command, _explain, None) as channel:
            yield channel


def _explain(status: int | None, errors: str) -> tuple[str, str]:
    """Return the reason code and the detail of a task that failed."""
    last = next((line.strip() for line in reversed(errors.split("\n")) if line.strip()), f"srun ended with {status}")
    return next((code for sign, code in _SIGNS if sign in errors), "unreachable"), last
