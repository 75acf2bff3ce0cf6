"""Names of CPU cores by the numbers that a kernel reports in place of a name.

References
----------
util-linux, sys-utils/lscpu-arm.c (read on 2026-11-30): MIDR_EL1 implementers, and parts up to Neoverse V2 and Apple M2.
Unverified, because no source was read for them: later parts (Cortex-A520 and later, Neoverse V3 and N3, Apple M2 Pro
and Max, Microsoft, NVIDIA Olympus, Fujitsu MONAKA), and the names of AWS Graviton and IBM Z machines.
"""

# fmt: off
IMPLEMENTERS = {
    0x41: "Arm", 0x42: "Broadcom", 0x43: "Cavium", 0x46: "Fujitsu", 0x48: "HiSilicon", 0x4E: "NVIDIA",
    0x50: "Applied Micro", 0x51: "Qualcomm", 0x53: "Samsung", 0x56: "Marvell", 0x61: "Apple", 0x6D: "Microsoft",
    0x70: "Phytium", 0xC0: "Ampere",
}

PARTS = {
    0x41: {
        0xB76: "ARM1176", 0xC05: "Cortex-A5", 0xC07: "Cortex-A7", 0xC08: "Cortex-A8", 0xC09: "Cortex-A9",
        0xC0D: "Cortex-A12", 0xC0E: "Cortex-A17", 0xC0F: "Cortex-A15", 0xD01: "Cortex-A32", 0xD02: "Cortex-A34",
        0xD03: "Cortex-A53", 0xD04: "Cortex-A35", 0xD05: "Cortex-A55", 0xD06: "Cortex-A65", 0xD07: "Cortex-A57",
        0xD08: "Cortex-A72", 0xD09: "Cortex-A73", 0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD0C: "Neoverse N1",
        0xD0D: "Cortex-A77", 0xD0E: "Cortex-A76AE", 0xD40: "Neoverse V1", 0xD41: "Cortex-A78", 0xD42: "Cortex-A78AE",
        0xD43: "Cortex-A65AE", 0xD44: "Cortex-X1", 0xD46: "Cortex-A510", 0xD47: "Cortex-A710", 0xD48: "Cortex-X2",
        0xD49: "Neoverse N2", 0xD4A: "Neoverse E1", 0xD4B: "Cortex-A78C", 0xD4C: "Cortex-X1C", 0xD4D: "Cortex-A715",
        0xD4E: "Cortex-X3", 0xD4F: "Neoverse V2", 0xD80: "Cortex-A520", 0xD81: "Cortex-A720", 0xD82: "Cortex-X4",
        0xD83: "Neoverse V3AE", 0xD84: "Neoverse V3", 0xD85: "Cortex-X925", 0xD87: "Cortex-A725",
        0xD88: "Cortex-A520AE", 0xD89: "Cortex-A720AE", 0xD8E: "Neoverse N3",
    },
    0x42: {0x100: "Brahma-B53", 0x516: "ThunderX2"},
    0x43: {0x0A1: "ThunderX", 0x0A2: "ThunderX 81xx", 0x0A3: "ThunderX 83xx", 0x0AF: "ThunderX2", 0x0B8: "ThunderX3"},
    0x46: {0x001: "A64FX", 0x003: "MONAKA"},
    0x48: {0xD01: "Kunpeng 920", 0xD02: "Kunpeng HIP09"},
    0x4E: {0x000: "Denver", 0x003: "Denver 2", 0x004: "Carmel", 0x010: "Olympus"},
    0x50: {0x000: "X-Gene"},
    0x51: {
        0x001: "Oryon", 0x201: "Kryo", 0x205: "Kryo", 0x211: "Kryo", 0x800: "Kryo 2xx Gold", 0x801: "Kryo 2xx Silver",
        0x802: "Kryo 3xx Gold", 0x803: "Kryo 3xx Silver", 0x804: "Kryo 4xx Gold", 0x805: "Kryo 4xx Silver",
        0xC00: "Falkor",
    },
    0x61: {
        0x020: "Icestorm (A14)", 0x021: "Firestorm (A14)", 0x022: "Icestorm (M1)", 0x023: "Firestorm (M1)",
        0x024: "Icestorm (M1 Pro)", 0x025: "Firestorm (M1 Pro)", 0x028: "Icestorm (M1 Max)",
        0x029: "Firestorm (M1 Max)", 0x032: "Blizzard (M2)", 0x033: "Avalanche (M2)", 0x034: "Blizzard (M2 Pro)",
        0x035: "Avalanche (M2 Pro)", 0x038: "Blizzard (M2 Max)", 0x039: "Avalanche (M2 Max)",
    },
    0x6D: {0xD49: "Azure Cobalt 100"},
    0x70: {0x660: "FTC660", 0x661: "FTC661", 0x662: "FTC662", 0x663: "FTC663"},
    0xC0: {0xAC3: "AmpereOne", 0xAC4: "AmpereOne A"},
}

GRAVITON = {
    "Cortex-A72": "AWS Graviton", "Neoverse N1": "AWS Graviton2", "Neoverse V1": "AWS Graviton3",
    "Neoverse V2": "AWS Graviton4",
}

IBM_Z = {
    "2817": "z196", "2818": "z114", "2827": "zEC12", "2828": "zBC12", "2964": "z13", "2965": "z13s", "3906": "z14",
    "3907": "z14 ZR1", "8561": "z15", "8562": "z15 T02", "3931": "z16", "3932": "z16 A02", "9175": "z17",
}
# fmt: on
