"""Programs of others as peers: agents of SNMP (net-snmp's `snmpd`, `snmpsim`) and a broker (`mosquitto`)."""

import os
import shutil
import socket
import subprocess
import time

import psutil

USER, PASSWORD, COMMUNITY = "reader", "correct horse", "racks"
WAIT_S = 20.0  # [s] for a program to listen
_SYSTEM = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def path_of(program):
    """Return the path of a program, or None if it is not installed; Debian keeps daemons off a user's PATH."""
    return shutil.which(program, path=_SYSTEM)


class Program:
    """A running program, and the port of the loopback on which it listens."""

    def __init__(self, command, variables, kind):
        self._process = subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.port = self._listening(kind)

    def close(self):
        """Stop it."""
        self._process.terminate()
        self._process.wait(WAIT_S)

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def _listening(self, kind):
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s and self._process.poll() is None:
            for line in psutil.Process(self._process.pid).net_connections("inet"):
                if line.type == kind and line.laddr.ip == "127.0.0.1" and line.laddr.port:
                    return line.laddr.port
            time.sleep(0.02)
        self._process.kill()
        raise AssertionError(f"the program does not listen, exit status {self._process.poll()}")


def snmpd(folder, objects):
    """Return net-snmp's agent with objects (number or text by OID), versions 2c and 3."""
    lines = [
        "agentaddress udp:127.0.0.1:0", f"rocommunity {COMMUNITY} 127.0.0.1",
        f'createUser {USER} SHA-256 "{PASSWORD}" AES "{PASSWORD}"', f"rouser {USER} priv",
        *(f"override .{oid} integer {value}" for oid, value in objects.items()),
    ]  # fmt: skip
    (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
    command = [path_of("snmpd"), "-f", "-C", "-c", str(folder / "snmpd.conf"), "-I", "-smux", "-Ln"]
    return Program(command, {"SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""}, socket.SOCK_DGRAM)


def snmpsim(folder, walks):
    """Return the simulator with recorded walks by their names, which are its communities of version 2c."""
    for name, objects in walks.items():
        walk = sorted(objects.items(), key=lambda row: [int(number) for number in row[0].split(".")])
        (folder / f"{name}.snmprec").write_text("".join(f"{oid}|2|{value}\n" for oid, value in walk))
    command = [
        path_of("snmpsim-command-responder"), f"--data-dir={folder}", f"--cache-dir={folder / 'cache'}",
        "--agent-udpv4-endpoint=127.0.0.1:0",
    ]  # fmt: skip
    if os.geteuid() == 0:
        command += ["--process-user=root", "--process-group=root"]
    return Program(command, {}, socket.SOCK_DGRAM)


def mosquitto(folder):
    """Return the broker, which wants a login."""
    with socket.create_server(("127.0.0.1", 0)) as free:  # it takes no port 0
        port = free.getsockname()[1]
    passwords = folder / "passwords"
    subprocess.run([path_of("mosquitto_passwd"), "-b", "-c", str(passwords), USER, PASSWORD], check=True)
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}"]
    if os.geteuid() == 0:
        lines.append("user root")
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    return Program([path_of("mosquitto"), "-c", str(folder / "mosquitto.conf")], {}, socket.SOCK_STREAM)
