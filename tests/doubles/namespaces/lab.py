"""Hosts in network, process, host-name and mount namespaces of this machine, joined by cables with delays."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = ("unshare", "nsenter", "mount", "ip", "ssh", "ssh-keygen", "/usr/sbin/sshd")
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
UNSHARE = ("unshare", "--mount", "--uts", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")
CONTROLLER = "10.88.0.1"


@cache
def why_not() -> str:
    """Return why this machine cannot have such hosts, or an empty text."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} are not installed"
    if not os.access("/dev/net/tun", os.W_OK):
        return "/dev/net/tun cannot be opened"
    done = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return f"namespaces cannot be made here: {done.stderr.strip()}" if done.returncode else ""


@dataclass
class Host:
    """One host of the lab."""

    name: str
    address: str
    folder: Path  # where perwatt keeps its jobs on this host
    config: Path  # of its ssh server
    delays_s: tuple[float, float]  # [s] from it and to it
    disk_mib: int  # [MiB] of its own disk; 0: the disk of this machine
    machine_id: Path
    variables: dict[str, str]  # of every program that its ssh server starts
    init: subprocess.Popen[str] | None = None
    wire: subprocess.Popen[str] | None = None

    def cut(self) -> None:
        """Cut the cable: nothing arrives any more, and nobody is informed."""
        assert self.wire
        self.wire.send_signal(signal.SIGSTOP)

    def join(self) -> None:
        """Mend the cable."""
        assert self.wire
        self.wire.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Cut the power."""
        for process in (self.init, self.wire):
            if process is not None:
                process.kill()
                process.wait()
                close_pipes(process)
        self.init = self.wire = None


@dataclass
class NamespaceLab:
    """A lab whose hosts are namespaces; the controller's programs run with `run` or `start`."""

    folder: Path
    hosts: dict[str, Host] = field(default_factory=dict)
    hub: subprocess.Popen[str] | None = None

    def start(self, argv: Sequence[str], **options: object) -> subprocess.Popen[str]:
        """Start a program of the controller, in its network; the process is the program's own."""
        assert self.hub
        command = ["nsenter", "--target", str(self.hub.pid), "--net", "--", *argv]
        return subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload,no-any-return]

    def run(self, argv: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
        """Run a program of the controller to its end."""
        process = self.start(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        out, error = process.communicate()
        return subprocess.CompletedProcess(list(argv), process.returncode, out, error)

    def run_on(self, name: str, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program on a host, as if at its keyboard."""
        init = self.hosts[name].init
        assert init
        whole = ("--net", "--mount", "--pid", "--uts")
        command = ["nsenter", "--target", str(child_of(init.pid)), *whole, "--", *argv]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def ssh_options(self) -> list[str]:
        """Return the options with which the system's ssh reaches every host."""
        options = {"IdentityFile": "key", "UserKnownHostsFile": "known_hosts", "GlobalKnownHostsFile": "known_hosts"}
        return [part for name, file in options.items() for part in ("-o", f"{name}={self.folder / file}")]

    def boot(self, name: str) -> None:
        """Switch a host on: its ssh server answers when this returns."""
        host = self.hosts[name]
        write_sshd_config(self.folder, host)
        boot_id = self.folder / f"{name}.boot_id"
        boot_id.write_text(f"{uuid.uuid4()}\n")
        settings = {
            "name": name, "address": host.address, "folder": str(host.folder), "disk_mib": host.disk_mib,
            "machine_id": str(host.machine_id), "boot_id": str(boot_id), "sshd_config": str(host.config),
        }  # fmt: skip
        log = (self.folder / f"{name}.log").open("a")
        command = [*UNSHARE, sys.executable, str(HERE / "init.py"), json.dumps(settings)]
        host.init = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        expect(host.init, "ready")
        near = f"t{host.address.rpartition('.')[2]}"
        delays = [str(delay) for delay in host.delays_s]
        wire = [sys.executable, str(HERE / "wire.py"), near, str(child_of(host.init.pid)), "eth0", *delays]
        host.wire = self.start(wire, stdout=subprocess.PIPE)
        expect(host.wire, "ready")
        self.check("ip", "link", "set", near, "master", "lab")
        self.check("ip", "link", "set", near, "up")
        assert host.init.stdin
        host.init.stdin.write("connected\n")
        host.init.stdin.flush()
        expect(host.init, "up")

    def set_clock(self, name: str, shift: str) -> None:
        """Restart a host with another clock; see `namespace_lab`."""
        host = self.hosts[name]
        host.kill()
        for variable in clock_variables("+0"):
            host.variables.pop(variable, None)
        host.variables.update(clock_variables(shift))
        self.boot(name)

    def check(self, *argv: str) -> None:
        """Run a program of the controller that must succeed."""
        done = self.run(argv)
        assert done.returncode == 0, f"{argv}: {done.stderr}"


def close_pipes(process: subprocess.Popen[str]) -> None:
    """Close our ends of the pipes to a process that has ended."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def expect(process: subprocess.Popen[str], word: str) -> None:
    """Wait for a line of a process."""
    assert process.stdout
    line = process.stdout.readline().strip()
    assert line == word, f"{process.args}: expected {word!r}, got {line!r}"


def child_of(pid: int) -> int:
    """Return the process that `unshare --fork` started: the first one of the namespaces."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@contextlib.contextmanager
def namespace_lab(
    folder: Path,
    names: Sequence[str],
    *,
    delays_s: Mapping[str, tuple[float, float]] = {},
    disks_mib: Mapping[str, int] = {},
    clocks: Mapping[str, str] = {},
    variables: Mapping[str, str] = {},
) -> Iterator[NamespaceLab]:
    """Yield a lab whose hosts are up.

    Parameters
    ----------
    folder
        An empty folder for keys, logs and the hosts' files.
    names
        The hosts; they are at 10.88.0.11, 10.88.0.12 and so on.
    delays_s
        Delay of the cable from a host and to it, by its name [s].
    disks_mib
        Size of a host's own disk, by its name [MiB].
    clocks
        What libfaketime does to a host's clock, by its name, such as "+2h".
    variables
        Environment variables of every program that ssh starts on a host.
    """
    lab = NamespaceLab(folder)
    command = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"]
    lab.hub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        expect(lab.hub, "ready")
        for argv in (
            ("link", "set", "lo", "up"),
            ("link", "add", "name", "lab", "type", "bridge"),
            ("addr", "add", f"{CONTROLLER}/24", "dev", "lab"),
            ("link", "set", "lab", "up"),
        ):
            lab.check("ip", *argv)
        make_key(folder / "key")
        for number, name in enumerate(names, start=11):
            lab.hosts[name] = new_host(
                folder, name, f"10.88.0.{number}", {**variables, **clock_variables(clocks.get(name, ""))},
                delays_s=delays_s.get(name, (0.0, 0.0)), disk_mib=disks_mib.get(name, 0),
            )  # fmt: skip
        write_known_hosts(folder, lab.hosts.values())
        for name in names:
            lab.boot(name)
        yield lab
    finally:
        for host in lab.hosts.values():
            host.kill()
        lab.hub.kill()
        lab.hub.wait()
        close_pipes(lab.hub)


def make_key(path: Path) -> None:
    """Write a key pair without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def clock_variables(shift: str) -> dict[str, str]:
    """Return the variables that shift the clock of a host's programs, and leave their monotonic clock alone."""
    if not shift:
        return {}
    assert FAKETIME, "libfaketime is not installed"
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def new_host(
    folder: Path, name: str, address: str, variables: Mapping[str, str], *, delays_s: tuple[float, float], disk_mib: int
) -> Host:
    """Write the keys of a host that is still off."""
    make_key(folder / f"{name}.key")
    home = folder / name
    (home / "locks").mkdir(parents=True)
    machine_id = folder / f"{name}.machine_id"
    machine_id.write_text(f"{uuid.uuid4().hex}\n")
    jobs = home / "jobs"
    jobs.mkdir()
    config = folder / f"{name}.sshd_config"
    own = {"HOME": str(home), "PERWATT_LOCKS": str(home / "locks"), **variables}
    return Host(name, address, jobs, config, delays_s, disk_mib, machine_id, own)


def write_sshd_config(folder: Path, host: Host) -> None:
    """Write the settings of a host's ssh server."""
    settings = {
        "ListenAddress": host.address, "HostKey": folder / f"{host.name}.key",
        "AuthorizedKeysFile": folder / "key.pub", "PidFile": "none", "StrictModes": "no", "UsePAM": "no",
        "PermitRootLogin": "yes", "SetEnv": " ".join(f"{key}={value}" for key, value in host.variables.items()),
    }  # fmt: skip
    host.config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))


def write_known_hosts(folder: Path, hosts: Iterable[Host]) -> None:
    """Write the public key of each host under its address."""
    lines = [f"{host.address} {(folder / f'{host.name}.key.pub').read_text()}" for host in hosts]
    (folder / "known_hosts").write_text("".join(lines))
