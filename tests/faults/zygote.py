"""A process that has imported every command and forks a child for each one: JSON lines in and out."""

import atexit
import contextlib
import gc
import importlib
import io
import itertools
import json
import os
import pkgutil
import resource
import secrets
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.results import folder
from faults.shim import Shim

ADDRESS_SPACE = 6 << 30  # [B] stops an endless allocation before the machine suffers


def import_everything() -> None:
    """Import what the children would each import anew."""
    import bench.cli

    for module in pkgutil.walk_packages(bench.cli.__path__, "bench.cli."):
        importlib.import_module(module.name)
    for name in ("sites.api", "bench.main_job", "bench.report.page", "bench.measure.runner", "pyarrow.parquet"):
        importlib.import_module(name)


def child(case: dict, counts: int) -> None:
    """Run one command as the process would; never returns."""
    os.chdir(case["cwd"])
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    os.setsid()
    os.environ.update(case.get("env", {}))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder._numbers = itertools.count(secrets.randbits(32))  # a process of its own would draw its own start
    for number, name in ((1, "stdout"), (2, "stderr")):
        handle = os.open(case[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False))  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(open(2, "wb", 0, closefd=False), write_through=True)  # noqa: SIM115
    shim = Shim(**case.get("fault", {}))
    shim.install()
    status = 1
    try:
        from bench.__main__ import main

        main(case["argv"])
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 (what the interpreter would print)
        traceback.print_exc()
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.pwrite(counts, str(shim.count).encode(), 0)
    os._exit(status)


def serve(case: dict) -> dict:
    """Return what became of one command: status as a shell shows it, time, memory, calls that changed the disk."""
    counts = os.memfd_create("counts")
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        child(case, counts)
    late = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() - started > case.get("limit_s", 20.0):
            late = True
            os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            break
        if time.monotonic() - started > case.get("signal_s", 1e9):
            case["signal_s"] = 1e9
            os.kill(pid, case["signal"])
        if time.monotonic() - started > case.get("stop_s", 1e9):  # suspended once, and continued
            case["stop_s"] = 1e9
            os.kill(pid, signal.SIGSTOP)
            time.sleep(case["stopped_s"])
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # what a killed command left running
    code = os.waitstatus_to_exitcode(status)
    count = os.pread(counts, 20, 0)
    os.close(counts)
    return {
        "status": 128 - code if code < 0 else code,
        "late": late,
        "seconds": time.monotonic() - started,
        "peak_kb": usage.ru_maxrss,
        "steps": int(count or 0),
    }


def main() -> None:
    import_everything()
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(serve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
