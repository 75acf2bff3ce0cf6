"""Matrix products on an NVIDIA GPU (`matmul_bf16_nt_cuda` and its like), by cuBLASLt, CuPy or a readable kernel."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.workloads.cuda import matmul_choice
from bench.workloads.cuda.context import BATCH_S, GpuContext, device_index
from bench.workloads.cuda.matmul_baselines import FORMATS as BASELINE_FORMATS
from bench.workloads.cuda.matmul_baselines import Operands, Queue, cupy_queue, numba_queue
from bench.workloads.cuda.matmul_choice import choose, in_graph
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from bench.workloads.roofline import Bound
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from kernels.matmul.cublaslt import LtProduct

SIZE = 8192
MOST_BUFFER_BYTES = 24 << 30
SAMPLES = 256

VARIANTS = {
    "cublaslt": "cuBLASLt, with the fastest of the heuristic's algorithms",
    "cupy": "CuPy's own matmul, as the plain baseline",
    "numba": "a readable tiled numba.cuda kernel",
}


class MatmulCuda:
    """D = A Bᵀ for random matrices over rotated sets of operands; a product of (m, n, k) counts 2 m n k operations.

    Options are `m`, `n`, `k` (8192 each by default) and `buffers`: `cold` rotates over at least twice the last-level
    cache, `hot` uses one set.
    """

    version = 1
    unit = "flop"
    batch_s = BATCH_S

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        from kernels.errors import KernelInputError
        from kernels.matmul.formats import check_shape, get_format

        self.name = name
        self._form = get_format(name.split("_")[1])
        self.variant = options.variant or "cublaslt"
        if self.variant not in VARIANTS:
            near = near_names(self.variant, VARIANTS)
            raise InputError.at(
                f"workload {name}", "--variant", expected=f"one of {', '.join(VARIANTS)}", got=self.variant, near=near
            )
        allowed = BASELINE_FORMATS.get(self.variant)
        if allowed is not None and self._form.name not in allowed:
            raise InputError(
                f"workload {name}: --variant {self.variant}: expected cublaslt, because {self.variant} has "
                f"only {', '.join(allowed)}"
            )
        self._m, self._n, self._k = (int(str(options.extra.get(key, SIZE))) for key in ("m", "n", "k"))
        self._hot = options.extra.get("buffers", "cold") == "hot"
        self._index = device_index(name, options)
        try:
            check_shape(self._form, self._m, self._n, self._k)
        except KernelInputError as error:
            raise InputError(f"workload {name}: {error}") from None
        self._gpu: GpuContext | None = None
        self._product: LtProduct | None = None
        self._sets: list[Operands] = []
        self._queue: Queue = lambda _: None
        self._graph: Any = None
        self._per_step = 1
        self._turn = 0
        self._facts: dict[str, object] = {}

    def prepare(self) -> None:
        """Fill the operands, choose the algorithm, and record a graph if one product is short."""
        from kernels.gpu.device import explained
        from kernels.matmul.cublaslt import check_capability

        gpu = self._gpu = GpuContext.open(self._index)
        check_capability(self._form, gpu.state.capability)
        with gpu.stream, explained(self._index):
            self._make_sets(gpu)
            if self.variant == "cublaslt":
                self._choose_algorithm(gpu)
            else:
                baseline = cupy_queue if self.variant == "cupy" else numba_queue
                self._queue = baseline(gpu, self._form.name)
            self._queue(self._sets[0])
            gpu.stream.synchronize()
            milliseconds = gpu.timed_ms(lambda: self._queue(self._sets[0]))
            if self.variant == "cublaslt" and milliseconds < matmul_choice.GRAPH_BELOW_MS:
                self._record_graph(gpu, milliseconds)

    def _make_sets(self, gpu: GpuContext) -> None:
        from kernels.gpu.random_fill import fill_module, fill_random
        from kernels.matmul.counts import moved_bytes
        from kernels.matmul.formats import value_table
        from kernels.memory.cuda import free_memory_bytes

        cp, form = gpu.cupy, self._form
        set_bytes = moved_bytes(form, self._m, self._n, self._k)
        cold = max(2, math.ceil(2 * gpu.cache_bytes / set_bytes)) if not self._hot else 1
        usable_bytes = min(0.6 * free_memory_bytes(cp), MOST_BUFFER_BYTES)
        count = max(1, min(cold, int(usable_bytes // set_bytes)))
        table = cp.asarray(value_table(form))
        module = fill_module(cp)
        packed = 2 if form.name == "fp4" else 1
        seed = 1
        for _ in range(count):
            a, b = (cp.empty((rows, self._k // packed), dtype=table.dtype) for rows in (self._m, self._n))
            for array in (a, b):
                fill_random(cp, module, array, table, seed)
                seed += array.size
            code = cp.uint16 if form.out_bytes == 2 else cp.uint32
            self._sets.append(Operands(a, b, cp.zeros((self._m, self._n), dtype=code)))
        self._facts |= {
            "sets": count,
            "buffers_bytes": int(count * set_bytes),
            "buffers": "cold" if count * set_bytes >= 2 * gpu.cache_bytes and count > 1 else "hot",
        }

    def _choose_algorithm(self, gpu: GpuContext) -> None:
        from kernels.matmul.cublaslt import LtProduct

        self._product = LtProduct(gpu.cupy, self._form, self._m, self._n, self._k)
        choice = choose(gpu, self._product, self._sets)
        self._queue = choice.queue
        self._facts |= choice.facts

    def _record_graph(self, gpu: GpuContext, milliseconds: float) -> None:
        """Replay a short product in a graph; if that is refused, products are launched one by one."""
        graph, products, refused = in_graph(gpu, self._queue, self._sets, milliseconds)
        if graph is None:
            self._facts["graph_refused"] = refused
            return
        self._graph, self._per_step = graph, products
        self._facts["graph_products"] = products

    def verify(self) -> list[Check]:
        """Spoil the product, compute it, and compare random entries with float64 dot products."""
        gpu = self._ready()
        from kernels.gpu.device import explained

        with gpu.stream, explained(self._index):
            self._sets[0].d.fill(0xFFFF if self._form.out_bytes == 2 else 0xFFFFFFFF)
            self._queue(self._sets[0])
            gpu.stream.synchronize()
            return [self._checked("first product", self._sets[0])]

    def run(self, n: int) -> Batch:
        """Queue `n` products (or replays of the graph), each on the next set, and wait for the last."""
        from kernels.gpu.device import explained
        from kernels.matmul.counts import flop

        gpu = self._ready()
        with gpu.stream, explained(self._index):
            for _ in range(n):
                if self._graph is not None:
                    self._graph.launch(gpu.stream)
                else:
                    self._queue(self._sets[self._turn % len(self._sets)])
                    self._turn += 1
            gpu.stream.synchronize()
        return Batch(float(n * self._per_step * flop(self._m, self._n, self._k)))

    def check_output(self) -> list[Check]:
        """Check the last timed product."""
        gpu = self._ready()
        with gpu.stream:
            last = self._sets[-1] if self._graph is not None else self._sets[(self._turn - 1) % len(self._sets)]
            return [self._checked("last timed product", last)]

    def _checked(self, name: str, operands: Operands) -> Check:
        import numpy as np

        from kernels.matmul.formats import decode, decode_product
        from kernels.matmul.tolerance import check_entries

        gpu, form = self._ready(), self._form
        cp = gpu.cupy
        generator = np.random.default_rng(11)
        rows = generator.integers(0, self._m, SAMPLES)
        columns = generator.integers(0, self._n, SAMPLES)
        a = decode(form, operands.a[cp.asarray(rows)].get())
        b = decode(form, operands.b[cp.asarray(columns)].get())
        entries = decode_product(form, operands.d[cp.asarray(rows), cp.asarray(columns)].get())
        result = check_entries(form, a, b, entries)
        if not result.passed:
            raise VerificationError(
                f"{name}: error {result.worst_frac_of_bound:.3g} times the bound of {form.name}, relative error "
                f"{result.relative_error:.2g}, at most {result.relative_limit:.2g}"
            )
        return Check(
            name,
            f"error at most {result.worst_frac_of_bound:.2g} of the bound of {form.name}, relative error "
            f"{result.relative_error:.2g} of at most {result.relative_limit:.2g}, {result.sampled} entries",
        )

    def bound(self) -> Bound | None:
        """Return the roofline's bound for this shape, from the GPU's profile."""
        from kernels.matmul.counts import flop, moved_bytes

        roofline = self._gpu.roofline if self._gpu else None
        if roofline is None:
            return None
        shape = (self._m, self._n, self._k)
        return roofline.bound(self._form.peak, float(flop(*shape)), moved_bytes(self._form, *shape))

    def parameters(self) -> Mapping[str, object]:
        """Return shape, formats, scaling, buffers and the chosen algorithm."""
        form = self._form
        parameters: dict[str, object] = {
            "m": self._m, "n": self._n, "k": self._k, "dtype": form.name, "out": form.out, "layout": "D = A B^T",
            "data": "uniform random", "operand_scale": form.scale,
        }  # fmt: skip
        if form.name == "fp8":
            parameters["accumulation"] = "fast"
        return parameters | self._facts

    def _ready(self) -> GpuContext:
        if self._gpu is None or not self._sets:
            raise RuntimeError("run before prepare")
        return self._gpu

    def close(self) -> None:
        """Free operands, workspace and descriptors."""
        self._graph = None
        self._sets = []
        if self._product is not None:
            self._product.close()
            self._product = None
        if self._gpu is not None:
            self._gpu.close()
