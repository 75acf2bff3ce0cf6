"""The effect of each assumption on the net revenue of a site."""

import pytest

from bench.device_rates import resolve_device
from sites.examples import site_path
from sites.file.inputs import read_inputs
from sites.sensitivity import effects_usd


@pytest.fixture(scope="module")
def inputs():
    ((inputs, _),) = read_inputs(site_path("georgia-50mw-gpu-modules"), resolve_device)
    return inputs


def test_an_effect_is_the_change_of_net_usd_with_one_value_10_percent_lower(inputs):
    effects = effects_usd(inputs)

    assert effects["market.btc_usd"] < 0 < effects["price.energy_usd_per_mwh"]
    assert effects["market.btc_usd"] == pytest.approx(effects["mining[miners].device"], rel=1e-6)
    assert effects["inference[gpu modules].usd_per_mtok"] == pytest.approx(
        effects["inference[gpu modules].device"], rel=1e-6
    )


def test_a_value_at_its_limit_is_raised_and_one_without_a_number_has_no_effect(inputs):
    effects = effects_usd(inputs)
    assert effects["cooling.mining_pue"] < 0, "1.05 cannot be 10 % lower"
    assert effects["cooling.gpu_pue"] > 0, "1.25 can"
    assert (
        not {"site.timezone", "price.delivery_usd_per_mwh", "inference[gpu modules].gpus_per_module"} & effects.keys()
    )
