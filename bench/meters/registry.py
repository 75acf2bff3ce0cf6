"""The table of meter kinds, built in and installed, and the meters of specs such as `shelly:HOST,accuracy=1%`."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib import import_module
from importlib.metadata import entry_points

from bench.machine.endings import endings_raise, endings_wait
from bench.machine.leaving import forbid_leaving
from bench.meters.default import default_meter
from bench.meters.errors import MeterError
from bench.meters.group.sources import check_once, separate_names
from bench.meters.group.sums import SumMeter, sums_rows
from bench.meters.protocol import Found, Meter, MeterKind, MeterKindEntry, MeterOptions, Tier
from hardware_profiles.errors import InputError, near_names

ENTRY_POINT_GROUP = "perwatt.meters"
_SETTING = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=(.*)", re.DOTALL)

# name -> module and attribute of its MeterKindEntry; a new kind is a module in bench/meters/kinds and a row here
_BUILT_IN = {
    "nvml": ("bench.meters.kinds.nvml", "ENTRY"),
    "rapl": ("bench.meters.kinds.rapl", "ENTRY"),
    "hwmon": ("bench.meters.kinds.hwmon", "ENTRY"),
    "amdsmi": ("bench.meters.kinds.amdsmi", "ENTRY"),
    "shelly": ("bench.meters.kinds.plugs.shelly", "ENTRY"),
    "tasmota": ("bench.meters.kinds.plugs.tasmota", "ENTRY"),
    "prometheus": ("bench.meters.transports.prometheus", "ENTRY"),
    "redfish": ("bench.meters.transports.redfish", "ENTRY"),
    "snmp": ("bench.meters.transports.snmp", "ENTRY"),
    "modbus": ("bench.meters.transports.modbus", "ENTRY"),
    "mqtt": ("bench.meters.transports.mqtt", "ENTRY"),
    "ipmi": ("bench.meters.transports.ipmi", "ENTRY"),
    "ptdaemon": ("bench.meters.transports.ptdaemon", "ENTRY"),
    "scpi": ("bench.meters.transports.scpi", "ENTRY"),
    "kasa": ("bench.meters.transports.kasa", "ENTRY"),
    "tapo": ("bench.meters.transports.tapo", "ENTRY"),
    "trace": ("bench.meters.kinds.trace", "ENTRY"),
    "declared": ("bench.meters.kinds.declared", "ENTRY"),
}


@contextmanager
def _foreign() -> Iterator[None]:
    """Run code of a meter package: what it prints goes to stderr, and a call of `sys.exit` is an error.

    Raises
    ------
    MeterError
        The package wanted to end the program.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as leaving:
        raise MeterError(f"a meter package ended the program: expected a return, got {leaving!r}") from leaving


def names() -> tuple[str, ...]:
    """Return the names of all meter kinds, built in and installed."""
    return (
        *_BUILT_IN,
        *(point.name for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in _BUILT_IN),
    )


def entry(name: str) -> MeterKindEntry:
    """Return one meter kind.

    Raises
    ------
    InputError
        There is no meter of this name, or an installed one cannot be imported.
    """
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        kind: MeterKindEntry = getattr(import_module(module), attribute)
        return kind
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        forbid_leaving()
        try:
            with _foreign():
                loaded = point.load()
        except Exception as error:
            raise InputError(f"--meter {name}: its package {point.value} could not be imported: {error}") from error
        if not isinstance(loaded, MeterKindEntry):
            raise InputError.at(
                f"--meter {name}", expected=f"a MeterKindEntry at {point.value}", got=type(loaded).__name__
            )
        return loaded
    known = names()
    raise InputError.at("--meter", expected=f"one of {', '.join(known)}", got=name, near=near_names(name, known))


def parse_spec(
    spec: str, option: str = "--meter", example: str = "a meter such as shelly:HOST, rapl or trace:FILE"
) -> tuple[str, str, dict[str, str]]:
    """Return `name[:target][,key=value…]` as name, target and settings.

    Only a comma with `key=` after it ends what stands before it, so that a file `a, b.csv` and a column `Active Power,
    W` can be named.

    Parameters
    ----------
    spec
        The text.
    option, example
        What is stated so, and how it looks, for messages.

    Raises
    ------
    InputError
        The name is empty, a word after a comma belongs to nothing, or a key is stated twice.
    """
    place = f"{option} {spec}"
    head, *chunks = spec.split(",")
    name, colon, target = head.partition(":")
    settings: dict[str, str] = {}
    key = ""
    for chunk in chunks:
        setting = _SETTING.fullmatch(chunk)
        if setting is not None:
            key = setting[1]
            if key in settings:
                raise InputError.at(place, key, expected="each key once", got=f"{settings[key]} and {setting[2]}")
            settings[key] = setting[2]
        elif key and chunk:
            settings[key] += f",{chunk}"
        elif colon and chunk:
            target += f",{chunk}"
        else:
            raise InputError.at(place, expected="settings as key=value after the comma", got=chunk)
    if not name.strip():
        raise InputError.at(option, expected=example, got=spec)
    return name.strip(), target.strip(), {key: value.strip() for key, value in settings.items()}


