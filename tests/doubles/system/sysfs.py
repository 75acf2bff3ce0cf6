"""A recorded tree of the system's files in a folder of the test: powercap zones, hwmon devices and /proc/cpuinfo."""

import os
from pathlib import Path

from bench.meters.registry import entry, make_meter

INTEL, AMD, AMPERE = ("GenuineIntel", 6, 106), ("AuthenticAMD", 23, 49), ("", 8, 0)


class SysTree:
    """Files below a root that `bench.meters.system_files.system_root` names to the meters."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.powercap = root / "sys/class/powercap"
        self.hwmon_class = root / "sys/class/hwmon"
        self.masked = root / "sys/devices/virtual/powercap"

    def cpu(self, kind=INTEL, flags="fpu sse2 rapl"):
        vendor, family, model = kind
        lines = ("processor\t: 0", f"vendor_id\t: {vendor}", f"cpu family\t: {family}", f"model\t\t: {model}")
        self.write(self.root / "proc/cpuinfo", "\n".join((*lines, f"flags\t\t: {flags}", "", "processor\t: 1")))

    def container(self):
        self.write(self.root / ".dockerenv", "")

    def zone(self, key, name, energy_uj=1_000_000_000, range_uj=262_143_328_850):
        """Add a zone such as `intel-rapl:0:1`: a folder inside that of its parent, and a link in the class."""
        kind = key.partition(":")[0]
        parts = [":".join(key.split(":")[: depth + 1]) for depth in range(1, key.count(":") + 1)]
        folder = self.masked.joinpath(kind, *parts)
        for file, text in (("name", name), ("energy_uj", energy_uj), ("max_energy_range_uj", range_uj)):
            self.write(folder / file, text)
        self.link(self.powercap / key, folder)
        return folder

    def mask_powercap(self):
        """Hide the zones as a container engine does: an empty folder where they were, and links that dangle."""
        (self.masked).rename(self.root / "hidden")
        self.masked.mkdir()

    def card(self, index, driver, device, /, *, at_device=False, **files):
        """Add hwmon{index} of a driver; `device` is the name of its bus device, an empty one for none."""
        folder = self.hwmon_class / f"hwmon{index}"
        if not device:
            inside = folder
            folder.mkdir(parents=True)
        else:
            parent = self.root / "sys/devices" / device
            inside = parent if at_device else folder
            parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(parents=True)
            self.link(folder / "device", parent)
        for file, text in {"name": driver, **files}.items():
            self.write(inside / file, text)
        return inside

    def set(self, path, text):
        """Replace a file of the tree whole, as the kernel answers a read."""
        self.write(path.with_suffix(".new"), text)
        path.with_suffix(".new").replace(path)

    @staticmethod
    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    @staticmethod
    def link(link, target):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))


def first_reading(spec):
    """Return the first value of a meter and its description."""
    meter = make_meter(spec)
    meter._info = meter.connect()
    meter.take()
    return meter.readings()[0].value, meter.info


def listed(kind):
    """Return the meters of a kind on this machine by their specs."""
    return {meter.spec: meter for meter in entry(kind).find()}
