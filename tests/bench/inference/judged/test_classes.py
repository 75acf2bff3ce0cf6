"""The interval of a class: what it holds, and when it is refused."""

import math
import random
from types import SimpleNamespace

import pytest

from bench.inference.judged.classes import covered_frac, covering, holdout_classes
from bench.inference.judged.holdout import LEAST_CONFIGURATIONS, ClassHoldout, class_names, widened


def outcome(configuration, ln_error, dtype="fp8"):
    row = SimpleNamespace(model_name="llama-3.1-8b", dtype=dtype, engine="trtllm", device_slug="nvidia-h200", gpus=1)
    return SimpleNamespace(row=row, ln_error=ln_error, configuration=configuration)


def drawn(seed, configurations=8, rows=6):
    chance = random.Random(seed)
    found = []
    for name in range(configurations):
        middle = chance.gauss(0.0, 0.1)
        found += [outcome(str(name), middle + chance.gauss(0.0, 0.03)) for _ in range(rows)]
    return found


def test_nine_of_ten_rows_of_new_configurations_lie_in_an_interval_that_others_calibrate():
    inside = []
    for seed in range(60):
        known, new = drawn(seed, 30), drawn(1000 + seed, 10)
        half = covering(known) * holdout_classes(known)["dense-fp8"].rms_ln
        inside.append(sum(abs(one.ln_error) <= half for one in new) / len(new))
    assert sum(inside) / len(inside) == pytest.approx(0.9, abs=0.03)


def test_rows_that_others_hold_count_as_inside_and_a_lone_configuration_does_not_count():
    wide = [outcome(str(name), 0.3) for name in range(6)]
    assert covered_frac([*wide, outcome("near", 0.25)]) == 1.0
    assert covered_frac([*wide, outcome("far", 3.0)]) == pytest.approx(6 / 7)
    assert covered_frac([outcome("alone", 0.1)]) is None


def test_many_rows_of_one_configuration_do_not_narrow_the_interval():
    few, many = holdout_classes(drawn(3, rows=2)), holdout_classes(drawn(3, rows=60))
    assert many["dense-fp8"].rows == 480
    assert many["dense-fp8"].configurations == few["dense-fp8"].configurations == 8
    assert many["dense-fp8"].half_ln > 0.5 * few["dense-fp8"].half_ln


def test_a_bias_widens_the_interval_until_it_holds_the_truth():
    one = holdout_classes([outcome(str(name), 0.2) for name in range(5)])["dense-fp8"]
    low, high = one.interval(100.0)
    assert low < 100.0 * math.exp(-0.2)
    assert high == pytest.approx(100.0**2 / low)


def test_a_class_of_few_configurations_has_the_spread_of_its_kind():
    kind = ClassHoldout(0.1, 0.3, 0.2, 90, "dense", 9)
    alone = ClassHoldout(0.02, 0.03, 0.02, 5, "dense-vllm", 1)
    assert widened(alone, kind).half_ln == kind.half_ln
    enough = ClassHoldout(0.02, 0.03, 0.02, 5, "dense-vllm", LEAST_CONFIGURATIONS)
    assert widened(enough, kind) == enough


@pytest.mark.parametrize(("error", "rows", "doubtful"), [(0.24, 5, False), (0.26, 5, True), (0.0, 0, True)])
def test_a_class_above_a_quarter_or_without_rows_is_doubtful(error, rows, doubtful):
    assert ClassHoldout(error, error, error, rows, "x", min(rows, 3)).is_doubtful is doubtful


def test_a_prediction_is_in_a_class_of_precision_engine_and_family():
    names = class_names(moe=True, dtype="fp8-ffn", engine="vllm", family="hopper")
    assert names == ("mixture-fp8", "mixture-vllm", "mixture-hopper")
