"""The fit: it recovers constants from rates that the model itself gives, and is not moved by one wrong row."""

import pytest

from bench.inference.fit import PARAMETERS, fit, ln_error
from bench.inference.judged.book import stored
from bench.inference.predict import plan_run, predict
from bench.inference.rates import make_setup

WANTED = {("layer_overhead_s", "vllm-sync"), ("memory_frac", "hopper")}
CHOSEN = tuple(one for one in PARAMETERS if (one.key, one.tables[0]) in WANTED)


@pytest.fixture(scope="module")
def runs():
    """Make rates with constants other than the stored ones."""
    true = stored().with_values(CHOSEN, (55e-6, 0.82))
    made = []
    for model in ("llama-3.1-8b", "qwen3-32b"):
        for clients in (1, 8, 32):
            run = plan_run(make_setup(model, "fp8", "nvidia-h200", 1, "vllm-sync"), 200, 200, clients=clients)
            made.append((run, predict(run, constants=true.of(run)).tokens_per_s, model))
    return made


def test_constants_are_recovered_from_rates_that_they_gave(runs):
    found = fit(stored(), runs, CHOSEN)
    assert [found.value(one) for one in CHOSEN] == pytest.approx([55e-6, 0.82], rel=0.03)
    assert all(abs(ln_error(run, rate, found.of(run))) < 0.01 for run, rate, _ in runs)


def test_one_wrong_row_pulls_less_than_its_square(runs):
    run, rate, name = runs[0]
    found = fit(stored(), [(run, 3.0 * rate, name), *runs[1:]], CHOSEN)
    others = [abs(ln_error(run, rate, found.of(run))) for run, rate, _ in runs[1:]]
    assert sum(others) / len(others) < 0.1


def test_constants_without_rows_keep_their_usual_values():
    run = plan_run(make_setup("llama-3.1-8b", "fp8", "nvidia-h200", 1, "vllm-sync"), 200, 200, clients=8)
    rate = predict(run).tokens_per_s
    amd = next(one for one in PARAMETERS if one.key == "start_ratio" and one.tables == ("cdna3",))
    assert fit(stored(), [(run, rate, "one")], (amd,)).value(amd) == pytest.approx(amd.start, rel=1e-3)
