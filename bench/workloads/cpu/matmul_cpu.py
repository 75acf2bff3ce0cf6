"""Square matrix products on the CPU through NumPy's BLAS: `matmul_f32_cpu` and `matmul_f64_cpu`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.machine.cores import default_threads
from bench.machine.environment import last_level_cache_bytes
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.matmul.cpu import Matrix

SIZE = 2048
VERIFY_SIZE = 384
MOST_BUFFER_BYTES = 1 << 30


class MatmulCpu:
    """C = A B for square random matrices, over sets of operands that exceed the caches together if memory allows.

    The unit is one floating-point operation: a product of size m counts 2 m³.
    """

    version = 1
    unit = "flop"

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        if options.variant not in (None, "blas"):
            raise InputError.at(f"workload {name}", "--variant", expected="blas", got=options.variant)
        self.name = name
        self.variant = "blas"
        self.threads = options.threads or default_threads()
        self._dtype = name.split("_")[1]
        self._sets: list[tuple[Matrix, Matrix, Matrix]] = []
        self._turn = 0
        self._limit: Any = None

    def prepare(self) -> None:
        """Make the operand sets and bind BLAS to the chosen threads."""
        from threadpoolctl import threadpool_limits

        from kernels.matmul.cpu import random_operands

        self._limit = threadpool_limits(limits=self.threads, user_api="blas")
        set_bytes = 3 * SIZE * SIZE * int(self._dtype[1:]) // 8
        cold_bytes = 2 * (last_level_cache_bytes() or 0)
        count = max(2, -(-min(cold_bytes, MOST_BUFFER_BYTES) // set_bytes))
        self._sets = [random_operands(SIZE, self._dtype, seed) for seed in range(count)]

    def verify(self) -> list[Check]:
        """Check every kind of entry of a smaller product against the error bound."""
        from kernels.matmul.cpu import matmul, random_operands

        a, b, out = random_operands(VERIFY_SIZE, self._dtype, seed=7)
        matmul(a, b, out)
        return [self._checked(f"{VERIFY_SIZE}x{VERIFY_SIZE} product", a, b, out)]

    def run(self, n: int) -> Batch:
        """Do `n` products, each on the next set of operands."""
        from kernels.matmul.counts import flop
        from kernels.matmul.cpu import matmul

        for _ in range(n):
            a, b, out = self._sets[self._turn % len(self._sets)]
            matmul(a, b, out)
            self._turn += 1
        return Batch(float(n * flop(SIZE, SIZE, SIZE)))

    def check_output(self) -> list[Check]:
        """Check the last timed product against the error bound."""
        a, b, out = self._sets[(self._turn - 1) % len(self._sets)]
        return [self._checked("last timed product", a, b, out)]

    def _checked(self, name: str, a: "Matrix", b: "Matrix", out: "Matrix") -> Check:
        from kernels.matmul.cpu import check_product

        result = check_product(a, b, out)
        if not result.passed:
            raise VerificationError(f"{name}: error {result.worst_frac_of_bound:.3g} times the rounding bound")
        return Check(name, f"error at most {result.worst_frac_of_bound:.2g} of the bound, {result.sampled} entries")

    def parameters(self) -> Mapping[str, object]:
        """Return shape, dtype, threads and whether the operands are in the caches."""
        held = sum(matrix.nbytes for operands in self._sets for matrix in operands)
        cache = last_level_cache_bytes()
        return {
            "m": SIZE, "n": SIZE, "k": SIZE, "dtype": self._dtype, "threads": self.threads, "data": "uniform -1 to 1",
            "buffers_bytes": held, "buffers": "cold" if cache and held >= 2 * cache else "hot",
        }  # fmt: skip

    def close(self) -> None:
        """Free the operands and restore the threads of BLAS."""
        self._sets = []
        if self._limit is not None:
            self._limit.restore_original_limits()
            self._limit = None
