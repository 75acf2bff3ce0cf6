"""The way in: `perwatt`, which is `python -m bench`."""

import signal
import sys

# Until the command line can say it in a line, Ctrl-C ends the process without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def _interrupt_again(lost: "UnraisableHookArgs") -> None:
    """Press Ctrl-C once more where it fell into code that cannot raise (a compiler's callback, a destructor)."""
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
