"""Cells that are no reading of power: fill values, halves of a split number, rows and columns of another quantity."""

import pytest
from doubles.logs.rows import WATTS, T, rows, watts


def of_watts(*cells):
    return "time,power_w\n" + "".join(f"{T.format(i)},{cell}\n" for i, cell in enumerate(cells))


@pytest.mark.parametrize("fill", ["-1", "-1.0", "-1.000000", "-999", "-9999"])
def test_one_negative_number_far_from_the_rest_is_a_missing_reading(read, fill):
    log = read(of_watts("140.2", fill, "139.1", fill, "141.5", "1400", "1399", "1401"))
    assert watts(log) == [140.2, None, 139.1, None, 141.5, 1400.0, 1399.0, 1401.0]


@pytest.mark.parametrize("cells", [("1", "-1", "0", "2", "0.5"), ("140", "-1.5", "139"), ("140", "-1", "-2", "139")])
def test_negative_numbers_that_may_be_power_are_kept(read, cells):
    assert watts(read(of_watts(*cells))) == [float(cell) for cell in cells]


def test_ptdaemon_writes_minus_one_where_it_has_no_reading(read):
    line = "Time,11-29-2026 12:00:0{}.305,Watts,{},Volts,230.1,Amps,1.36,PF,0.99,Mark,run\n"
    log = read("".join(line.format(i, w) for i, w in enumerate(("140.5", "-1.000000", "141.25"))))
    assert watts(log) == [140.5, None, 141.25]


SPLIT = "2026-11-29T12:00:0{}Z,{},{},\n"


@pytest.mark.parametrize("header", ["time,P (W),note\n", '"time","P (W)",note\n'])
def test_a_decimal_comma_that_may_have_split_a_number_is_a_question(read, refusal, header):
    whole = "".join(SPLIT.format(i, 140 + i, "") for i in range(3))
    text = header + whole + SPLIT.format(4, 140, 91) + SPLIT.format(5, 141, "07")
    assert "line 5: expected as many cells as the header has, decimal commas in quotes" in refusal(text)
    assert "line 5" in refusal(text, decimal="comma")
    assert watts(read(header + whole)) == [140.0, 141.0, 142.0]
    assert watts(read(text, decimal="point")) == [140.0, 141.0, 142.0, 140.0, 141.0]


def test_a_note_of_digits_alone_may_be_a_fraction(read, refusal):
    text = rows("{t},14{i},91", "time,P (W),note\n")
    assert "decimal commas in quotes" in refusal(text)
    assert watts(read(text, decimal="point"))[0] == 140.0
    assert watts(read(rows("{t},14{i}.5,91", "time,P (W),note\n")))[0] == 140.5
    assert watts(read(rows("{t},14{i},door", "time,P (W),note\n")))[0] == 140.0
    assert watts(read(rows("{t},14{i},91", "time,P (W),fan\n")))[0] == 140.0


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("time,U,P (W),note\n", "2026-11-29T12:00:0{i}Z,230,4,140,\n"),
        ("time,P (W),note\n", "2026-11-29 12:00:0{i},123,140.2,\n"),
    ],
)
def test_a_comma_before_the_power_that_shifts_the_cells_is_a_question(refusal, header, row):
    assert "decimal commas in quotes" in refusal(header + "".join(row.format(i=i) for i in range(4)))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("time,P (W),T,\n", "2026-11-29T12:00:0{i}Z,140,35,\n"),
        ("time,P (W),T\n", "2026-11-29T12:00:0{i}Z,140.5,35,\n"),
        ("time,P (W)\n", "2026-11-29 12:00:0{i},140,\n"),
        ("time,P (W),note\n", "2026-11-29T12:00:0{i}Z,140,ok,\n"),
    ],
)
def test_a_comma_at_the_end_of_each_row_alone_asks_nothing(read, header, row):
    assert len(watts(read(header + "".join(row.format(i=i) for i in range(4))))) == 4


@pytest.mark.parametrize(
    "entity", ["sensor.plug_energy", "sensor.plug_voltage", "sensor.energy_usage", "sensor.current"]
)
@pytest.mark.parametrize("where", [{}, {"where": "entity_id={}"}])
def test_a_stated_unit_makes_no_watts_of_the_rows_of_another_quantity(refusal, entity, where):
    text = rows(entity + ",{p},{t}", "entity_id,state,last_changed\n")
    message = refusal(text, unit="W", **{key: value.format(entity) for key, value in where.items()})
    assert (
        "column entity_id: expected rows of power (the setting unit= turns no other quantity into power), got "
        in message
    )
    assert entity in message


@pytest.mark.parametrize(
    "entity",
    ["sensor.energy_meter_power", "sensor.energy_monitor_1", "sensor.energy_plug_w", "sensor.current_consumption"],
)
def test_the_name_of_an_instrument_is_no_quantity(read, entity):
    text = rows(entity + ",{p},{t}", "entity_id,state,last_changed\n")
    assert watts(read(text, unit="W", where=f"entity_id={entity}")) == list(WATTS)


@pytest.mark.parametrize("name", ["voltage", "Temperature", "battery", "current", "a_act_energy"])
def test_a_stated_unit_makes_no_watts_of_a_column_of_another_quantity(refusal, name):
    message = refusal(rows("{t},{p}", f"time,{name}\n"), unit="W", column=name)
    assert "no unit= for a column of another quantity" in message


def test_a_column_whose_unit_is_not_clear_can_be_stated(read):
    assert watts(read(rows("{t},{p}", "time,energy_plug_w\n"), unit="W")) == list(WATTS)
