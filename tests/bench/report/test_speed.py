"""How long a page of a thousand results takes: a benchmark, run by `pytest --benchmark-only`."""

import hashlib
import json

import pytest

from bench.report import gather, write_page
from bench.results.samples import Sample, parquet_of

COUNT = 1000


@pytest.fixture(scope="module")
def thousand(tmp_path_factory, report_document):
    """A store of a thousand results of 40 devices, every third metered, each with its samples."""
    store = tmp_path_factory.mktemp("thousand")
    samples = [Sample("work", 0, 130.0 + i * 0.5, 130.5 + i * 0.5, 0.0, 2.1e7, "hash") for i in range(120)]
    plug = [Sample("shelly", -1, 116.0 + i * 0.5, 116.0 + i * 0.5, 0.0, 140.0, "W") for i in range(170)]
    parquet = {False: parquet_of(samples), True: parquet_of([*samples, *plug])}
    for number in range(COUNT):
        metered = number % 3 == 0
        data = report_document(
            number, device=f"CPU number {number % 40}", watts=100.0 + number % 50 if metered else None
        )
        digest = hashlib.sha256(parquet[metered]).hexdigest()
        size = len(parquet[metered])
        data["artifacts"] = [{"name": "samples.parquet", "sha256": digest, "size_bytes": size}]
        folder = store / data["id"]
        folder.mkdir()
        (folder / "result.json").write_text(json.dumps(data))
        (folder / "samples.parquet").write_bytes(parquet[metered])
    return store


def test_a_page_of_a_thousand_results(benchmark, thousand, tmp_path):
    page = benchmark.pedantic(
        lambda: write_page(gather([], thousand), tmp_path / "page.html"), rounds=3, warmup_rounds=0
    )
    benchmark.extra_info["results"] = COUNT
    benchmark.extra_info["page_bytes"] = page.stat().st_size
    assert page.stat().st_size < 5_000_000
