"""The instructions that every step of a compiled scan executes, from the assembly that LLVM writes for it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from kernels.native import Code, stored
from kernels.scan_cpu import variants
from kernels.scan_cpu.native_scan import scan_assembly, scan_digest
from kernels.scan_cpu.throughput.control_flow import Region, step_regions

_QUADS = ("shani", "neon_sha2")  # variants whose turns do four hashes, whatever the number of midstates
_FILES = (Path(__file__), Path(__file__).with_name("control_flow.py"))


@dataclass(frozen=True)
class Listing:
    """The instructions of one step."""

    regions: tuple[Region, ...]
    hashes: int  # that a step computes

    @property
    def instructions_per_hash(self) -> float:
        """Number of all instructions per hash."""
        return sum(len(region.lines) * region.times for region in self.regions) / self.hashes

    def turn(self) -> tuple[list[str], float]:
        """Return the instructions of one turn of the region that is executed most often, and its turns per hash.

        Of a region that is executed once in n turns, every n-th instruction is in it, so that its share is right.
        """
        most = max(region.times for region in self.regions)
        often_first = sorted(self.regions, key=lambda region: -region.times)
        lines = [line for region in often_first for line in region.lines[:: most // region.times]]
        return lines, most / self.hashes


@cache
def listing(name: str, midstates: int = 1) -> Listing:
    """Return the instructions of a step of a variant as compiled for this machine.

    The first time takes a second, because the variant is compiled once more; then the listing is stored. Branches that
    a step may skip are left out, so that no count is too high.

    Raises
    ------
    KernelInputError
        The variant is unknown or cannot run here, or its code has no loop.
    NotNativeError
        The code cannot be taken out of Numba.
    """
    variants.check_available(name)
    package = "compiled" if midstates == 1 else "version_rolling"
    module_name = f"kernels.scan_cpu.{package}.{name}"
    digest = hashlib.sha256(b"".join([scan_digest(module_name).encode(), *(file.read_bytes() for file in _FILES)]))

    def compile_listing() -> Code:
        code = scan_assembly(module_name, midstates)
        hashes = code.step * midstates
        regions = step_regions(code.object_code.decode(), hashes // 4 if name in _QUADS else midstates)
        return Code("", json.dumps([asdict(region) for region in regions]).encode(), hashes)

    code, _ = stored(f"listing-{package}-{name}-{midstates}", digest.hexdigest(), compile_listing)
    regions = (Region(tuple(region["lines"]), region["times"]) for region in json.loads(code.object_code))
    return Listing(tuple(regions), code.step)
