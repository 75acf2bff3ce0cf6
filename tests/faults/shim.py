"""Faults at the calls that change the disk: a signal around the n-th one, or an error from the n-th one on."""

import _pyio
import builtins
import io
import os

STEPS = ("write", "fsync", "rename", "replace", "link", "mkdir", "rmdir", "unlink")
STANDARD = {0, 1, 2}
_rename = os.rename


class Shim:
    """A count of the calls that change the disk, with at most one fault.

    `signal` is sent before the call if `at` is odd and after it if `at` is even, so that 2 n values of `at` cover n
    calls. An `error` is raised by every call from number `at` on: a disk stays full. `remove` names a folder that goes.
    """

    def __init__(self, at: int = 0, signal: int = 0, error: int = 0, remove: str = "") -> None:
        self.at, self.signal, self.error, self.remove = at, signal, error, remove
        self.count = 0

    def install(self) -> None:
        for name in STEPS:
            setattr(os, name, self._around(name, getattr(os, name)))
        builtins.open = io.open = _open

    def _around(self, name, function):
        def call(*args, **kwargs):
            if name == "write" and args[0] in STANDARD:
                return function(*args, **kwargs)
            self._step()
            if self.error and 0 < self.at <= self.count and name not in {"unlink", "rmdir"}:
                raise OSError(self.error, os.strerror(self.error), *_path(name, args))
            done = function(*args, **kwargs)
            self._step()
            return done

        return call

    def _step(self) -> None:
        self.count += 1
        if self.signal and self.count == self.at:
            os.kill(os.getpid(), self.signal)
        if self.remove and self.count == self.at:
            _rename(self.remove, f"{self.remove}-removed")


def _path(name, args):
    return () if name in {"write", "fsync"} else (args[0],)


_real_open = io.open


def _open(file, mode="r", *args, **kwargs):
    """Open files to be written with Python's own io, whose every write is a call of `os.write`."""
    writes = set(mode) & set("wax+") and not isinstance(file, int)
    return (_pyio.open if writes else _real_open)(file, mode, *args, **kwargs)
