"""Six machines as their sysfs shows them, each built below a root: what a run there should take by itself."""

from doubles.system.sysfs import AMD, INTEL, SysTree

GPU_PCI = "pci0000:00/0000:00:01.1/0000:03:00.0"


def amd_two_dies(tree: SysTree) -> None:
    """A server of two AMD sockets with two dies each: four zones, two counters, and the driver's cores and sockets."""
    tree.cpu(AMD)
    for zone in range(4):
        package, die = divmod(zone, 2)
        tree.zone(f"intel-rapl:{zone}", f"package-{package}-die-{die}", 31_000_000_000 + package * 977)
        tree.zone(f"intel-rapl:{zone}:0", "core", 400_000_000 + package)
    labels = [f"Ecore{core:03d}" for core in range(16)] + ["Esocket0", "Esocket1"]
    files = {f"energy{n}_label": label for n, label in enumerate(labels, 1)}
    files |= {f"energy{n}_input": n * 10**9 for n in range(1, len(labels) + 1)}
    tree.card(0, "nvme", "pci0000:00/0000:01:00.0/nvme0", temp1_input=38_850)
    tree.card(1, "amd_energy", "platform/amd_energy.0", **files)


def intel_two_sockets(tree: SysTree) -> None:
    """A server of two Intel sockets with memory zones, a platform zone and the memory-mapped twins of its packages."""
    tree.cpu(INTEL)
    for package in range(2):
        tree.zone(f"intel-rapl:{package}", f"package-{package}", 52_000_000_000 + package)
        tree.zone(f"intel-rapl:{package}:0", "dram", 7_000_000_000 + package, 65_712_999_613)
        tree.zone(f"intel-rapl-mmio:{package}", f"package-{package}", 52_000_000_000 + package)
    tree.zone("intel-rapl:2", "psys", 120_000_000_000)
    tree.card(0, "coretemp", "platform/coretemp.0", temp1_input=51_000, temp1_label="Package id 0")
    tree.card(1, "power_meter", "LNXSYSTM:00/ACPI000D:00", power1_average=412 * 10**6, power1_average_interval=1000)


def threadripper(tree: SysTree) -> None:
    """A workstation whose two dies repeat one counter, with the rails of zenpower and a graphics card."""
    tree.cpu(("AuthenticAMD", 23, 1))
    for die in range(2):
        tree.zone(f"intel-rapl:{die}", f"package-0-die-{die}", 8_812_000_000, 65_532_610_987)
    rails = {"power1_label": "SVI2_P_Core", "power1_input": 47 * 10**6, "power2_label": "SVI2_P_SoC"}
    tree.card(0, "zenpower", "pci0000:00/0000:00:18.3", **rails, power2_input=11 * 10**6)
    tree.card(1, "zenpower", "pci0000:00/0000:00:19.3", **rails, power2_input=11 * 10**6)
    tree.card(2, "amdgpu", GPU_PCI, power1_average=9 * 10**6, power1_label="slowPPT")


def jetson(tree: SysTree) -> None:
    """A Jetson module on its carrier: rails of volts and amperes; one is the module's input."""
    tree.cpu(("", 8, 0), "fp asimd")
    rails = {1: ("VDD_IN", 5016, 1240), 2: ("VDD_CPU_GPU_CV", 5008, 416), 3: ("VDD_SOC", 5016, 288)}
    files = {}
    for number, (label, millivolts, milliamperes) in rails.items():
        files |= {f"in{number}_label": label, f"in{number}_input": millivolts, f"curr{number}_input": milliamperes}
    shunts = {"in4_input": 6, "in5_input": 2, "in6_input": 1, "in7_input": 9, "curr4_input": 1944}
    tree.card(0, "tmp451", "i2c-1/1-004c", temp1_input=41_000)
    tree.card(1, "ina3221", "i2c-1/1-0040", **files, **shunts)


def container(tree: SysTree) -> None:
    """A container on an Intel machine: the engine hides the zones, so that the links to them dangle."""
    tree.cpu(INTEL)
    tree.container()
    tree.zone("intel-rapl:0", "package-0")
    tree.zone("intel-rapl:0:0", "core")
    tree.mask_powercap()


def desktop(tree: SysTree) -> None:
    """A desktop with an AMD CPU and two AMD graphics devices; one of them sleeps."""
    tree.cpu(("AuthenticAMD", 25, 97))
    tree.zone("intel-rapl:0", "package-0", 3_111_000_000, 65_532_610_987)
    tree.zone("intel-rapl:0:0", "core", 2_111_000_000, 65_532_610_987)
    files = {"power1_average": 0, "power1_cap": 355 * 10**6, "power1_label": "PPT"}
    (tree.root / "sys/module/amdgpu").mkdir(parents=True)
    asleep = tree.card(3, "amdgpu", GPU_PCI, **files)
    tree.write(asleep / "device/power/runtime_status", "suspended")
    tree.card(4, "amdgpu", "pci0000:00/0000:00:08.1/0000:0d:00.0", power1_input=31 * 10**6, power1_label="PPT")


MACHINES = {
    "amd_two_dies": amd_two_dies,
    "intel_two_sockets": intel_two_sockets,
    "threadripper": threadripper,
    "jetson": jetson,
    "container": container,
    "desktop": desktop,
}
