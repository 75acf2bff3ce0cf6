"""Random logs of a known truth: each is read to 1e-6, or refused with its cause; none is read wrong.

`make faults PART=tests/bench/meters/logs` reads 5,000.
"""

import math
import os

import pytest
from doubles.logs.random_logs import make

from bench.meters.logs import read_log
from hardware_profiles.errors import InputError

pytestmark = pytest.mark.slow

LOGS, BLOCKS = (5000 if os.environ.get("PERWATT_FAULTS") == "whole" else 1500), 3


def fault_of(made, path):
    """Return what is wrong with the reading of a log, and whether it was read."""
    path.write_bytes(made.data)
    try:
        log = read_log(path, made.settings)
    except InputError as error:
        asked = any(word in str(error) for word in made.must_ask | made.may_ask)
        return "" if asked else f"refused for another cause: {error}", False
    if made.must_ask:
        return f"read, although it must ask for {made.must_ask}", True
    pairs = list(zip(log.samples, made.truth, strict=False))
    wrong = [pair for pair in pairs if not is_near(*pair)]
    if wrong or len(log.samples) != len(made.truth):
        return f"{len(log.samples)} samples of {len(made.truth)}, {wrong[:1]}", True
    return "", True


def is_near(sample, truth):
    (when, watts), (true_s, true_w) = sample, truth
    if watts is None or true_w is None:
        return watts is true_w and abs(when - true_s) < 1e-3
    return math.isclose(watts, true_w, rel_tol=1e-6) and abs(when - true_s) < 1e-3


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_random_log_is_read_right_or_refused_with_its_cause(tmp_path, block):
    path = tmp_path / "power.csv"
    read = 0
    for seed in range(block * LOGS // BLOCKS, (block + 1) * LOGS // BLOCKS):
        made = make(seed)
        fault, was_read = fault_of(made, path)
        assert not fault, f"seed {seed}: {fault}; {made.settings}\n{made.data[:600]}"
        read += was_read
    assert read > 0.4 * LOGS / BLOCKS  # most logs are not merely refused
