"""The layers of a language model on the CPU: `llm_prefill_f32_cpu` and `llm_decode_f32_cpu`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.machine.cores import default_threads
from bench.machine.environment import last_level_cache_bytes
from bench.workloads.llm_memory import Load, MemoryBudget
from bench.workloads.protocol import Batch, Check, VerificationError, WorkloadOptions
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.llm.replay_cpu import CpuReplay
    from kernels.llm.shapes import ModelShape

VARIANT = "blas_stream"  # BLAS; products of very few rows are streamed (kernels/llm/products_cpu.py)
DEFAULTS = {"model": "tiny", "input": 256, "output": 64, "batch": 4}
MOST_COPIES_BYTES = 2 << 30
MEMORY_FRAC = 0.8
BYTES_PER_NUMBER = 4
TOLERANCE = 1e-4


class LlmReplayCpu:
    """Random weights in a model's real shapes; one unit is one token read (prefill) or generated (decode).

    Decoding steps through the contexts from `input` to `input + output` and starts again, so that attention reads a
    cache of the real length. If memory allows, several distinct copies of all layers are used in turn, which together
    exceed twice the last-level cache.
    """

    version = 1
    unit = "token"

    def __init__(self, name: str, options: WorkloadOptions) -> None:
        from kernels.llm.shapes import load

        if options.variant not in (None, VARIANT):
            raise InputError.at(f"workload {name}", "--variant", expected=VARIANT, got=options.variant)
        chosen = {**DEFAULTS, **options.extra}
        self.name, self.variant = name, VARIANT
        self.threads = options.threads or default_threads()
        self.shape = load(str(chosen["model"]))
        load_ = Load.of(chosen)
        self.input, self.output, self.batch = load_.input, load_.output, load_.batch
        self._phase = name.split("_")[1]
        self._copies = 0
        self._replay: CpuReplay | None = None
        self._tokens: Any = None
        self._limit: Any = None
        check_fits(self.shape, load_)

    def prepare(self) -> None:
        """Make the copies of the weights and bind BLAS to the chosen threads."""
        import numpy as np
        from threadpoolctl import threadpool_limits

        from kernels.llm.replay_cpu import CpuReplay

        self._limit = threadpool_limits(limits=self.threads, user_api="blas")
        self._copies = copies(self.shape)
        self._replay = CpuReplay(
            self.shape, self.batch, self.input + self.output, copies=self._copies, threads=self.threads
        )
        self._tokens = np.random.default_rng(0).integers(0, self.shape.vocabulary, (self.batch, self.input))
        self._replay.fill(self.input)

    def verify(self) -> list[Check]:
        """Compare a small model of the same architecture with the float64 reference, prefill and decode."""
        import numpy as np

        from kernels.llm import reference
        from kernels.llm.replay_cpu import CpuReplay
        from kernels.llm.weights import random_weights

        small = miniature(self.shape)
        weights = random_weights(small, seed=11)
        tokens = np.random.default_rng(11).integers(0, small.vocabulary, (2, 12))
        replay = CpuReplay(small, 2, 12, threads=self.threads, weights=weights)
        replay.prefill(tokens[:, :10])
        worst = 0.0
        for position in range(9, 12):
            if position > 9:
                replay.decode(tokens[:, position])
            for row in range(2):
                expected = reference.logits(small, weights, tokens[row, : position + 1])[-1]
                worst = max(worst, float(np.abs(replay.logits()[row] - expected).max() / np.abs(expected).max()))
        replay.close()
        if not worst <= TOLERANCE:
            raise VerificationError(f"replay against the float64 reference: error {worst:.3g}, at most {TOLERANCE:g}")
        return [Check("float64 reference", f"prefill and decode of a small {self.shape.name}: error {worst:.1e}")]

    def run(self, n: int) -> Batch:
        """Read the prompts `n` times, or decode `n` steps."""
        replay = self._ready()
        for _ in range(n):
            if self._phase == "prefill":
                replay.prefill(self._tokens)
                continue
            if replay.length >= self.input + self.output - 1:
                replay.rewind(self.input)
            replay.decode(self._tokens[:, 0])
        return Batch(float(n * self.batch * (self.input if self._phase == "prefill" else 1)))

    def check_output(self) -> list[Check]:
        """Check that the last timed call's logits equal those computed again from the same state."""
        import numpy as np

        replay = self._ready()
        timed = replay.logits().copy()
        replay.repeat(self._tokens if self._phase == "prefill" else self._tokens[:, :1])
        again = replay.logits()
        if not (np.isfinite(timed).all() and np.ptp(timed) > 0 and np.allclose(timed, again, rtol=1e-4, atol=1e-4)):
            raise VerificationError(
                "last timed call: its logits are not finite, or differ from those of the same call repeated"
            )
        return [Check("last timed call", "logits finite, and the same when computed again")]

    def parameters(self) -> Mapping[str, object]:
        """Return model, lengths, batch, the kind of weights, and the token tags."""
        cache = last_level_cache_bytes()
        held = self._replay.weight_bytes if self._replay is not None else 0
        return {
            "model": self.shape.name, "dtype": "f32", "input": self.input, "output": self.output, "batch": self.batch,
            "threads": self.threads, "data": "uniform random weights, distinct in every layer", "copies": self._copies,
            "buffers_bytes": held, "buffers": "cold" if cache and held >= 2 * cache else "hot",
            "token_basis": "input" if self._phase == "prefill" else "output",
            "lengths": f"{self.input}:{self.output}", "latency_limit": "none (one batch after the other)",
        }  # fmt: skip

    def close(self) -> None:
        """Free weights and caches and restore the threads of BLAS."""
        if self._replay is not None:
            self._replay.close()
            self._replay = None
        if self._limit is not None:
            self._limit.restore_original_limits()
            self._limit = None

    def _ready(self) -> "CpuReplay":
        if self._replay is None:
            raise VerificationError("replay: not prepared")
        return self._replay


