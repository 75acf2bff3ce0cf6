"""A process that sets the pool of HOST:PORT and sends itself a signal; with `again`, two more as soon as it restores.

It ends with 0 if the signal came as Ctrl-C does and the handlers of signals are the former ones.
"""

import os
import signal
import sys

from bench.workloads.asic import pool_switch
from doubles.pools.killed import TARGET, axeos

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(address, number, *again):
    """Return the status of the process."""
    pool_switch.LOOK_S = 0.02
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have let it be ignored
    former = [signal.getsignal(ending) for ending in ENDINGS]
    restoring = False

    def say(_line):
        if again and restoring:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        with pool_switch.pool_set(axeos(address), TARGET, say):
            restoring = True
            os.kill(os.getpid(), int(number))
            signal.pause()
    except KeyboardInterrupt:
        if [signal.getsignal(ending) for ending in ENDINGS] != former:
            return "the handlers of signals are not the former ones"
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
