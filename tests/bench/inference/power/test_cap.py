"""A GPU under a lower power limit: its law, its ends, and measured sweeps of other devices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.inference.power.activity import Activity
from bench.inference.power.cap import capped
from bench.inference.power.gpu import families, gpu_watts
from hardware_profiles.errors import InputError

HOPPER = families()["hopper"]
BUSY = Activity(0.4, 0.4, 1e8)
PRODUCTS = Activity(0.0, 1.0, 0.0)

# rates of prompts over those without a limit: six RTX 3090 of 350 W under llama.cpp (llmgarage.ai, power limit sweep),
# and cuBLAS products on a GB300 of 1,400 W (github.com/facebookexperimental/triton, pull request 2023: 617 TFLOP/s
# and 1,600 to 2,174)
PRODUCT_SWEEPS = [(350.0, 300.0, 9326 / 9893), (350.0, 250.0, 8436 / 9893), (350.0, 200.0, 5941 / 9893),
                  (1400.0, 500.0, 617 / 2174)]  # fmt: skip


@pytest.mark.parametrize(("limit_w", "cap_w", "measured"), PRODUCT_SWEEPS)
def test_products_slow_down_as_two_sweeps_that_were_not_fitted(limit_w, cap_w, measured):
    assert capped(HOPPER, limit_w, PRODUCTS, cap_w).rate_frac == pytest.approx(measured, rel=0.06)


def test_a_limit_that_does_not_bind_changes_nothing():
    idle = Activity(0.1, 0.0, 1e4)
    assert capped(HOPPER, 700.0, idle, 650.0) == capped(HOPPER, 700.0, idle)
    assert capped(HOPPER, 700.0, BUSY, None).gpu_w == gpu_watts(HOPPER, 700.0, BUSY)


@given(first=st.floats(260.0, 700.0), second=st.floats(260.0, 700.0))
def test_a_lower_limit_never_gives_more_rate_or_more_watts(first, second):
    low, high = sorted((first, second))
    less, more = capped(HOPPER, 700.0, BUSY, low), capped(HOPPER, 700.0, BUSY, high)
    assert less.rate_frac <= more.rate_frac + 1e-9
    assert less.gpu_w <= min(low, more.gpu_w) + 1e-6


def test_reading_memory_does_not_slow_down():
    assert capped(HOPPER, 700.0, Activity(1.0, 0.0, 1e8), 400.0).rate_frac == pytest.approx(1.0)


@pytest.mark.parametrize("cap_w", [50.0, 701.0, float("nan")])
def test_a_limit_beyond_the_device_is_refused_with_its_range(cap_w):
    with pytest.raises(InputError, match=r"power cap: expected \d+ to 700 W a GPU"):
        capped(HOPPER, 700.0, BUSY, cap_w)
