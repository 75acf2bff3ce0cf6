"""The prices of the digital twin, over its own HTTP server and clock, and over days with every fault of a feed."""

import pytest
from doubles.feeds.web import WebSource
from doubles.twin.running import running_twin

from bench.control.inputs import InputTables, PriceTable, open_inputs
from bench.twin.market import FAULTY_MARKET, Market

from .conftest import NOW


def holding(known, now_s):
    return [price.usd_per_mwh for price in known.prices if price.start_s <= now_s < price.end_s]


def opened_at(address, tmp_path, clock):
    table = PriceTable.model_validate({"source": f"http://{address}/prices"})
    return open_inputs(InputTables(table, (), tmp_path / "control.toml", tmp_path), clock)


def looked_at(opened, now_s):
    opened.now(now_s)
    opened.settle()
    return opened.now(now_s)


def test_the_price_that_the_twin_publishes_is_the_one_that_holds(tmp_path):
    with running_twin(units=1) as twin:
        opened = opened_at(twin.served.pages, tmp_path, lambda: twin.page("/clock")["now_s"])
        for _ in range(8):
            now_s = twin.page("/clock")["now_s"]
            rows = twin.page("/prices")["intervals"]
            known = looked_at(opened, now_s)
            assert holding(known, now_s) == [price for start_s, end_s, price in rows if start_s <= now_s < end_s]
            assert known.faults == ()
            twin.step(450.0)
        opened.close()


@pytest.mark.parametrize("seed", range(2))
def test_over_days_of_a_faulty_feed_the_price_that_holds_is_the_true_one_or_absent(tmp_path, seed):
    market = Market(seed, faults=FAULTY_MARKET)
    now_s, held, faults, empty = NOW, 0, 0, 0

    def answer(*_):
        content = market.answer(now_s)
        return (503, {}, b"down") if content is None else (200, {}, content)

    web = WebSource(answer)
    opened = opened_at(web.url.removeprefix("http://"), tmp_path, lambda: now_s)
    for _ in range(2 * 96):
        known = looked_at(opened, now_s)
        true = market.price(int(now_s // 900) * 900)
        prices = holding(known, now_s)
        assert prices in ([true], []), "never another interval's price, never zero for a missing one"
        held, faults, empty = held + len(prices), faults + bool(known.faults), empty + (true is None)
        now_s += 900.0
    opened.close()
    web.close()
    assert held + empty >= 0.97 * 192
    assert faults > 0
    assert empty > 0
