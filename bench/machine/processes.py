"""Child processes, which import nothing from the current folder and get no variables but those that they need."""

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

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


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _NEEDED | RECORDED}
