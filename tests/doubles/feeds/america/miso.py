"""MISO: a wide file a day with a preamble, hours ending in EST all year; the quarterly archive; five-minute prices."""

from doubles.feeds.truth import HOUR_S, local

ZONE = "Etc/GMT+5"
NODES = (("INDIANA.HUB", "Hub"), ("MINN.HUB", "Hub"))
EX_POST = "Day Ahead Market ExPost LMPs"
EX_ANTE = "Day Ahead Market ExAnte LMPs"
REAL_TIME = "Realtime Market LMPs"
HEADING = "Node,Type,Value," + ",".join(f"HE {hour}" for hour in range(1, 25))
ARCHIVE = "MARKET_DAY,NODE,TYPE,VALUE," + ",".join(f"HE{hour}" for hour in range(1, 25))
FIVE_MINUTE = "MKTHOUR_EST,PNODENAME,LMP,CON_LMP,LOSS_LMP"
COMPONENTS = ("LMP", "MCC", "MLC")


def number(price):
    """Return a price without a zero before the point: .15, -.37."""
    text = f"{price:.2f}".rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _days(steps):
    days = {}
    for step in steps:
        days.setdefault(local(ZONE, step.start_s).date(), []).append(step.price)
    return days


def _rows(prices, nodes):
    """Yield three rows a node; the first node has the truth, each following one 1000 USD/MWh more."""
    for at, (node, kind) in enumerate(nodes):
        for component in COMPONENTS:
            values = [price + 1000 * at if component == "LMP" else 0.01 * price for price in prices]
            yield ",".join([node, kind, component, *(number(value) for value in values)])


def daily(steps, title=EX_POST, nodes=NODES):
    """Return {name of the file: text}, one file for each day of EST."""
    files = {}
    for day, prices in _days(steps).items():
        lines = [title, f"{day:%m/%d/%Y}", "", ",,,All Hours-Ending are Eastern Standard Time (EST)", HEADING]
        lines += _rows(prices, nodes)
        files[f"{day:%Y%m%d}_da_expost_lmp.csv"] = "\r\n".join([*lines, ""])
    return files


def archive(steps, nodes=NODES):
    """Return the rows of many days in one file, as the quarterly archives have them."""
    lines = [ARCHIVE]
    for day, prices in _days(steps).items():
        date = f"{day.month}/{day.day}/{day.year}"
        lines += [f"{date},{row}" for row in _rows(prices, nodes)]
    return "\n".join([*lines, ""])


def five_minute(steps, nodes=NODES):
    """Return a weekly file of final five-minute prices: four lines before the heading and a last line that ends it."""
    lines = ["MISO 5-Min LMPs", "Final", "", "All times are Eastern Standard Time (EST)", FIVE_MINUTE]
    for step in steps:
        start = f"{local(ZONE, step.start_s):%m/%d/%Y %H:%M}"
        lines += [f"{start},{node},{step.price + 1000 * at:.2f},.01,.02" for at, (node, _) in enumerate(nodes)]
    return "\n".join([*lines, "END OF FILE", ""])


def whole_days(steps):
    """Return the steps of days of EST that are whole."""
    days = {}
    for step in steps:
        days.setdefault((step.start_s - 5 * HOUR_S) // 86400, []).append(step)
    return [step for day in days.values() if sum(step.end_s - step.start_s for step in day) == 86400 for step in day]
