"""Fuzzing that coverage guides, with atheris: `python -m faults.inputs.guided SECONDS FOLDER NAME` for one reader.

Inputs that break a promise go into the folder, one for each kind of defect; the last line is the count.
"""

import importlib
import os
import pkgutil
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

import atheris

# Code that Numba compiles must stay as it is written, so only packages that read files are instrumented.
PACKAGES = (
    "hardware_profiles", "sites.file", "sites.capital", "sites.scenarios.file", "sites.scenarios.calibration",
    "sites.planners", "sites.parquet", "sites.changes", "sites.hours", "kernels.llm.shapes", "bench.meters.logs",
    "bench.results", "bench.pytest_plugin", "bench.inference", "bench.variants.header_check",
)  # fmt: skip


def instrumented() -> None:
    """Import every module that reads files with instrumentation, those included that readers import late."""
    with atheris.instrument_imports(include=list(PACKAGES), enable_loader_override=False):
        for name in PACKAGES:
            module = importlib.import_module(name)
            for inner in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
                importlib.import_module(inner.name)


def main() -> None:
    """Fuzz one reader; atheris ends the process."""
    limit_s, kept, name = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    instrumented()
    from faults.inputs.fuzz import Tally, damaged
    from faults.inputs.readers import LIMIT_S, Judge

    work = Path(tempfile.mkdtemp(prefix="faults-"))
    judge, tally = Judge(name, work / "reader"), Tally(name, kept)
    corpus = work / "corpus"
    corpus.mkdir()
    for number, content in enumerate(judge.originals):
        (corpus / str(number)).write_bytes(content)

    def feed(content: bytes) -> None:
        before = judge.refused
        broken = judge.broken(content)
        tally.add("refused" if judge.refused > before else "read", broken, content)
        if time.monotonic() > ends_s:  # libFuzzer would end the process without the counts
            print(f"reader, {tally.line()}", flush=True)
            os._exit(0)

    def mutate(content: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        if draw.random() < 0.5:
            return atheris.Mutate(content, most)
        return damaged(name, (content,) if draw.random() < 0.8 else judge.originals, draw)[:most]

    longest = max(map(len, judge.originals))
    options = [f"-timeout={10 * LIMIT_S}", "-rss_limit_mb=2048", "-verbosity=0"]
    options += [f"-max_len={4 * longest}", f"-artifact_prefix={kept}/", "-seed=1", "-use_value_profile=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], feed, custom_mutator=mutate)
    ends_s = time.monotonic() + limit_s
    try:
        atheris.Fuzz()
    except BaseException:  # noqa: BLE001 (the exit of atheris would wait for ever)
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    main()
