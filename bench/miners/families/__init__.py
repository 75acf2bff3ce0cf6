"""The table of families, which imports a family only when it is read, and what tells each from the others."""

from importlib import import_module
from typing import NamedTuple

from bench.miners.family import Family
from hardware_profiles.errors import InputError, near_names


class Entry(NamedTuple):
    """One family in the table."""

    name: str  # the name of `--family`
    module: str  # holds `FAMILY`
    summary: str
    page: tuple[str, ...] = ()  # texts that only its web page or the headers of it hold, in small letters
    version: tuple[str, ...] = ()  # words that only its reply to `version` on port 4028 holds, in small letters
    web_on_4028: bool = False  # whether port 4028 answers HTTP


# More special firmware first: LuxOS, Braiins OS and VNish run on Antminers and keep parts of their replies.
ENTRIES: tuple[Entry, ...] = (
    Entry(
        "axeos",
        "bench.miners.families.axeos",
        "AxeOS: Bitaxe, NerdAxe",
        page=("axeos", "asicmodel", "bitaxe", "nerdaxe"),
    ),
    Entry(
        "vnish",
        "bench.miners.families.vnish",
        "VNish on several makers' machines",
        page=("anthillos",),
        version=("vnish",),
    ),
    Entry("proto", "bench.miners.families.proto", "Proto Rig", page=("proto os",)),
    Entry("luxos", "bench.miners.families.luxos", "LuxOS on Antminers", version=("luxminer",)),
    Entry("braiins", "bench.miners.families.braiins", "Braiins OS", version=("boser", "bosminer")),
    Entry("sealminer", "bench.miners.families.sealminer", "Bitdeer Sealminer", version=("bdminer",)),
    Entry(
        "auradine",
        "bench.miners.families.auradine",
        "Auradine Teraflux",
        page=("auradine", "fluxos"),
        version=("gcminer", "fluxos"),
    ),
    Entry("epic", "bench.miners.families.epic", "ePIC PowerPlay (HTTP on port 4028)", web_on_4028=True),
    Entry(
        "whatsminer-v3",
        "bench.miners.families.whatsminer_v3",
        "MicroBT Whatsminer, firmware of December 2024 and later (port 4433)",
    ),
    Entry(
        "whatsminer",
        "bench.miners.families.whatsminer",
        "MicroBT Whatsminer, API 1 and 2 (port 4028)",
        version=("whatsminer", "btminer", "bitmicro"),
    ),
    Entry(
        "avalon",
        "bench.miners.families.avalon",
        "Canaan Avalon A, Q, Mini and Nano",
        page=("avalon",),
        version=("avalon",),
    ),
    Entry(
        "antminer",
        "bench.miners.families.antminer",
        "Bitmain Antminer with its stock firmware",
        page=('realm="antminer',),
        version=("antminer", "bmminer"),
    ),
)


def names() -> tuple[str, ...]:
    """Return the names of the families."""
    return tuple(entry.name for entry in ENTRIES)


def load(name: str) -> Family:
    """Import and return a family.

    Raises
    ------
    InputError
        There is no family of this name.
    """
    for entry in ENTRIES:
        if entry.name == name:
            family: Family = import_module(entry.module).FAMILY
            return family
    raise InputError.at("--family", expected=f"one of {', '.join(names())}", got=name, near=near_names(name, names()))
