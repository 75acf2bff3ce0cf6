"""Words of many languages in the names of a log's columns."""

import re

_POWER = frozenset({
    "power", "pwr", "watt", "watts", "wattage", "apower", "puissance", "potencia", "potência", "potenza", "moc",
    "vermogen", "effekt", "teho", "výkon", "vykon", "güç", "guc", "teljesítmény", "putere", "мощность", "потужність",
    "ισχύς", "ισχυς", "הספק", "قدرة", "القدرة", "शक्ति", "กำลัง", "daya", "p",
})  # fmt: skip
_LOOSE_POWER = frozenset({"load", "demand", "draw", "consumption", "usage", "mains", "verbrauch", "bezug", "last"})
_POWER_PARTS = ("leistung", "功率", "功耗", "電力", "电力", "전력", "мощност")
_OTHERS = {
    "apparent": "apparent power", "scheinleistung": "apparent power", "aparente": "apparent power",
    "reactive": "reactive power", "blindleistung": "reactive power", "reactiva": "reactive power",
    "factor": "a power factor", "powerfactor": "a power factor", "pf": "a power factor",
    "leistungsfaktor": "a power factor",
}  # fmt: skip
_OTHER_PARTS = {
    "视在": "apparent power", "視在": "apparent power", "皮相電力": "apparent power", "кажущаяся": "apparent power",
    "полная мощность": "apparent power", "无功": "reactive power", "無功": "reactive power",
    "無効電力": "reactive power",
    "реактивная": "reactive power", "功率因": "a power factor", "力率": "a power factor", "cos φ": "a power factor",
    "cosφ": "a power factor", "cos phi": "a power factor", "피상전력": "apparent power", "무효전력": "reactive power",
    "역률": "a power factor",
}  # fmt: skip
_ENERGY = (
    "energy", "energie", "énergie", "energia", "energía", "энергия", "電力量", "电能", "電能", "能量", "电量",
    "電量", "전력량",
    "ενέργεια", "joule",
)  # fmt: skip
SETTINGS = frozenset({
    "limit", "limits", "cap", "tdp", "rated", "setpoint", "enforced", "budget", "target", "threshold", "nominal", "max",
    "min", "maximum", "minimum", "peak", "std", "stdev", "stddev", "sd", "variance", "forecast", "predicted", "p95",
    "p99", "grenze", "alarm",
})  # fmt: skip
QUALIFIERS = SETTINGS | {
    "avg", "average", "mean", "rms", "total", "sum", "in", "unit", "units", "active", "real", "true", "inst",
    "ac", "dc",
    "instantaneous", "input", "output", "last", "current", "now", "einheit", "unité", "unidad", "power", "p",
}  # fmt: skip
_NO_POWER = frozenset({
    "voltage", "current", "temperature", "temp", "frequency", "humidity", "volts", "amps", "amperes", "energy", "co2",
    "battery", "rssi", "spannung", "stromstärke", "temperatur", "frequenz",
})  # fmt: skip
_UNITS = frozenset({"w", "mw", "μw", "uw", "kw"})
# a unit may follow these without a gap, as in PkgWatt, RAMWatt and powermW
BEFORE_A_UNIT = (
    "power", "pwr", "leistung", "active", "total", "draw", "load", "usage", "consumption", "avg", "mean", "pkg", "cor",
    "core", "gfx", "ram", "dram", "mem", "system", "sys", "gpu", "cpu", "npu", "psu", "ups", "input", "output", "wall",
)  # fmt: skip
_TIMES = (
    "time", "timestamp", "datetime", "date_time", "utc", "time_utc", "timestamp_utc", "unix", "epoch", "unixtime",
    "unix_time", "time_s", "t_s", "t", "ts", "time_stamp", "zeit", "zeitstempel", "zeitpunkt", "时间", "時間",
    "時刻", "日時",
    "时间戳", "日期时间", "время", "дата_и_время", "시간", "일시", "χρόνος", "ώρα", "זמן", "الوقت", "समय", "เวลา",
    "horodatage",
    "fecha_hora", "fecha_y_hora", "data_hora", "data_ora", "tiempo", "tempo", "temps", "tijd", "tijdstip", "czas",
    "time_of_day_seconds", "last_changed", "zaman", "datum_zeit", "datum_uhrzeit", "tid", "aika",
)  # fmt: skip
_DATES = ("date", "datum", "fecha", "data", "日期", "日付", "дата", "날짜", "ημερομηνία", "תאריך", "التاريخ", "tarih")
_CLOCKS = (
    "time", "zeit", "uhrzeit", "hora", "ora", "heure", "时间", "時間", "時刻", "время", "시간", "ώρα", "שעה",
    "الوقت", "saat",
    "tijd", "clock",
)  # fmt: skip
_NO_TIMES = ("uptime", "runtime", "elapsed", "duration", "laufzeit", "downtime", "timeout", "times", "timer", "update")


