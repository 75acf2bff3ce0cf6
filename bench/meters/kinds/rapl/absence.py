"""The reason why no RAPL zone can be read on a machine, and its cure.

References
----------
Open Container Initiative runtime specification, `maskedPaths`; container engines mask /sys/devices/virtual/powercap
because of CVE-2020-8694.
"""

from collections.abc import Sequence
from pathlib import Path

from bench.meters.kinds.rapl.zones import Zone
from bench.meters.system_files import read_text, system_path

READ_CURE = "sudo chmod a+r {path} until the next boot, or run as root (since Linux 5.10 only root can read it)"
PLUG = "use a plug: --meter shelly:HOST"
MASKED = "/sys/devices/virtual/powercap"
_MOUNT = (
    f"mount it: start the container with -v {MASKED}:/powercap:ro and name --meter rapl,root=/powercap, "
    "or start it with --security-opt systempaths=unconfined"
)
_LOAD = "load the kernel module: sudo modprobe intel_rapl_msr"
# Files by which Docker, Podman, systemd-nspawn with LXC, and Kubernetes mark a container.
_CONTAINER_SIGNS = (
    "/.dockerenv",
    "/run/.containerenv",
    "/run/systemd/container",
    "/var/run/secrets/kubernetes.io",
)
_FIRST_MODEL = 42  # Intel Sandy Bridge, the first with RAPL
_FIRST_FAMILY = 23  # AMD Zen
_AMD = ("AuthenticAMD", "HygonGenuine")


def why_absent(root: Path, zones: Sequence[Zone], domain: str) -> tuple[str, str]:
    """Return why a domain has no zone below a powercap folder, and what helps."""
    if zones:
        return f"no RAPL zone {domain} here; this machine has {', '.join(dict.fromkeys(z.name for z in zones))}", PLUG
    return _masked(root) or _unloaded(root)


def _masked(root: Path) -> tuple[str, str] | None:
    """Return how a container hides the zones, or None if it does not."""
    hidden = [path for path in _entries(root) if path.is_symlink() and not path.exists()]
    if hidden:
        reason = f"the zones are there but masked: a container hides {MASKED}, to which {hidden[0]} points"
        return reason, _MOUNT
    if _is_empty(system_path(MASKED)):
        return f"the zones are masked: a container hides {MASKED}, which is empty", _MOUNT
    return None


def _unloaded(root: Path) -> tuple[str, str]:
    """Return why this machine, as its CPU describes it, has no zones."""
    cpu = _first_cpu()
    if "hypervisor" in cpu.get("flags", "").split():
        return f"no RAPL here: this is a virtual machine, and {root} has no zone", PLUG
    if not has_rapl(cpu):
        return "no RAPL here (a CPU or a kernel without it)", PLUG
    if any(system_path(sign).exists() for sign in _CONTAINER_SIGNS):
        reason = f"this CPU has RAPL, but this container shows no zone under {root}"
        return reason, f"{_LOAD} on the host; then {_MOUNT}"
    return f"this CPU has RAPL, but the kernel shows no zone under {root}", f"{_LOAD}, or {PLUG}"


def has_rapl(cpu: dict[str, str]) -> bool:
    """Return whether the first block of /proc/cpuinfo describes a CPU that has RAPL."""
    vendor, family, model = cpu.get("vendor_id"), _number(cpu.get("cpu family")), _number(cpu.get("model"))
    if vendor == "GenuineIntel":
        return family > 6 or (family == 6 and model >= _FIRST_MODEL)
    return vendor in _AMD and ("rapl" in cpu.get("flags", "").split() or family >= _FIRST_FAMILY)


def core_is_one_core() -> bool:
    """Return whether the domain `core` counts a single core of each package, as on AMD, instead of all."""
    return _first_cpu().get("vendor_id") in _AMD


def _first_cpu() -> dict[str, str]:
    block = (read_text(system_path("/proc/cpuinfo")) or "").split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _entries(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.name.startswith("intel-rapl"))
    except OSError:
        return []


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
