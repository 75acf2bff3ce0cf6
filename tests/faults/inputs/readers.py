"""Every reader of a file as a function, called in this process, and the judge of what it does with an input."""

import contextlib
import shutil
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.device_rates import resolve_device
from bench.endpoint.importing.document import read_source
from bench.endpoint.importing.records import record_of
from bench.endpoint.load.trace import read_trace
from bench.inference.published import read_rows
from bench.meters.logs import LogReader, column_names, read_log
from bench.pytest_plugin.json_import import import_json
from bench.results.folder import read_record
from bench.results.history import headlines
from bench.results.integrity.digests import DIGESTS_FILE, digest
from bench.results.layout import RECORD_FILE, SAMPLES_FILE
from bench.results.samples import read_samples
from bench.variants.header_check import check_headers
from faults.inputs.originals import CORPUS, originals, stored, stored_site
from hardware_profiles.catalog import check_file, read_device
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.llm import shapes
from sites.capital.file import read_plan
from sites.changes import changes_since
from sites.feeds.flags import flags
from sites.feeds.generic import Declared, read_declared
from sites.feeds.read import read_feed
from sites.file.carbon import look_up
from sites.file.difficulty import read_points
from sites.file.inputs import read_inputs
from sites.file.series import Span, read_series
from sites.planners.stored_inputs import load_inputs
from sites.scenarios.calibration import read_column
from sites.scenarios.file import read_scenarios

DAY = Span(1_767_225_600, 24)  # 2026-01-01, the hours of corpus/day.csv
LIMIT_S = 20
GROWTH_KB = 800_000


@dataclass(frozen=True)
class Reader:
    """One reader: `read` gets the path of the damaged file."""

    read: Callable[[Path], object]
    file: str  # name of the damaged file
    sound: tuple[str, ...] = ()  # files of the corpus, or of the repository
    beside: tuple[str, ...] = ()  # files of the corpus that it reads too, undamaged


def _sites(path):
    for inputs, _ in read_inputs(path, resolve_device):
        inputs.site()


def _profile(path):
    if faults := check_file(path):
        raise InputError(*faults)
    read_device(path)


def _log(path):
    column_names(path)
    read_log(path)


