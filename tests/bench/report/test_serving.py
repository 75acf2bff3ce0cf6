"""The page's section of inference servers: each load, the drawing, the best under the limits, codes, definitions."""

import html
import re

import pytest

from bench.report.page import build
from bench.results.record import Record
from bench.results.writing import write_record

HOSTILE = "<script>alert(7)</script>"


@pytest.fixture
def put_load(put, report_document):
    """Store a result of one load; throughput and the time per token grow as on a server with a limit."""

    def store(
        number, at, *, watts=None, codes=(), name="server at http://10.0.0.5:8000", run="one", tpot_s=None, plan="quick"
    ):
        rate = 5000.0 * at / (at + 12)
        tpot = {"value": tpot_s or at / rate, "unit": "s", "basis": "measured", "n": 99}
        data = report_document(
            number, workload="llm_serve_endpoint", unit="token", rate=rate, watts=watts, variant="vllm", device=name,
            kind="server", warnings=codes, extra_metrics={"tpot_q50": tpot},
            parameters={"model": "llama", "concurrency": at, "token_basis": "output", "lengths": "512:128±20%",
                        "latency_limit": "tpot <= 6 ms", "limit_ttft_s": None, "limit_tpot_s": 0.006},
        )  # fmt: skip
        data["run"] |= {"run_id": run, "plan": plan}
        data["endpoint"] = {
            "loop": "closed", "outcomes": {"ok": 500, "cut": 2}, "unfinished": at, "tokens_from": "token_ids",
            "tokens_per_chunk": 1.0, "output_tokens_mean": 128.0, "definitions": {"ttft_s": "first text - start"},
            "client": {"processes": 1, "cpu_s": 1.0, "largest_lag_s": 0.001, "local": False},
        }  # fmt: skip
        record = Record.model_validate(data)
        write_record(put.store, record, [])
        return record

    return store


def text_of(page):
    """Return the section as a reader sees it, without its markup."""
    section = page[page.index('<section id="serving"') : page.index('<section id="traces"')]
    return section, " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split())


def test_a_page_without_a_server_has_no_such_section(put, bare):
    put(0)
    assert 'id="serving"' not in build(bare())


def test_every_load_is_in_the_table_and_the_drawing_and_the_best_keeps_the_limits(put_load, bare):
    """With 16 at a time a token takes 5.6 ms, with 32 8.8 ms: 16 is the largest within 6 ms."""
    records = {at: put_load(number, at, watts=900.0) for number, at in enumerate((1, 4, 16, 32))}
    section, text = text_of(build(bare()))
    for at, record in records.items():
        assert f"{at} at a time" in text
        assert f"{record.rate.value:,.0f}" in text or f"{record.rate.value:.1f}" in text
    assert "TPOT ≤ 6 ms" in text
    assert "16 at a time, by J/token" in text
    assert f'device = "result:{records[16].id}"' in text
    assert 'id="chart-serving-0"' in section
    assert "J per output token" in text
    assert "500 ok, 2 cut" in text
    assert "first text - start" in text
    assert 'id="kernel-table"' not in build(bare()), "a server is no kernel"


def test_without_a_meter_the_drawing_has_throughput_alone_and_says_why(put_load, bare):
    for number, at in enumerate((1, 4)):
        put_load(number, at)
    _, text = text_of(build(bare()))
    assert "J per output token" not in text
    assert "Not metered, so there is no energy per token" in text
    assert "by tokens/s" in text
    assert "in a site" not in text, "a site needs a power"


def test_a_run_that_no_site_takes_names_none(put_load, bare):
    for number, at in enumerate((1, 4)):
        put_load(number, at, watts=900.0, plan="smoke")
    assert "in a site" not in text_of(build(bare()))[1]


def test_codes_stand_with_their_cures_by_load(put_load, bare):
    put_load(0, 4, codes=("client_local",))
    put_load(1, 8, codes=("client_local",))
    _, text = text_of(build(bare()))
    assert "run the client on another machine" in text
    assert "4 at a time; 8 at a time" in text


def test_one_load_is_not_drawn_and_names_the_option(put_load, bare):
    put_load(0, 4)
    section, text = text_of(build(bare()))
    assert "--concurrency sweep" in text
    assert "chart-serving" not in section


def test_names_with_markup_are_text(put_load, bare):
    for number, at in enumerate((1, 4)):
        put_load(number, at, name=HOSTILE)
    page = build(bare())
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page
