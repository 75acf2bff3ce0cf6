"""The nonce scan of several versions on an NVIDIA GPU: `sha256d_scan_vr2_cuda`, `..._vr4_cuda` and `..._vr8_cuda`.

A miner may change bits of the header's version. They lie in its first 64 bytes, so that headers that differ in them
share the message schedule of the last 16, as in every ASIC. Each hash is a full double hash of a header of its own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.workloads.cuda import sha256d_scan_cuda
from bench.workloads.cuda.sha256d_scan_cuda import Sha256dScanCuda
from bench.workloads.protocol import Check, VerificationError, WorkloadOptions
from bench.workloads.roofline import ScanCount, rolled_scan_count

if TYPE_CHECKING:
    from kernels.scan_cuda.scan import ScanKernel


class Sha256dScanVersionsCuda(Sha256dScanCuda):
    """Double SHA-256 of a real block's header with rolled versions, over windows that each contain its nonce.

    The unit is one double hash of an 80-byte header whose midstate is known. A timed call that does not report exactly
    the block's own version and nonce is wrong.

    References
    ----------
    BIP 320, the bits of the version that a miner may change.
    """

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        super().__init__(name, options)
        self.midstates = int(name.removeprefix("sha256d_scan_vr").removesuffix("_cuda"))

    def _check_variant(self, name: str) -> None:
        from kernels.scan_cuda.variants import find_rolled

        find_rolled(name)

    def _candidates(self) -> tuple[str, ...]:
        from kernels.scan_cuda.variants import ROLLED_VARIANTS

        return ROLLED_VARIANTS

    def _compiled(self, name: str) -> "ScanKernel":
        from kernels.scan_cuda.scan import CudaVersionScan

        return CudaVersionScan(name, self._index)

    def _hash(self, scan: Any, count: int) -> int:
        from kernels.sha256.header import versions_around

        known, nonces = self._known, count // self.midstates
        start = (known.nonce - self._positions.randrange(nonces)) % (1 << 32)
        versions = versions_around(known.version, self._positions.randrange(self.midstates), self.midstates)
        result = scan.scan_versions(known.header80, versions, start, nonces)
        if result.hits != ((known.version, known.nonce),):
            expected = f"version {known.version:#010x} and nonce {known.nonce}"
            raise VerificationError(f"{scan.variant}: block {known.height}: expected {expected}, got {result.hits}")
        return int(result.hashes)

    def verify(self) -> list[Check]:
        """Find real versions and nonces, wrap past the last nonce and version, and reject near misses."""
        from kernels.scan_cpu.selftest import SelfTestError
        from kernels.scan_cuda.selftest import run_cuda_versions_selftest

        gpu, scan = self._ready()
        try:
            with gpu.stream:
                passed = run_cuda_versions_selftest(self.variant, scan.scan_versions, self.midstates)
        except SelfTestError as error:
            raise VerificationError(str(error)) from error
        return [Check("known answer", line) for line in passed]

    def check_output(self) -> list[Check]:
        """Report how many timed windows found their header: all of them, or the run has failed already."""
        return [Check("timed windows", f"{self._calls} of {self._calls} found exactly the block's version and nonce")]

    def _count(self, architecture: str) -> ScanCount | None:
        return rolled_scan_count(self.variant, architecture, self.midstates)

    def parameters(self) -> Mapping[str, object]:
        """Return those of the plain scan and the number of midstates that share a message schedule."""
        nonces = sha256d_scan_cuda.NONCES_PER_UNIT // self.midstates
        return {**super().parameters(), "midstates_per_schedule": self.midstates, "nonces_per_unit": nonces}
