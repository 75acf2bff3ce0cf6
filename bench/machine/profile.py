"""The draft of a profile of this machine, with only those figures that the machine itself reports.

The file is written here and not by tomli-w: a figure is an inline table on one line, as in the bundled profiles, and
the keys without a figure are comments with their meaning. tomli-w writes neither.
"""

import datetime as dt
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import environment
from hardware_profiles.errors import InputError
from hardware_profiles.keys import CPU_FIGURES, FEATURES, GPU_FIGURES, GPU_PEAKS, Key

_SOURCE = "this-machine"


@dataclass
class Draft:
    """The draft of a device's profile."""

    kind: str
    maker: str
    model: str
    reported: str | None  # the name that the device reports
    figures: dict[str, float] = field(default_factory=dict)  # by key; the unit is in the key
    features: list[str] = field(default_factory=list)  # instruction sets
    printed: list[str] = field(default_factory=list)  # the reported lines behind the figures
    address: str = "local:/proc/cpuinfo"  # of the source
    notes: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The name of its file, from maker and model in lower case."""
        words = re.findall(r"[a-z0-9+.]+", f"{self.maker} {self.model}".casefold())
        return "-".join(dict.fromkeys(words)) or "this-machine"

    @property
    def missing_keys(self) -> list[str]:
        """The keys of a profile of this kind that this machine does not report."""
        known = CPU_FIGURES if self.kind == "cpu" else {**GPU_FIGURES, **GPU_PEAKS}
        return [key for key in known if key not in self.figures]


def draft_cpu() -> Draft:
    """Return the draft of this machine's CPU package.

    Raises
    ------
    InputError
        The machine does not report its number of cores.
    """
    cpu, frequency = environment.cpu(), environment.frequency()
    reported = str(cpu["model"] or "").strip()
    maker = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}.get(str(cpu["vendor"]), str(cpu["vendor"] or "unknown"))
    draft = Draft("cpu", maker, _model(reported, maker), reported or None)
    packages = _packages()
    cores, threads = cpu["physical_cores"], cpu["logical_cores"]
    if not isinstance(cores, int) or not isinstance(threads, int):
        raise InputError("profile new: expected a number of cores from this machine, got none")
    _put(draft, "cores", cores // packages, f"cpu cores: {cores // packages}")
    _put(draft, "threads", threads // packages, f"logical processors of the package: {threads // packages}")
    maximum = frequency["max_hz"]
    if isinstance(maximum, int):
        _put(draft, "boost_clock_ghz", maximum / 1e9, f"cpuinfo_max_freq: {maximum / 1e9:g} GHz")
    last = environment.last_level_cache_bytes()
    if last is not None:
        _put(draft, "l3_cache_mb", last / 2**20, f"last-level cache: {last / 2**20:g} MB (2^20 byte)")
    flags = environment.cpu_flags()
    draft.features = [name for name in FEATURES if name in flags]
    draft.printed.append(f"model name: {reported or 'not reported'}")
    virtual = environment.virtualisation()
    if virtual != "none":
        draft.notes.append(
            f"written inside a {virtual}: it reports its own cores, cache and name, not those of the hardware"
        )
    return draft


def draft_gpu(index: int) -> Draft:
    """Return the draft of one GPU from NVIDIA's management library.

    Raises
    ------
    InputError
        There is no such GPU, library or driver.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as fault:
        raise InputError(f"--device gpu:{index}: expected an NVIDIA GPU with its driver, got {fault}") from None
    try:
        count = pynvml.nvmlDeviceGetCount()
        if not 0 <= index < count:
            raise InputError(f"--device gpu:{index}: expected an index below {count}, got {index}")
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        name = pynvml.nvmlDeviceGetName(handle)
        reported = name.decode() if isinstance(name, bytes) else str(name)
        draft = Draft("gpu", "NVIDIA", reported.removeprefix("NVIDIA ").strip(), reported, address="local:nvml")
        memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
        _put(draft, "memory_gb", memory / 1e9, f"memory total: {memory / 1e9:.6g} GB")
        limit = int(pynvml.nvmlDeviceGetPowerManagementDefaultLimit(handle)) / 1000
        _put(draft, "power_limit_w", limit, f"default power limit: {limit:g} W")
        draft.printed.append(f"name: {reported}")
        draft.notes.append("the default power limit is not the thermal design power, which the driver does not report")
        return draft
    finally:
        pynvml.nvmlShutdown()


def _put(draft: Draft, key: str, value: float, printed: str) -> None:
    draft.figures[key] = value
    draft.printed.append(printed)


def _packages() -> int:
    ids = re.findall(r"^physical id\s*:\s*(\d+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return max(1, len(set(ids)))


def _model(reported: str, maker: str) -> str:
    text = re.sub(
        r"\((R|TM|C)\)|\bCPU\b|@.*$|\b\d+-Core\b|\bProcessor\b|\bwith .*$", " ", reported, flags=re.IGNORECASE
    )
    words = [word for word in text.split() if word.casefold() != maker.casefold()]
    return " ".join(words) or platform.machine() or "unknown"


def to_toml(draft: Draft, today: dt.date) -> str:
    """Return the text of the profile file: the reported figures, then the missing keys as comments."""
    known: dict[str, Key] = CPU_FIGURES if draft.kind == "cpu" else {**GPU_FIGURES, **GPU_PEAKS}
    lines = [
        f"# Written by `perwatt profile new` on {today}: only what this machine reports of itself.",
        "# This machine does not report a missing key; add it with its source, then run `perwatt profile check`.",
        "profile_schema = 1",
        f"kind = {toml_text(draft.kind)}",
        f"maker = {toml_text(draft.maker)}",
        f"model = {toml_text(draft.model)}",
        'released = "unknown"',
        f"reported_names = {toml_list([draft.reported] if draft.reported else [])}",
        f"notes = {toml_list(draft.notes)}",
        "",
        "[figures]",
        *(f"{key} = {_figure(value, today)}" for key, value in draft.figures.items()),
        *(f"# {key}: not reported by this machine ({known[key].meaning})" for key in draft.missing_keys),
    ]
    if draft.kind == "cpu":
        lines += [
            "",
            "[features]",
            f"values = {toml_list(draft.features)}",
            'basis = "measured"',
            'confidence = "one_source"',
            f'date = "{today}"',
            f"sources = {toml_list([_SOURCE])}",
        ]
    lines += [
        "",
        f"[sources.{_SOURCE}]",
        'title = "what the machine reports of itself"',
        'kind = "machine"',
        f"address = {toml_text(draft.address)}",
        f'read = "{today}"',
        f"printed = {toml_list(draft.printed)}",
    ]
    return "\n".join(lines) + "\n"


def _figure(value: float, today: dt.date) -> str:
    entry: dict[str, Any] = {
        "value": value if isinstance(value, int) else float(f"{value:.9g}"),
        "tolerance_pct": "unknown",
        "basis": "measured",
        "confidence": "one_source",
        "date": str(today),
        "sources": [_SOURCE],
    }
    return inline_table(entry)


def inline_table(entry: Mapping[str, Any]) -> str:
    """Return a table on one line of TOML."""
    return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in entry.items()) + " }"


def toml_value(item: object) -> str:
    """Return a number, text or list of texts in TOML."""
    return toml_list(item) if isinstance(item, list) else toml_text(item) if isinstance(item, str) else repr(item)


def toml_text(text: str) -> str:
    """Return a text in TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # a JSON string is a TOML string


def toml_list(texts: list[str]) -> str:
    """Return a list of texts in TOML."""
    return f"[{', '.join(toml_text(text) for text in texts)}]"
