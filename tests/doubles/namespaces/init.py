"""The first process of a host in its namespaces: it mounts what makes the host its own, then keeps an ssh server.

When it is killed, the kernel ends every process of the host at once, like a power cut.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def bind(source: str, target: str) -> None:
    """Show one file in the place of another."""
    subprocess.run(["mount", "--bind", source, target], check=True)


def say(word: str) -> None:
    """Tell the lab how far this host is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def answers(address: str) -> bool:
    """Return whether the ssh server listens."""
    try:
        socket.create_connection((address, 22)).close()
    except ConnectionRefusedError:
        return False
    return True


def main() -> None:
    """Set the host up as the JSON of the first argument says, then wait for its children for ever."""
    host = json.loads(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    socket.sethostname(host["name"])
    bind(host["machine_id"], "/etc/machine-id")
    bind(host["boot_id"], "/proc/sys/kernel/random/boot_id")
    if host["disk_mib"]:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={host['disk_mib']}m", "disk", host["folder"]], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    say("ready")
    sys.stdin.readline()  # the cable is connected now
    card = f"02:00:0a:58:00:{int(host['address'].rpartition('.')[2]):02x}"  # the same after a reboot, like a real one's
    for command in (
        ["link", "set", "eth0", "address", card],
        ["addr", "add", f"{host['address']}/24", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
    ):
        subprocess.run(["ip", *command], check=True)
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", host["sshd_config"]])
    while not answers(host["address"]):
        time.sleep(0.01)
    say("up")
    while True:
        child, _ = os.wait()
        if child == server.pid:
            sys.exit(1)


if __name__ == "__main__":
    main()
