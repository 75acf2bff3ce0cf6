"""A log and the pages that are served of it."""

import pytest
from doubles.live_page import Log, Served


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "audit.jsonl")


@pytest.fixture
def serve(log, monkeypatch):
    monkeypatch.setattr("bench.live.server.LOOK_S", 0.02)
    running = []

    def start(path=None, port=0):
        running.append(Served(path or log.path, port))
        return running[-1]

    yield start
    for page in running:
        if page.fault is None and page._thread.is_alive():
            page.close()
