"""A conversation over the standard streams of a child process, such as ssh, with a time limit for every step."""

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import IO, Any

from bench.lab.errors import HostError
from bench.lab.host.answer import MARK
from bench.lab.reach.protocol import ASK_LIMIT_S, OPEN_LIMIT_S
from bench.machine.processes import start_served
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError

LONGEST_ANSWER_BYTES = 2**26
_CHUNK_BYTES = 2**18
_GOODBYE_S = 5.0  # [s] the child has to end after its input is closed
Explain = Callable[[int | None, str], tuple[str, str]]
"""From the exit status and the standard error of a child to a reason code and a detail."""


class PipeChannel:
    """A conversation with the child process that leads to a host.

    Parameters
    ----------
    host
        Name of the host.
    folder
        Where the host keeps jobs.
    child
        The process.
    errors
        File of its standard error.
    explain
        Makes a reason of a child that ended.
    """

    def __init__(
        self, host: str, folder: str, child: subprocess.Popen[bytes], errors: IO[bytes], explain: Explain
    ) -> None:
        self._host = host
        self._folder = folder
        self._child = child
        self._errors = errors
        self._explain = explain
        self._buffer = b""
        self._limit_s = ASK_LIMIT_S

    def ask(self, verb: str, request: dict[str, Any] | None = None, *, limit_s: float = ASK_LIMIT_S) -> dict[str, Any]:
        """Return the answer to one request; see `Channel.ask`."""
        document = {"verb": verb, "folder": self._folder, "request": request or {}}
        self._send(json.dumps(document).encode() + b"\n")
        answer = self._answer(time.monotonic() + limit_s)
        if "refused" in answer:
            raise HostError(self._host, str(answer["refused"]), str(answer.get("detail", "")))
        return answer

    def stream(self, job_ids: Sequence[str], *, limit_s: float) -> "PipeChannel":
        """Ask for the bundle of jobs; from now on `read` gives its bytes."""
        self._limit_s = limit_s
        self.ask("fetch", {"jobs": list(job_ids)}, limit_s=limit_s)
        return self

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes of a bundle; none at its end."""
        if not self._buffer and not self._fill(time.monotonic() + self._limit_s):
            if self._end(_GOODBYE_S):
                raise self._fault()
            return b""
        content, self._buffer = self._buffer[:size], self._buffer[size:]
        return content

    def close(self) -> None:
        """End the conversation; a child that does not end by itself is killed."""
        self._end(_GOODBYE_S)

    def kill(self) -> None:
        """End the child at once."""
        self._end(0.0)

    def _send(self, line: bytes) -> None:
        stdin = self._child.stdin
        with contextlib.suppress(
            OSError
        ):  # a child that has ended may have answered; else the end of its output says so
            if stdin is not None:
                stdin.write(line)
                stdin.flush()

    def _answer(self, until_s: float) -> dict[str, Any]:
        """Return the next marked line; lines before it come from the user's shell."""
        passed = 0
        while True:
            line, feed, rest = self._buffer.partition(b"\n")
            if feed:
                self._buffer = rest
                if line.startswith(MARK):
                    return self._parsed(line.removeprefix(MARK))
                passed += len(line)
            elif not self._fill(until_s):
                raise self._fault()
            if passed + len(self._buffer) > LONGEST_ANSWER_BYTES:
                raise HostError(self._host, "wrong_answer", f"more than {LONGEST_ANSWER_BYTES} bytes")

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            answer = parse_json(line, self._host, "an answer")
        except InputError as fault:
            raise HostError(self._host, "wrong_answer", str(fault)) from None
        if not isinstance(answer, dict):
            raise HostError(self._host, "wrong_answer", "it is no JSON object")
        return answer

    def _fill(self, until_s: float) -> bool:
        """Read what there is; return False at the end of the stream."""
        stdout = self._child.stdout
        if stdout is None:
            return False
        ready, _, _ = select.select([stdout], [], [], max(0.0, until_s - time.monotonic()))
        if not ready:
            self.kill()
            raise HostError(self._host, "no_answer", "the time limit passed")
        content = os.read(stdout.fileno(), _CHUNK_BYTES)
        self._buffer += content
        return bool(content)

    def _fault(self) -> HostError:
        status = self._end(_GOODBYE_S)
        self._errors.seek(0)
        return HostError(self._host, *self._explain(status, self._errors.read(65536).decode(errors="replace")))

    def _end(self, limit_s: float) -> int | None:
        for pipe in (self._child.stdin,):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        try:
            return self._child.wait(limit_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            return self._child.wait()


class PipeReach(ABC):
    """A way to a host over a child process; a kind of it says which, in `open`."""

    host: str

    @abstractmethod
    def open(self, *, limit_s: float = OPEN_LIMIT_S) -> AbstractContextManager[PipeChannel]:
        """Open a conversation; see `Reach.open`."""

    def ask(self, verb: str, request: dict[str, Any] | None = None, *, limit_s: float = ASK_LIMIT_S) -> dict[str, Any]:
        """Return the answer to one request; see `Reach.ask`."""
        with self.open() as channel:
            return channel.ask(verb, request, limit_s=limit_s)

    @contextlib.contextmanager
    def fetch(self, job_ids: Sequence[str], *, limit_s: float = ASK_LIMIT_S) -> Iterator[PipeChannel]:
        """Open the bundle of finished jobs; see `Reach.fetch`."""
        with self.open() as channel:
            yield channel.stream(job_ids, limit_s=limit_s)


@contextlib.contextmanager
def conversation(
    host: str, folder: str, command: Sequence[str], explain: Explain, variables: Mapping[str, str] | None
) -> Iterator[PipeChannel]:
    """Hold a conversation with a child process that leads to a host.

    Parameters
    ----------
    command
        Its command line.
    explain
        Makes a reason of a child that ended.
    variables
        As in `start_served`.

    Raises
    ------
    HostError
        The command does not exist.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            child = start_served(command, errors, variables)
        except OSError as error:
            raise HostError(host, "no_perwatt", f"{command[0]}: {error.strerror}") from None
        channel = PipeChannel(host, folder, child, errors, explain)
        try:
            yield channel
        except BaseException:
            channel.kill()
            raise
        else:
            channel.close()
        finally:
            if child.stdout is not None:
                child.stdout.close()
