"""The replay's CUDA C compiled as C++ and run on the CPU, kernel by kernel, against float64 on numbers as stored."""

# ruff: noqa: PLR0917 (a case of attention has as many lengths)

from functools import cache

import ml_dtypes
import numpy as np
import pytest
from oracles.cuda_hostblocks import HostKernels

from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError
from kernels.llm.counts import PRECISIONS
from kernels.llm.reference import rms_norm, rotary
from kernels.llm.shapes import load
from kernels.llm.source_cuda import KERNELS, REPLAY_FORMATS, check_shape, query_scale, replay_formats, source
from kernels.matmul.formats import FORMATS, decode, encode

RNG = np.random.default_rng
UNITS = {"bf16": 2.0**-8, "fp16": 2.0**-11, "fp8": 2.0**-4}
STANDARD = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16, "fp8": ml_dtypes.float8_e4m3fn}
SMALLEST = {"bf16": 0.0, "fp16": 2.0**-25, "fp8": 2.0**-10}


def model(heads=4, kv_heads=1, head_size=128):
    return load("tiny").resized(
        heads=heads, kv_heads=kv_heads, head_size=head_size, hidden=272, ffn=400, vocabulary=2064
    )


@cache
def built(dtype, group=4, head_size=128):
    try:
        return HostKernels(source(model(group, 1, head_size), dtype), KERNELS)
    except ToolMissingError as error:
        pytest.skip(str(error))


def to_codes(form, values, scale=1.0):
    return encode(FORMATS[form], np.asarray(values) * scale * FORMATS[form].scale)


def to_real(form, codes, scale=1.0):
    return decode(FORMATS[form], codes) / (FORMATS[form].scale * scale)


def close(found, expected, form, scale=1.0, slack=1e-5):
    """Compare with one rounding to a format, and what float32 sums may lose."""
    allowed = (UNITS[form] + slack) * np.abs(expected) + SMALLEST[form] / scale + slack
    assert np.abs(found - expected).max() < np.inf
    assert (np.abs(found - expected) <= allowed).all(), float((np.abs(found - expected) / allowed).max())


def test_formats_of_the_replay_are_as_wide_as_the_table_of_precisions_says():
    for name, formats in REPLAY_FORMATS.items():
        kind = PRECISIONS[name]
        widths = [FORMATS[one].bits / 8 for one in (formats.entering, formats.entering, formats.stream, formats.cached)]
        assert widths == [kind.feed_forward, kind.attention, kind.head, kind.kv]


@pytest.mark.parametrize("form", ["bf16", "fp16", "fp8"])
def test_hostcheck_numbers_round_as_numpy_does_for_every_code_and_between(form):
    text = (
        source(model(), "bf16")
        + """
    extern "C" __global__ void round_all(TYPE::Code *const out, const float *const x, const int count)
    {
        for (int i = threadIdx.x; i < count; i += blockDim.x)
            out[i] = TYPE::code(x[i]);
    }
    extern "C" __global__ void read_all(float *const out, const TYPE::Code *const x, const int count)
    {
        for (int i = threadIdx.x; i < count; i += blockDim.x)
            out[i] = TYPE::real(x[i]);
    }""".replace("TYPE", {"bf16": "Bf16", "fp16": "Fp16", "fp8": "E4m3"}[form])
    )
    codes = np.arange(1 << FORMATS[form].bits).astype(np.uint8 if form == "fp8" else np.uint16)
    with np.errstate(invalid="ignore"):  # codes that are no number
        exact = to_real(form, codes).astype(np.float32)
    stays = np.isfinite(exact) & ((exact == 0) | (np.abs(exact) >= 2.0**-126))  # CuPy flushes subnormal floats
    codes, exact = codes[stays], exact[stays]
    random = np.float32(2.0) ** RNG(0).uniform(-30, 8, 20_000).astype(np.float32)
    between = np.concatenate([(exact[1:] / 2 + exact[:-1] / 2), random, -random]).astype(np.float32)
    between = between[np.isfinite(between) & ((between == 0) | (np.abs(between) >= 2.0**-126))]
    try:
        kernels = HostKernels(text, ("round_all", "read_all"))
    except ToolMissingError as error:
        pytest.skip(str(error))
    read, found = np.empty(len(codes), np.float32), np.empty(len(between), codes.dtype)
    kernels.launch("read_all", (1,), (32,), (read, codes, np.int32(len(codes))))
    kernels.launch("round_all", (1,), (32,), (found, between, np.int32(len(between))))
    assert np.array_equal(read, exact)
    if form == "fp8":  # the kernels keep what is too large at 448; the standard's conversion gives no number
        between = np.clip(between, -448.0, 448.0)
    assert np.array_equal(found, between.astype(STANDARD[form]).view(codes.dtype))


