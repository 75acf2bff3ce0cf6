"""A network cable between two namespaces, as a process: frames arrive after a delay. Stopped, it is a cable cut.

Linux can delay packets itself (`tc netem`), but not every kernel has that module.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque
from pathlib import Path

TUNSETIFF = 0x400454CA
TAP_WITHOUT_HEADER = 0x0002 | 0x1000
CLONE_NEWNET = 0x40000000
LONGEST_FRAME = 65_536


def open_tap(name: str) -> int:
    """Return a new Ethernet interface of this namespace."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), TAP_WITHOUT_HEADER))
    return tap


def enter_network(pid: int) -> None:
    """Move this process to the network namespace of another one."""
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def carry(ends: tuple[int, int], delays_s: tuple[float, float]) -> None:
    """Carry frames both ways for ever; `delays_s` is that of each direction [s]."""
    other = dict(zip(ends, reversed(ends), strict=True))
    delay_s = dict(zip(ends, delays_s, strict=True))
    waiting: dict[int, deque[tuple[float, bytes]]] = {end: deque() for end in ends}
    while True:
        now = time.monotonic()
        due = min((frames[0][0] for frames in waiting.values() if frames), default=now + 1.0)
        ready, _, _ = select.select(ends, (), (), max(due - now, 0.0))
        now = time.monotonic()
        for end in ready:
            waiting[end].append((now + delay_s[end], os.read(end, LONGEST_FRAME)))
        for end, frames in waiting.items():
            while frames and frames[0][0] <= now:
                try:
                    os.write(other[end], frames.popleft()[1])
                except OSError:  # the interface is not up yet, or its queue is full: a network loses frames
                    continue


if __name__ == "__main__":
    _, near, pid, far, to_s, from_s = sys.argv
    near_end = open_tap(near)
    enter_network(int(pid))
    far_end = open_tap(far)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry((near_end, far_end), (float(to_s), float(from_s)))
