"""Random logs of a known truth: every choice of a writer is drawn from a seed."""

import csv
import io
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

UNITS = (
    ("W", 1.0), ("kW", 1e3), ("mW", 1e-3), ("µW", 1e-6), ("μW", 1e-6), ("uW", 1e-6), ("MW", 1e6), ("Watt", 1.0),
    ("Watts", 1.0),
    ("watts", 1.0), ("kWatt", 1e3), ("kWatts", 1e3), ("kilowatt", 1e3), ("Kilowatts", 1e3), ("mWatt", 1e-3),
    ("milliwatts", 1e-3), ("KW", 1e3), ("kw", 1e3), ("Вт", 1.0), ("кВт", 1e3), ("мВт", 1e-3), ("瓦", 1.0), ("千瓦",
    1e3),
    ("ワット", 1.0), ("㎾", 1e3), ("㎽", 1e-3), ("Ｗ", 1.0), ("와트", 1.0), ("mw", 1e-3), ("MWatt", 1e6),
)  # fmt: skip
POWERS = (
    "Power", "power", "Leistung", "Wirkleistung", "puissance", "Potencia", "功率", "消費電力", "전력", "Мощность",
    "Ισχύς", "הספק",
    "قدرة", "Active Power", "power.draw", "Mains", "P", "load", "Total power", "GPU power avg",
)  # fmt: skip
TIMES = (
    "time", "Time", "timestamp", "Timestamp", "Zeit", "时间", "時刻", "日時", "Время", "시간", "Date/Time",
    "datetime", "Fecha y hora",
    "Zeitstempel", "utc",
)  # fmt: skip
ID_NAMES = ("index", "gpu_index", "uuid", "entity_id", "device", "Host", "channel", "outlet", "Gerät", "设备", "rig")
MISSING = ("", "N/A", "[N/A]", "unavailable", "unknown", "null", "None", "NaN", "nan", "-", "--", "ERR")
OTHERS = (
    ("Voltage (V)", 230.0), ("Current [A]", 0.65), ("Energy (kWh)", 12.0), ("Apparent Power (VA)", 160.0),
    ("Power Factor", 0.98), ("Reactive Power (var)", 20.0), ("Temp °C", 41.0), ("power.limit [W]", 300.0),
    ("Energie Wh", 812.0), ("Frequency (Hz)", 50.0), ("Leistungsfaktor", 0.97), ("Watt-hours", 5.0), ("util %", 97.0),
)  # fmt: skip
PREAMBLE = (
    "Plot Title: rack 3", "Report of the meter", "Serial number: 4711", "", "Channel,3", "Start;2026-11-29 12:00:00",
    "Model\tXY-12", "# logged by hand", "Interval: 1 s", "Export,of,five,cells,here",
)  # fmt: skip


@dataclass
class Made:
    """A log, the settings to read it with, and what must come of it."""

    data: bytes
    settings: dict
    truth: list  # (time [s since 1970], power [W] or None)
    must_ask: set = field(default_factory=set)  # words of possible causes; the refusal must name one of them
    may_ask: set = field(default_factory=set)  # words of causes; the refusal may name any of them


def number(mantissa, decimals, decimal, thousands):
    """Return mantissa / 10**decimals as a writer with these marks prints it."""
    digits = str(mantissa).rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    if thousands:
        groups = []
        while whole:
            groups.insert(0, whole[-3:])
            whole = whole[:-3]
        whole = thousands.join(groups)
    return whole + (decimal + fraction if fraction else "")


def named(rng, unit):
    """Return the name of a power column with its unit, or without one."""
    power = rng.choice(POWERS)
    if unit is None:
        return power if power not in {"Mains", "load"} else "power"
    return rng.choice(
        (f"{power} ({unit})", f"{power} [{unit}]", f"{power} {unit}", f"{power}_{unit}", f"{power}, {unit}",
         f"{unit} {power}", f"{power} ({unit}) avg", f"{power} in {unit}", f"{power} / {unit}", f"{power}({unit})")
    )  # fmt: skip


