"""A real sshd on a loopback address: a child with its own port, keys and known hosts in a temporary folder."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def skip_without_sshd():
    """Skip the test where OpenSSH is not installed."""
    if PROGRAM is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        pytest.skip("OpenSSH's sshd, ssh and ssh-keygen are not installed")


def keygen(path):
    """Make an ed25519 key without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)
    return path


class Sshd:
    """An sshd; `python` of its hosts is this interpreter with the code under test."""

    def __init__(self, folder, address="127.0.1.1", **variables):
        self.folder, self.address = folder, address
        folder.mkdir(parents=True)
        self.host_key, self.user_key = keygen(folder / "host_key"), keygen(folder / "user_key")
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
        with socket.socket() as probe:
            probe.bind((address, 0))
            self.port = probe.getsockname()[1]
        environment = {"PYTHONPATH": str(ROOT), "PERWATT_LOCKS": str(folder / "locks"), **variables}
        set_env = " ".join(f"{name}={value}" for name, value in environment.items())
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress {address}\nHostKey {self.host_key}\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n"
            f"KbdInteractiveAuthentication no\nPermitRootLogin yes\nSetEnv {set_env}\n"
        )
        self.config = folder / "ssh_config"
        self.config.write_text(
            f"Host *\nPort {self.port}\nIdentityFile {self.user_key}\nIdentitiesOnly yes\nGlobalKnownHostsFile none\n"
            f"UserKnownHostsFile {folder}/known_hosts\nUser {getpass.getuser()}\n"
        )
        self.trust(self.host_key)
        self.process = None
        self.start()

    def trust(self, key):
        """Make a host key the known one."""
        public = Path(f"{key}.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[{self.address}]:{self.port} {public}")

    def start(self):
        """Start sshd and wait until it takes connections."""
        if self.process is not None:
            self.process.wait(20)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where sshd separates its privileges
        command = [PROGRAM, "-D", "-e", "-f", self.folder / "sshd_config"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((self.address, self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.02)
            else:
                return

    def stop(self):
        """End sshd; connections that are open go on."""
        self.process.kill()
        self.process.wait()

    @property
    def python(self):
        """The interpreter on the host."""
        return sys.executable
