"""A replay of a dense model's layers on an NVIDIA GPU, with cuBLASLt, CUDA C and one CUDA graph for decoding."""

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import compile_module
from kernels.gpu.random_fill import fill_module, fill_random
from kernels.llm.buffers_cuda import Buffers, passes, ways_to_cut, whole_tiles
from kernels.llm.counts import precision
from kernels.llm.products_cuda import LayerProducts, timed_ms
from kernels.llm.replay import Tokens, check_replay
from kernels.llm.shapes import ModelShape
from kernels.llm.source_cuda import KERNELS, query_scale, replay_formats, source
from kernels.llm.weights import Weights
from kernels.llm.weights_cuda import random_device_weights, upload
from kernels.matmul.formats import FORMATS, TABLE, decode, encode

NORM_THREADS, TURN_THREADS, GATE_THREADS, GREEDY_THREADS, ATTEND_THREADS = 256, 128, 256, 1024, 128
EIGHT = 8
"""ReplayFormats that a thread moves at once."""


class CudaReplay:
    """Prefill and decode of a batch on the current GPU; close it to release the memory.

    Parameters
    ----------
    cupy
        The module CuPy with the GPU current.
    shape
        The model.
    dtype
        bf16, fp16 or fp8.
    batch
        Number of sequences.
    capacity
        Tokens that the cache of each sequence can hold.
    seed
        Seed of the weights and of filled caches.
    weights
        Weights that replace the random ones.

    Raises
    ------
    KernelInputError
        The kernels do not support the model or the precision, the batch is below 1, or the cache is longer than the
        model's context.
    GpuError
        cuBLASLt is missing.
    """

    variant = "cublaslt"

    def __init__(  # noqa: PLR0913 (the parts of a replay, by name)
        self,
        cupy: Any,
        shape: ModelShape,
        dtype: str,
        batch: int,
        capacity: int,
        *,
        seed: int = 0,
        weights: Weights | None = None,
    ) -> None:
        check_replay(shape, batch, capacity)
        text = source(shape, dtype)
        self.shape, self.batch, self.capacity = shape, batch, capacity
        self.dtype, self._formats = precision(dtype).name, replay_formats(dtype)
        self._cupy, self._seed = cupy, seed
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._length = self._held = 0
        self._graph: Any = None
        self._splits = 1
        self._facts: dict[str, object] = {}
        with self._stream:
            module = compile_module(cupy, text)
            self._kernels = {name: module.get_function(name) for name in KERNELS}
            self._weights: Any = (  # None once closed
                random_device_weights(cupy, shape, self._formats, seed)
                if weights is None
                else upload(cupy, shape, weights, self._formats)
            )
            self.weight_bytes = self._weights.nbytes
            self._buffers: Any = Buffers(cupy, shape, self._formats, batch, capacity)
            self._products = LayerProducts(cupy, shape, self._formats)
            self._stream.synchronize()

    def prefill(self, tokens: Tokens) -> Tokens:
        """Read prompts [batch, n] into an empty cache and return the next token of each [batch]."""
        self._length = 0
        return self._forward(tokens)

    def decode(self, tokens: Tokens) -> Tokens:
        """Add one token to each sequence [batch] and return the next ones [batch]; later calls launch one graph."""
        return self._forward(tokens[:, None])

    def fill(self, length: int) -> None:
        """Fill the cache with random keys and values up to a length."""
        if not 0 <= length < self.capacity:
            raise KernelInputError(f"replay: fill: expected 0 to {self.capacity - 1} tokens, got {length}")
        form = FORMATS[self._formats.cached]
        values = np.random.default_rng(self._seed).uniform(-0.5, 0.5, TABLE) * self._formats.cache_scale
        with self._stream:
            table = self._cupy.asarray(encode(form, values * form.scale))
            module = fill_module(self._cupy)
            for seed, cache in enumerate((self._buffers.keys, self._buffers.values)):
                fill_random(self._cupy, module, cache, table, seed * cache.size)
            self._stream.synchronize()
        self._length = self._held = length

    def move_to(self, length: int) -> None:
        """Continue from a length that the cache has held before; later tokens overwrite those after it."""
        if not 0 <= length <= self._held:
            raise KernelInputError(f"replay: move: expected 0 to {self._held} tokens, got {length}")
        self._length = length

    def repeat(self, tokens: Tokens) -> None:
        """Repeat the last call with its tokens [batch, n]."""
        self._length -= tokens.shape[1]
        self._forward(tokens)

    @property
    def length(self) -> int:
        """Tokens in the cache of each sequence."""
        return self._length

    @property
    def facts(self) -> dict[str, object]:
        """Choices made by timing: algorithms, parts of the keys, and the way in which decoding is launched."""
        return {**self._facts, **self._products.facts}

    def logits(self) -> NDArray[np.float32]:
        """Return the logits of the last call [batch, vocabulary]."""
        with self._stream:
            codes = self._buffers.logits[: self.batch].get()
        return decode(FORMATS[self._formats.stream], codes).astype(np.float32)

    def close(self) -> None:
        """Release weights, cache, graph and descriptors; may be called twice."""
        self._graph = None
        self._products.close()
        self._weights = self._buffers = None
        self._kernels = {}
        self._cupy.get_default_memory_pool().free_all_blocks()

    def _forward(self, tokens: Tokens) -> Tokens:
        batch, n = tokens.shape
        if batch != self.batch or self._length + n > self.capacity:
            raise KernelInputError(
                f"replay: tokens: expected [{self.batch}, up to {self.capacity - self._length}], got [{batch}, {n}]"
            )
        with self._stream:
            self._upload(np.concatenate([[self._length], tokens.ravel()]))
            if n == 1:
                self._step()
            else:
                for part in passes(batch, n):
                    if n > part.tokens:  # parts of prompts: the length of the cache differs from pass to pass
                        self._upload(np.array([self._length + part.token]))
                    self._layers(part.sequence, part.sequences, part.tokens, part.sequence * n + part.token)
                self._sample()
            self._length += n
            self._held = max(self._held, self._length)
            chosen: Tokens = self._buffers.state[1 : 1 + self.batch].get().astype(np.int64)
        return chosen

    def _upload(self, state: Tokens) -> None:
        """Copy the cache's length and the tokens of a call to the device."""
        self._buffers.state[: len(state)].set(state.astype(np.int32))

    def _step(self) -> None:
        """Queue one decoding step: the first one as launches, which choose algorithms, later ones as a graph."""
        if self._graph is not None:
            self._graph.launch(self._stream)
            return
        self._layers(0, self.batch, 1, 0)
        self._sample()
        if "decoding" not in self._facts:
            self._choose_parts()
            self._record()

    def _choose_parts(self) -> None:
        """Time decoding's attention in all layers for each number of parts of the keys, and keep the fastest."""
        times: dict[int, float] = {}

        def attend_all() -> None:
            for index in range(self.shape.layers):
                self._attend(index, 0, self.batch, 1)

        for parts in ways_to_cut(self.shape, self.batch, self.capacity):
            self._splits = parts
            attend_all()
            times[parts] = timed_ms(self._cupy, attend_all)
        self._splits = min(times, key=lambda parts: times[parts])
        self._facts["attention_parts"] = self._splits
        self._facts["attention_ms_by_parts"] = ", ".join(f"{parts}: {ms:.3g}" for parts, ms in times.items())

    def _record(self) -> None:
        """Record a step in a graph; if CUDA refuses, later steps are launches too."""
        self._stream.synchronize()
        self._stream.begin_capture()
        try:
            self._layers(0, self.batch, 1, 0)
            self._sample()
            self._graph = self._stream.end_capture()
            self._facts["decoding"] = "CUDA graph"
        except RuntimeError as error:
            with contextlib.suppress(RuntimeError):
                self._stream.end_capture()
            self._facts["decoding"] = f"launches, because a graph was refused: {' '.join(str(error).split())}"

    def _layers(self, first: int, sequences: int, tokens: int, offset: int) -> None:
        """Queue all layers for a pass, and the last norm of the last token of each of its sequences.

        Parameters
        ----------
        first
            First sequence.
        sequences
            Number of sequences.
        tokens
            Tokens of each sequence.
        offset
            Index of the first of these tokens among those of the call.
        """
        buffers, weights, hidden = self._buffers, self._weights, np.int32(self.shape.hidden)
        rows, eps = sequences * tokens, np.float32(self.shape.norm_eps)
        entering, wide, added = buffers.entering, buffers.wide, buffers.added
        ids = buffers.state[1 + offset :]
        self._launch("look_up", (rows,), NORM_THREADS, buffers.stream, weights.embedding, ids, hidden)
        null: Any = np.uint64(0)  # the first layer has no earlier product to add
        for index, layer in enumerate(weights.layers):
            previous = added if index else null
            norm = ((rows,), NORM_THREADS, entering, buffers.stream)
            self._launch("norm_layer", *norm, previous, layer.attention_norm, hidden, eps)
            self._product("qkv", rows, index, wide)
            self._turn(index, first, sequences, tokens)
            self._attend(index, first, sequences, tokens)
            self._product("out", rows, index, added)
            self._launch("norm_layer", *norm, added, layer.ffn_norm, hidden, eps)
            self._product("gate_up", rows, index, wide)
            grid = (rows, -(-self.shape.ffn // (EIGHT * GATE_THREADS)))
            self._launch("gate", grid, GATE_THREADS, entering, wide, np.int32(self.shape.ffn))
            self._product("down", rows, index, added)
        self._launch(
            "norm_last", (sequences,), NORM_THREADS, buffers.last[first:], buffers.stream, added, weights.norm, hidden,
            np.int32(tokens), eps,
        )  # fmt: skip

    def _turn(self, index: int, first: int, sequences: int, tokens: int) -> None:
        """Queue the rotary embedding of a layer's queries and keys, and the copy of keys and values to the cache."""
        shape, buffers = self.shape, self._buffers
        self._launch(
            "turn_and_cache", (sequences * tokens,), TURN_THREADS, buffers.queries, buffers.keys[index, first:],
            buffers.values[index, first:], buffers.wide, buffers.turns, buffers.state, np.int32(tokens),
            np.int32(whole_tiles(self.capacity)), np.int32(shape.heads), np.int32(shape.kv_heads),
            np.float32(query_scale(shape, self._formats)),
        )  # fmt: skip

    def _attend(self, index: int, first: int, sequences: int, tokens: int) -> None:
        """Queue the attention of a layer."""
        shape, buffers = self.shape, self._buffers
        splits = self._splits if tokens == 1 else 1
        tiles = 1 if tokens == 1 else -(-tokens // (16 // (shape.heads // shape.kv_heads)))
        threads = min(ATTEND_THREADS, 32 * tiles * splits)
        grid = (-(-32 * tiles * splits // threads), shape.kv_heads, sequences)
        self._launch(
            "attend_token" if tokens == 1 else "attend_prompt", grid, threads, buffers.entering, buffers.parts,
            buffers.tops_sums, buffers.queries, buffers.keys[index, first:], buffers.values[index, first:],
            buffers.state, np.int32(tokens), np.int32(whole_tiles(self.capacity)), np.int32(splits),
        )  # fmt: skip
        if splits > 1:
            self._launch(
                "join", (sequences * shape.heads,), shape.head_size // EIGHT, buffers.entering, buffers.parts,
                buffers.tops_sums, np.int32(splits),
            )  # fmt: skip

    def _sample(self) -> None:
        """Queue the output head for every sequence and the greedy choice of its next token."""
        buffers = self._buffers
        self._products.launch("head", self.batch, buffers.last, [self._weights.head], buffers.logits)
        width = np.int32(self.shape.vocabulary)
        self._launch("greedy", (self.batch,), GREEDY_THREADS, buffers.state[1:], buffers.logits, width)

    def _product(self, name: str, rows: int, index: int, out: Any) -> None:
        layers = self._weights.layers
        weights = [layer.matrices[name] for layer in (*layers[index:], *layers[:index])]
        self._products.launch(name, rows, self._buffers.entering, weights, out)

    def _launch(self, name: str, grid: tuple[int, ...], threads: int, *arguments: Any) -> None:
        self._kernels[name](grid, (threads,), arguments)