CLOCKS = (
    "%Y-%m-%dT%H:%M:%S{f}Z", "%Y-%m-%d %H:%M:%S{f}", "%Y/%m/%d %H:%M:%S{f}", "%Y-%m-%dT%H:%M:%S{f}+00:00",
    "%d.%m.%Y %H:%M:%S{f}", "%Y%m%d%H%M%S", "%d %b %Y %H:%M:%S{f}", "%m/%d/%y %I:%M:%S{f} %p", "%d/%m/%Y %H:%M:%S{f}",
    "%b %d, %Y %H:%M:%S{f}", "epoch", "ms", "us", "%Y年%m月%d日 %H:%M:%S{f}", "split", "stated",
)  # fmt: skip
STATED_CLOCK = "%m/%d/%Y %I:%M:%S{f} %p"
MARK_NAMES = {".": "point", ",": "comma"}


def written(form, when, fine):
    """Return the cells of a time."""
    if form == "epoch":
        return [f"{when:.3f}" if fine else f"{when:.0f}"]
    if form in {"ms", "us"}:
        return [str(round(when * {"ms": 1000, "us": 1_000_000}[form]))]
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(when * 1000))
    fraction = f".{moment.microsecond // 1000:03d}" if fine else ""
    if form == "split":
        return [f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}{fraction}"]
    return [moment.strftime(form.replace("{f}", fraction))]


def make(seed):
    """Return the log of a seed."""
    return Writer(seed).log()


