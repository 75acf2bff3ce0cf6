"""The CPU as /proc/cpuinfo of x86, Arm, RISC-V, POWER, IBM Z, LoongArch and MIPS describes it, with its name."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bench.machine.cpu.parts import GRAVITON, IBM_Z, IMPLEMENTERS, PARTS

_NO_NAME = re.compile(r"(ARMv\d|AArch64 Processor|unknown$)", re.IGNORECASE)  # texts of a kernel that name no core
_EMULATED = re.compile(r"virt|qemu", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """The content of /proc/cpuinfo."""

    cores: tuple[Mapping[str, str], ...]  # fields of each core, those of the whole machine included
    machine: Mapping[str, str]  # fields outside of the cores' blocks

    @property
    def first(self) -> Mapping[str, str]:
        """The fields of the first core, or of the machine where no core is listed."""
        return self.cores[0] if self.cores else self.machine

    @property
    def flags(self) -> frozenset[str]:
        """The instruction sets that every core has, by the kernel's names."""
        sets = [frozenset((core.get("flags") or core.get("Features") or "").split()) for core in self.cores]
        return frozenset.intersection(*sets) if sets else frozenset()


def parse_cpuinfo(text: str) -> CpuInfo:
    """Return the content of /proc/cpuinfo: a block with a numbered `processor` is a core."""
    blocks: list[dict[str, str]] = []
    machine: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        for line in block.splitlines():
            name, colon, value = line.partition(":")
            key = name.strip()
            if key == "processor" and "processor" in fields:  # no blank line between two cores
                blocks.append(fields)
                fields = {}
            if colon:
                fields[key] = value.strip()
        if fields.get("processor", "").isdigit():
            blocks.append(fields)
        else:
            machine |= fields
    return CpuInfo(tuple({**machine, **core} for core in blocks), machine)


def vendor(info: CpuInfo) -> str | None:
    """Return the maker of the cores, or None if it is not reported."""
    first = info.first
    implementer = _number(first.get("CPU implementer"))
    return first.get("vendor_id") or IMPLEMENTERS.get(implementer or -1) or first.get("CPU implementer")


def board(info: CpuInfo, devicetree_model: str | None, system_vendor: str | None) -> str | None:
    """Return the name of the board or of the cloud's processor, or None if it is not reported.

    Parameters
    ----------
    info
        The content of /proc/cpuinfo.
    devicetree_model
        Name of the board in the devicetree, as in `Raspberry Pi 4 Model B Rev 1.5`.
    system_vendor
        Maker of the machine by DMI.
    """
    if system_vendor == "Amazon EC2":
        return GRAVITON.get(core_name(info.first) or "")
    machine = info.machine
    names = [devicetree_model, machine.get("Model"), machine.get("model"), machine.get("Hardware")]
    printed = (text.strip("\0 \n") for text in names if text)
    return next((name for name in printed if name and not _EMULATED.search(name)), None)


def cpu_name(info: CpuInfo, board_name: str | None = None) -> str | None:
    """Return the name of the CPU, each kind of core with its number if there are several, and the board in brackets."""
    names = Counter(name for name in map(core_name, info.cores or (info.machine,)) if name)
    if not names:
        return board_name
    name = next(iter(names)) if len(names) == 1 else " + ".join(f"{count}x {kind}" for kind, count in names.items())
    return f"{name} ({board_name})" if board_name else name


def core_name(fields: Mapping[str, str]) -> str | None:
    """Return the name of a core from its fields in /proc/cpuinfo, or None if nothing names it."""
    named = fields.get("model name") or fields.get("Model Name") or fields.get("cpu model") or ""
    candidates = (
        _arm_core(fields),
        None if _NO_NAME.match(named) else named,
        _arm_number(fields),
        fields.get("uarch"),  # RISC-V
        re.sub(r"\s*\((raw|architected)\)", "", fields.get("cpu", "").partition(",")[0]),  # POWER9, altivec supported
        _ibm_z(fields),
        f"RISC-V {fields['isa'].partition('_')[0]}" if "isa" in fields else None,
        named,
    )
    return next(filter(None, candidates), None)


def _arm_core(fields: Mapping[str, str]) -> str | None:
    implementer, part = _number(fields.get("CPU implementer")), _number(fields.get("CPU part"))
    return None if implementer is None or part is None else PARTS.get(implementer, {}).get(part)


def _arm_number(fields: Mapping[str, str]) -> str | None:
    """Return the numbers of a core that the table does not name."""
    implementer, part = _number(fields.get("CPU implementer")), _number(fields.get("CPU part"))
    if implementer is None or part is None:
        return None
    return f"{IMPLEMENTERS.get(implementer, f'implementer {implementer:#04x}')} part {part:#05x}"


def _ibm_z(fields: Mapping[str, str]) -> str | None:
    """Return the name of IBM Z; the kernel lists each processor in one line, or in a block of its own."""
    if fields.get("vendor_id") != "IBM/S390":
        return None
    lines = [value for name, value in fields.items() if name.startswith("processor ")]
    listed = re.search(r"machine\s*=\s*(\w+)", lines[0]) if lines else None
    machine_type = listed[1] if listed else fields.get("machine")
    return f"IBM {IBM_Z[machine_type]}" if machine_type in IBM_Z else f"IBM Z, machine type {machine_type}"


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 0)
    except ValueError:
        return None
