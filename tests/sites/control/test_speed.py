"""How long an intent takes: `pytest tests/sites/control/test_speed.py --benchmark-only`."""

from dataclasses import replace

import pytest
from doubles.control.plans import HOLD, made_plan, prices, running, unit

from sites.control.intent import intent
from sites.control.model import LoadTarget

NOW_S = 3599.0


@pytest.mark.parametrize("count", [20, 10_000])
def test_an_intent(benchmark, count):
    """Wanted: 0.3 ms for 20 units, as thousands of simulated days need it; well under 1 s for 10,000."""
    plan = made_plan(("miners", "", count * 3300e-6 * 1.1, 60.0))
    views = [running(unit(f"m{k}", efficiency_j=15.0 + k % 5)) for k in range(count)]
    inputs = replace(prices(*[20.0] * 12), targets=(LoadTarget(count * 1800e-6, 0.0, None, 0.0, "test"),))
    benchmark.pedantic(intent, args=(plan, HOLD, inputs, views, NOW_S), rounds=20, warmup_rounds=2)
    benchmark.extra_info["units"] = count
