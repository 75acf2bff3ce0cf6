"""The live page of a controller at work, in a real browser: its figures are those of the log, and they move."""

import threading

import pytest
from doubles.browser import Opened, chromium
from doubles.control.driven import DEAR

from bench.control.log.audit import last_row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


def test_the_page_of_a_controller_at_work_shows_the_figures_of_its_log(browser, driven, monkeypatch):
    monkeypatch.setattr("bench.live.server.LOOK_S", 0.02)
    driven.price(DEAR)
    port, ready, rows = [], threading.Event(), threading.Semaphore(0)

    def control():
        driven.drive(
            driven.run(armed=True), 27, 0.0, on_row=lambda _row: rows.release(),
            page_port=0, started=lambda at: (port.append(at), ready.set()),
        )  # fmt: skip

    controller = threading.Thread(target=control)
    controller.start()
    assert ready.wait(60.0)
    script = """wanted => Object.entries(wanted).every(([id, value]) => {
        const shown = document.getElementById(id).dataset.value;
        return value === null ? shown === "" : shown !== "" && Number(shown) === value;
    })"""
    seen = set()
    with Opened(browser, f"http://127.0.0.1:{port[0]}/") as page:
        for steps in (0, 5, 20):
            for _ in range(steps):
                assert rows.acquire(timeout=60.0)
                driven.twin.step(60.0)
            assert rows.acquire(timeout=60.0)
            rows.release()
            row = last_row(driven.folder / "armed")
            wanted = {name: row[name] for name in ("plan_mw", "intent_mw", "meter_mw", "devices_mw")}
            wanted |= row["money"] | row["states"]
            page.tab.wait_for_function(script, arg=wanted, timeout=30_000)
            seen.add(page.tab.locator("#meter_mw").inner_text())
        assert page.tab.locator("#mode").inner_text().startswith("Armed.")
        assert page.tab.locator("#simulated").is_visible()
        assert len(seen) > 1, "the figures moved"
        assert (page.said, page.dialogs) == ([], [])
    driven.twin.step(60.0)
    controller.join(60.0)
    assert not controller.is_alive()