def weight_bytes_f32(shape: "ModelShape") -> int:
    """Return the size of one copy of a model in float32 [byte]."""
    from kernels.llm.shapes import parameter_count

    return BYTES_PER_NUMBER * parameter_count(shape)


def copies(shape: "ModelShape") -> int:
    """Return the number of distinct copies of the weights that exceed twice the last-level cache, if memory allows."""
    from psutil import virtual_memory

    copy_bytes = weight_bytes_f32(shape)
    usable_bytes = min(MOST_COPIES_BYTES, virtual_memory().available // 4)
    cold = -(-2 * (last_level_cache_bytes() or 0) // copy_bytes)
    return int(max(1, min(cold, usable_bytes // copy_bytes)))


def check_fits(shape: "ModelShape", load: Load) -> None:
    """Refuse lengths beyond the context, and a model or a batch beyond this machine's memory.

    Raises
    ------
    KernelInputError
        The replay does not support the model's layers.
    InputError
        It does not fit; the message has the excess and the largest batch that fits.
    """
    from psutil import virtual_memory

    from kernels.llm.counts import kv_bytes, precision
    from kernels.llm.replay import check_replayable

    check_replayable(shape)
    place = f"{shape.name} in fp32 on this machine"
    load.check(place, shape)
    sequence = kv_bytes(shape, precision("fp32"), load.input + load.output)
    budget = MemoryBudget(
        virtual_memory().available * MEMORY_FRAC, f"{MEMORY_FRAC:.0%} of the free memory", weight_bytes_f32(shape),
        lambda batch: batch * sequence,
    )  # fmt: skip
    budget.check(place, load)


def miniature(shape: "ModelShape") -> "ModelShape":
    """Return a model of the same architecture with small widths, for which the float64 reference is fast."""
    group = shape.heads // shape.kv_heads
    kv_heads, layers = min(2, shape.kv_heads), 2
    return shape.resized(
        name=f"small {shape.name}", layers=layers, hidden=48, heads=group * kv_heads, kv_heads=kv_heads,
        head_size=16, ffn=64, experts=min(shape.experts, 8), active_experts=min(shape.active_experts, 8),
        vocabulary=97, context=64, window=shape.window and 6, parameters=None,
    )  # fmt: skip
