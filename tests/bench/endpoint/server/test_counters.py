"""Pages of metrics as servers write them."""

import pytest

from bench.endpoint.server.counters import NAMES, Counters, difference, read_counters

VLLM = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a b"} 3.0
vllm:num_requests_running{engine="1",model_name="a } b"} 4.0
vllm:generation_tokens_total{engine="0",model_name="a b"} 1.5e+06
vllm:generation_tokens_total{engine="1",model_name="a b"} 2 1764490000000
vllm:gpu_prefix_cache_hits_total{engine="0"} 7
vllm:num_requests_waiting{engine="0"} NaN
this line is damaged
vllm:request_success_total{finished_reason="length"} 5
vllm:request_success_total{finished_reason="stop"} 6
python_gc_objects_collected_total{generation="0"} 1
"""


def test_a_page_of_several_engines_is_added_up():
    counters = read_counters(VLLM)
    assert counters == Counters("vllm", output_tokens=1_500_002.0, running=7.0, prefix_hits=7.0, requests=11.0)


@pytest.mark.parametrize("server", NAMES)
def test_each_server_is_known_by_each_of_its_names(server):
    for counter, names in NAMES[server].items():
        for name in names:
            assert read_counters(f"{name} 5\n") == Counters(server, **{counter: 5.0})


@pytest.mark.parametrize(
    "page", ["", "<html></html>", "go_goroutines 7\n", "\x00\xff", "vllm:num_requests_running x\n"]
)
def test_other_pages_are_no_servers(page):
    assert read_counters(page) is None


def test_the_difference_counts_and_keeps_the_gauges():
    before = Counters("vllm", output_tokens=100.0, running=1.0, requests=3.0)
    after = Counters("vllm", output_tokens=150.0, running=8.0, requests=5.0, preemptions=2.0)
    assert difference(before, after) == Counters("vllm", output_tokens=50.0, running=8.0, requests=2.0)


def test_a_restart_between_is_noticed():
    assert difference(Counters("vllm", output_tokens=100.0), Counters("vllm", output_tokens=50.0)) is None
    assert difference(Counters("vllm"), Counters("sglang")) is None
