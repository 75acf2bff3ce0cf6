"""The layers of a language model on an NVIDIA GPU: `llm_prefill_bf16_cuda`, `llm_decode_fp8_cuda` and their like."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.workloads.cuda.context import GpuContext, device_index
from bench.workloads.llm_memory import GB, Load, MemoryBudget
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from bench.workloads.roofline import Bound
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.llm.replay_cuda import CudaReplay
    from kernels.llm.shapes import ModelShape

DEFAULTS = {"model": "llama-3.1-8b", "input": 1024, "output": 1024, "batch": 64}
RESERVE_BYTES = 2 << 30  # [byte] kept free for the driver, graphs, and the small model of `verify`
# Largest relative difference of the small model's logits from the float64 reference with the same stored weights, by
# norm
TOLERANCES = {"bf16": 0.02, "fp16": 0.003, "fp8": 0.1}
VERIFIED_TOKENS = 140  # prompt of the small model: several whole tiles of rows and keys, and parts of tiles
STRIDE_FRAC = (
    0.618  # decoding visits the contexts in steps of this share of them, so that every window has the same mix
)


class LlmReplayCuda:
    """Random weights in a model's real shapes; one unit is one token read (prefill) or generated (decode).

    Options are `model`, `input`, `output` and `batch`. A decoding step adds one token to every sequence at a context
    from `input` to `input + output - 1`, each in turn.
    """

    version = 1
    unit = "token"

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        from kernels.llm.shapes import load
        from kernels.llm.source_cuda import check_shape

        if options.variant not in (None, "cublaslt"):
            raise InputError.at(f"workload {name}", "--variant", expected="cublaslt", got=options.variant)
        chosen = {**DEFAULTS, **options.extra}
        self.name, self.variant = name, "cublaslt"
        _, self._phase, self.dtype, _ = name.split("_")
        self.shape = load(str(chosen["model"]))
        check_shape(self.shape, self.dtype)
        self.load = Load.of(chosen)
        self.load.check(self._place, self.shape)
        self._index = device_index(name, options)
        self._steps = max(1, self.load.output - 1)  # number of contexts; prefill generates the first token
        self._turn = self._steps // 2  # starts in the middle, where the split of the keys is chosen
        self._gpu: GpuContext | None = None
        self._replay: CudaReplay | None = None
        self._tokens: Any = None

    def check_device(self) -> None:
        """Refuse a GPU without the precision, and a model or a batch beyond its free memory.

        Raises
        ------
        InputError
            The GPU is not sufficient; the message has the numbers.
        GpuError
            There is no such GPU.
        """
        from kernels.gpu.device import inspect
        from kernels.llm.source_cuda import OLDEST, replay_formats
        from kernels.matmul.formats import FORMATS

        state = inspect(self._index)
        oldest = max(OLDEST, FORMATS[replay_formats(self.dtype).entering].oldest)
        if state.capability is not None and state.capability < oldest:
            needed, got = (".".join(map(str, version)) for version in (oldest, state.capability))
            raise InputError(f"{self._place}: dtype: expected compute capability {needed} or later, got {got}")
        if state.free_bytes is not None:
            self.memory_budget(state.free_bytes).check(self._place, self.load)

    def memory_budget(self, free_bytes: float) -> MemoryBudget:
        """Return the replay's share of a GPU's free memory."""
        from kernels.llm.buffers_cuda import memory_bytes
        from kernels.llm.counts import precision, weight_bytes

        capacity = self.load.input + self.load.output
        return MemoryBudget(
            free_bytes - RESERVE_BYTES,
            f"{free_bytes / GB:.1f} GB free minus {RESERVE_BYTES / GB:.1f} GB in reserve",
            weight_bytes(self.shape, precision(self.dtype)),
            lambda batch: memory_bytes(self.shape, self.dtype, batch, capacity),
            "keys, values and buffers",
        )

    def prepare(self) -> None:
        """Fill weights and caches, choose the algorithms of the products, and record the decoding step."""
        import numpy as np

        from kernels.gpu.device import explained
        from kernels.llm.replay_cuda import CudaReplay

        self.check_device()
        gpu = self._gpu = GpuContext.open(self._index)
        with explained(self._index):
            load = self.load
            self._replay = CudaReplay(gpu.cupy, self.shape, self.dtype, load.batch, load.input + load.output)
            generator = np.random.default_rng(0)
            self._tokens = generator.integers(0, self.shape.vocabulary, (load.batch, load.input))
            self._replay.fill(load.input + load.output - 1)
            for _ in range(2):
                self._call()

    def verify(self) -> list[Check]:
        """Compare a small model of the same architecture with the float64 reference, prefill and decode."""
        import numpy as np

        from kernels.gpu.device import explained
        from kernels.llm import reference
        from kernels.llm.replay_cuda import CudaReplay
        from kernels.llm.source_cuda import replay_formats
        from kernels.llm.weights import random_weights
        from kernels.llm.weights_cuda import rounded

        gpu, _ = self._ready()
        small, read = miniature(self.shape), VERIFIED_TOKENS
        weights = random_weights(small, seed=11)
        exact = rounded(small, weights, replay_formats(self.dtype))
        tokens = np.random.default_rng(11).integers(0, small.vocabulary, (2, read + 3))
        expected = np.stack([reference.logits(small, exact, row)[read - 1 :] for row in tokens], axis=1)
        with explained(self._index):
            replay = CudaReplay(gpu.cupy, small, self.dtype, 2, read + 3, weights=weights)
            worst = 0.0
            for step, reference in enumerate(expected):
                past = read + step
                chosen = replay.prefill(tokens[:, :read]) if step == 0 else replay.decode(tokens[:, past - 1])
                logits = replay.logits()
                if not np.array_equal(logits.argmax(axis=-1), chosen):
                    raise VerificationError("replay: the chosen token is not the one with the largest logit")
                worst = max(worst, _difference(logits, reference))
            replay.close()
        most = TOLERANCES[self.dtype]
        if not worst <= most:
            raise VerificationError(f"replay against the float64 reference: error {worst:.3g} by norm, above {most:g}")
        work = f"prefill of {read} tokens and decoding of a small {self.shape.name}"
        return [Check("float64 reference", f"{work}: error {worst:.1e} by norm, at most {most:g}")]

    def run(self, n: int) -> Batch:
        """Read the prompts `n` times, or decode `n` steps."""
        from kernels.gpu.device import explained

        self._ready()
        with explained(self._index):
            for _ in range(n):
                self._call()
        return Batch(float(n * self._tokens_per_call))

    def check_output(self) -> list[Check]:
        """Check that the last timed call's logits equal those computed again from its state."""
        import numpy as np

        _, replay = self._ready()
        timed = replay.logits()
        replay.repeat(self._tokens if self._phase == "prefill" else self._tokens[:, :1])
        again = replay.logits()
        most = TOLERANCES[self.dtype]
        if not (np.isfinite(timed).all() and np.ptp(timed) > 0 and _difference(timed, again) <= most):
            raise VerificationError(
                "last timed call: its logits are not finite, or differ from those of the same call repeated"
            )
        return [Check("last timed call", "logits finite, and the same when computed again")]

    def bound(self) -> Bound | None:
        """Return the roofline's bound from counted FLOP and bytes."""
        from kernels.llm.counts import decode_bytes, decode_flop, precision, prefill_bytes, prefill_flop

        roofline = self._gpu.roofline if self._gpu else None
        if roofline is None:
            return None
        kind, load = precision(self.dtype), self.load
        if self._phase == "prefill":
            flop = load.batch * prefill_flop(self.shape, load.input)
            moved = prefill_bytes(self.shape, kind, load.input, load.batch)
        else:  # counts are linear in the context, so the mean of both ends is that of the mean context
            ends = (load.input + 1, load.input + self._steps)
            flop = sum(load.batch * decode_flop(self.shape, context) for context in ends) // 2
            moved = sum(decode_bytes(self.shape, kind, load.batch, context) for context in ends) / 2
        bound = roofline.bound(kind.compute, float(flop), moved)
        return bound and Bound(bound.rate_per_s / flop * self._tokens_per_call, bound.basis, bound.why)

    def parameters(self) -> Mapping[str, object]:
        """Return model, lengths, batch, algorithms, the kind of weights, and the token tags."""
        load, replay = self.load, self._replay
        held = replay.weight_bytes if replay is not None else 0
        cache = self._gpu.cache_bytes if self._gpu is not None else 0
        return {
            "model": self.shape.name, "dtype": self.dtype, "input": load.input, "output": load.output,
            "batch": load.batch, "data": "uniform random weights, distinct in every layer", "buffers_bytes": held,
            "buffers": "cold" if held >= 2 * cache else "hot",
            "token_basis": "input" if self._phase == "prefill" else "output",
            "lengths": f"{load.input}:{load.output}", "latency_limit": "none (one batch after the other)",
            **(replay.facts if replay is not None else {}),
        }  # fmt: skip

    def close(self) -> None:
        """Free weights, caches and descriptors."""
        if self._replay is not None:
            self._replay.close()
            self._replay = None
        if self._gpu is not None:
            self._gpu.close()
            self._gpu = None

    @property
    def _place(self) -> str:
        return f"{self.shape.name} in {self.dtype} on a GPU"

    @property
    def _tokens_per_call(self) -> int:
        return self.load.batch * (self.load.input if self._phase == "prefill" else 1)

    def _call(self) -> None:
        _, replay = self._ready()
        if self._phase == "prefill":
            replay.prefill(self._tokens)
            return
        replay.move_to(self.load.input + self._turn % self._steps)
        self._turn += stride(self._steps)
        replay.decode(self._tokens[:, 0])

    def _ready(self) -> "tuple[GpuContext, CudaReplay]":
        if self._gpu is None or self._replay is None:
            raise RuntimeError("run before prepare")
        return self._gpu, self._replay


def miniature(shape: "ModelShape") -> "ModelShape":
    """Return a model with the same heads and otherwise small sizes, for which the float64 reference is fast."""
    group = shape.heads // shape.kv_heads
    return shape.resized(
        name=f"small {shape.name}", layers=2, hidden=256, heads=2 * group, kv_heads=2, ffn=528, vocabulary=512,
        context=256, parameters=None,
    )  # fmt: skip


def stride(steps: int) -> int:
    """Return a stride through `steps` positions that visits all of them before any twice, and evenly."""
    from math import gcd

    return next(size for size in range(max(1, round(STRIDE_FRAC * steps)), steps + 1) if gcd(size, steps) == 1)


def _difference(logits: Any, expected: Any) -> float:
    import numpy as np

    return float(np.linalg.norm(logits - expected) / np.linalg.norm(expected))
