"""The tiny server in a process of its own, on a free port of the loopback address."""

import contextlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.errors import RunFailedError
from bench.machine.processes import start_python

SLOTS = 4  # requests that it works on at a time
_CODE = "from bench.endpoint.tiny.server import main\nmain()\n"


def is_installed() -> bool:
    """Return whether the extra `serve` is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "gguf"))


@contextlib.contextmanager
def running(slots: int = SLOTS) -> Iterator[str]:
    """Run the server and yield its address.

    Raises
    ------
    RunFailedError
        It does not start.
    """
    from bench.endpoint.tiny.model import CONTEXT, write_model

    with tempfile.TemporaryDirectory(prefix="perwatt-") as folder:
        model = Path(folder) / "tiny.gguf"
        write_model(model)
        process = start_python(_CODE, str(model), str(slots), str(CONTEXT * slots))
        try:
            address = process.stdout.readline().decode().strip() if process.stdout is not None else ""
            if not address.startswith("http://"):
                raise RunFailedError("the tiny inference server of the extra `serve` does not start")
            yield address
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def main() -> None:
    """Serve the model until standard input ends; llama.cpp writes lines of its own, which nobody reads."""
    import xllamacpp

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    parameters = xllamacpp.CommonParams()
    parameters.model.path = sys.argv[1]
    parameters.model_alias = {"tiny"}
    parameters.n_parallel, parameters.n_ctx = int(sys.argv[2]), int(sys.argv[3])
    parameters.endpoint_metrics = True
    parameters.port = 0
    parameters.cpuparams.n_threads = 1
    parameters.sse_ping_interval = 1
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
