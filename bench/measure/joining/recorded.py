"""Recording of a meter to a file, on a clock that never steps: the log that a run on another machine is joined with."""

import hashlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from bench.credentials import scrub_arguments
from bench.machine.identity import boot_id
from bench.measure.energy import as_used
from bench.meters.kinds.trace import Trace
from bench.meters.protocol import Meter, MeterKind, MeterOptions, Reading
from bench.meters.registry import make_meters, metering
from bench.meters.stream import PolledMeter
from bench.results.part import Count, Part
from bench.results.record import MeterUsed
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, read_input
from hardware_profiles.reading import validate
from sites.files import check_new, write_new

LOG = Kind("log of a meter", 1024 * MIB, stdin=False)
DESCRIPTION = Kind("description of a log", MIB, stdin=False)
HEADER = "time,power_w"
LONGEST_S = 1e7  # [s] 115 days


class RecordedLog(Part):
    """The description of a log that `perwatt meter log` wrote; it stands next to the log, as FILE.json."""

    schema_version: Literal[1] = 1
    spec: str
    meter: MeterUsed
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="of the bytes of the log")]
    shift_s: FiniteFloat = Field(description="clock of the log minus the monotonic clock of the machine [s]")
    boot_id: str = Field(description="the boot that the monotonic clock belongs to")
    started_s: FiniteFloat = Field(description="monotonic clock when the meter was open [s]")
    ended_s: FiniteFloat = Field(description="monotonic clock when it was closed [s]")
    samples: Count
    missing: Count = Field(description="readings that failed")
    last_error: str = ""


def description_of(log: Path) -> Path:
    """Return the path of the description of a log."""
    return log.with_name(f"{log.name}.json")


def record_meter(spec: str, options: MeterOptions, target: Path, seconds: float = LONGEST_S) -> RecordedLog:
    """Read a meter for some time, or until Ctrl-C or SIGTERM, write its log and return its description.

    The times of the log are UTC at the start plus what the monotonic clock adds, so that a step of the wall clock does
    not show in it.

    Parameters
    ----------
    spec
        The meter, as for `--meter`.
    options
        Options of all meters.
    target
        The log; a new file.
    seconds
        How long the meter is read [s].

    Raises
    ------
    InputError
        The target exists, the spec is wrong, the meter is no power meter, or it gave no reading.
    MeterError
        The meter cannot be opened.
    OSError
        The log cannot be written.
    """
    for path in (target, description_of(target)):
        check_new(path)
    for meter in make_meters([spec], options):
        if isinstance(meter, Trace) or meter.info.kind is MeterKind.DECLARED:
            raise _no_power(spec, meter.info.name)
    shift_s = time.time() - time.monotonic()
    with metering([spec], options) as (meter,):
        if meter.info.kind is not MeterKind.POWER:
            raise _no_power(spec, f"a {meter.info.kind.value} of joules")
        started_s = time.monotonic()
        try:
            threading.Event().wait(seconds)
        except KeyboardInterrupt:
            meter.mark()
        readings, info, last_error = tuple(meter.readings()), meter.info, _last_error(meter)
        ended_s = time.monotonic()
    good = [reading for reading in readings if reading.value is not None]
    if not good:
        raise InputError.at(f"--meter {spec}", expected="a reading", got=last_error or "none")
    content = _text(good, shift_s).encode()
    described = RecordedLog(
        spec=scrub_arguments([spec])[0],
        meter=as_used(info),
        sha256=hashlib.sha256(content).hexdigest(),
        shift_s=shift_s,
        boot_id=boot_id(),
        started_s=started_s,
        ended_s=ended_s,
        samples=len(good),
        missing=len(readings) - len(good),
        last_error=last_error,
    )
    write_new(target, content)
    write_new(description_of(target), described.model_dump_json(indent=1).encode() + b"\n")
    return described


def read_recorded(log: Path) -> RecordedLog:
    """Return the description of a log, after checking that the log is the one that it describes.

    Raises
    ------
    InputError
        A file is missing or faulty, or the log was changed.
    """
    path = description_of(log)
    described = validate(RecordedLog, parse_json(read_input(path, DESCRIPTION), path, DESCRIPTION.name), path)
    digest = hashlib.sha256(read_input(log, LOG)).hexdigest()
    if digest != described.sha256:
        raise InputError.at(log, "sha256", expected=described.sha256, got=digest)
    return described


def _no_power(spec: str, got: str) -> InputError:
    return InputError.at(f"--meter {spec}", expected="a meter that gives watts now", got=got)


def _text(good: Sequence[Reading], shift_s: float) -> str:
    return "\n".join((HEADER, *(f"{one.t_s + shift_s:.6f},{one.value!r}" for one in good))) + "\n"


def _last_error(meter: Meter) -> str:
    return meter.last_error[:500] if isinstance(meter, PolledMeter) else ""