def _grown_log(path):
    """Read the first half of a log, and go on when the second half is there."""
    content, reader = path.read_bytes(), LogReader(path)
    path.write_bytes(content[: len(content) // 2])
    with suppress(InputError):
        reader.read()
    path.write_bytes(content)
    reader.read()


def _record(path):
    """Read a record twice, as one of a few and as one of a list, with digests that fit it."""
    content = path.read_bytes()
    old = digest(stored()[RECORD_FILE]).encode()
    path.with_name(DIGESTS_FILE).write_bytes(stored()[DIGESTS_FILE].replace(old, digest(content).encode()))
    path.with_name(SAMPLES_FILE).write_bytes(stored()[SAMPLES_FILE])
    list(headlines(path.parent.parent))
    read_record(path.parent)


def _digests(path):
    path.with_name(RECORD_FILE).write_bytes(stored()[RECORD_FILE])
    read_record(path.parent)


def _load_generator(path):
    source = read_source(path)
    for run in source.runs:
        record_of(run, source, ())


def _market_file(path):
    """Read a market file, fill its gaps and flag what is odd."""
    feed = read_feed(path)
    feed.intervals.filled()[0].statistics()
    flags(feed)


def _described(path):
    read_declared(path, Declared(time="time", value="usd_per_mwh", unit="USD/MWh", timezone="UTC"))


def _run_sites(path):
    """Read the table of sites of a run whose stored inputs are sound."""
    inputs = path.parents[1] / "inputs" / "000" / "inputs.json"
    inputs.parent.mkdir(parents=True, exist_ok=True)
    inputs.write_bytes(stored_site())
    changes_since(path.parents[1], ())


READERS = {
    "profile": Reader(
        _profile, "own.toml", ("hardware_profiles/asic/antminer-s21.toml", "hardware_profiles/gpu/nvidia-h200.toml")
    ),
    "model": Reader(
        shapes.read,
        "own-model.toml",
        tuple(
            f"kernels/llm/models/{name}.toml" for name in ("gpt-oss-120b", "deepseek-v3.2", "nemotron-3-nano-30b-a3b")
        ),
    ),
    "site": Reader(_sites, "site.toml", ("small.toml", "everything.toml")),
    "site with tables": Reader(_sites, "site.toml", ("carbon-site.toml",), ("carbon.csv", "difficulty.csv")),
    "fleet": Reader(_sites, "fleet.toml", ("fleet.toml",)),
    "scenarios": Reader(read_scenarios, "own.toml", ("scenarios.toml", "calibrated.toml"), ("prices.csv",)),
    "capital plan": Reader(read_plan, "plan.toml", ("plan.toml",)),
    "market file": Reader(_market_file, "market.csv"),
    "described table": Reader(_described, "day.csv", ("day.csv",)),
    "hourly CSV": Reader(lambda path: read_series(path, "usd_per_mwh", DAY), "day.csv", ("day.csv",)),
    "hourly Parquet": Reader(lambda path: read_series(path, "usd_per_mwh", DAY), "day.parquet"),
    "calibration series": Reader(lambda path: read_column(path, "btc_usd"), "prices.csv", ("prices.csv",)),
    "carbon table": Reader(lambda path: look_up(path, "north"), "carbon.csv", ("carbon.csv",)),
    "table of difficulty": Reader(read_points, "difficulty.csv", ("difficulty.csv",)),
    "log of a meter": Reader(_log, "power.csv", ("power.csv", "table.md")),
    "growing log": Reader(_grown_log, "power.csv", ("power.csv", "table.md")),
    "log of devices": Reader(lambda path: read_log(path, {"sum": "index"}), "devices.csv", ("devices.csv",)),
    "block headers": Reader(lambda path: check_headers(path, ("scalar",)), "headers.csv", ("headers.csv",)),
    "record": Reader(_record, f"results/r/{RECORD_FILE}"),
    "digests": Reader(_digests, f"r/{DIGESTS_FILE}"),
    "samples": Reader(lambda path: read_samples(path.parent), f"r/{SAMPLES_FILE}"),
    "JSON of pytest-benchmark": Reader(import_json, "benchmark.json", ("benchmark.json",)),
    "results of load generators": Reader(_load_generator, "result.json"),
    "trace of arrivals": Reader(read_trace, "trace.csv", ("trace.csv", "trace.jsonl")),
    "published rates": Reader(read_rows, "rates.csv", ("rates.csv",)),
    "stored inputs": Reader(lambda path: load_inputs(path.parents[2]), "run/inputs/000/inputs.json"),
    "table of sites": Reader(_run_sites, "run/tables/site.parquet"),
}


class HangError(BaseException):
    """A reader took longer than the limit; no handler of the reader catches it."""


def _start_of_growth_kb() -> int:
    """Forget the peak of this process, which other tests may have caused, and return its memory now."""
    with contextlib.suppress(OSError):  # where the kernel offers no such reset, the peak is the memory at the end
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _memory_kb("VmRSS")


def _memory_kb(*keys: str) -> int:
    """Return the first of these figures that the kernel states for this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    stated = dict(line.split(":", 1) for line in lines if ":" in line)
    return next(int(stated[key].split()[0]) for key in keys if key in stated)


class Judge:
    """A folder in which one reader is fed."""

    def __init__(self, name: str, folder: Path) -> None:
        self.reader = READERS[name]
        self.path = folder / self.reader.file
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for file in self.reader.beside:
            shutil.copy(CORPUS / file, self.path.parent)
        self.originals = originals(name, *self.reader.sound)
        self.refused = 0

    def broken(self, content: bytes) -> str:
        """Return the promise that the reader breaks with an input, or nothing: it is read, or refused in lines."""
        self.path.write_bytes(content)
        before_kb = _start_of_growth_kb()
        previous = signal.signal(signal.SIGPROF, _hang)
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                broken = self._outcome()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            signal.signal(signal.SIGPROF, previous)
        growth_kb = _memory_kb("VmHWM", "VmRSS") - before_kb
        if not broken and growth_kb > GROWTH_KB:
            return f"{growth_kb / 1e6:.1f} GB of memory"
        return broken or "".join(f"warning: {one.message}" for one in caught[:1])

    def _outcome(self) -> str:
        started = time.monotonic()
        try:
            self.reader.read(self.path)
        except (InputError, KernelInputError) as refusal:
            self.refused += 1
            return "" if str(refusal).strip() else "a refusal without a word"
        except HangError:
            return f"hang: {time.monotonic() - started:.0f} s"
        except BaseException as error:  # noqa: BLE001 (each is a defect)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            ours = [one for one in traceback.extract_tb(error.__traceback__) if "site-packages" not in one.filename]
            at = f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {frame.name}"
            return f"{type(error).__name__} at {at}: {str(error)[:200]}"
        return ""


def _hang(*_):
    raise HangError