@pytest.mark.parametrize("dtype", REPLAY_FORMATS)
def test_hostcheck_norm_adds_to_the_stream_and_scales_by_the_root_mean_square(dtype):
    formats, width, rows, every = replay_formats(dtype), 272, 6, 3
    stream, added = (to_codes(formats.stream, RNG(i).normal(0, 2, (rows, width))) for i in range(2))
    scale = RNG(2).uniform(0.9, 1.1, width).astype(np.float32)
    summed = to_real(formats.stream, stream) + to_real(formats.stream, added)
    expected = rms_norm(summed, scale, 1e-5)
    out = np.zeros((rows, width), np.uint8 if dtype == "fp8" else np.uint16)
    mine = stream.copy()
    sizes = np.int32(width), np.float32(1e-5)
    built(dtype).launch("norm_layer", (rows,), (256,), (out, mine, added, scale, *sizes))
    close(to_real(formats.stream, mine), summed, formats.stream)
    found = to_real(formats.entering, out, formats.entering_scale)
    close(found, expected, formats.entering, formats.entering_scale, slack=2 * UNITS[formats.stream])
    without = np.zeros_like(out)
    built(dtype).launch("norm_layer", (rows,), (256,), (without, mine, np.uint64(0), scale, *sizes))
    assert (
        np.array_equal(without, out)
        or np.abs(found - to_real(formats.entering, without, formats.entering_scale)).max() < 0.1
    )
    last, again = np.zeros((rows // every, width), np.uint16), stream.copy()
    built(dtype).launch(
        "norm_last", (rows // every,), (256,), (last, again, added, scale, sizes[0], np.int32(every), sizes[1])
    )
    close(to_real(formats.stream, last), expected[every - 1 :: every], formats.stream, slack=2 * UNITS[formats.stream])


@pytest.mark.parametrize("dtype", REPLAY_FORMATS)
def test_hostcheck_gate_is_silu_times_up_and_closes_far_below_zero(dtype):
    formats, width = replay_formats(dtype), 400
    inner = to_codes(formats.stream, RNG(3).normal(0, 2, (5, 2, width)))
    inner[0, 0, 0], inner[0, 0, 1] = to_codes(formats.stream, [-200.0, 200.0])
    gates, ups = np.moveaxis(to_real(formats.stream, inner), 1, 0)
    out = np.zeros((5, width), np.uint8 if dtype == "fp8" else np.uint16)
    built(dtype).launch("gate", (5, 1), (256,), (out, inner, np.int32(width)))
    with np.errstate(over="ignore"):
        expected = (
            np.clip(gates / (1 + np.exp(-gates)) * ups, -28, 28)
            if dtype == "fp8"
            else gates / (1 + np.exp(-gates)) * ups
        )
    close(to_real(formats.entering, out, formats.entering_scale), expected, formats.entering, formats.entering_scale)


def test_hostcheck_look_up_and_choice_take_the_right_rows_and_the_first_of_equals():
    table = RNG(4).integers(0, 1 << 15, (50, 272)).astype(np.uint16)
    tokens, stream = np.array([7, 49, 0], np.int32), np.zeros((3, 272), np.uint16)
    built("bf16").launch("look_up", (3,), (256,), (stream, table, tokens, np.int32(272)))
    assert np.array_equal(stream, table[tokens])
    logits = to_codes("bf16", RNG(5).normal(0, 1, (3, 2064)))
    logits[0, [2063, 1900]] = logits[1, [800, 9]] = to_codes("bf16", 50.0)
    logits[2] = to_codes("bf16", -3.0)
    logits[2, 1031] = to_codes("bf16", -2.0)
    chosen = np.zeros(3, np.int32)
    built("bf16").launch("greedy", (3,), (1024,), (chosen, logits, np.int32(2064)))
    assert chosen.tolist() == [1900, 9, 1031]


def turned(dtype, group, kv_heads, sequences, tokens, length, head_size=128):
    """Run turn_and_cache over random qkv after a random cache; return what it gave beside what it should have."""
    formats, shape = replay_formats(dtype), model(group * kv_heads, kv_heads, head_size)
    heads, capacity = shape.heads, -(-(length + tokens) // 16) * 16 + 16
    kind = np.uint8 if dtype == "fp8" else np.uint16
    qkv = to_codes(formats.stream, RNG(6).normal(0, 1, (sequences * tokens, heads + 2 * kv_heads, head_size)))
    cache = np.zeros((2, sequences, kv_heads, capacity, head_size), kind)
    cache[:, :, :, :length] = to_codes(
        formats.cached, RNG(7).normal(0, 1, (2, sequences, kv_heads, length, head_size)), formats.cache_scale
    )
    angle = np.arange(capacity)[:, None] * 10000.0 ** (-2.0 * np.arange(head_size // 2) / head_size)
    turns = np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32)
    queries = np.zeros((sequences * tokens, heads, head_size), np.uint16)
    scale = query_scale(shape, formats)
    where = np.array([length], np.int32)
    built(dtype, group, head_size).launch(
        "turn_and_cache", (sequences * tokens,), (128,),
        (queries, cache[0], cache[1], qkv, turns, where, np.int32(tokens), np.int32(capacity), np.int32(heads),
         np.int32(kv_heads), np.float32(scale)),
    )  # fmt: skip
    real = to_real(formats.stream, qkv).reshape(sequences, tokens, -1, head_size)
    positions = length + np.arange(tokens)
    wanted = np.stack([rotary(one[:, : heads + kv_heads], positions, 10000.0) for one in real])
    close(to_real(formats.score, queries).reshape(sequences, tokens, heads, head_size),
          wanted[:, :, :heads] * scale, formats.score, slack=3e-5 * scale if scale > 1 else 3e-5)  # fmt: skip
    new = np.stack([wanted[:, :, heads:], real[:, :, heads + kv_heads :]]).transpose(0, 1, 3, 2, 4)
    found = to_real(formats.cached, cache, formats.cache_scale)
    close(found[:, :, :, length : length + tokens], new, formats.cached, formats.cache_scale, slack=3e-5)
    assert not cache[:, :, :, length + tokens :].any()
    return queries, cache, where, found


def attended(dtype, group, kv_heads, queries, found, sequences, tokens, length, head_size=128):
    """Return attention in float64 over the queries and the cache as stored."""
    formats, shape = replay_formats(dtype), model(group * kv_heads, kv_heads, head_size)
    q = to_real(formats.score, queries).reshape(sequences, tokens, kv_heads, group, head_size)
    q = q / query_scale(shape, formats) / np.sqrt(head_size)
    out = np.zeros(q.shape)
    for token in range(tokens):
        keys, values = found[:, :, :, : length + token + 1]
        scores = np.einsum("skgh,skch->skgc", q[:, token], keys)
        share = np.exp(scores - scores.max(-1, keepdims=True))
        out[:, token] = np.einsum("skgc,skch->skgh", share / share.sum(-1, keepdims=True), values)
    return out.reshape(sequences * tokens, kv_heads * group, head_size)


@pytest.mark.parametrize(
    ("dtype", "group", "kv_heads", "sequences", "tokens", "length", "head_size"),
    [
        ("bf16", 4, 2, 2, 37, 0, 128), ("fp16", 4, 1, 1, 9, 23, 64), ("fp8", 4, 2, 1, 21, 5, 128),
        ("bf16", 8, 1, 1, 5, 40, 128), ("bf16", 1, 2, 1, 33, 0, 64), ("fp8", 16, 1, 1, 3, 30, 128),
        ("bf16", 3, 1, 1, 7, 11, 64),
    ],
)  # fmt: skip
def test_hostcheck_attention_of_a_prompt_is_the_float64_one(
    dtype, group, kv_heads, sequences, tokens, length, head_size
):
    formats = replay_formats(dtype)
    queries, cache, where, found = turned(dtype, group, kv_heads, sequences, tokens, length, head_size)
    expected = attended(dtype, group, kv_heads, queries, found, sequences, tokens, length, head_size)
    out = np.zeros(queries.shape, np.uint8 if dtype == "fp8" else np.uint16)
    tiles = -(-tokens // (16 // group))
    built(dtype, group, head_size).launch(
        "attend_prompt", (-(-tiles // 4), kv_heads, sequences), (128,),
        (out, np.zeros(0, np.float32), np.zeros(0, np.float32), queries, cache[0], cache[1], where, np.int32(tokens),
         np.int32(cache.shape[3]), np.int32(1)),
    )  # fmt: skip
    real = to_real(formats.entering, out, formats.entering_scale)
    close(real, expected, formats.entering, formats.entering_scale, slack=2 * UNITS[formats.score])


@pytest.mark.parametrize(
    ("dtype", "group", "length", "splits"),
    [("bf16", 4, 100, 1), ("bf16", 4, 100, 3), ("fp16", 8, 31, 2), ("fp8", 4, 150, 4), ("fp8", 16, 33, 1),
     ("bf16", 1, 0, 1), ("bf16", 4, 15, 8), ("fp8", 8, 200, 8)],
)  # fmt: skip
def test_hostcheck_attention_of_one_token_is_the_float64_one_however_its_keys_are_cut(dtype, group, length, splits):
    formats, kv_heads, sequences = replay_formats(dtype), 2, 2
    queries, cache, where, found = turned(dtype, group, kv_heads, sequences, 1, length)
    expected = attended(dtype, group, kv_heads, queries, found, sequences, 1, length)
    out = np.zeros(queries.shape, np.uint8 if dtype == "fp8" else np.uint16)
    parts = np.full((splits, *queries.shape), np.nan, np.float32)
    tops_sums = np.full((*parts.shape[:-1], 2), np.nan, np.float32)
    warps = min(4, splits)
    host = built(dtype, group)
    host.launch(
        "attend_token", (-(-splits // warps), kv_heads, sequences), (32 * warps,),
        (out, parts, tops_sums, queries, cache[0], cache[1], where, np.int32(1), np.int32(cache.shape[3]),
         np.int32(splits)),
    )  # fmt: skip
    if splits > 1:
        host.launch("join", (sequences * group * kv_heads,), (16,), (out, parts, tops_sums, np.int32(splits)))
    real = to_real(formats.entering, out, formats.entering_scale)
    close(real, expected, formats.entering, formats.entering_scale, slack=2 * UNITS[formats.score])


def test_hostcheck_finds_threads_that_wait_for_each_other():
    text = """
    extern "C" __global__ void stuck(int *const x)
    {
        if (threadIdx.x)
            __syncthreads();
        else
            *x = __shfl_xor_sync(0xffffffffu, *x, 1);
    }"""
    try:
        kernels = HostKernels(text, ("stuck",))
    except ToolMissingError as error:
        pytest.skip(str(error))
    with pytest.raises(KernelInputError, match="stuck: the threads of a block wait for each other"):
        kernels.launch("stuck", (1,), (32,), (np.zeros(1, np.int32),))


def test_hostcheck_text_that_does_not_compile_fails_with_the_compilers_line():
    built("bf16")
    with pytest.raises(KernelInputError, match=r"error.*undeclared"):
        HostKernels('extern "C" __global__ void f(int *x) { *x = undeclared; }', ("f",))


@pytest.mark.parametrize(
    ("name", "changes", "dtype", "message"),
    [
        ("mixtral-8x7b", {}, "bf16", "expected a dense model, .* got 8 experts"),
        ("llama-3.1-8b", {"sinks": True, "window": 8}, "bf16", "expected plain layers on a GPU, got sinks, window"),
        ("llama-3.1-8b", {}, "fp4", "dtype: expected one of bf16, fp16, fp8 on a GPU, got fp4"),
        ("llama-3.1-8b", {}, "fp9", "did you mean"),
        ("tiny", {}, "fp8", "head_size: expected a multiple of 128 for fp8 on a GPU, got 64"),
        ("llama-3.1-8b", {"kv_heads": 1}, "bf16", "heads: expected at most 16 for a key head on a GPU, got 32"),
        ("llama-3.1-8b", {"ffn": 1000}, "bf16", "ffn: expected a multiple of 16 on a GPU, got 1000"),
    ],
)
def test_models_that_the_kernels_cannot_run_are_refused_by_name(name, changes, dtype, message):
    with pytest.raises(KernelInputError, match=message):
        check_shape(load(name).resized(**changes), dtype)
