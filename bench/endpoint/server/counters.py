"""The counters of an inference server, under one name each, from its page of metrics."""

import math
from dataclasses import dataclass

from bench.network import exposition

_PREFIXES = {
    "vllm:": "vllm",
    "sglang:": "sglang",
    "llamacpp:": "llama.cpp",
    "trtllm_": "tensorrt-llm",
    "tgi_": "tgi",
}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {  # server: counter: its names, the newest first
    "vllm": {
        "prompt_tokens": ("vllm:prompt_tokens_total",),
        "output_tokens": ("vllm:generation_tokens_total",),
        "running": ("vllm:num_requests_running",),
        "waiting": ("vllm:num_requests_waiting",),
        "requests": ("vllm:request_success_total",),
        "preemptions": ("vllm:num_preemptions_total",),
        "prefix_queries": ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
        "prefix_hits": ("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"),
        "queue_s": ("vllm:request_queue_time_seconds_sum",),
        "queued": ("vllm:request_queue_time_seconds_count",),
    },
    "sglang": {
        "prompt_tokens": ("sglang:prompt_tokens_total",),
        "output_tokens": ("sglang:generation_tokens_total",),
        "running": ("sglang:num_running_reqs",),
        "waiting": ("sglang:num_queue_reqs",),
        "requests": ("sglang:num_requests_total",),
        "prefix_hits": ("sglang:cached_tokens_total",),
    },
    "llama.cpp": {  # its prompt tokens exclude those from the cache
        "prompt_tokens": ("llamacpp:prompt_tokens_total",),
        "output_tokens": ("llamacpp:tokens_predicted_total",),
        "running": ("llamacpp:requests_processing",),
        "waiting": ("llamacpp:requests_deferred",),
        "prefix_hits": ("llamacpp:prompt_tokens_cached_total",),
    },
    "tensorrt-llm": {  # it counts no tokens
        "requests": ("trtllm_request_success_total",),
        "queue_s": ("trtllm_request_queue_time_seconds_sum",),
        "queued": ("trtllm_request_queue_time_seconds_count",),
    },
    "tgi": {
        "output_tokens": ("tgi_request_generated_tokens_sum",),
        "running": ("tgi_batch_current_size",),
        "waiting": ("tgi_queue_size",),
        "requests": ("tgi_request_count",),
        "queue_s": ("tgi_request_queue_duration_sum",),
        "queued": ("tgi_request_queue_duration_count",),
    },
}

_COUNTED = (
    "prompt_tokens", "output_tokens", "requests", "preemptions", "prefix_queries", "prefix_hits", "queue_s", "queued",
)  # fmt: skip
COUNT_AT_END = ("llama.cpp", "tgi")  # they count the tokens of a request when it ends


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of one server at one moment; what it does not count is None."""

    server: str
    prompt_tokens: float | None = None
    output_tokens: float | None = None
    running: float | None = None  # requests that it works on
    waiting: float | None = None  # requests in its queue
    requests: float | None = None  # requests that have ended well
    preemptions: float | None = None
    prefix_queries: float | None = None  # prompt tokens looked up in the prefix cache
    prefix_hits: float | None = None  # those found there
    queue_s: float | None = None  # [s] for which requests waited in its queue, added up
    queued: float | None = None  # the requests of that sum


def read_counters(page: str) -> Counters | None:
    """Return the counters of a page of metrics, or None if no known server wrote it.

    Samples of several engines are added up; a damaged line is passed over, as the format's own readers do.
    """
    samples: dict[str, float] = {}
    for sample in exposition.samples(page):
        if math.isfinite(sample.value):
            samples[sample.name] = samples.get(sample.name, 0.0) + sample.value
    server = next((name for prefix, name in _PREFIXES.items() if any(key.startswith(prefix) for key in samples)), None)
    if server is None:
        return None
    figures = {
        counter: next((samples[name] for name in names if name in samples), None)
        for counter, names in NAMES[server].items()
    }
    return Counters(server, **figures)


def difference(before: Counters, after: Counters) -> Counters | None:
    """Return what the counters counted in between, with the later gauges; None if the server was restarted.

    `running` and `waiting` are no counters and are those of `after`.
    """
    if before.server != after.server:
        return None
    counted: dict[str, float | None] = {}
    for name in _COUNTED:
        first, last = getattr(before, name), getattr(after, name)
        counted[name] = None if first is None or last is None else last - first
        if first is not None and last is not None and last < first:
            return None
    return Counters(after.server, running=after.running, waiting=after.waiting, **counted)