_POWER_WORDS = frozenset(word.casefold() for word in _POWER)  # casefold also changes a Greek sigma at the end
_TIME_KEYS, _DATE_KEYS, _CLOCK_KEYS = (
    frozenset(word.casefold() for word in group) for group in (_TIMES, _DATES, _CLOCKS)
)


def split(plain: str) -> list[str]:
    """Return the words of a name, in lower case, `powerAvg` as two."""
    return re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).casefold())


def is_strictly_power(parts: list[str]) -> bool:
    """Return whether one of the words says power."""
    return any(part in _POWER_WORDS or any(stem in part for stem in _POWER_PARTS) for part in parts)


def is_power(parts: list[str]) -> bool:
    """Return whether one of the words says power, or may mean it, as `load` does."""
    return is_strictly_power(parts) or any(part in _LOOSE_POWER for part in parts)


def names_no_power(parts: list[str]) -> bool:
    """Return whether one of the words says another quantity, and none power or its unit."""
    others = set() if _UNITS & set(parts) else _NO_POWER & set(parts)
    if others == {"current"}:  # `current consumption` is the power now
        return not is_power(parts)
    return bool(others) and not is_strictly_power(parts)


def is_energy(plain: str) -> bool:
    """Return whether a name holds a word for energy, and none for power."""
    rest = folded = plain.casefold()
    for word in _ENERGY:
        rest = rest.replace(word, " ")
    return rest != folded and not is_strictly_power(split(rest))


def other_quantity(plain: str, parts: list[str]) -> str | None:
    """Return the quantity that a word names if it is apparent or reactive power, or a power factor."""
    quantity = next((_OTHERS[part] for part in parts if part in _OTHERS), None)
    folded = plain.casefold()
    return quantity or next((_OTHER_PARTS[stem] for stem in _OTHER_PARTS if stem in folded), None)


def key(name: str) -> str:
    """Return a name's letters and digits in lower case, `Power (W)` as `power_w`."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def is_date(name: str) -> bool:
    """Return whether a name says date, without a clock."""
    return key(name) in _DATE_KEYS


def time_columns(names: list[str]) -> list[int]:
    """Return the columns of time by their names: a date and a clock, else one, else all that may be."""
    keys = [key(re.sub(r"[(\[].*?[)\]]|, ?(?:gmt|utc).*", "", name.casefold())) for name in names]
    dates, clocks = ([i for i, text in enumerate(keys) if text in known] for known in (_DATE_KEYS, _CLOCK_KEYS))
    if len(dates) == 1 and len(clocks) == 1:
        return [dates[0], clocks[0]]
    exact = [i for i, text in enumerate(keys) if text in _TIME_KEYS]
    if exact:
        return exact
    return [
        i
        for i, text in enumerate(keys)
        if any(word in text for word in ("time", "date", "zeit", "datum", "时间", "日時", "время"))
        and not any(word in text for word in _NO_TIMES)
    ] or [i for i, text in enumerate(keys) if text in _DATE_KEYS]
