"""Inference blocks of site files: one line for each mistake, the five tags of a token rate, power and its boundary."""

import pytest

from hardware_profiles.errors import InputError
from sites.dispatch.year import site_year

INFERENCE = """
[[inference]]
name = "gpus"
figure = "llama-3.3-70b-fp8-h200-1000-1000"
provisioned_w_per_gpu = 1275
gpus = 16
demand_percent = 50
usd_per_mtok = 0.4
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gpus = 16", "", "expected one of gpus, modules, facility_mw, interconnect_percent, got none"),
        ("usd_per_mtok = 0.4", "usd_per_mtok = 0.4\nusd_per_gpu_hour = 2", "got usd_per_mtok and usd_per_gpu_hour"),
        ("provisioned_w_per_gpu = 1275", "", "expected provisioned watts per GPU"),
        ("h200-1000-1000", "h200-1000-100", "did you mean llama-3.3-70b-fp8-h200-1000-1000"),
        ("demand_percent = 50", "demand_percent = 101", "expected a share of 0 to 100 per cent, got 101"),
        (
            "demand_percent = 50",
            "demand_percent = 50\ndemand_profile = 'busy'",
            "expected one of flat, business, evening",
        ),
        ("demand_percent = 50", "demand_percent = 50\ndemand_profile = [1.0, 2.0]", "expected 168 numbers, got 2"),
        ("demand_percent = 50", "demand_percent = 50\nsla_percent = 10", "expected sla_penalty_percent"),
        ("gpus = 16", "gpus = 16\nhost_overhead_percent = 10", "expected none, because"),
        ('figure = "llama-3.3-70b-fp8-h200-1000-1000"', 'device = "air"', "which counts hashes"),
    ],
)
def test_a_mistake_in_an_inference_block_is_named(edited, old, new, message):
    with pytest.raises(InputError) as caught:
        edited("mining_pue = 1.05", "mining_pue = 1.05\ngpu_pue = 1.2", INFERENCE.replace(old, new))
    assert message in str(caught.value)


RATE = """
[[inference]]
name = "gpus"
gpus = 16
demand_percent = 50
usd_per_mtok = 0.4
[inference.rate]
tokens_per_s = {value = 2000, source = "our own test", date = "2026-09-01"}
power_w = 900
boundary = "node"
power_kind = "measured"
token_basis = "output"
lengths = "1000:1000"
latency_limit = "time to first token under 2 s"
"""


@pytest.mark.parametrize("tag", ["boundary", "power_kind", "token_basis", "lengths", "latency_limit"])
def test_a_stated_token_rate_without_one_of_its_five_tags_is_refused(edited, tag):
    lines = [line for line in RATE.splitlines() if not line.startswith(tag)]
    with pytest.raises(InputError, match=f"inference\\[0\\].rate.{tag}: expected a value"):
        edited("mining_pue = 1.05", "mining_pue = 1.05\ngpu_pue = 1.2", "\n".join(lines))


def test_a_stated_token_rate_with_its_tags_is_used_and_named_assumed(edited):
    site = edited("mining_pue = 1.05", "mining_pue = 1.05\ngpu_pue = 1.2", RATE)
    assert site.inference[0].rate.basis == "assumed"
    tokens = next(block.units for block in site_year(site).blocks if block.product == "inference")
    assert tokens == pytest.approx(16 * 2000 * 0.5 * 8760 * 3600)


def test_board_power_needs_an_overhead_for_the_host_and_gets_it(edited):
    board = RATE.replace('"node"', '"board"')
    with pytest.raises(InputError, match="key host_overhead_percent: expected the power of the host"):
        edited("mining_pue = 1.05", "mining_pue = 1.05\ngpu_pue = 1.2", board)
    given = board.replace("gpus = 16", "gpus = 16\nhost_overhead_percent = 40\nnetwork_overhead_percent = 5")
    site = edited("mining_pue = 1.05", "mining_pue = 1.05\ngpu_pue = 1.2", given)
    assert site.inference[0].watts_per_gpu == pytest.approx(900 * 1.4 * 1.05)
