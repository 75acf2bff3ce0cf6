"""The name of a CPU from what Linux reports of it, on machines that are not x86 too."""

import pytest

from bench.machine import environment
from bench.machine.cpu.cpuinfo import board, core_name, cpu_name, parse_cpuinfo, vendor
from bench.machine.cpu.parts import IMPLEMENTERS, PARTS
from bench.machine.devices import device_under_test


def blocks(*cores, tail=""):
    text = "".join(
        f"processor\t: {number}\n" + "".join(f"{key}\t: {value}\n" for key, value in core.items()) + "\n"
        for number, core in enumerate(cores)
    )
    return text + tail


def arm(part, implementer="0x41", **more):
    return {"BogoMIPS": "48.00", "CPU implementer": implementer, "CPU part": part, "CPU revision": "1"} | more


X86 = {"vendor_id": "GenuineIntel", "model": "158", "model name": "Intel(R) Core(TM) i7-8700", "flags": "fpu avx2"}
ARM_V7_OLD = """Processor\t: ARMv7 Processor rev 10 (v7l)
processor\t: 0
BogoMIPS\t: 1581.05

processor\t: 1
BogoMIPS\t: 1581.05

Features\t: swp half thumb neon
CPU implementer\t: 0x41
CPU part\t: 0xc09
Hardware\t: Freescale i.MX 6Quad
"""
POWER = blocks(
    {"cpu": "POWER8 (architected), altivec supported", "clock": "3491.0MHz", "revision": "2.0 (pvr 004d 0200)"},
    tail="timebase\t: 512000000\nplatform\t: pSeries\nmodel\t\t: IBM,8286-42A\nmachine\t\t: CHRP IBM,8286-42A\n",
)
IBM_Z = """vendor_id       : IBM/S390
# processors    : 2
bogomips per cpu: 3241.00
features\t: esan3 zarch stfle
processor 0: version = 00,  identification = 1234F8,  machine = {0}
processor 1: version = 00,  identification = 1234F8,  machine = {0}

cpu number      : 0
cpu MHz dynamic : 5200
"""
LOONGARCH = "system type\t\t: generic-loongson-machine\n\nprocessor\t\t: 0\nModel Name\t\t: Loongson-3A6000\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (blocks(X86, X86), "Intel(R) Core(TM) i7-8700"),
        (blocks(arm("0xd49"), arm("0xd49")), "Neoverse N2"),
        (blocks(arm("0xd4f")), "Neoverse V2"),
        (blocks(arm("0xac3", "0xc0")), "AmpereOne"),
        (blocks(arm("0x001", "0x46")), "A64FX"),
        (blocks(arm("0xd03", **{"model name": "ARMv8 Processor rev 4 (v8l)"})), "Cortex-A53"),
        (blocks(arm("0xfff", **{"model name": "ARMv8 Processor rev 4 (v8l)"})), "Arm part 0xfff"),
        (blocks(arm("0xfff", **{"model name": "Maker's Own 64"})), "Maker's Own 64"),
        (blocks(arm("0x123", "0x99")), "implementer 0x99 part 0x123"),
        (blocks(*[arm("0xd46")] * 3, *[arm("0xd4d")] * 4, arm("0xd4e")),
         "3x Cortex-A510 + 4x Cortex-A715 + 1x Cortex-X3"),
        (blocks(arm("0x022", "0x61"), arm("0x023", "0x61")), "1x Icestorm (M1) + 1x Firestorm (M1)"),
        (ARM_V7_OLD, "Cortex-A9 (Freescale i.MX 6Quad)"),
        (blocks({"hart": "0", "isa": "rv64imafdc", "uarch": "thead,c910"}), "thead,c910"),
        (blocks({"hart": "0", "isa": "rv64imafdcv_zicbom_zicboz", "mmu": "sv48"}), "RISC-V rv64imafdcv"),
        (POWER, "POWER8 (IBM,8286-42A)"),
        (IBM_Z.format("3931"), "IBM z16"),
        (IBM_Z.format("9999"), "IBM Z, machine type 9999"),
        (LOONGARCH, "Loongson-3A6000"),
        (blocks({"cpu model": "ICT Loongson-3 V0.9"}), "ICT Loongson-3 V0.9"),
        (blocks({"model name": "unknown"}), "unknown"),
        ("", None),
        ("processor", None),
    ],
)  # fmt: skip
def test_a_cpu_has_the_name_of_its_cores(text, name):
    info = parse_cpuinfo(text)
    assert cpu_name(info, board(info, None, None)) == name


@pytest.mark.parametrize(
    ("devicetree", "maker", "tail", "name"),
    [
        ("Radxa ROCK 5B\0", None, "", "Neoverse N1 (Radxa ROCK 5B)"),
        (None, None, "Hardware\t: BCM2835\nModel\t\t: Raspberry Pi 3 Model B Plus Rev 1.3\n",
         "Neoverse N1 (Raspberry Pi 3 Model B Plus Rev 1.3)"),
        ("linux,dummy-virt", "QEMU", "", "Neoverse N1"),
        (None, "Amazon EC2", "", "Neoverse N1 (AWS Graviton2)"),
        (None, "Dell Inc.", "", "Neoverse N1"),
    ],
)  # fmt: skip
def test_the_board_or_the_cloud_s_processor_follows_the_name(devicetree, maker, tail, name):
    info = parse_cpuinfo(blocks(arm("0xd0c"), arm("0xd0c"), tail=tail))
    assert cpu_name(info, board(info, devicetree, maker)) == name


def test_only_what_every_core_can_do_is_a_feature():
    info = parse_cpuinfo(blocks(arm("0xd05", Features="fp asimd"), arm("0xd0b", Features="fp asimd sha2")))
    assert info.flags == {"fp", "asimd"}


def test_the_maker_of_arm_cores_has_a_name():
    assert vendor(parse_cpuinfo(blocks(arm("0xd0c")))) == "Arm"
    assert vendor(parse_cpuinfo(blocks(arm("0xd0c", "0x99")))) == "0x99"
    assert vendor(parse_cpuinfo(blocks(X86))) == "GenuineIntel"
    assert vendor(parse_cpuinfo("")) is None


def test_every_part_belongs_to_a_named_implementer_and_no_two_kinds_of_core_of_one_maker_share_a_name():
    assert set(PARTS) <= set(IMPLEMENTERS)
    for implementer, parts in PARTS.items():
        names = [name for name in parts.values() if name != "Kryo"]
        assert len(set(names)) == len(names), implementer
        for part, name in parts.items():
            assert core_name({"CPU implementer": f"{implementer:#x}", "CPU part": f"{part:#05x}"}) == name


def test_the_device_of_a_record_has_this_name(monkeypatch):
    text = blocks(*[arm("0xd05")] * 2, *[arm("0xd41")] * 2)
    real = environment._read
    monkeypatch.setattr(environment, "_read", lambda path: text if str(path) == "/proc/cpuinfo" else real(path))
    assert device_under_test("cpu").name.startswith("2x Cortex-A55 + 2x Cortex-A78")
    assert environment.cpu()["vendor"] == "Arm"