def make_meter(spec: str, options: MeterOptions | None = None) -> Meter:
    """Return the meter of a spec, not yet opened.

    Raises
    ------
    InputError
        The meter is unknown, or its target or a setting is wrong.
    """
    name, target, settings = parse_spec(spec)
    return _make(name, target, settings, options or MeterOptions())


def _make(name: str, target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    kind = entry(name)
    with _foreign():
        return kind.make(target, settings, options)


def make_meters(specs: Iterable[str], options: MeterOptions | None = None) -> list[Meter]:
    """Return the meters of all specs, not yet opened; meters of one `sum=NAME` are added into one meter.

    Raises
    ------
    InputError
        A meter is unknown, its target or a setting is wrong, or a sum has a single part.
    """
    options = options or MeterOptions()
    parsed = [parse_spec(spec) for spec in specs]
    named = Counter(settings["sum"] for _, _, settings in parsed if "sum" in settings)
    made: list[Meter | str] = []
    sums: dict[str, list[Meter]] = {}
    for name, target, settings in parsed:
        group = settings.get("sum")
        if group is None or (name == "trace" and sums_rows(target, settings, alone=named[group] == 1)):
            made.append(_make(name, target, settings, options))
            continue
        if group not in sums:
            made.append(group)
        others = {key: value for key, value in settings.items() if key != "sum"}
        sums.setdefault(group, []).append(_make(name, target, others, options))
    return [SumMeter(item, sums[item]) if isinstance(item, str) else item for item in made]


def open_meters(specs: Iterable[str], options: MeterOptions | None = None) -> list[Meter]:
    """Return the opened meters of all specs, and a declared one if `options.watts` is set.

    Raises
    ------
    InputError
        A meter is unknown, its target or a setting is wrong, or two meters read the same source.
    MeterError
        A source cannot be opened on this machine.
    """
    options = options or MeterOptions()
    meters = make_meters(specs, options)
    if options.watts is not None and not any(meter.info.kind is MeterKind.DECLARED for meter in meters):
        meters.append(make_meter("declared", options))
    opened: list[Meter] = []
    try:
        for meter in meters:
            with _foreign():
                meter.open()
            opened.append(meter)
        check_once(meters)
        separate_names(meters)
    except BaseException:
        close_meters(opened)
        raise
    return opened


def close_meters(meters: Sequence[Meter]) -> None:
    """Close every meter; Ctrl-C, SIGTERM and SIGHUP wait until each has left its device as it was."""
    with endings_wait(), ExitStack() as closings:
        for meter in reversed(meters):
            closings.callback(meter.close)


@contextmanager
def metering(specs: Sequence[str], options: MeterOptions | None = None) -> Iterator[list[Meter]]:
    """Open the meters of all specs, and close them in every ending that a program can see, SIGTERM and SIGHUP too.

    Raises
    ------
    InputError, MeterError
        See `open_meters`.
    """
    with ExitStack() as stack:
        if specs:
            stack.enter_context(endings_raise())
        meters = open_meters(specs, options)
        stack.callback(close_meters, meters)
        yield meters


def default_specs(device: str) -> list[str]:
    """Return the spec of the meter that a run of a device (`cpu`, `gpu:0`) takes by itself, if there is one."""
    kinds = ("nvml",) if device.startswith("gpu") else ("rapl", "hwmon")
    spec = default_meter(device, discover(kinds)).spec
    return [spec] if spec else []


def discover(kinds: Iterable[str] | None = None) -> list[Found]:
    """Return the meters of some or all kinds on this machine: usable or not, and if not, why and the cure."""
    meters: list[Found] = []
    for name in names() if kinds is None else kinds:
        try:
            kind = entry(name)
            with _foreign():
                meters.extend(kind.find())
        except Exception as error:  # noqa: BLE001 (a broken third-party meter must not hide the others)
            cure = f"repair or uninstall the package that provides {name!r}"
            fault = " ".join(str(error).split())
            meters.append(
                Found(name, MeterKind.POWER, "wall", Tier.C, usable=False, reason=fault, cure=cure, spec=name)
            )
    return meters
