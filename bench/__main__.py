"""The entry point of `perwatt` and of `python -m bench`."""

import os
import sys

# `python -m bench` puts the current folder first. Nothing is imported from there; a checkout comes after Python's own
# modules. (`os` is loaded by then, `sys` is built in; the command `perwatt` needs none of this.)
if __name__ == "__main__" and not sys.flags.safe_path:
    here, root = os.path.realpath(sys.path.pop(0)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
    sys.path += [root] if here == root else []

import signal
import warnings

# A library's warning tells a user nothing, and PYTHONWARNINGS=error would make an error of each.
if not os.environ.get("PERWATT_DEBUG"):
    warnings.simplefilter("ignore")

# Until the command line can report Ctrl-C in one line, it ends the process without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def _interrupt_again(lost: "UnraisableHookArgs") -> None:
    """Send Ctrl-C again after it arrived in code that cannot raise (a callback of the compiler, a destructor)."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    from threading import Timer, main_thread

    again = Timer(0.05, signal.pthread_kill, (main_thread().ident, signal.SIGINT))
    again.daemon = True
    again.start()


sys.unraisablehook = _interrupt_again

from bench.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