class Writer:
    """A writer of one log, all of whose habits are drawn."""

    def __init__(self, seed):
        self.seed, self.rng = seed, random.Random(seed)
        rng = self.rng
        self.made = Made(b"", {}, [])
        self.separator = rng.choice(",;\t|,;")
        self.decimal = rng.choice("..,")
        self.thousands = rng.choice(("", "", "", " ", "'", {".": ",", ",": "."}[self.decimal]))
        self.decimals = rng.choice((0, 1, 2, 3, 3, 4, 6))
        self.unit, self.scale = rng.choice(UNITS)
        self.unit_at = rng.choice(("name", "name", "name", "row", "behind", "setting", "nowhere"))
        self.devices = rng.choice((1, 1, 1, 2, 3, 8))
        self.rows = rng.randint(6, 25)
        self.fine = rng.random() < 0.4
        self.period = rng.choice((0.1, 0.5, 1.25, 2.0)) if self.fine else rng.choice((1, 2, 5, 10, 60))
        self.start = float(rng.choice((1_790_000_000, 1_767_225_600, 1_780_272_000)) + rng.randint(0, 30_000_000))
        self.form = rng.choice([form for form in CLOCKS if not (self.fine and form == "%Y%m%d%H%M%S")])
        self.apart = 0.001 if self.fine and rng.random() < 0.5 else 0.0  # [s] between the devices of one round

    def log(self):
        """Return the log."""
        readings, texts = self.read()
        if all(watts is None for (_, device), watts in readings.items() if device == 0):
            return make(self.seed + 1_000_000)
        self.state_clock()
        self.state_marks(readings)
        name = named(self.rng, self.unit if self.unit_at == "name" else None)
        self.state_unit(readings, texts)
        ids = self.state_devices()
        self.tell(readings)
        self.write(name, ids, texts)
        return self.made

    def read(self):
        """Return what the meter read [W] and how each number is written, by row and device."""
        readings, texts = {}, {}
        power_w = 10 ** self.rng.uniform(0.7, 4.7)
        for key in ((i, device) for i in range(self.rows) for device in range(self.devices)):
            if self.rng.random() < 0.06:
                readings[key], texts[key] = None, self.rng.choice(MISSING)
                continue
            mantissa = max(1, round(power_w * self.rng.uniform(0.7, 1.4) / self.scale * 10**self.decimals))
            readings[key] = mantissa / 10**self.decimals * self.scale
            texts[key] = number(mantissa, self.decimals, self.decimal, self.thousands)
        return readings, texts

    def state_clock(self):
        """State the format of times where it is needed."""
        if self.form == "stated":
            self.form = STATED_CLOCK
            self.made.settings["time_format"] = STATED_CLOCK.replace("{f}", ".%f" if self.fine else "")
        elif self.form.startswith(("%m/%d", "%d/%m")):
            self.made.may_ask.add("which number is the day")

    def state_marks(self, readings):
        """State the marks now and then, and always where a comma is both separator and decimal sign."""
        if max(watts for watts in readings.values() if watts is not None) > 5e8:
            self.made.may_ask.add("below 1e9 W")
        if self.rng.random() < 0.3 or (self.decimal == "," and self.separator == ","):
            self.made.settings["decimal"] = MARK_NAMES[self.decimal]
            if self.thousands in MARK_NAMES:
                self.made.settings["thousands"] = MARK_NAMES[self.thousands]
        elif self.decimals == 3 or (self.thousands in MARK_NAMES and self.decimals == 0):
            self.made.may_ask.add("decimal sign")

    def state_unit(self, readings, texts):
        """Show the unit behind the numbers or state it, or do neither."""
        if self.unit_at == "behind":
            gap = self.rng.choice(("", " "))
            texts.update({k: f"{text}{gap}{self.unit}" for k, text in texts.items() if readings[k] is not None})
        elif self.unit_at == "setting":
            self.made.settings["unit"] = "mW" if self.unit == "mw" else self.unit
        elif self.unit_at == "nowhere":
            self.made.must_ask.add("unit=W")
        if self.unit == "mw":
            self.made.may_ask |= {"unit that is certain", "mW, µW, kW or MW"}

    def state_devices(self):
        """Return the column of devices and their names; pick one, add them, or do neither."""
        column = self.rng.choice(ID_NAMES)
        numbered = column in {"index", "gpu_index", "channel", "outlet"}
        ids = [f"{i}" if numbered else f"dev-{i}" for i in range(self.devices)]
        if self.devices > 1:
            choice = self.rng.choice(("where", "sum", "nothing"))
            if choice == "nothing":
                self.made.must_ask.add("rows of one device")
            else:
                self.made.settings[choice] = {"where": f"{column}={ids[0]}", "sum": column}[choice]
        return column, ids

    def tell(self, readings):
        """Note the truth."""
        for i in range(self.rows):
            when = self.start + i * self.period
            each = [readings[i, device] for device in range(self.devices)]
            if "sum" in self.made.settings:
                middle = when + self.apart * (self.devices - 1) / 2
                self.made.truth.append((middle, None if None in each else sum(each)))
            else:
                self.made.truth.append((when, each[0]))

    def write(self, name, ids, texts):
        """Write the table, its columns in a drawn order, in a drawn encoding."""
        rng = self.rng
        column, devices = ids
        others = rng.sample(OTHERS, rng.choice((0, 0, 1, 2, 3)))
        times = ["Date", "Time"] if self.form == "split" else [rng.choice(TIMES)]
        columns = [*times, *([column] if self.devices > 1 else []), *(other for other, _ in others)]
        at = rng.randint(len(times), len(columns))
        columns.insert(at, name)
        table = []
        for i, device in sorted(texts):
            cells = written(self.form, self.start + i * self.period + device * self.apart, self.fine)
            cells += [devices[device]] if self.devices > 1 else []
            cells += [number(round(value * rng.uniform(0.9, 1.1) * 100), 2, self.decimal, "") for _, value in others]
            cells.insert(at, texts[i, device])
            table.append(cells)
        if rng.random() < 0.2:
            table.reverse()
        if rng.random() < 0.2:
            self.made.settings["column"] = name
        if rng.random() < 0.2 and self.form != "split":
            self.made.settings["time"] = times[0]
        units = [self.unit if i == at else "" for i in range(len(columns))] if self.unit_at == "row" else []
        self.encode(text_of(rng, table, columns, units, self.separator))

    def encode(self, text):
        """Encode the text, and state the encoding or not."""
        encoding = self.rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-8"))
        try:
            self.made.data = text.encode(encoding)
        except UnicodeEncodeError:
            self.made.data, encoding = text.encode(), "utf-8"
        if encoding == "cp1252" and not text.isascii():
            if self.rng.random() < 0.5:
                self.made.settings["encoding"] = "cp1252"
            else:
                self.made.must_ask.add("encoding=")


def text_of(rng, table, columns, units, separator):
    """Return the text of a table with what a writer puts around it."""
    out = io.StringIO()
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=rng.choice(("\n", "\r\n")))
    if rng.random() < 0.1:
        out.write(f"sep={separator}\n")
    elif rng.random() < 0.3:
        for line in rng.sample(PREAMBLE, rng.randint(1, 4)):
            out.write(line + "\n")
    header = io.StringIO()
    csv.writer(header, delimiter=separator, quoting=quoting, lineterminator="\n").writerow(columns)
    line = header.getvalue()
    behind_hash = rng.random() < 0.15 and not line.startswith('"')
    out.write(f"# {line}" if behind_hash else line)
    if units:
        writer.writerow(units)
    repeat = rng.random() < 0.1
    for i, cells in enumerate(table):
        if repeat and i and i % 5 == 0:
            out.write(line)
        if rng.random() < 0.02:
            out.write("\n")
        writer.writerow(cells)
    return out.getvalue()
