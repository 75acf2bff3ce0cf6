"""Child processes, which import nothing from the current folder and get no variables but those that they need."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bench.machine.variables import RECORDED

_ROOT = Path(__file__).resolve().parents[2]
_NEEDED = frozenset({
    "CUDA_HOME", "CUDA_PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "USER", "XDG_CACHE_HOME",
})  # fmt: skip
# Python's own library comes first, then this very code, what is installed, and the parent's other folders.
_PREPARE = """import json, sys
root, *others = json.loads(sys.argv.pop(1))
sys.path.insert(next((i for i, path in enumerate(sys.path) if path.endswith("-packages")), len(sys.path)), root)
sys.path += [path for path in others if path not in sys.path]
"""


_LEAVE = """import os
if os.fork():
    os._exit(0)
"""
# A process that is killed cannot end its children, so the kernel does it (PR_SET_PDEATHSIG).
_TIE = """import ctypes, os, signal
ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
if os.getppid() != int(sys.argv.pop(1)):
    os._exit(1)
"""


def run_python(code: str, *arguments: str, variables: Mapping[str, str]) -> str:
    """Return what Python code prints in a process of its own.

    Parameters
    ----------
    code
        The code; it sees `arguments` as `sys.argv[1:]`.
    variables
        Environment variables, in addition to those that every child gets.

    Raises
    ------
    subprocess.CalledProcessError
        The code failed.
    """
    done = subprocess.run(  # noqa: S603 (this interpreter and a text of ours)
        _command(code, arguments),
        env={**_environment(), **variables}, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout


def start_python(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start Python code in a process of its own, with pipes to its standard input and output, and return it.

    What it writes to standard error goes to ours. See `run_python`.
    """
    return subprocess.Popen(  # noqa: S603 (as above)
        _command(code, arguments), env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def start_detached(code: str, *arguments: str, keep: Sequence[int] = ()) -> None:
    """Start Python code that outlives this process: a session of its own, no streams, and the variables of ours.

    It is no child of this process either, which may be a worker that lives long and would have to wait for it.

    Parameters
    ----------
    code
        The code; it sees `arguments` as `sys.argv[1:]`.
    keep
        File descriptors that it inherits, under the same numbers.
    """
    subprocess.run(  # noqa: S603 (as above)
        _command(_LEAVE + code, arguments), env=dict(os.environ), cwd="/", start_new_session=True, pass_fds=keep,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip


def start_tied(code: str, *arguments: str, output: BinaryIO, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start Python code that the kernel kills when this process ends in any way; it leads a process group of its own.

    Parameters
    ----------
    code
        The code; it sees `arguments` as `sys.argv[1:]`.
    output
        File for all that it prints.
    variables
        Environment variables, in addition to all of ours.
    """
    return subprocess.Popen(  # noqa: S603 (as above)
        _command(_TIE + code, (str(os.getpid()), *arguments)), env={**os.environ, **variables}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip


def start_served(
    command: Sequence[str], errors: BinaryIO, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program that answers on its standard output what it is asked on its standard input.

    Parameters
    ----------
    command
        Path and arguments; never a password.
    errors
        File for its standard error; a pipe would stay open as long as any of its children lives.
    variables
        Environment variables, in addition to those that every child gets; None for all of ours.
    """
    environment = dict(os.environ) if variables is None else {**_environment(), "LC_ALL": "C", **variables}
    return subprocess.Popen(  # noqa: S603 (a program that the user named or installed, no shell)
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
    )


def python_command(code: str, *arguments: str) -> list[str]:
    """Return the command line that runs Python code with this very code of perwatt; see `run_python`."""
    return _command(code, arguments)


def open_many_files() -> None:
    """Let this process open as many files as the system allows it at most: every connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # the soft limit then stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _command(code: str, arguments: tuple[str, ...]) -> list[str]:
    here = Path.cwd().resolve()
    paths = [path for path in sys.path if path and (Path(path).resolve() != here or here == _ROOT)]
    return [sys.executable, "-I", "-c", _PREPARE + code, json.dumps([str(_ROOT), *paths]), *arguments]


def run_git(root: str, *arguments: str) -> str | None:
    """Return what git prints about a checkout, which it does not change, or None if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 (fixed arguments, no shell)
            ["git", "-C", root, "-c", "core.fsmonitor=false", *arguments],  # noqa: S607 (the user's git)
            env={**_environment(), "GIT_OPTIONAL_LOCKS": "0"}, capture_output=True, text=True, timeout=10, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


class Done(NamedTuple):
    """A program that has ended, or was stopped."""

    status: int | None  # its exit status; None if it was stopped because it took too long
    output: str
    errors: str


def run_tool(command: Sequence[str], timeout_s: float, variables: Mapping[str, str]) -> Done:
    """Return what an installed program prints, in English.

    Parameters
    ----------
    command
        Path and arguments; never a password, which other users could read.
    timeout_s
        Time after which it is stopped [s].
    variables
        Environment variables, in addition to those that every child gets: the place for a password.
    """
    try:
        done = subprocess.run(  # noqa: S603 (a program that the user named or installed, no shell)
            command, env={**_environment(), "LC_ALL": "C", **variables}, capture_output=True, text=True,
            errors="replace", timeout=timeout_s, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Done(None, "", "")
    except OSError as error:
        return Done(127, "", str(error))
    return Done(done.returncode, done.stdout, done.stderr)


async def run_bounded(command: Sequence[str], request: bytes, timeout_s: float, limit_bytes: int) -> Done:
    """Return what a program of the user answers on its standard output to bytes on its standard input.

    It has all our variables and leads a process group of its own, which is killed when it takes too long, prints too
    much, or nobody waits for it any more.

    Parameters
    ----------
    command
        Path and arguments; never a password.
    request
        What it reads.
    timeout_s
        Time for everything [s].
    limit_bytes
        Longest output, and longest text of errors [byte].

    Returns
    -------
    Done
        Its status is None if it was killed, and `errors` says why.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, answer = await loop.subprocess_exec(
            lambda: _Answer(limit_bytes), *command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in an argument
        return Done(127, "", str(error))
    whole = False
    try:
        stdin = transport.get_pipe_transport(0)
        if isinstance(stdin, asyncio.WriteTransport):
            stdin.write(request)
            stdin.close()  # after what was written
        async with asyncio.timeout(timeout_s):
            fault = await answer.ended
        whole = not fault
    except TimeoutError:
        fault = f"no end within {timeout_s:g} s"
    finally:
        if not whole:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(transport.get_pid(), signal.SIGKILL)
        transport.close()
        await asyncio.shield(answer.exited)
    if fault:
        return Done(None, "", fault)
    output, errors = (bytes(answer.read[number]).decode("utf-8", "replace") for number in (1, 2))
    return Done(transport.get_returncode(), output, errors)


class _Answer(asyncio.SubprocessProtocol):
    """What a program prints, up to a limit of each stream [byte]."""

    def __init__(self, limit_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self.read = {1: bytearray(), 2: bytearray()}
        self.ended: asyncio.Future[str] = loop.create_future()  # an empty text, or why it is not waited for
        self.exited: asyncio.Future[None] = loop.create_future()
        self._limit_bytes = limit_bytes

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what it prints."""
        if len(self.read[fd]) + len(data) <= self._limit_bytes:
            self.read[fd] += data
        elif not self.ended.done():
            self.ended.set_result(f"more than {self._limit_bytes} bytes of output")

    def process_exited(self) -> None:
        """Note that the program has ended; a child of it may still hold a stream."""
        self.exited.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Note that it has ended and all its streams are closed."""
        if not self.ended.done():
            self.ended.set_result("")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _NEEDED | RECORDED}
