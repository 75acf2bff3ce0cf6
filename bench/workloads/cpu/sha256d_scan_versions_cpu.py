"""The nonce scan of several versions on the CPU: `sha256d_scan_vr2_cpu`, `..._vr4_cpu` and `..._vr8_cpu`.

A miner may change bits of the header's version. They lie in its first 64 bytes, so that headers that differ in them
share the message schedule of the last 16, as in every ASIC. Each hash is a full double hash of a header of its own.
"""

from collections.abc import Mapping

from bench.workloads.cpu.sha256d_scan_cpu import NONCES_PER_UNIT, Sha256dScanCpu
from bench.workloads.protocol import Check, VerificationError, WorkloadOptions


class Sha256dScanVersionsCpu(Sha256dScanCpu):
    """Double SHA-256 of a real block's header with rolled versions, over windows that each contain its nonce.

    The unit is one double hash of an 80-byte header whose midstate is known. A timed call that does not report exactly
    the block's own version and nonce is wrong.

    References
    ----------
    BIP 320, the bits of the version that a miner may change.
    """

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        super().__init__(name, options)
        self.midstates = int(name.removeprefix("sha256d_scan_vr").removesuffix("_cpu"))

    def _scan(self, variant: str, count: int) -> int:
        from kernels.scan_cpu.scan import scan_versions
        from kernels.sha256.header import versions_around

        known, nonces = self._known, count // self.midstates
        start = (known.nonce - self._positions.randrange(nonces)) % (1 << 32)
        version = known.version
        versions = versions_around(version, self._positions.randrange(self.midstates), self.midstates)
        result = scan_versions(known.header80, versions, start, nonces, variant=variant, threads=self.threads)
        if result.hits != ((version, known.nonce),):
            expected = f"version {version:#010x} and nonce {known.nonce}"
            raise VerificationError(f"{variant}: block {known.height}: expected {expected}, got {result.hits}")
        return result.hashes

    def verify(self) -> list[Check]:
        """Find real versions and nonces, wrap past the last nonce and version, and reject near misses."""
        from kernels.scan_cpu.selftest import SelfTestError, run_selftest

        try:
            return [Check("known answer", line) for line in run_selftest(self.variant, self.threads, self.midstates)]
        except SelfTestError as error:
            raise VerificationError(str(error)) from error

    def check_output(self) -> list[Check]:
        """Report how many timed calls found their header: all of them, or the run has failed already."""
        return [Check("timed calls", f"{self._calls} of {self._calls} found exactly the block's version and nonce")]

    def parameters(self) -> Mapping[str, object]:
        """Return the threads, the header and the number of midstates that share a message schedule."""
        return {**super().parameters(), "midstates_per_schedule": self.midstates, "nonces_per_unit": NONCES_PER_UNIT}
