"""The pages of metrics of known servers, with the counters of the double."""


def _vllm(server, tokens, running):
    return _page({
        'vllm:num_requests_running{engine="0"}': running,
        'vllm:num_requests_waiting{engine="0"}': len(server.queue),
        'vllm:prompt_tokens_total{engine="0"}': server.prompt_tokens,
        'vllm:generation_tokens_total{engine="0"}': tokens,
        'vllm:request_success_total{engine="0",finished_reason="length"}': server.ended,
        'vllm:num_preemptions_total{engine="0"}': 0,
        'vllm:prefix_cache_queries_total{engine="0"}': server.prompt_tokens,
        'vllm:prefix_cache_hits_total{engine="0"}': server.hits,
        'vllm:request_queue_time_seconds_sum{engine="0"}': server.queued_s,
        'vllm:request_queue_time_seconds_count{engine="0"}': server.begun,
    })  # fmt: skip


def _sglang(server, tokens, running):
    return _page({
        "sglang:num_running_reqs": running,
        "sglang:num_queue_reqs": len(server.queue),
        "sglang:prompt_tokens_total": server.prompt_tokens,
        "sglang:generation_tokens_total": tokens,
        "sglang:num_requests_total": server.ended,
        "sglang:cached_tokens_total": server.hits,
    })  # fmt: skip


def _llama(server, tokens, running):
    return _page({
        "llamacpp:requests_processing": running,
        "llamacpp:requests_deferred": len(server.queue),
        "llamacpp:prompt_tokens_total": server.prompt_tokens - server.hits,
        "llamacpp:prompt_tokens_cached_total": server.hits,
        "llamacpp:tokens_predicted_total": tokens,
    })  # fmt: skip


def _tgi(server, tokens, running):
    return _page({
        "tgi_batch_current_size": running,
        "tgi_queue_size": len(server.queue),
        "tgi_request_count": server.ended,
        "tgi_request_generated_tokens_sum": tokens,
    })  # fmt: skip


PAGES = {"vllm": _vllm, "sglang": _sglang, "llama.cpp": _llama, "tgi": _tgi}


def _page(samples):
    return "".join(f"# TYPE {name.partition('{')[0]} gauge\n{name} {value}\n" for name, value in samples.items())
