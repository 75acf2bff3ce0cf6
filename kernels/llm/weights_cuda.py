"""The weights of a dense model as codes on a GPU, random or encoded from an array, and the numbers they stand for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.gpu.random_fill import fill_module, fill_random
from kernels.llm.counts import matrices
from kernels.llm.shapes import ModelShape
from kernels.llm.source_cuda import ReplayFormats
from kernels.llm.weights import Weights
from kernels.matmul.formats import FORMATS, TABLE, decode, encode

Real = npt.NDArray[np.float64]
MATRICES = ("qkv", "out", "gate_up", "down")


@dataclass(frozen=True, slots=True)
class DeviceLayer:
    """The weights of one layer on a GPU."""

    attention_norm: Any  # float32[hidden]
    ffn_norm: Any  # float32[hidden]
    matrices: Mapping[str, Any]  # codes by name, [outer, inner]


@dataclass(frozen=True, slots=True)
class DeviceWeights:
    """The weights of a whole model on a GPU."""

    embedding: Any  # codes, [vocabulary, hidden]
    layers: tuple[DeviceLayer, ...]
    norm: Any  # float32[hidden], the last one
    head: Any  # codes, [vocabulary, hidden]

    @property
    def nbytes(self) -> int:
        """Size of all parts [byte]."""
        layers = sum(
            layer.attention_norm.nbytes + layer.ffn_norm.nbytes + sum(codes.nbytes for codes in layer.matrices.values())
            for layer in self.layers
        )
        return int(self.embedding.nbytes + self.norm.nbytes + self.head.nbytes + layers)


def weight_scale(form: str, inner: int) -> float:
    """Return the factor of a matrix's stored numbers; in fp8 it spreads random weights over the whole range."""
    return math.sqrt(3.0 / inner) * FORMATS["fp8"].scale if form == "fp8" else 1.0


def encoded(form: str, values: npt.ArrayLike, inner: int) -> npt.NDArray[np.generic]:
    """Return the codes of a matrix's weights."""
    return encode(FORMATS[form], np.asarray(values) * (FORMATS[form].scale / weight_scale(form, inner)))


def rounded(shape: ModelShape, weights: Weights, formats: ReplayFormats) -> Weights:
    """Return a dense model's weights after encoding and decoding, as a reference must use them."""

    def round_trip(form: str, values: npt.NDArray[np.float32], inner: int) -> npt.NDArray[np.float32]:
        real = decode(FORMATS[form], encoded(form, values, inner)) * (weight_scale(form, inner) / FORMATS[form].scale)
        return real.astype(np.float32)

    inner = {matrix.name: matrix.inner for matrix in matrices(shape)}
    layers = tuple(
        replace(layer, **{name: round_trip(formats.entering, getattr(layer, name), inner[name]) for name in MATRICES})
        for layer in weights.layers
    )
    tables = {name: round_trip(formats.stream, getattr(weights, name), shape.hidden) for name in ("embedding", "head")}
    return replace(weights, layers=layers, **tables)


def upload(cupy: Any, shape: ModelShape, weights: Weights, formats: ReplayFormats) -> DeviceWeights:
    """Return encoded weights on the current GPU."""
    inner = {matrix.name: matrix.inner for matrix in matrices(shape)}

    def matrix(values: npt.NDArray[np.float32], name: str) -> Any:
        whole = values.reshape(-1, inner[name])  # the one expert of a dense model
        return cupy.asarray(encoded(formats.entering, whole, inner[name]))

    layers = tuple(
        DeviceLayer(
            cupy.asarray(layer.attention_norm),
            cupy.asarray(layer.ffn_norm),
            {name: matrix(getattr(layer, name), name) for name in MATRICES},
        )
        for layer in weights.layers
    )
    tables = (cupy.asarray(encoded(formats.stream, table, shape.hidden)) for table in (weights.embedding, weights.head))
    embedding, head = tables
    return DeviceWeights(embedding, layers, cupy.asarray(weights.norm), head)


def random_device_weights(cupy: Any, shape: ModelShape, formats: ReplayFormats, seed: int) -> DeviceWeights:
    """Return random weights made on the current GPU, distinct in every layer, each matrix with variance 1 / inner."""
    generator = np.random.default_rng(seed)
    module = fill_module(cupy)
    index = seed << 40

    def filled(form: str, outer: int, inner: int, reach: float) -> Any:
        nonlocal index
        table = cupy.asarray(encoded(form, generator.uniform(-reach, reach, TABLE), inner))
        array = cupy.empty((outer, inner), dtype=table.dtype)
        fill_random(cupy, module, array, table, index)
        index += array.size
        return array

    def norm() -> Any:
        return cupy.asarray(generator.uniform(0.9, 1.1, shape.hidden).astype(np.float32))

    layers = tuple(
        DeviceLayer(
            norm(),
            norm(),
            {
                matrix.name: filled(formats.entering, matrix.outer, matrix.inner, math.sqrt(3.0 / matrix.inner))
                for matrix in matrices(shape)
            },
        )
        for _ in range(shape.layers)
    )
    embedding = filled(formats.stream, shape.vocabulary, shape.hidden, math.sqrt(3.0))
    head = filled(formats.stream, shape.vocabulary, shape.hidden, math.sqrt(3.0 / shape.hidden))
    return DeviceWeights(embedding, layers, norm(), head)
