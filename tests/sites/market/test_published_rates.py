"""Token rates: five tags or nothing, and what a token rate is worth."""

import pytest

from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate, TokenTags
from sites.market.published_rates import published_figures, published_rate, tokens_per_mwh, usd_per_mtok_sold

FIGURE = "llama-3.3-70b-fp8-h200-1000-1000"
MEASURED = "llama-2-70b-fp4-b200-mlperf-server-lenovo"
TAGS = {
    "boundary": "node",
    "power_kind": "measured",
    "token_basis": "output",
    "lengths": "1000:1000",
    "latency_limit": "none",
}


def rate(**given):
    base = {
        "name": "x",
        "unit": "token",
        "rate_per_s": 10.0,
        "rate_interval_per_s": None,
        "power_w": 5.0,
        "power_interval_w": None,
        "boundary": "node",
        "basis": "measured",
        "power_basis": "measured",
        "confidence": "one_source",
        "source": "none",
        "tags": TokenTags(**TAGS),
    }
    return DeviceRate(**{**base, **given})


def test_every_published_figure_has_a_source_and_gives_a_rate_with_its_tags():
    for name, figure in published_figures().items():
        assert figure.source.startswith("https://")
        found = published_rate(name, provisioned_w_per_gpu=1000.0)
        assert found.tags is not None
        assert found.tags.power_kind == ("measured" if figure.system_power_w else "provisioned")
        assert tokens_per_mwh(found) > 0


def test_a_figure_published_without_a_power_is_refused_unless_one_is_provisioned():
    with pytest.raises(InputError, match="expected provisioned watts per GPU"):
        published_rate(FIGURE)
    assert tokens_per_mwh(published_rate(FIGURE, provisioned_w_per_gpu=1275.0)) == pytest.approx(2587 * 3.6e9 / 1275)


def test_a_measured_power_is_not_replaced_by_a_provisioned_one():
    assert published_rate(MEASURED, provisioned_w_per_gpu=1.0).power_w == pytest.approx(10442.26 / 8)


def test_an_unknown_figure_lists_the_near_ones():
    with pytest.raises(InputError, match=f"did you mean {FIGURE}"):
        published_rate(FIGURE[:-1])


def test_a_token_rate_without_tags_is_refused():
    with pytest.raises(InputError, match="tags: expected the five tags"):
        rate(tags=None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("boundary", "shelf"),
        ("power_kind", "guessed"),
        ("token_basis", "words"),
        ("lengths", " "),
        ("latency_limit", ""),
    ],
)
def test_a_tag_that_is_none_is_refused_by_name(key, value):
    with pytest.raises(InputError, match=f"token tags: {key}: expected"):
        TokenTags(**{**TAGS, key: value})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate_per_s": 0.0}, "rate_per_s: expected a finite number above 0"),
        ({"rate_per_s": float("nan")}, "rate_per_s: expected a finite number above 0"),
        ({"power_w": -1.0}, "power_w: expected a finite number above 0"),
        ({"unit": "flop"}, "unit: expected one of hash, token"),
        ({"basis": "guessed"}, "basis: expected one of measured"),
        ({"power_basis": None}, "power_basis: expected one of measured"),
        ({"rate_interval_per_s": (3.0, 2.0)}, "rate_interval_per_s: expected .low, high."),
    ],
)
def test_a_device_rate_that_cannot_be_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        rate(**given)


def test_energy_per_unit_is_power_over_rate_or_unknown():
    assert rate().energy_j_per_unit == 0.5
    assert rate(power_w=None, power_basis=None).energy_j_per_unit is None
    with pytest.raises(InputError, match="expected a power at node, got none"):
        tokens_per_mwh(rate(power_w=None, power_basis=None))
    with pytest.raises(InputError, match="expected a token rate with its five tags, got hash"):
        tokens_per_mwh(rate(unit="hash", tags=None))


def test_input_tokens_are_priced_with_the_output_they_lead_to():
    assert usd_per_mtok_sold(0.10, 0.32, "1000:1000") == pytest.approx(0.42)
    assert usd_per_mtok_sold(0.10, 0.32, "5000:500") == pytest.approx(1.32)
    for lengths in ("OpenOrca", "1:0", "nan:5"):
        with pytest.raises(InputError, match="token price: lengths: expected"):
            usd_per_mtok_sold(0.1, 0.3, lengths)
