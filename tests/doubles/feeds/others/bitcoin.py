"""Bitcoin's price as CoinGecko, CoinMarketCap, Kraken and Coinbase write it; all prices are made up."""

import json

from doubles.feeds import truth

DAY_S = 86_400
MARKET_CAP_HEADING = (
    "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;circulatingSupply;timestamp"
)


def price(time_s):
    """Return the price [USD/BTC] at a time [s, unix], to the cent."""
    return round(90_000 + 100 * truth.price(time_s), 2)


def coingecko(times_s, missing=()):
    """Return CoinGecko's export: the price at each time."""
    lines = ["snapped_at,price,market_cap,total_volume"]
    for time_s in times_s:
        value = "" if time_s in missing else f"{price(time_s):.2f}"
        lines.append(f"{truth.local('UTC', time_s):%Y-%m-%d %H:%M:%S} UTC,{value},1800000000000.5,64376174032.08")
    return "".join(f"{line}\n" for line in lines).encode()


def coinmarketcap(days_s):
    """Return CoinMarketCap's table of history, newest first: the close of each day is the price at its end."""
    lines = [MARKET_CAP_HEADING]
    for day_s in sorted(days_s, reverse=True):
        date = f"{truth.local('UTC', day_s):%Y-%m-%d}"
        opened, closed = price(day_s), price(day_s + DAY_S)
        ends = f'"{date}T00:00:00.000Z";"{date}T23:59:59.999Z";"{date}T15:53:00.000Z";"{date}T00:34:00.000Z"'
        prices = f"{opened};{max(opened, closed)};{min(opened, closed)};{closed}"
        lines.append(f'{ends};"2781";{prices};63507793084.59;2176000000000.1;19939000;"{date}T23:59:59.999Z"')
    return ("\ufeff" + "\n".join(lines)).encode()


def coinmarketcap_chart(times_s):
    """Return CoinMarketCap's export of a chart."""
    lines = ["timestamp;price;volume"]
    lines += [
        f'"{truth.local("UTC", time_s):%Y-%m-%dT%H:%M:%S}.000Z";{price(time_s)};63507793084.59' for time_s in times_s
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def kraken(days_s, step_s=DAY_S):
    """Return Kraken's answer with a candle for each start; the last candle is unfinished."""
    candles = [
        [day_s, f"{price(day_s)}", "99999.9", "1.1", f"{price(day_s + step_s)}", "91000.1", "1204.5", 31_337]
        for day_s in days_s
    ]
    return json.dumps({"error": [], "result": {"XXBTZUSD": candles, "last": days_s[-2]}}).encode()


def coinbase(days_s, step_s=DAY_S):
    """Return Coinbase's answer with a candle for each start, newest first."""
    candles = [
        [day_s, 1.1, 99_999.9, price(day_s), price(day_s + step_s), 1204.5] for day_s in sorted(days_s, reverse=True)
    ]
    return json.dumps(candles).encode()
