"""The energy of prompts and of answers from runs with different mixes."""

import random

import pytest

from bench.endpoint.figures.split import MixWindow, split_energy

TRUTH = (0.02, 0.5, 200.0)  # J per input token, J per output token, W


def windows(seed=0, noise=0.005, mixes=((2000.0, 200.0), (500.0, 800.0), (100.0, 1000.0)), count=5, jitter=0.03):
    generator = random.Random(seed)
    made = []
    for input_rate, output_rate in mixes:
        for _ in range(count):
            seconds = 20.0
            given = [
                rate * seconds * generator.uniform(1.0 - jitter, 1.0 + jitter) for rate in (input_rate, output_rate)
            ]
            energy = TRUTH[0] * given[0] + TRUTH[1] * given[1] + TRUTH[2] * seconds
            made.append(MixWindow(f"{input_rate}:{output_rate}", *given, seconds, energy * generator.gauss(1.0, noise)))
    return made


def test_the_parts_of_an_exact_run_are_found():
    split = split_energy(windows(noise=0.0))
    for part, truth in zip((split.j_per_input_token, split.j_per_output_token, split.base_w), TRUTH, strict=True):
        assert part.value == pytest.approx(truth, rel=1e-6)


def test_the_intervals_cover_the_truth_in_95_per_cent():
    covered = [0, 0, 0]
    for seed in range(400):
        split = split_energy(windows(seed))
        parts = (split.j_per_input_token, split.j_per_output_token, split.base_w)
        for i, (part, truth) in enumerate(zip(parts, TRUTH, strict=True)):
            covered[i] += part.interval[0] <= truth <= part.interval[1]
    assert all(0.92 <= count / 400 <= 0.985 for count in covered), covered


def test_an_error_of_the_meter_widens_every_interval():
    narrow, wide = split_energy(windows()), split_energy(windows(), u_meter_frac=0.05)
    assert wide.j_per_output_token.value == narrow.j_per_output_token.value
    width = wide.j_per_output_token.interval[1] - wide.j_per_output_token.interval[0]
    assert width > 0.1 * wide.j_per_output_token.value


def test_two_mixes_and_mixes_of_one_share_are_refused():
    assert "3 mixes" in split_energy(windows(mixes=((500.0, 800.0), (100.0, 1000.0))))
    alike = ((500.0, 800.0), (250.0, 400.0), (125.0, 200.0))
    assert "do not differ" in split_energy(windows(mixes=alike, jitter=0.0))
    assert "no input" in split_energy(windows(mixes=((0.0, 800.0), (0.0, 900.0), (0.0, 700.0))))
