"""The catalogue of profiles: its files by name, and profiles such as `antminer-s21` or `antminer-s21:188t:low`."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hardware_profiles.build import device_from
from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.opening import is_folder, is_there
from hardware_profiles.profile import Device, Point, Profile
from hardware_profiles.reading import parse_toml, read_file

OURS = Path(__file__).parent
CHECKED = OURS / "checked.txt"
VARIABLE = "PERWATT_PROFILES"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9.+]+)*")
SLUG_FORM = "a file name of lower-case words joined by '-'"


def folders(own: Iterable[str | Path] = ()) -> tuple[Path, ...]:
    """Return the folders of profiles in order of precedence: own, PERWATT_PROFILES, bundled.

    Raises
    ------
    InputError
        A folder does not exist or is a file.
    """
    users = [(Path(folder), "--profiles") for folder in own]
    users += [(Path(part), VARIABLE) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    for folder, origin in users:
        if not is_folder(folder):
            got = "a file" if is_there(folder) else "no such folder"
            raise InputError(f"{origin}: expected a folder of profiles, got {shown(str(folder))}, {got}")
    return (*(folder for folder, _ in users), OURS)


def files(own: Iterable[str | Path] = ()) -> dict[str, Path]:
    """Return the file of each device by slug; a user's file hides a bundled one of the same name.

    Raises
    ------
    InputError
        A file has a name that no command could use.
    """
    paths: dict[str, Path] = {}
    for folder in folders(own):
        # os.walk over three folders is a tenth of what rglob costs.
        for root, _, names in os.walk(folder):
            for name in sorted(names):
                if name.endswith(".toml"):
                    if SLUG.fullmatch(name[:-5]) is None:
                        raise InputError.at(Path(root, name), expected=SLUG_FORM, got=name)
                    paths.setdefault(name[:-5], Path(root, name))
    return dict(sorted(paths.items()))


def load(name: str, own: Iterable[str | Path] = ()) -> Profile:
    """Return the profile of a name: `slug`, `slug:bin`, `slug:bin:mode`, or `slug:mode` for a mode of the first bin.

    Raises
    ------
    InputError
        The slug, bin or mode is unknown (near names are listed), or the file is faulty.
    """
    slug, *suffix = name.strip().casefold().split(":")
    known = files(own)
    if slug not in known:
        raise InputError.at(
            "profile",
            expected="a name of `perwatt list profiles`",
            got=name,
            near=near_slugs(slug, known),
        )
    return select(read_device(known[slug]), suffix, name)


def load_all(own: Iterable[str | Path] = ()) -> list[Device]:
    """Return all devices in the order of their slugs.

    Raises
    ------
    InputError
        A file is faulty.
    """
    return [read_device(path) for path in files(own).values()]


def names(own: Iterable[str | Path] = ()) -> list[str]:
    """Return the slugs of all devices, sorted, without reading their files."""
    return list(files(own))


def select(device: Device, suffix: list[str], name: str) -> Profile:
    """Return the profile of a device's bin and mode.

    Parameters
    ----------
    device
        The device.
    suffix
        Names of the bin and the mode, or fewer.
    name
        The whole name, for error messages.

    Raises
    ------
    InputError
        The bin or mode is unknown; near names are listed.
    """
    if not suffix:
        return Profile(device, device.bins[0] if device.bins else None, None)
    chosen = _named(device.bins, suffix[0])
    rest = suffix[1:]
    if chosen is None and device.bins and len(suffix) == 1:
        mode = _named(device.bins[0].modes, suffix[0])
        if mode is not None:
            return Profile(device, device.bins[0], mode)
    if chosen is None:
        known = [point.name for point in device.bins]
        known += [mode.name for mode in device.bins[0].modes] if device.bins else []
        raise _unknown(name, "bin or mode", device.slug, known, suffix[0])
    if not rest:
        return Profile(device, chosen, None)
    mode = _named(chosen.modes, rest[0])
    if mode is None or len(rest) > 1:
        parent = f"{device.slug}:{chosen.name}"
        raise _unknown(name, "mode", parent, [point.name for point in chosen.modes], ":".join(rest))
    return Profile(device, chosen, mode)


def read_device(path: Path) -> Device:
    """Return the device of a profile file.

    A bundled file whose digest is recorded as checked is not checked again, because a check takes ten times as long as
    reading.

    Raises
    ------
    InputError
        The file is faulty; the message has one line for each fault.
    """
    content = read_file(path)
    data = parse_toml(content, path)
    if hashlib.sha256(content).hexdigest() in _recorded():
        return device_from(data, path)
    return check(data, path)


def check(data: dict[str, Any], path: Path) -> Device:
    """Return the device in the content of a file after all checks.

    Raises
    ------
    InputError
        The content is faulty; the message has one line for each fault.
    """
    from hardware_profiles.checks import faults
    from hardware_profiles.schema import validate_file

    validate_file(data, path)
    device = device_from(data, path)
    if texts := faults(device):
        raise InputError(*(f"{path}: {text}" for text in texts))
    return device


def check_file(path: Path) -> list[str]:
    """Return all faults of a profile file, each on one line that names file, key, expected and got."""
    from hardware_profiles.checks import faults
    from hardware_profiles.schema import validate_file

    try:
        data = parse_toml(read_file(path), path)
        validate_file(data, path)
    except InputError as fault:
        return list(fault.faults)
    return [f"{path}: {fault}" for fault in faults(device_from(data, path))]


def digests() -> str:
    """Return the content of `checked.txt`: the SHA-256 and the path of each bundled file, one a line."""
    own = [path for path in sorted(OURS.rglob("*.toml")) if not path.is_symlink()]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(OURS)}" for path in own]
    return "\n".join(lines) + "\n"


def record_checked() -> None:
    """Record the digests of the bundled files, which the caller has checked."""
    CHECKED.write_text(digests(), encoding="utf-8")
    _recorded.cache_clear()


@cache
def _recorded() -> frozenset[str]:
    try:
        text = CHECKED.read_text(encoding="utf-8")
    except OSError:  # without the record every file is checked when it is read
        return frozenset()
    return frozenset(line.split(" ", 1)[0] for line in text.splitlines())


def _named(points: tuple[Point, ...], name: str) -> Point | None:
    return next((point for point in points if point.name == name), None)


def _unknown(name: str, part: str, parent: str, known: list[str], got: str) -> InputError:
    near = near_names(got, known) or tuple(known[:8])
    expected = f"a {part} of {parent}" if known else f"no {part}, because {parent} has none"
    return InputError.at("profile", expected=expected, got=name, near=[f"{parent}:{entry}" for entry in near])


def near_slugs(slug: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return near names: first those that contain the text (`s21`, `h100`), then those that resemble it."""
    listed = list(known)
    parts = slug.replace("_", "-").replace(" ", "-")
    containing = sorted((entry for entry in listed if _contains(entry, parts)), key=len)
    return tuple(dict.fromkeys([*containing[:4], *near_names(parts, listed)]))[:4]


