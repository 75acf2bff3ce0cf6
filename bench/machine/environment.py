"""The hardware and software environment of a measurement, which is read but never changed."""

import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

from bench.machine.cores import cores
from bench.machine.cpu.cpuinfo import CpuInfo, board, cpu_name, parse_cpuinfo, vendor
from bench.machine.processes import run_git
from bench.machine.variables import recorded

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = (
    "numba",
    "llvmlite",
    "numpy",
    "pyarrow",
    "psutil",
    "nvidia-ml-py",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "nvidia-cublas",
    "nvidia-cuda-nvrtc",
    "nvmath-python",
)
_FEATURES = (
    "sse4_1", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512vnni", "avx512_bf16", "amx_tile",
    "sha_ni", "sha2", "asimd",
)  # fmt: skip


def capture() -> dict[str, object]:
    """Return the system under test as JSON-ready data; an unknown value is None, never a guess."""
    return {
        "cpu": cpu(),
        "caches": caches(),
        "memory_bytes": _memory_bytes(),
        "os": _os_release(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "virtualisation": virtualisation(),
        "frequency": frequency(),
        "load_average": list(os.getloadavg()),
        "python": platform.python_version(),
        "packages": packages(),
        "numba_target": numba_target(),
        "environment_variables": recorded(os.environ),
    }


def cpu() -> dict[str, object]:
    """Return the CPU as the operating system reports it: model, family, stepping, microcode, cores, features."""
    import psutil

    info = _cpuinfo()
    fields = info.first
    board_name = board(info, _read("/proc/device-tree/model"), _read("/sys/class/dmi/id/sys_vendor"))
    return {
        "model": cpu_name(info, board_name),
        "vendor": vendor(info),
        "family": fields.get("cpu family"),
        "model_number": fields.get("model"),
        "stepping": fields.get("stepping"),
        "microcode": fields.get("microcode"),
        "logical_cores": psutil.cpu_count(logical=True),
        "physical_cores": psutil.cpu_count(logical=False),
        **cores().document(),
        "smt": _read("/sys/devices/system/cpu/smt/control"),
        "features": features(),
    }


def features() -> list[str]:
    """Return this CPU's instruction sets that matter to the compute kernels, by the names of the Linux kernel."""
    flags = cpu_flags()
    return [name for name in _FEATURES if name in flags]


def cpu_flags() -> frozenset[str]:
    """Return every flag that the operating system lists for all cores."""
    return _cpuinfo().flags


def usable_cores() -> list[int]:
    """Return the cores that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def caches() -> list[dict[str, object]]:
    """Return the caches of the first core: level, type, size [byte], sharing."""
    levels: list[dict[str, object]] = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        size = re.fullmatch(r"(\d+)([KM])", _read(folder / "size") or "")
        levels.append(
            {
                "level": int(_read(folder / "level") or 0),
                "type": _read(folder / "type"),
                "size_bytes": int(size[1]) * {"K": 2**10, "M": 2**20}[size[2]] if size else None,
                "shared_by": _read(folder / "shared_cpu_list"),
            }
        )
    return levels


def last_level_cache_bytes() -> int | None:
    """Return the size of the largest cache of the first core [byte], or None if it is not reported."""
    sizes = [cache["size_bytes"] for cache in caches()]
    return max((size for size in sizes if isinstance(size, int)), default=None)


def frequency() -> dict[str, object]:
    """Return the clock policy of the first core: governor, driver and limits [Hz], each None if not reported."""
    policy = Path("/sys/devices/system/cpu/cpu0/cpufreq")

    def hertz(name: str) -> int | None:
        text = _read(policy / name)
        return int(text) * 1000 if text and text.isdigit() else None

    return {
        "governor": _read(policy / "scaling_governor"),
        "driver": _read(policy / "scaling_driver"),
        "min_hz": hertz("cpuinfo_min_freq"),
        "max_hz": hertz("cpuinfo_max_freq"),
        "turbo": {"0": "on", "1": "off"}.get(_read("/sys/devices/system/cpu/intel_pstate/no_turbo") or ""),
    }


def virtualisation() -> str:
    """Return the kind of virtual machine or container that this is, or `none`."""
    signs = []
    if "hypervisor" in _cpuinfo().flags:
        signs.append("virtual machine")
    product = " ".join(filter(None, (_read(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))))
    if signs and product:
        signs[0] += f" ({product})"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        signs.append("container")
    return ", ".join(signs) or "none"


def packages() -> dict[str, str]:
    """Return the versions of the packages that can change a figure."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def numba_target() -> dict[str, str]:
    """Return the CPU name that Numba compiles for, which NUMBA_CPU_NAME may set."""
    from llvmlite import binding

    return {"cpu_name": os.environ.get("NUMBA_CPU_NAME") or binding.get_host_cpu_name()}


def commit() -> tuple[str | None, bool | None]:
    """Return the git commit of the code and whether tracked files differ from it; (None, None) outside a checkout."""
    if not (ROOT / ".git").exists():
        return None, None
    head = run_git(str(ROOT), "rev-parse", "HEAD")
    changes = run_git(str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return head, None if changes is None else bool(changes)


def _cpuinfo() -> CpuInfo:
    return parse_cpuinfo(_read("/proc/cpuinfo") or "")


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _os_release() -> str | None:
    if sys.platform != "linux":
        return platform.platform()
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _read(path: Path | str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
