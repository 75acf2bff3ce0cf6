"""A process that has imported every command and forks a child for each one: JSON lines in and out."""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults.shim import Shim

ADDRESS_SPACE = 6 << 30  # [B] stops an endless allocation before the machine suffers
CORPUS = Path(__file__).with_name("corpus")
WARM = (  # compiled code that the children would each load anew
    ("yield", str(CORPUS / "small.toml")),
    ("yield", "georgia-50mw-mining", "--scenarios", "2", "--capital", str(CORPUS / "plan.toml")),
    ("yield", str(CORPUS / "site.toml")),
    ("yield", str(CORPUS / "battery.toml")),
    ("verify", "headers", str(CORPUS / "headers.csv")),
    ("compare", "antminer-s21", "whatsminer-m60s"),
)


def import_everything() -> None:
    """Import what the children would each import anew."""
    import bench.cli

    for module in pkgutil.walk_packages(bench.cli.__path__, "bench.cli."):
        importlib.import_module(module.name)
    for name in ("sites.api", "bench.main_job", "bench.report.page", "bench.measure.runner", "pyarrow.parquet"):
        importlib.import_module(name)


def warm_up() -> None:
    """Run commands that write nothing and start no thread, in a process that will fork."""
    from bench.__main__ import main

    for argv in WARM:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            main(list(argv))


def child(case: dict, counts: int) -> None:
    """Run one command as the process would; never returns."""
    os.chdir(case["cwd"])
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # as bench.__main__, until the command line takes over
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
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.pwrite(counts, json.dumps(shim.counted()).encode(), 0)
    os._exit(status)


def serve(case: dict) -> dict:
    """Return what became of one command: status as a shell shows it, time, memory, steps.

    A command that stops itself (SIGSTOP) waits until the command `meanwhile` has ended, and is continued.
    """
    counts = os.memfd_create("counts")
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        child(case, counts)
    events = [(case.get("limit_s", 120.0), signal.SIGKILL)]
    if "signal_s" in case:
        events.insert(0, (case["signal_s"], case["signal"]))
    late, meanwhile = False, None
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG | os.WUNTRACED)
        if done and not os.WIFSTOPPED(status):
            break
        if done:
            meanwhile = serve({**case, "argv": case["meanwhile"], "fault": {}})
            os.kill(pid, signal.SIGCONT)
        if events and time.monotonic() - started > events[0][0]:
            _, number = events.pop(0)
            late = not events
            os.kill(pid, number)
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # what a killed command left running
    code = os.waitstatus_to_exitcode(status)
    counted = os.pread(counts, 200, 0)
    os.close(counts)
    return {
        "status": 128 - code if code < 0 else code,
        "late": late,
        "seconds": time.monotonic() - started,
        "peak_kb": usage.ru_maxrss,
        "meanwhile": meanwhile and meanwhile["status"],
        **(json.loads(counted) if counted else {"steps": 0, "readings": 0}),
    }


def main() -> None:
    import_everything()
    warm_up()
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(serve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