def _contains(entry: str, parts: str) -> bool:
    return len(parts) > 1 and (entry.endswith(parts) or f"-{parts}" in entry)


def recognise(reported: str, devices: Iterable[Device]) -> Device | None:
    """Return the device that a machine reports by a name, or None if the name does not identify one.

    The device is the one with the longest of the profiles' `reported_names` that the text contains as whole words.
    Variants that share only the name (laptop, Max-Q) are not recognised.
    """
    words = _words(reported)
    if words & _OTHER_DEVICES:
        return None
    text = f" {' '.join(_word_list(reported))} "
    best: tuple[int, Device] | None = None
    for device in devices:
        for name in device.reported_names:
            phrase = " ".join(_word_list(name))
            if f" {phrase} " in text and (best is None or len(phrase) > best[0]):
                best = (len(phrase), device)
    return best[1] if best else None


_OTHER_DEVICES = frozenset({"laptop", "mobile", "max-q", "mig"})


def _word_list(text: str) -> list[str]:
    return text.casefold().replace("(r)", " ").replace("(tm)", " ").replace("-sxm", " sxm").replace("-", " ").split()


def _words(text: str) -> set[str]:
    return {*text.casefold().split(), *_word_list(text)}


def iter_profiles(devices: Iterable[Device], *, modes: bool = False) -> Iterator[Profile]:
    """Yield one profile for each bin of each device, and with `modes` one for each mode."""
    for device in devices:
        yield from device.profiles(modes=modes)
