"""What the name of a column says: watts, another unit of power, another quantity, or nothing certain."""

import pytest

from bench.meters.logs.names.meaning import Kind, meaning

WATTS = {
    1.0: (
        "Power (W)", "power_w", "Leistung W", "W", "watts", "Total Watts", "Power in Watts", "PkgWatt", "RAMWatt",
        "CorWatt",
        "power.draw [W]", "Active Power, W (LGR S/N: 1)", "Leistung / W", "P/W", "功率(W)", "功率W", "消費電力[W]",
        "Мощность, Вт",
        "Ισχύς (W)", "הספק [W]", "전력 (W)", "current_power_w", "Energy Meter Power (W)", "power-w", "W avg",
        "P_SigmaA (W)",
        "nvml_power_watts", "box1_power_w", "Puissance (Ｗ)", "avg_w", "Power L1 W", "GPU 0 W", "Power (W, avg)",
        "W_total",
    ),
    1e3: (
        "kW Power", "Power (kW) avg", "Mains (kWatts)", "power_kw", "POWER_KW", "PowerKW", "powerkW", "Kilowatts",
        "kilowatt",
        "Power [㎾]", "мощность, кВт", "功率（千瓦）", "load_kw", "Leistung in kW", "KW",
    ),
    1e-3: ("power_milliwatt", "mWatt", "Current Pwr mW", "P (mW)", "powermW", "Power [㎽]", "мВт"),
    1e-6: ("Power (µW)", "Power (μW)", "power_uw", "Power [uW]", "micro watt", "power_micro_watt", "мкВт"),
    1e6: ("Power (MW)", "Megawatts", "MWatt load"),
}  # fmt: skip
OTHERS = (
    "Energy (kWatt-hours)", "Power consumption today (kWh)", "Power (VA)", "Power Factor", "PF", "cos φ", "Watt Hours",
    "Wh",
    "Power W h", "Ws", "Watt-seconds", "kWhs", "Reactive power (var)", "Apparent Power, VA", "Scheinleistung (VA)",
    "energy",
    "Потребление, кВт·ч", "电量", "電力量", "视在功率", "无功功率", "功率因数", "Leistungsfaktor", "power_kwh",
    "Voltage (V)", "J",
    "Power (W) / Energy (Wh)", "千瓦时", "Frequency (Hz)", "usage (kWhs)", "Watt·h", "kW h", "kW-hr", "Power (kVA)",
)  # fmt: skip
UNCERTAIN = (
    "power", "apower", "P", "功率", "Power TOT", "power1_average", "Power A", "wattage", "Power (0.1W)",
    "Power (x10 W)", "W/m2",
    "Power (W/m2)", "FPS/Watt", "Watts per GPU", "Power (?W)", "Power (\ufffdW)", "Power ÂµW", "Power Î¼W",
    "Energy (W)",
    "w/s", "Power m W", "Power (k W)", "Power W/10", "Power kW/h", "Power in 1000 W", "W_bytes", "alarmW",
    "Power (hp)", "power_mw", "POWER (MW)", "tokens/s/W", "Power [W] [kW]",
    "10 x W", "dW", "cW", "daW", "hW", "power deciwatt", "centiwatts", "Power (W) x10", "Power [W] * 100", "W (kW)",
    "Power (W) in tenths",
)  # fmt: skip


@pytest.mark.parametrize(("scale", "name"), [(scale, name) for scale, names in WATTS.items() for name in names])
def test_a_unit_of_power_is_read_from_the_whole_name(scale, name):
    named = meaning(name)
    assert named.kind is Kind.WATTS
    assert named.unit.scale == scale


@pytest.mark.parametrize("name", OTHERS)
def test_another_quantity_is_never_watts(name):
    assert meaning(name).kind is Kind.OTHER


@pytest.mark.parametrize("name", UNCERTAIN)
def test_a_name_without_a_certain_unit_is_a_question(name):
    assert meaning(name).kind in {Kind.UNITLESS, Kind.UNCLEAR, Kind.UNCERTAIN, Kind.NONE}


@pytest.mark.parametrize("name", ["power.limit [W]", "TDP (W)", "Power max (W)", "power_cap_w", "Peak power (W)"])
def test_limits_and_extremes_are_not_measured(name):
    assert not meaning(name).measured
