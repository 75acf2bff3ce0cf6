"""Which units of a block go down: the worst first, unknown ones last, equal ones not without need."""

from doubles.control.plans import running, unit
from hypothesis import given
from hypothesis import strategies as st

from sites.control.model import OFF, ON, Level, Unit, UnitState
from sites.control.rules import Fallback
from sites.control.units import Fleet, counted_w, ladder, left_alone


def fleet_of(*views):
    block = Fleet()
    for view in views:
        block.full_w += view.unit.full_w
        block.add(view, ladder(view.unit, view.as_found))
    block.rank()
    return block


def test_the_worst_unit_goes_down_first_and_one_of_unknown_efficiency_last():
    units = [unit("good", efficiency_j=15.0), unit("bad", efficiency_j=30.0), unit("dark", efficiency_j=None)]
    block = fleet_of(*(running(one) for one in units))
    by_power = [block.up_to(watts, above=False)[0] for watts in (9900.0, 9000.0, 6000.0, 3000.0)]
    assert by_power == [[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_equal_units_keep_their_state():
    units = [unit(f"m{number}") for number in range(4)]
    states = [UnitState.OFF, UnitState.RUNNING, UnitState.OFF, UnitState.RUNNING]
    block = fleet_of(
        *(
            running(one, state=state, level=OFF if state is UnitState.OFF else ON)
            for one, state in zip(units, states, strict=True)
        )
    )
    assert block.up_to(6600.0, above=True)[0] == [0, 1, 0, 1]
    assert block.up_to(9900.0, above=True)[0] == [1, 1, 0, 1]


def test_a_unit_with_operating_points_gives_up_its_worst_watts_first():
    levels = (
        Level(OFF, 30.0, 0.0),
        Level("2000W", 2000.0, 120.0),
        Level("2600W", 2600.0, 130.0),
        Level(ON, 3300.0, 165.0),
    )
    steps = ladder(Unit("m", "miners", levels), ON)
    assert [rung.level for rung in steps.rungs] == ["2000W", ON], "a mix of 2000 W and full power beats 2600 W"
    block = fleet_of(running(Unit("a", "miners", levels)), running(Unit("b", "miners", levels)))
    assert block.up_to(5400.0, above=False)[0] == [2, 1]
    assert block.up_to(4100.0, above=False)[0] == [1, 1]


def test_a_unit_is_never_set_above_the_level_it_was_found_in():
    levels = (Level(OFF, 30.0, 0.0), Level("2000W", 2000.0, 120.0), Level("3300W", 3300.0, 165.0))
    steps = ladder(Unit("m", "miners", levels), "2000W")
    assert [(rung.level, rung.power_w) for rung in steps.rungs] == [(ON, 1970.0)]


def test_a_unit_without_a_stated_power_has_no_ladder():
    assert ladder(Unit("m", "miners", (Level(OFF, 0.0), Level(ON, None))), ON) is None
    assert ladder(Unit("m", "miners", (Level(OFF, 0.0),)), ON) is None


def test_a_lever_without_off_goes_down_to_its_lowest_level():
    steps = ladder(Unit("gpu", "gpus", (Level("300W", 300.0), Level("700W", 700.0))), "700W")
    assert (steps.lowest, steps.lowest_w, steps.level(0), steps.level(1)) == ("300W", 300.0, "300W", ON)


def test_what_is_not_known_counts_at_full_power_and_never_as_off():
    one = unit("m", asleep_w=30.0)
    assert counted_w(running(one, state=UnitState.UNKNOWN, level=None)) == 3300.0
    assert counted_w(running(one, state=UnitState.UNKNOWN, level=OFF)) == 3300.0
    assert counted_w(running(one, state=UnitState.CHANGING, level=OFF)) == 3300.0
    assert counted_w(running(one, state=UnitState.OFF, level=OFF)) == 30.0


def test_units_are_left_alone_for_a_stated_reason():
    one = unit("m")
    cases = {
        "released": {"released": "by_hand"},
        "not_seen": {"as_found": None},
        "off_as_found": {"as_found": OFF, "state": UnitState.OFF},
        "unknown": {"state": UnitState.UNKNOWN},
        "fault": {"state": UnitState.FAULT},
        "": {},
    }
    assert {code: left_alone(running(one, **changes), Fallback.HOLD) for code, changes in cases.items()} == {
        code: code for code in cases
    }
    assert left_alone(running(one, state=UnitState.UNKNOWN), Fallback.CURTAIL) == "lost_telemetry"


@given(
    units=st.lists(
        st.tuples(st.floats(500, 5000), st.one_of(st.none(), st.floats(10, 100)), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    share=st.floats(0, 1.2),
    above=st.booleans(),
)
def test_the_power_of_a_block_is_met_to_within_one_unit(units, share, above):
    views = [
        running(unit(f"m{k}", watts=watts, efficiency_j=joules), level=ON if is_on else OFF)
        for k, (watts, joules, is_on) in enumerate(units)
    ]
    block = fleet_of(*views)
    wanted = share * block.full_w
    taken, made = block.up_to(wanted, above=above)
    largest = max(view.unit.full_w for view in views)
    assert abs(made - sum(view.unit.full_w for view, up in zip(views, taken, strict=True) if up)) < 1e-6
    if above:
        assert min(wanted, block.full_w) - 1e-3 <= made < wanted + largest
    else:
        assert made <= wanted + 1e-3
        assert made > min(wanted, block.full_w) - largest - 1e-3
    worst_up = max((joules or 0.0 for (_, joules, _), up in zip(units, taken, strict=True) if up), default=0.0)
    best_down = min(((joules or 0.0) for (_, joules, _), up in zip(units, taken, strict=True) if not up), default=1e9)
    assert worst_up <= best_down + 1e-9
