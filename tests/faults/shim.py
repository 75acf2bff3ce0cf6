"""Faults at the calls that change the disk: a signal around the n-th one, or an error from the n-th one on."""

import _pyio
import builtins
import ctypes
import io
import os

STEPS = ("write", "fsync", "rename", "replace", "link", "mkdir", "rmdir", "unlink")
STANDARD = {0, 1, 2}
_rename = os.rename


class Shim:
    """A count of the calls that change the disk, with at most one fault.

    `signal` is sent before the call if `at` is odd and after it if `at` is even, so that 2 n values of `at` cover n
    calls. An `error` is raised by every call from number `at` on: a disk stays full. `once` raises it at that call
    only. `remove` names a folder that goes. `clock_s` moves the wall clock from its reading number `at` on (clock.c).
    """

    def __init__(
        self, at: int = 0, signal: int = 0, error: int = 0, remove: str = "", clock_s: int = 0, *, once: bool = False
    ) -> None:
        self.at, self.signal, self.error, self.remove, self.clock_s = at, signal, error, remove, clock_s
        self.once = once
        self.count = 0

    def install(self) -> None:
        for name in STEPS:
            setattr(os, name, self._around(name, getattr(os, name)))
        builtins.open = io.open = _open
        if clock := _clock("step"):
            clock(self.at if self.clock_s else 0, self.clock_s)

    def counted(self) -> dict[str, int]:
        """Return the steps, and the readings of the wall clock where it can be moved."""
        readings = _clock("readings")
        return {"steps": self.count, "readings": readings() if readings else 0}

    def _around(self, name, function):
        def call(*args, **kwargs):
            if name == "write" and args[0] in STANDARD:
                return function(*args, **kwargs)
            self._step()
            if self._refuses() and name not in {"unlink", "rmdir"}:
                raise OSError(self.error, os.strerror(self.error), *_path(name, args))
            done = function(*args, **kwargs)
            self._step()
            return done

        return call

    def _refuses(self) -> bool:
        late = self.count > self.at + 1 if self.once else False
        return self.error != 0 and 0 < self.at <= self.count and not late

    def _step(self) -> None:
        self.count += 1
        if self.signal and self.count == self.at:
            os.kill(os.getpid(), self.signal)
        if self.remove and self.count == self.at:
            _rename(self.remove, f"{self.remove}-removed")


def _clock(name):
    return getattr(ctypes.CDLL(None), f"perwatt_clock_{name}", None)


def _path(name, args):
    return () if name in {"write", "fsync"} else (args[0],)


_real_open = io.open


def _open(file, mode="r", *args, **kwargs):
    """Open files to be written with Python's own io, whose every write is a call of `os.write`."""
    writes = set(mode) & set("wax+") and not isinstance(file, int)
    return (_pyio.open if writes else _real_open)(file, mode, *args, **kwargs)
