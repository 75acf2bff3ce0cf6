"""What can be read: meters behind one protocol, named on the command line by a spec, found by `doctor`."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import entry_points

from bench.meters.protocol import Found, Meter, MeterKind, MeterKindEntry, MeterOptions, Tier
from hardware_profiles.errors import InputError, near_names

ENTRY_POINT_GROUP = "perwatt.meters"

_BUILT_IN = {
    "nvml": ("bench.meters.kinds.nvml", "ENTRY"),
    "rapl": ("bench.meters.kinds.rapl", "ENTRY"),
    "hwmon": ("bench.meters.kinds.hwmon", "ENTRY"),
    "shelly": ("bench.meters.kinds.plug", "SHELLY"),
    "tasmota": ("bench.meters.kinds.plug", "TASMOTA"),
    "trace": ("bench.meters.kinds.trace", "ENTRY"),
    "declared": ("bench.meters.kinds.declared", "ENTRY"),
}


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
        No meter of this name, or an installed one that cannot be imported.
    """
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        found: MeterKindEntry = getattr(import_module(module), attribute)
        return found
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
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


def parse_spec(spec: str) -> tuple[str, str, dict[str, str]]:
    """Return `name[:target][,key=value…]` as name, target and settings.

    Raises
    ------
    InputError
        An empty name, or a setting without `=`.
    """
    head, *rest = spec.split(",")
    name, _, target = head.partition(":")
    settings: dict[str, str] = {}
    for item in rest:
        key, sign, value = item.partition("=")
        if not sign or not key.strip():
            raise InputError.at(f"--meter {spec}", expected="settings as key=value after the comma", got=item)
        settings[key.strip()] = value.strip()
    if not name.strip():
        raise InputError.at("--meter", expected="a meter such as shelly:HOST, rapl or trace:FILE", got=spec)
    return name.strip(), target.strip(), settings


def make_meter(spec: str, options: MeterOptions | None = None) -> Meter:
    """Return the closed meter of a spec.

    Raises
    ------
    InputError
        An unknown meter, a wrong target or setting.
    """
    name, target, settings = parse_spec(spec)
    return entry(name).make(target, settings, options or MeterOptions())


def open_meters(specs: Iterable[str], options: MeterOptions | None = None) -> list[Meter]:
    """Return the opened meters of all specs, and `declared` where `options.watts` is set.

    Raises
    ------
    InputError
        An unknown meter, a wrong target or setting, two that read the same source.
    MeterError
        A source that cannot be opened here.
    """
    given = options or MeterOptions()
    meters = [make_meter(spec, given) for spec in specs]
    if given.watts is not None and not any(meter.info.kind == "declared" for meter in meters):
        meters.append(make_meter("declared", given))
    seen: set[str] = set()
    for meter in meters:
        if meter.info.name in seen:
            raise InputError.at("--meter", expected="each source once", got=meter.info.name)
        seen.add(meter.info.name)
    opened: list[Meter] = []
    try:
        for meter in meters:
            meter.open()
            opened.append(meter)
    except BaseException:
        close_meters(opened)
        raise
    return opened


def close_meters(meters: Sequence[Meter]) -> None:
    """Close every meter."""
    for meter in meters:
        meter.close()


def default_specs(device: str) -> list[str]:
    """Return the meters that this machine has for a device (`cpu`, `gpu:0`) and that need nobody's word."""
    kind, _, index = device.partition(":")
    if kind == "gpu":
        return [f"nvml:{index or 0}" for found in entry("nvml").find() if found.usable][:1]
    usable = [found for name in ("rapl", "hwmon") for found in entry(name).find() if found.usable]
    return [found.spec for found in usable if found.boundary == "package"][:1]


def discover() -> list[Found]:
    """Return what each meter kind finds on this machine: usable or not, why not, and the cure."""
    found: list[Found] = []
    for name in names():
        try:
            found.extend(entry(name).find())
        except Exception as error:  # noqa: BLE001 (a broken meter of others must not hide the rest)
            cure = f"repair or uninstall the package that brings {name!r}"
            fault = " ".join(str(error).split())
            found.append(Found(name, MeterKind.POWER, "wall", Tier.C, usable=False, reason=fault, cure=cure, spec=name))
    return found
