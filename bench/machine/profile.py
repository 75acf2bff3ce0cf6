"""A profile of the machine that it runs on: what the machine says of itself, and nothing that it does not."""

import datetime as dt
import json
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import environment
from hardware_profiles.errors import InputError
from hardware_profiles.keys import CPU_FIGURES, FEATURES, GPU_FIGURES, GPU_PEAKS, Key

_SOURCE = "this-machine"


@dataclass
class Draft:
    """What is known of a device here. `left_out` says, per key, why there is no figure."""

    kind: str
    maker: str
    model: str
    reported: str | None
    figures: dict[str, float] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    address: str = "local:/proc/cpuinfo"
    notes: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The name of its file: maker and model in lower case."""
        words = re.findall(r"[a-z0-9+.]+", f"{self.maker} {self.model}".casefold())
        return "-".join(dict.fromkeys(words)) or "this-machine"

    @property
    def left_out(self) -> list[str]:
        """Keys of a profile of this kind that this machine could not tell."""
        known = CPU_FIGURES if self.kind == "cpu" else {**GPU_FIGURES, **GPU_PEAKS}
        return [key for key in known if key not in self.figures]


def draft_cpu() -> Draft:
    """Return what this machine says of its CPU package.

    Raises
    ------
    InputError
        It does not even say how many cores there are.
    """
    found, frequency = environment.cpu(), environment.frequency()
    reported = str(found["model"] or "").strip()
    maker = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}.get(
        str(found["vendor"]), str(found["vendor"] or "unknown")
    )
    draft = Draft("cpu", maker, _model(reported, maker), reported or None)
    packages = _packages()
    cores, threads = found["physical_cores"], found["logical_cores"]
    if not isinstance(cores, int) or not isinstance(threads, int):
        raise InputError("profile new: expected a count of cores from this machine, got none")
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
        draft.notes.append(f"written inside a {virtual}: cores, cache and name are what it shows, not what is soldered")
    return draft


def draft_gpu(index: int) -> Draft:
    """Return what NVIDIA's management library says of one GPU.

    Raises
    ------
    InputError
        There is no such GPU, or no library or driver to ask.
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
        draft.notes.append("the default power limit is not the thermal design power, which the driver does not tell")
        return draft
    finally:
        pynvml.nvmlShutdown()


def _put(draft: Draft, key: str, value: float, printed: str) -> None:
    draft.figures[key] = value
    draft.printed.append(printed)


def _packages() -> int:
    found = re.findall(r"^physical id\s*:\s*(\d+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return max(1, len(set(found)))


def _model(reported: str, maker: str) -> str:
    text = re.sub(
        r"\((R|TM|C)\)|\bCPU\b|@.*$|\b\d+-Core\b|\bProcessor\b|\bwith .*$", " ", reported, flags=re.IGNORECASE
    )
    words = [word for word in text.split() if word.casefold() != maker.casefold()]
    return " ".join(words) or platform.machine() or "unknown"


def to_toml(draft: Draft, today: dt.date) -> str:
    """Return the profile file's text: figures that were read, then as comments the keys that could not be known."""
    known: dict[str, Key] = CPU_FIGURES if draft.kind == "cpu" else {**GPU_FIGURES, **GPU_PEAKS}
    lines = [
        f"# Written by `perwatt profile new` on {today}: only what this machine says of itself.",
        "# A key that is missing could not be known here; add it with its source, then run `perwatt profile check`.",
        "profile_schema = 1",
        f"kind = {_text(draft.kind)}",
        f"maker = {_text(draft.maker)}",
        f"model = {_text(draft.model)}",
        'released = "unknown"',
        f"reported_names = {_list([draft.reported] if draft.reported else [])}",
        f"notes = {_list(draft.notes)}",
        "",
        "[figures]",
        *(f"{key} = {_figure(value, today)}" for key, value in draft.figures.items()),
        *(f"# {key}: not told by this machine ({known[key].meaning})" for key in draft.left_out),
    ]
    if draft.kind == "cpu":
        lines += [
            "",
            "[features]",
            f"values = {_list(draft.features)}",
            'basis = "measured"',
            'confidence = "one_source"',
            f'date = "{today}"',
            f"sources = {_list([_SOURCE])}",
        ]
    lines += [
        "",
        f"[sources.{_SOURCE}]",
        'title = "what the machine reports of itself"',
        'kind = "machine"',
        f"address = {_text(draft.address)}",
        f'read = "{today}"',
        f"printed = {_list(draft.printed)}",
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
    return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in entry.items()) + " }"


def _value(item: object) -> str:
    return _list(item) if isinstance(item, list) else _text(item) if isinstance(item, str) else repr(item)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # a JSON string is a TOML string


def _list(texts: list[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"
