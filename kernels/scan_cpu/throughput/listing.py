"""The instructions that every step of a compiled scan executes, from the assembly that LLVM writes for it."""

from dataclasses import dataclass
from functools import cache

from kernels.compiler import njit, types
from kernels.scan_cpu import variants
from kernels.scan_cpu.throughput.control_flow import Region, step_regions

_QUADS = ("shani", "neon_sha2")  # variants whose turns do four hashes, whatever the number of midstates


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
    """Return the instructions of a step of a variant as compiled for this machine, which takes about a second.

    Branches that a step may skip are left out, so that no count is too high.

    Raises
    ------
    KernelInputError
        The variant is unknown or cannot run here.
    """
    module = variants.load(name) if midstates == 1 else variants.load_rolling(name)
    function = njit(nogil=True)(module.scan_steps.py_func)
    job = types.Array(types.uint32, 1, "C")
    jobs, word = (job, types.uint32) if midstates == 1 else (types.UniTuple(job, midstates), types.uint64)
    signature = (jobs, types.uint32, types.int64, types.Array(word, 1, "C"))
    function.compile(signature)
    assembly = function.inspect_asm(function.signatures[0])
    hashes = module.STEP * midstates
    return Listing(step_regions(assembly, hashes // 4 if name in _QUADS else midstates), hashes)
