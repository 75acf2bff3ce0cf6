"""Two servers: the messages between them, what they take on the adapters, and that no site plans with them."""

import dataclasses

import numpy as np
import pytest

from bench.inference.accelerator import accelerator
from bench.inference.engine import engine
from bench.inference.predict import plan_run, predict
from bench.inference.rates import make_setup
from bench.inference.serving import Setup
from bench.inference.terms.fixed import collectives_seconds
from bench.inference.terms.network import all_reduce_seconds, gather_seconds
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision
from kernels.llm.shapes import load

REACHED = 0.94 * 50e9  # [byte/s] of an adapter of 400 Gb/s
LATENCY_S = 19e-6


@pytest.fixture(scope="module")
def two_servers():
    return make_setup("deepseek-v3", "fp8", "nvidia-h100-sxm", 16, "sglang")


def test_one_server_sends_nothing_over_its_network():
    setup = make_setup("llama-3.3-70b", "fp8", "nvidia-h100-sxm", 8)
    sizes = np.array([1e3, 1e9])
    assert setup.servers == 1
    assert not all_reduce_seconds(setup, sizes).any()
    assert not gather_seconds(setup, sizes).any()


def test_each_gpu_of_two_servers_sends_its_eighth_of_an_all_reduce(two_servers):
    """A ring over two servers sends half of the share twice."""
    assert two_servers.servers == 2
    found = all_reduce_seconds(two_servers, np.array([0.0, 8e9]))
    assert found == pytest.approx([LATENCY_S, LATENCY_S + 1e9 / REACHED])


def test_copies_of_attention_send_the_tokens_of_one_server_to_the_other():
    setup = make_setup("deepseek-v3", "fp8", "nvidia-h100-sxm", 16, "sglang-ep16-dp16")
    tokens = 1600.0
    size = tokens * 7168 * 2
    assert gather_seconds(setup, np.array([size])) == pytest.approx(LATENCY_S + size / 2 / 8 / REACHED)
    assert not all_reduce_seconds(setup, np.array([size])).any()  # each copy lies on one GPU
    alone = dataclasses.replace(setup.device, network=dataclasses.replace(setup.device.network, latency_s=0.0))
    quick = dataclasses.replace(setup, device=alone)
    slower = collectives_seconds(setup, setup.constants, np.array([tokens]))
    faster = collectives_seconds(quick, quick.constants, np.array([tokens]))
    assert slower - faster == pytest.approx(2 * 58 * LATENCY_S)  # two in each layer of experts


def test_a_network_slows_a_lone_user_by_two_messages_a_layer(two_servers):
    device = dataclasses.replace(
        two_servers.device, network=dataclasses.replace(two_servers.device.network, latency_s=0.0)
    )
    quick = dataclasses.replace(two_servers, device=device)
    slow, fast = (predict(plan_run(setup, 128, 128, clients=1)) for setup in (two_servers, quick))
    assert slow.tpot_s - fast.tpot_s == pytest.approx(2 * 61 * LATENCY_S, rel=1e-3)


def test_a_prediction_over_two_servers_is_in_a_class_of_its_own_that_sites_refuse(two_servers):
    prediction = predict(plan_run(two_servers, 128, 128, clients=1))
    assert prediction.holdout.name == "two-servers"
    assert "two-servers: on 4 published rows the model was wrong by 118%" in (prediction.warning or "")


@pytest.mark.parametrize(
    ("device", "gpus", "message"),
    [
        ("nvidia-h100-sxm", 32, r"expected at most 8 \(one server\), or 16 \(two whole servers\), got 32"),
        ("amd-instinct-mi300x", 16, "no network between them is known"),
    ],
)
def test_more_or_other_servers_are_refused(device, gpus, message):
    with pytest.raises(InputError, match=message):
        Setup(load("deepseek-v3"), precision("fp8"), accelerator(device), gpus, engine("sglang"))
