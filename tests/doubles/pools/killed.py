"""A process that sets and restores the pool of HOST:PORT, each time in a child that kills itself at a line of the code.

It reads the number of that line from standard input, 0 for none, and prints how the child ended: -9 after a kill, else
the number of lines that ran. The lines that count are those of the pool switch, its journal, the file writer and the
network.
"""

import os
import signal
import sys

from bench.miners.families import load
from bench.miners.link import parse_address
from bench.miners.pools.writes import Target
from bench.miners.reader import Miner
from bench.workloads.asic import pool_switch

TARGET = Target("127.0.0.1", 3333, "perwatt.asic")
COUNTED = ("pool_switch.py", "journal.py", "files.py", "http.py", "endpoint.py")


def axeos(address):
    """Return the unit at an address, which is polled without a pause."""
    return Miner(parse_address(address, "HOST"), load("axeos")._replace(poll_s=0.0))


def set_and_restore(address, at):
    """Return the number of lines that ran; at line `at` the process is killed."""
    lines = 0

    def trace(frame, event, _argument):
        nonlocal lines
        if not frame.f_code.co_filename.endswith(COUNTED):
            return None
        if event == "line":
            lines += 1
            if lines == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    miner = axeos(address)
    sys.settrace(trace)
    with pool_switch.pool_set(miner, TARGET, lambda _: None):
        pass
    sys.settrace(None)
    return lines


def main():
    """Answer each line of standard input."""
    pool_switch.LOOK_S = 0.02
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(set_and_restore(sys.argv[1], int(line))).encode())
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        said = os.read(reading, 100).decode()
        os.close(reading)
        sys.stdout.write(f"{said or os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
