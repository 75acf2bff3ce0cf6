"""What holds for every plan, every price, every limit and everything that may be known of units."""

from dataclasses import replace

from doubles.control.plans import PUE, after, made_plan, prices
from hypothesis import given, settings
from hypothesis import strategies as st

from sites.control.intent import intent
from sites.control.model import OFF, ON, Level, LoadTarget, Unit, UnitState, UnitView
from sites.control.reasons import REASONS
from sites.control.rules import Fallback, Rules
from sites.control.units import counted_w, left_alone

NOW_S = 3599.0
POINT = "half"

watts = st.floats(500.0, 5000.0)
usd = st.floats(-50.0, 500.0)


@st.composite
def units(draw, block, number):
    full_w = draw(watts)
    joules = draw(st.one_of(st.none(), st.floats(10.0, 60.0)))
    rate = None if joules is None else full_w / joules
    levels = [Level(OFF, draw(st.floats(0.0, 50.0)), 0.0), Level(ON, full_w, rate)]
    if rate is not None and draw(st.booleans()):
        levels.insert(1, Level(POINT, 0.5 * full_w, draw(st.floats(0.4, 0.7)) * rate))
    return Unit(f"{block}-{number}", block, tuple(levels))


@st.composite
def looks(draw, one):
    state = draw(st.sampled_from([*UnitState, UnitState.RUNNING, UnitState.OFF]))
    names = [level.name for level in one.levels]
    level = OFF if state is UnitState.OFF else draw(st.sampled_from(names[1:]))
    if state is UnitState.UNKNOWN:
        level = draw(st.sampled_from([None, *names]))
    as_found = draw(st.sampled_from([ON, ON, ON, ON, OFF, None]))
    return UnitView(one, state, level, as_found=as_found, released=draw(st.sampled_from(["", "", "", "by_hand"])))


@st.composite
def situations(draw):
    parts = [("miners", "", draw(st.floats(0.01, 0.05)), draw(usd))]
    if draw(st.booleans()):
        parts += [("miners", "high", draw(st.floats(0.001, 0.02)), parts[0][3] * 0.5)]
    if draw(st.booleans()):
        parts += [("gpus", "idle", draw(st.floats(0.001, 0.01)), 0.0)]
        parts += [("gpus", "sla", draw(st.floats(0.001, 0.01)), 900.0)]
        parts += [("gpus", "on-demand", draw(st.floats(0.001, 0.03)), draw(usd))]
    plan = made_plan(
        *parts,
        spot=draw(usd),
        room_mw=draw(st.sampled_from([1000.0, 0.05, 0.01, 0.0])),
        availability_frac=draw(st.sampled_from([1.0, 0.9])),
        contract_mw=draw(st.sampled_from([0.0, 0.02])),
        start_usd_per_mwh=draw(st.sampled_from([None, 0.0, 30.0])),
    )
    views = [
        draw(looks(draw(units(block, number))))
        for block in plan.block_names
        for number in range(draw(st.integers(0, 5)))
    ]
    rules = Rules(
        on_stale_price=draw(st.sampled_from(Fallback)),
        on_lost_telemetry=draw(st.sampled_from([Fallback.HOLD, Fallback.CURTAIL])),
        on_lost_target=draw(st.sampled_from(Fallback)),
        has_price=draw(st.booleans()),
        windows_down=draw(st.integers(1, 3)),
        windows_up=draw(st.integers(1, 3)),
        units_mw=draw(st.sampled_from([1000.0, 0.02, 0.005, 0.0])),
        other_mw=draw(st.sampled_from([0.0, 0.003])),
        losses_frac=draw(st.sampled_from([0.0, 0.02])),
    )
    limits = draw(st.lists(st.floats(0.0, 0.06), max_size=2))
    inputs = replace(
        prices(*draw(st.lists(usd, max_size=4)), end_s=draw(st.sampled_from([3600.0, 3000.0, 0.0]))),
        targets=tuple(LoadTarget(mw, 0.0, None, 0.0, "test") for mw in limits),
        targets_lost=draw(st.booleans()) and not limits,
    )
    return plan, rules, inputs, views


