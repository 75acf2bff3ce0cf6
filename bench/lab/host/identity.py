"""The identity of this host: its key, its clocks, its perwatt, and its devices by their own ids."""

import getpass
import os
import platform
import time
from pathlib import Path

from bench import __version__
from bench.lab.messages import DeviceSeen, Hello
from bench.machine import environment
from bench.machine.identity import boot_id, machine_key
from bench.results.labs.ending import Stamp


def hello(folder: Path) -> Hello:
    """Return what this host is, and whether it can keep jobs in a folder."""
    fault = folder_fault(folder)
    return Hello(
        host_id=machine_key(),
        hostname=platform.node()[:255],
        user=_user(),
        perwatt_version=code_version(),
        devices=tuple(devices()),
        now=stamp(),
        folder=str(folder),
        folder_fault=fault,
        room_bytes=room_bytes(folder),
    )


def stamp() -> Stamp:
    """Return the present moment by the clocks of this host."""
    return Stamp(utc_s=time.time(), monotonic_s=time.monotonic(), boot_id=boot_id())


def code_version() -> str:
    """Return the version and the commit of this perwatt: equal texts are equal code."""
    commit, dirty = environment.commit()
    return __version__ + (f"+{commit[:12]}" if commit else "") + (".changed" if dirty else "")


def devices() -> list[DeviceSeen]:
    """Return the devices that this host can measure: the CPU, and every NVIDIA GPU by its UUID."""
    from kernels.gpu.device import GpuError, gpus

    seen = [DeviceSeen(device="cpu", name=str(environment.cpu()["model"] or "unknown CPU")[:200])]
    try:
        states = gpus()
    except GpuError:
        return seen
    return seen + [DeviceSeen(device=f"gpu:{gpu.uuid}", name=gpu.name[:200], index=gpu.index) for gpu in states]


def room_bytes(folder: Path) -> int | None:
    """Return the free room of the file system of a folder, which need not exist yet [byte]."""
    for path in (folder, *folder.parents):
        try:
            status = os.statvfs(path)
        except OSError:
            continue
        return status.f_bavail * status.f_frsize
    return None


def folder_fault(folder: Path) -> str:
    """Return why no job can be kept in a folder, or an empty text; the folder is made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder}: Permission denied"
    return ""


def _user() -> str:
    try:
        return getpass.getuser()[:255]
    except (KeyError, OSError):  # no such user in the system's table
        return str(os.geteuid())
