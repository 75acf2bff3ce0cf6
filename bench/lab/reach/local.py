"""The controller's own machine as a host of a lab: the same conversation with a child process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.lab.inventory.lab import Host
from bench.lab.reach.pipe import PipeChannel, conversation
from bench.lab.reach.protocol import ASK_LIMIT_S, OPEN_LIMIT_S
from bench.machine.processes import python_command

_SERVE = "from bench.lab.host.answer import serve\nserve(sys.stdin.buffer, sys.stdout.buffer)\n"


class LocalReach:
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

    def ask(self, verb: str, request: dict[str, Any] | None = None, *, limit_s: float = ASK_LIMIT_S) -> dict[str, Any]:
        """Return the answer to one request; see `Reach.ask`."""
        with self.open() as channel:
            return channel.ask(verb, request, limit_s=limit_s)

    @contextmanager
    def fetch(self, job_ids: Sequence[str], *, limit_s: float = ASK_LIMIT_S) -> Iterator[PipeChannel]:
        """Open the bundle of finished jobs; see `Reach.fetch`."""
        with self.open() as channel:
            yield channel.stream(job_ids, limit_s=limit_s)


def _explain(status: int | None, errors: str) -> tuple[str, str]:
    last = next((line for line in reversed(errors.split("\n")) if line.strip()), f"exit status {status}")
    return ("no_perwatt" if "No module named" in errors else "no_answer"), last
