"""Formats and error bounds of GPU matrix products: checked by emulating each accumulator's rounding in NumPy."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import KernelInputError
from kernels.matmul.counts import flop, moved_bytes
from kernels.matmul.formats import FORMATS, TABLE, check_shape, decode, decode_product, encode, get_format, value_table
from kernels.matmul.tolerance import bound, check_entries, relative_limit

SAMPLES = 96


def cut_off(values, unit, largest):
    """Cut values off, towards zero, at `unit` times the power of two below `largest`."""
    quantum = unit * 2.0 ** np.floor(np.log2(np.maximum(largest, 1e-300)))
    return np.trunc(values / quantum) * quantum


def emulated_product(form, rows_a, rows_b):
    """Sum products as the accumulator of the format does, block by block, and round to its output format."""
    products = rows_a * rows_b
    total = np.zeros(len(products))
    if form.name == "fp32":
        single = np.zeros(len(products), dtype=np.float32)
        for column in products.T:  # a fused multiply-add rounds once
            single = (single.astype(np.float64) + column).astype(np.float32)
        return single.astype(np.float64)
    for start in range(0, products.shape[1], form.block):
        terms = np.column_stack([products[:, start : start + form.block], total])
        if form.sum_unit:
            largest = np.abs(terms).max(axis=1, keepdims=True)
            total = cut_off(terms, form.sum_unit, largest).sum(axis=1)
            total = cut_off(total, form.sum_unit, np.abs(total))
        else:
            total = terms.sum(axis=1)
    if form.out == "int32":
        return total
    out = FORMATS[form.out]
    return decode(out, encode(out, total))


def operands(form, k, seed=0):
    generator = np.random.default_rng(seed)
    table = value_table(form, seed)
    width = k // 2 if form.name == "fp4" else k
    codes = table[generator.integers(0, TABLE, (2, SAMPLES, width))]
    return decode(form, codes[0]), decode(form, codes[1])


@pytest.mark.parametrize("k", [128, 4096])
@pytest.mark.parametrize("name", FORMATS)
def test_bound_holds_for_an_emulated_accumulator(name, k):
    form = FORMATS[name]
    rows_a, rows_b = operands(form, k)
    check = check_entries(form, rows_a, rows_b, emulated_product(form, rows_a, rows_b))
    assert check.passed
    assert check.sampled == SAMPLES
    assert check.relative_error <= relative_limit(form, k)


@pytest.mark.parametrize("name", FORMATS)
def test_bound_is_tight_enough_to_catch_a_wrong_operand_a_missing_block_and_a_wrong_scale(name):
    form = FORMATS[name]
    rows_a, rows_b = operands(form, 4096)
    wrong_row = emulated_product(form, rows_a, np.roll(rows_b, 1, axis=0))
    missing = emulated_product(form, rows_a[:, :-64], rows_b[:, :-64])
    scaled = 2.0 * emulated_product(form, rows_a, rows_b)
    for entries in (wrong_row, missing, scaled):
        assert not check_entries(form, rows_a, rows_b, entries).passed


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_check_refuses_one_entry_that_is_not_finite(name, poison):
    form = FORMATS[name]
    rows_a, rows_b = operands(form, 128)
    entries = emulated_product(form, rows_a, rows_b)
    entries[7] = poison
    check = check_entries(form, rows_a, rows_b, entries)
    assert not check.passed
    assert check.worst_frac_of_bound > 1.0


def test_integer_product_is_allowed_no_error_at_all():
    form = FORMATS["int8"]
    rows_a, rows_b = operands(form, 128)
    entries = emulated_product(form, rows_a, rows_b)
    assert check_entries(form, rows_a, rows_b, entries).worst_frac_of_bound == 0.0
    entries[3] += 1
    assert not check_entries(form, rows_a, rows_b, entries).passed


def test_bound_of_fp32_is_far_below_that_of_fp8():
    rows_a, rows_b = operands(FORMATS["fp8"], 4096)
    exact = bound(FORMATS["fp32"], rows_a, rows_b).allowed
    coarse = bound(FORMATS["fp8"], rows_a, rows_b).allowed
    assert (exact < coarse / 100).all()


@pytest.mark.parametrize("name", FORMATS)
def test_values_survive_encoding_and_spread_over_the_range(name):
    form = FORMATS[name]
    values = decode(form, value_table(form))
    assert np.isfinite(values).all()
    assert np.ptp(values) > 1.8
    assert abs(values.mean()) < 0.05 * np.abs(values).max()
    if name != "fp4":
        assert np.array_equal(decode(form, encode(form, values)), values)


STANDARD = {
    "fp16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "fp8": ml_dtypes.float8_e4m3fn,
    "fp4": ml_dtypes.float4_e2m1fn,
}


def codes_and_numbers(name):
    """Return every code of a format and the numbers that ml_dtypes reads there."""
    codes = np.arange(1 << FORMATS[name].bits).astype(np.uint16 if FORMATS[name].bits == 16 else np.uint8)
    with np.errstate(invalid="ignore"):  # some codes are signalling NaN
        return codes, codes.view(STANDARD[name]).astype(np.float64)


@pytest.mark.parametrize("name", STANDARD)
def test_every_code_stands_for_the_number_that_ml_dtypes_reads(name):
    form, (codes, expected) = FORMATS[name], codes_and_numbers(name)
    with np.errstate(invalid="ignore"):
        decoded = decode(form, codes) / form.scale
    decoded = decoded[::2] if name == "fp4" else decoded  # two codes a byte, the upper one zero here
    assert np.array_equal(decoded, expected, equal_nan=True)


@pytest.mark.parametrize("name", STANDARD)
def test_values_round_to_the_codes_that_ml_dtypes_gives(name):
    form = replace(FORMATS[name], scale=1.0)  # so that a tie stays one
    codes, exact = codes_and_numbers(name)
    exact = np.unique(exact[np.isfinite(exact)])
    ties = exact[1:] / 2 + exact[:-1] / 2
    random = np.random.default_rng(1).uniform(exact[0] / 2, exact[-1] / 2, 10_000).astype(np.float32)
    values = np.concatenate([exact, ties, random]).astype(np.float32)
    assert np.array_equal(encode(form, values), values.astype(STANDARD[name]).view(codes.dtype))


def test_eight_bit_floats_have_the_codes_of_the_standard():
    form = FORMATS["fp8"]
    stored = decode(form, np.array([0x00, 0x01, 0x08, 0x38, 0x7E, 0xB8], dtype=np.uint8)) / form.scale
    assert stored == pytest.approx([0.0, 2.0**-9, 2.0**-6, 1.0, 448.0, -1.0])
    assert encode(form, np.array([2.0, -2.0, 1.0])).tolist() == [0x7E, 0xFE, 0x7E]


def test_four_bit_floats_have_the_eight_magnitudes_of_the_standard_two_a_byte():
    values = decode(FORMATS["fp4"], np.arange(8, dtype=np.uint8) << 4)
    assert values[1::2].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    assert not values[::2].any()


def test_rounding_to_brain_float_goes_to_the_nearest_and_ties_to_even():
    form = FORMATS["bf16"]
    one_up, half = 1 + 2.0**-7, 2.0**-8
    assert decode(form, encode(form, [1 + half, one_up + half, 1 + 1.01 * half])).tolist() == [1.0, 1 + 2.0**-6, one_up]


@given(st.floats(-1, 1, allow_subnormal=False))
def test_rounding_error_stays_within_half_a_unit_in_the_last_place(value):
    for name, unit in (("fp16", 2.0**-11), ("bf16", 2.0**-8), ("tf32", 2.0**-11)):
        rounded = float(decode(FORMATS[name], encode(FORMATS[name], value)))
        assert abs(rounded - value) <= max(unit * abs(value), 2.0**-25)


def test_raw_entries_of_a_product_are_read_by_its_output_format():
    assert decode_product(FORMATS["int8"], np.array([-7], dtype=np.int32)).tolist() == [-7.0]
    assert decode_product(FORMATS["fp8"], np.array([0x3FC0], dtype=np.uint16)).tolist() == [1.5]
    assert decode_product(FORMATS["tf32"], np.array([0.1], dtype=np.float32))[0] == pytest.approx(0.1)


def test_work_and_traffic_of_a_product_are_counted_by_hand():
    assert flop(2, 3, 5) == 60
    assert moved_bytes(FORMATS["bf16"], 2, 3, 5) == 2 * (10 + 15) + 2 * 6
    assert moved_bytes(FORMATS["int8"], 16, 16, 16) == 512 + 4 * 256


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("bf16", (100, 128, 128), "m: expected a positive multiple of 16 for bf16, got 100"),
        ("fp4", (128, 48, 128), "n: expected a positive multiple of 32 for fp4, got 48"),
        ("fp32", (1, 1, 0), "k: expected at least 1, got 0"),
    ],
)
def test_a_shape_that_the_format_cannot_take_is_refused(name, shape, message):
    with pytest.raises(KernelInputError, match=message):
        check_shape(FORMATS[name], *shape)


def test_an_unknown_format_is_refused_by_name():
    with pytest.raises(KernelInputError, match=r"expected one of fp32, .*, got 'fp6'"):
        get_format("fp6")
