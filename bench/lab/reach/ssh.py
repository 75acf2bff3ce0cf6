"""Hosts over the system's OpenSSH: known keys only, never a password, one connection for many requests."""

import hashlib
import os
import re
import shlex
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from bench.lab.errors import HostError
from bench.lab.inventory.lab import Host
from bench.lab.reach.pipe import PipeChannel, PipeReach, conversation
from bench.lab.reach.protocol import OPEN_LIMIT_S
from bench.machine.processes import run_tool

CONNECT_LIMIT_S = 10  # [s]
ALIVE_INTERVAL_S, ALIVE_COUNT = 5, 3  # a connection without a sign of life for 15 s is lost
_OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "ConnectTimeout": str(CONNECT_LIMIT_S),
    "ConnectionAttempts": "1",
    "ServerAliveInterval": str(ALIVE_INTERVAL_S),
    "ServerAliveCountMax": str(ALIVE_COUNT),
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "RequestTTY": "no",
}
_INHERITED = ("SSH_AUTH_SOCK", "KRB5CCNAME")
_KEY = re.compile(r"Server host key: (\S+ SHA256:\S+)")
# What OpenSSH prints in English, the first match counts.
_SIGNS = (
    ("HOST IDENTIFICATION HAS CHANGED", "host_changed"),
    ("Host key verification failed", "host_key_unknown"),
    ("No matching host key", "host_changed"),
    ("Permission denied", "no_login"),
    ("Too many authentication failures", "no_login"),
    ("No module named", "no_perwatt"),
    ("not found", "no_perwatt"),
    ("No such file or directory", "no_perwatt"),
    ("No such command", "no_perwatt"),
)


class SshReach(PipeReach):
    """The way to a host over ssh.

    Parameters
    ----------
    host
        The host.
    config
        File for `ssh -F`; None for the user's own configuration.
    """

    def __init__(self, host: Host, config: Path | None = None) -> None:
        self.host = host.name
        self._folder = host.folder
        self._address = host.address
        self._remote = _remote_command(host.python)
        self._config = () if config is None else ("-F", str(config))

    @contextmanager
    def open(self, *, limit_s: float = OPEN_LIMIT_S) -> Iterator[PipeChannel]:  # noqa: ARG002 (ssh has limits of its own)
        """Open a conversation; see `Reach.open`."""
        path = f"{_sockets()}/{_mark(*self._config, self._address)}"
        shared = {"ControlMaster": "auto", "ControlPath": path, "ControlPersist": "60"}
        command = self._command(shared)
        with conversation(self.host, self._folder, command, _explain, _variables()) as channel:
            yield channel

    def host_key(self) -> str:
        """Return the type and the fingerprint of the key that the host has shown, over a connection of its own.

        Raises
        ------
        HostError
            The host cannot be reached, or its key is not in known_hosts.
        """
        command = self._command({"ControlPath": "none"}, "-v", remote="exit 0")
        done = run_tool(command, OPEN_LIMIT_S, _variables())
        match = _KEY.search(done.errors)
        if done.status != 0 or match is None:
            raise HostError(self.host, *_explain(done.status, done.errors))
        return match[1]

    def _command(self, options: dict[str, str], *flags: str, remote: str = "") -> list[str]:
        settings = [text for name, value in (_OPTIONS | options).items() for text in ("-o", f"{name}={value}")]
        return ["ssh", *self._config, "-T", *flags, *settings, "--", self._address, remote or self._remote]


def _remote_command(python: str | None) -> str:
    """Return the command line for the user's shell on the host."""
    if python is None:
        return "perwatt lab host"
    home = "~/" if python.startswith("~/") else ""  # the shell on the host expands it
    return f"{home}{shlex.quote(python.removeprefix(home))} -m bench lab host"


def _variables() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


@cache
def _sockets() -> str:
    """Return a folder for the sockets of shared connections; their paths must be short."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and len(runtime) < 30 and os.access(runtime, os.W_OK):
        folder = Path(runtime) / "perwatt-ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        return str(folder)
    folder = Path(tempfile.gettempdir()) / f"perwatt-{os.geteuid()}"  # one for all commands: masters outlive them
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    status = os.lstat(folder)
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077:
        return str(folder)
    return tempfile.mkdtemp(prefix="perwatt-")  # somebody else has the name


def _mark(*words: str) -> str:
    """Return a mark of an address, its ssh configuration and this network: elsewhere, the address is another host."""
    try:
        network = os.readlink("/proc/self/ns/net")  # noqa: PTH115 (no path)
    except OSError:
        network = ""
    return hashlib.sha256(repr((words, os.environ.get("HOME"), network)).encode()).hexdigest()[:24]


def _explain(status: int | None, errors: str) -> tuple[str, str]:
    """Return the reason code and the detail of a connection that failed."""
    lines = [line.strip() for line in errors.split("\n") if line.strip() and not line.startswith(("debug", "@"))]
    last = lines[-1] if lines else f"exit status {status} of its command"
    code = next((code for sign, code in _SIGNS if sign in errors), "")
    if code == "host_changed":
        last = "its ssh key is not the one in known_hosts"
    return code or ("unreachable" if status == 255 else "no_answer"), last.rstrip(".")
