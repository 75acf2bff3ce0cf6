"""One line a device: hash/J, FLOP/J and tokens/J in one table, measured over rated where both exist."""

import pytest

from bench.compare.device_figures import DeviceFigures, Figure
from bench.compare.load import of_profile
from bench.compare.overview import as_documents, overview
from bench.compare.overview_table import captions, cells, columns
from hardware_profiles.catalog import load
from hardware_profiles.errors import InputError


def measured(device, of="flop bf16", value=800e12, refused=""):
    return DeviceFigures(
        "a-result",
        "matmul_bf16_cuda",
        (
            Figure("rate", of, value, "flop/s", "measured", interval=(value * 0.99, value * 1.01)),
            Figure("energy", of, 0.8e-12, "J/flop", "measured", boundary="board", tier="C"),
            Figure("power", "", 640.0, "W", "measured", boundary="board", tier="C"),
        ),
        "result",
        device=device,
        device_kind="gpu",
        refused=refused,
    )


def test_miners_and_gpus_stand_in_one_table_with_usd_per_mwh():
    lines = overview(
        [of_profile(load(name)) for name in ("antminer-s21", "nvidia-h200")], hashprice_usd_per_ph_s_day=40
    )
    miner, gpu = lines
    assert (miner.device.j_per_th, miner.device.power().boundary) == (17.5, "wall")
    assert miner.usd_per_mwh == pytest.approx(95.238, rel=1e-4)
    assert gpu.device.flop_per_j()["fp8"] == pytest.approx(1978.9e12 / 700)
    assert gpu.tokens is not None
    assert gpu.tokens.boundary == "node"
    headings = columns(lines)
    assert {"J/TH", "GH/J", "bf16 TFLOP/J", "tokens/J", "USD/MWh", "confidence"} <= set(headings)
    assert "fp4 TFLOP/J" not in headings  # neither has a figure
    table = [cells(line, headings) for line in lines]
    assert all(len(row) == len(headings) for row in table)
    assert table[0][headings.index("bf16 TFLOP/J")] == "-"


def test_the_captions_state_price_and_the_tags_of_the_tokens():
    lines = overview(
        [of_profile(load(name)) for name in ("antminer-s21", "nvidia-h200")], hashprice_usd_per_ph_s_day=40
    )
    said = " ".join(captions(lines, 40))
    assert "40 USD per PH/s" in said
    assert "output tokens" in said
    assert "latency limit" in said
    assert "--hashprice" in " ".join(captions(overview([of_profile(load("antminer-s21"))]), None))


def test_measured_over_rated_carries_the_measured_interval():
    (line,) = overview([measured("NVIDIA H200")])
    (ratio,) = line.against.lines
    assert (ratio.of, ratio.rated_by) == ("flop bf16", "nvidia-h200")
    assert ratio.ratio == pytest.approx(800 / 989.4)
    assert ratio.interval_95 == pytest.approx((792 / 989.4, 808 / 989.4))
    assert line.device.flop_per_j()["bf16"] == pytest.approx(1.25e12)  # from the metered energy
    assert "0.809 [0.800, 0.817] flop bf16 (nvidia-h200)" in cells(line, ["measured/rated"])


def test_a_device_that_hides_its_name_or_a_refused_result_has_no_ratio_to_the_rated():
    assert overview([measured("Intel(R) Xeon(R) Processor")])[0].against.lines == ()
    assert overview([measured("NVIDIA H200", refused="plan smoke is never compared")])[0].against.lines == ()


def test_the_published_workload_can_be_chosen_and_an_unknown_one_lists_the_near():
    subjects = [of_profile(load("nvidia-h200")), of_profile(load("nvidia-h100-sxm"))]
    lines = overview(subjects, tokens_of="llama-3.3-70b-instruct:1000:1000")
    assert [line.tokens.lengths for line in lines] == ["1000:1000", "1000:1000"]
    assert lines[0].tokens.tokens_per_j == pytest.approx(2587 / 1275)
    with pytest.raises(InputError, match="--tokens: expected a published MODEL:LENGTHS, got 'llama'"):
        overview(subjects, tokens_of="llama")


def test_an_overview_is_plain_data():
    (document,) = as_documents(overview([of_profile(load("antminer-s21"))]))
    assert document["hash_per_j"] == pytest.approx(1e12 / 17.5)
    assert document["over_rated"] == ()
