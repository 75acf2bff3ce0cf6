"""An anonymous key of this machine, because two counters of the same name are one meter only there; and its boot."""

import hashlib
import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.results.record import HostInfo

NAME_VARIABLE = "PERWATT_HOST_NAME"
"""Variable by which a lab run tells `perwatt run` the name of its host; the system's own name is not stored."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return the id of this boot of the machine, with which its monotonic clock began; empty where there is none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def machine_key() -> str:
    """Return eight hex digits that stay the same on this machine."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text:
            return hashlib.sha256(f"perwatt {text}".encode()).hexdigest()[:8]
    return hashlib.sha256(f"perwatt {platform.node()}".encode()).hexdigest()[:8]


def host_info() -> "HostInfo":
    """Return the machine as records name it."""
    from bench.results.record import HostInfo  # pydantic, which lists of meters do not need

    name = os.environ.get(NAME_VARIABLE, "")
    return HostInfo(id=machine_key(), name=name if re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) else "")
