"""A process that sets a device and brings it back, each time in a child that kills itself at a line of the code.

It reads the number of that line from standard input, 0 for none, and prints how the child ended: -9 after a kill, else
the number of lines that ran. The lines that count are those of the journal, the restore, the lever, the file writer and
the locks.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bench.levers.journal import Device, Journal
from bench.levers.restore import bring_back, send
from doubles.levers.file_lever import FileLever

COUNTED = ("levers/journal.py", "levers/restore.py", "file_lever.py", "sites/files.py", "machine/locks.py")
WHO = "sweep of a test"


async def set_and_restore(path):
    """Set the device twice and bring it back, as a sweep does."""
    lever = FileLever(Path(path))
    seen = await lever.observe(0.0)
    device = Device("file", path, {}, seen.identity)
    with Journal(WHO) as journal:
        entry = journal.hold(device, await lever.as_found(), seen.level)
        for level in ("eco", "off", "on"):
            await send(lever, entry, level, 1.0)
        if not await bring_back(lever, entry, 1.0, 0.0):
            journal.remove(device)


def child(path, at):
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

    sys.settrace(trace)
    asyncio.run(set_and_restore(path))
    sys.settrace(None)
    return lines


def main():
    """Answer each line of standard input."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, str(child(sys.argv[1], int(line))).encode())
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(pid, 0)
        said = os.read(reading, 100).decode()
        os.close(reading)
        sys.stdout.write(f"{said or os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
