"""The way in: `perwatt`, which is `python -m bench`."""

import signal

# Until the command line can say it in a line, Ctrl-C ends the process without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from bench.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