def drawn_mw(views, levels, pue):
    """Power by levels, and what the units without a level may draw: everything written down anew."""
    own, others = 0.0, 0.0
    for view in views:
        ratio = pue["mining" if view.unit.block == "miners" else "inference"]
        at = {level.name: level.power_w for level in view.unit.levels}
        if view.unit.name in levels and view.state is not UnitState.UNKNOWN:
            own += at[levels[view.unit.name]] * ratio / 1e6
        else:
            others += counted_w(view) * ratio / 1e6
    return own, others


@settings(max_examples=60)
@given(situations())
def test_units_never_draw_more_than_a_limit_leaves_them(situation):
    plan, rules, inputs, views = situation
    decided = intent(plan, rules, inputs, views, NOW_S)
    at_meter = [plan.room_mw[0] / plan.availability_frac, *(each.limit_mw for each in inputs.targets)]
    at_units = [rules.units_mw, *(rules.units_within_mw(max(each.limit_mw, 0.0)) for each in inputs.targets)]
    for limits, pue in ((at_meter, PUE), (at_units, dict.fromkeys(PUE, 1.0))):
        own, others = drawn_mw(views, decided.levels, pue)
        lowest = drawn_mw(views, dict.fromkeys(decided.levels, OFF), pue)[0]
        assert own <= max(min(limits) - others, lowest) * (1 + 1e-6) + 1e-9
        if own + others > min(limits) * (1 + 1e-6) + 1e-9:
            assert "over_limit" in decided.codes


@settings(max_examples=60)
@given(situations())
def test_every_unit_has_a_reason_and_only_units_of_ours_have_a_level(situation):
    plan, rules, inputs, views = situation
    decided = intent(plan, rules, inputs, views, NOW_S)
    assert set(decided.reasons) == {view.unit.name for view in views}
    assert set(decided.reasons.values()) | set(decided.codes) <= set(REASONS)
    for view in views:
        code = left_alone(view, rules.on_lost_telemetry)
        assert (view.unit.name in decided.levels) == (code in {"", "lost_telemetry"})
        assert decided.levels.get(view.unit.name) in {None, *(level.name for level in view.unit.levels)}


@settings(max_examples=60)
@given(situations())
def test_the_same_situation_gives_the_same_intent(situation):
    plan, rules, inputs, views = situation
    first, second = (intent(plan, rules, inputs, list(views), NOW_S) for _ in range(2))
    assert first == second
    assert list(first.levels.items()) == list(second.levels.items())


@settings(max_examples=60)
@given(situations())
def test_units_that_did_as_asked_keep_their_levels(situation):
    plan, rules, inputs, views = situation
    first = intent(plan, rules, inputs, views, NOW_S)
    settled = after(views, first.levels)
    second = intent(plan, rules, inputs, settled, NOW_S)
    changes = {
        name: level
        for name, level in second.levels.items()
        if next(view.level for view in settled if view.unit.name == name) != level
    }
    lost = {view.unit.name for view in views if view.state is UnitState.UNKNOWN or view.state is UnitState.CHANGING}
    assert not changes or lost, "only units that nobody saw may make a difference"


@settings(max_examples=60)
@given(situations(), usd, st.floats(0.0, 200.0))
def test_dearer_power_brings_no_unit_up(situation, spot, more):
    plan, rules, _, views = situation
    plan = replace(plan, room_mw=(1000.0,) * plan.steps)
    rules = replace(rules, has_price=True, units_mw=1000.0, windows_down=1, windows_up=1)
    cheap, dear = (intent(plan, rules, prices(price), views, NOW_S).levels for price in (spot, spot + more))
    for view in views:
        name, order = view.unit.name, [level.name for level in view.unit.levels]
        if name in cheap:
            assert order.index(dear[name]) <= order.index(cheap[name])


@settings(max_examples=60)
@given(situations(), st.floats(0.0, 0.06), st.floats(0.0, 0.06))
def test_a_lower_target_never_means_more_power(situation, one, other):
    plan, rules, inputs, views = situation
    inputs = replace(inputs, targets_lost=False)
    low, high = (
        intent(plan, rules, replace(inputs, targets=(LoadTarget(mw, 0.0, None, 0.0, "test"),)), views, NOW_S)
        for mw in sorted((one, other))
    )
    assert low.intended_w <= high.intended_w + 1e-6
