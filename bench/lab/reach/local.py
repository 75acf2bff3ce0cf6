"""The controller's own machine as a host of a lab: the same conversation with a child process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.lab.inventory.lab import Host
from bench.lab.reach.pipe import PipeChannel, PipeReach, conversation
from bench.lab.reach.protocol import OPEN_LIMIT_S
from bench.machine.processes import python_command

_SERVE = "from bench.lab.host.answer import serve\nserve(sys.stdin.buffer, sys.stdout.buffer)\n"


class LocalReach(PipeReach):
    """The way to a host that is this machine.

    Parameters
    ----------
    host
        The host; without `python`, this very perwatt answers.
    """

    def __init__(self, host: Host) -> None:
        self.host = host.name
        self._folder = host.folder
        python = host.python
        self._command = (
            python_command(_SERVE) if python is None else [str(Path(python).expanduser()), "-m", "bench", "lab", "host"]
        )

    @contextmanager
    def open(self, *, limit_s: float = OPEN_LIMIT_S) -> Iterator[PipeChannel]:  # noqa: ARG002 (a child starts at once)
        """Open a conversation; see `Reach.open`."""
        with conversation(self.host, self._folder, self._command, _explain, None) as channel:
            yield channel


def _explain(status: int | None, errors: str) -> tuple[str, str]:
    last = next((line for line in reversed(errors.split("\n")) if line.strip()), f"exit status {status}")
    return ("no_perwatt" if "No module named" in errors else "no_answer"), last
