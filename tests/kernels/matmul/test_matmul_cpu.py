"""The matrix product: bound, reference, refused input."""

import numpy as np
import pytest

from kernels.errors import KernelInputError
from kernels.matmul import cpu as matmul_cpu
from kernels.matmul.counts import flop


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_a_product_lies_within_the_bound(dtype):
    a, b, out = matmul_cpu.random_operands(200, dtype, seed=3)
    assert a.dtype == matmul_cpu.DTYPES[dtype]
    assert np.count_nonzero(a) == a.size
    matmul_cpu.matmul(a, b, out)
    check = matmul_cpu.check_product(a, b, out)
    assert check.passed
    assert 0 < check.worst_frac_of_bound < 0.5
    assert check.sampled == 256


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("wrong", [1e-2, np.nan, np.inf])
def test_a_wrong_product_is_noticed(dtype, wrong):
    a, b, out = matmul_cpu.random_operands(64, dtype)
    matmul_cpu.matmul(a, b, out)
    out += wrong
    assert not matmul_cpu.check_product(a, b, out).passed


def test_the_float64_reference_is_exact_where_float64_is_not():
    x, y = np.array([1e16, 1.0, -1e16]), np.array([1.0, 1.0, 1.0])
    assert matmul_cpu._accurate_dot(x, y, exact=False) == 1.0
    third = np.array([1 / 3, -1 / 3])
    assert matmul_cpu._accurate_dot(third, np.array([1 / 3, 1 / 3]), exact=False) == 0.0


def test_flop_counts_a_multiply_and_an_add():
    assert flop(2, 3, 4) == 48


@pytest.mark.parametrize(("size", "dtype", "words"), [(0, "f32", "size"), (4, "f16", "one of f32, f64, got 'f16'")])
def test_impossible_operands_are_refused(size, dtype, words):
    with pytest.raises(KernelInputError, match=words):
        matmul_cpu.random_operands(size, dtype)
