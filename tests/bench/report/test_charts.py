"""Charts as SVG of the page: colours as variables, ids of their own, marks where the data are, texts harmless."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.report.charts.svg import COLOURS, Mark, printable, render
from bench.report.charts.trace import Series, thinned

SVG = "{http://www.w3.org/2000/svg}"


def chart_of(draw, key="c", **keys):
    return render(key, "a title", "what it shows", draw, **keys)


def simple(figure, _narrow):
    axes = figure.subplots()
    axes.plot([0, 10], [0, 20], color=COLOURS["measured"], label="a line")
    axes.fill_between([0, 10], [0, 5], facecolor="none", edgecolor=COLOURS["bad"], hatch="//")
    axes.legend()
    return [
        Mark(axes, 5.0, 10.0, "the middle"),
        Mark(axes, 0.0, 0.0, "first half", x_to=5.0),
        Mark(axes, 99.0, 1.0, "far"),
    ]


def test_every_colour_is_a_variable_and_no_style_reaches_beyond_the_drawing():
    chart = chart_of(simple)
    for drawing in (chart.wide, chart.narrow):
        assert "var(--c-measured)" in drawing
        assert "<style" not in drawing
        assert not re.search(r"#00f0[0-9a-f]{2}", drawing)
        assert "font-family" not in drawing


@pytest.mark.slow
def test_ids_are_unique_over_all_drawings_and_every_reference_has_one():
    drawings = [drawing for key in ("a", "b") for drawing in (chart_of(simple, key).wide, chart_of(simple, key).narrow)]
    ids = [id_ for drawing in drawings for id_ in re.findall(r'\bid="([^"]+)"', drawing)]
    assert len(ids) == len(set(ids))
    used = {reference for drawing in drawings for reference in re.findall(r'(?:url\(|href=")#([\w-]+)', drawing)}
    assert used <= set(ids)


def test_a_mark_lies_where_its_data_are_and_one_outside_the_axes_is_dropped():
    root = ET.fromstring(str(chart_of(simple).wide))
    circles, rects = root.findall(f".//{SVG}circle"), root.findall(f".//{SVG}rect[@class='mark']")
    line = next(path for path in root.iter(f"{SVG}path") if "--c-measured" in path.get("stroke", ""))
    x0, y0, x1, y1 = (float(number) for number in re.findall(r"-?[\d.]+", line.get("d"))[:4])
    assert len(circles) == 1
    assert float(circles[0].get("cx")) == pytest.approx((x0 + x1) / 2, abs=0.5)
    assert float(circles[0].get("cy")) == pytest.approx((y0 + y1) / 2, abs=0.5)
    assert len(rects) == 1
    assert float(rects[0].get("width")) == pytest.approx((x1 - x0) / 2, abs=1)


def test_a_mark_says_its_text_to_pointer_keyboard_and_ear():
    root = ET.fromstring(str(chart_of(simple).wide))
    marks = root.findall(f".//{SVG}g[@class='marks']/*")
    assert [mark.get("tabindex") for mark in marks] == ["0", "-1"]
    assert marks[0].get("aria-label") == marks[0].find(f"{SVG}title").text == "the middle"


@pytest.mark.slow
@pytest.mark.parametrize(("count", "length"), [(1, 200), (40, 80)])
def test_long_names_and_many_of_them_leave_room_for_the_axes_without_a_warning(count, length):
    names = [f"{number} " + "name " * (length // 5) for number in range(count)]

    def draw(figure, narrow):
        upper, lower = figure.subplots(2, 1) if narrow else figure.subplots(1, 2)
        for name in names:
            upper.plot([0, 1], [0, 1], label=name)
        upper.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3)
        lower.barh(range(count), 1.0)
        lower.set_yticks(range(count), names)
        return [Mark(axes, 0.0, 0.0, "axes", x_to=1.0, y_to=1.0) for axes in (upper, lower)]

    chart = chart_of(draw)
    for drawing in (chart.wide, chart.narrow):
        marks = ET.fromstring(str(drawing)).findall(f".//{SVG}rect[@class='mark']")
        assert len(marks) == 2
        assert all(float(mark.get("width")) > 30 for mark in marks)


@settings(max_examples=8, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=20))
def test_any_text_makes_a_drawing_that_is_still_xml(text):
    def draw(figure, _narrow):
        axes = figure.subplots()
        axes.annotate(printable(text), (0.5, 0.5))
        return [Mark(axes, 0.5, 0.5, text)]

    chart = render("c", text, text, draw, small=True)
    root = ET.fromstring(str(chart.narrow))
    assert root.find(f".//{SVG}circle").get("aria-label") == printable(text)


def test_digits_of_a_text_are_not_shortened_as_those_of_a_path_are():
    def draw(figure, _narrow):
        axes = figure.subplots()
        return [Mark(axes, 0.5, 0.5, "1.23456789 J")]

    assert "1.23456789 J" in render("c", "t", "s", draw, small=True).narrow


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000))
def test_a_thinned_line_keeps_its_extremes_and_its_order(values):
    series = thinned(Series("s", [float(i) for i in range(len(values))], values), most=100)
    assert len(series.values) <= max(100, 2 * 50 + 2)
    assert max(series.values) == max(values)
    assert min(series.values) == min(values)
    assert series.seconds == sorted(series.seconds)
