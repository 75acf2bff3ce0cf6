"""A server of random weights in a process of its own, on a free port of the loopback address."""

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.endpoint.tiny.sizes import TINY, Size
from bench.errors import RunFailedError
from bench.machine.processes import start_python

_CODE = "from bench.endpoint.tiny.server import main\nmain()\n"


def is_installed() -> bool:
    """Return whether the extra `serve` is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "gguf"))


@contextlib.contextmanager
def running(size: Size = TINY) -> Iterator[str]:
    """Run the server and yield its address.

    Its file is removed as soon as it is in the memory of the server, so that no ending leaves it behind.

    Raises
    ------
    RunFailedError
        It does not start.
    """
    from bench.endpoint.tiny.model import CONTEXT, write_model

    with contextlib.ExitStack() as ending:
        with tempfile.TemporaryDirectory(prefix="perwatt-") as folder:
            model = Path(folder) / f"{size.name}.gguf"
            write_model(model, size)
            process = start_python(_CODE, str(model), size.name, str(size.slots), str(CONTEXT * size.slots))
            ending.callback(_end, process)
            address = process.stdout.readline().decode().strip() if process.stdout is not None else ""
        if not address.startswith("http://"):
            raise RunFailedError(f"the {size.name} inference server of the extra `serve` does not start")
        yield address


def _end(process: subprocess.Popen[bytes]) -> None:
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
    parameters.model_alias = {sys.argv[2]}
    parameters.n_parallel, parameters.n_ctx = int(sys.argv[3]), int(sys.argv[4])
    parameters.kv_unified = True  # else only slots with neighbouring numbers share the reading of the weights
    parameters.endpoint_metrics = True
    parameters.port = 0
    parameters.cpuparams.n_threads = 1
    parameters.sse_ping_interval = 1
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
