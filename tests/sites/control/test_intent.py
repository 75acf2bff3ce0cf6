"""What every unit should be in now: examples of each rule, in the words of an operator."""

from dataclasses import replace

import pytest
from doubles.control.plans import HOLD, after, asleep, made_plan, prices, running, unit

from sites.control.intent import intent
from sites.control.model import OFF, ON, Inputs, LoadTarget, UnitState
from sites.control.reasons import REASONS
from sites.control.rules import Fallback, Rules

NOW_S = 3599.0
MINERS = [unit(f"m{k}", watts=1e6, efficiency_j=20.0 - k) for k in range(4)]  # m0 is the worst
MINE = made_plan(("miners", "", 4.4, 60.0))
SERVE = made_plan(
    ("miners", "", 4.4, 60.0),
    ("gpus", "idle", 1.0, 0.0),
    ("gpus", "sla", 1.0, 900.0),
    ("gpus", "on-demand", 3.0, 120.0),
)
GPUS = [unit(f"g{k}", "gpus", watts=1e6, efficiency_j=None) for k in range(4)]


def up(*units):
    return [running(one) for one in units]


def target(limit_mw, start_s=0.0, end_s=None):
    return LoadTarget(limit_mw, start_s, end_s, start_s, "test")


def levels(plan, inputs, views, rules=HOLD, now_s=NOW_S):
    return dict(intent(plan, rules, inputs, views, now_s).levels)


def test_miners_run_below_their_worth_and_stop_above_it():
    assert set(levels(MINE, prices(59.0), up(*MINERS)).values()) == {ON}
    decided = intent(MINE, HOLD, prices(61.0), up(*MINERS), NOW_S)
    assert list(decided.levels.items()) == [("m0", OFF), ("m1", OFF), ("m2", OFF), ("m3", OFF)], "the worst first"
    assert set(decided.reasons.values()) == {"price"}
    assert decided.intended_w == 0.0
    assert decided.plan_w == pytest.approx(4e6)


def test_units_come_up_the_best_first():
    decided = intent(MINE, HOLD, prices(59.0), [asleep(one) for one in MINERS], NOW_S)
    assert list(decided.levels) == ["m3", "m2", "m1", "m0"]


def test_dear_power_leaves_the_promised_work_and_takes_the_rest():
    both = up(*MINERS, *GPUS)
    decided = intent(SERVE, HOLD, prices(200.0), both, NOW_S)
    assert [decided.levels[one.name] for one in MINERS] == [OFF] * 4
    assert sum(decided.levels[one.name] == ON for one in GPUS) == 2, "of 5 MW idle power and promise are 2"
    assert [block.code for block in decided.targets] == ["price", "price"]
    assert intent(SERVE, HOLD, prices(1000.0), both, NOW_S).intended_w == 0.0


def test_a_load_target_takes_the_least_worth_at_full_power():
    inputs = replace(prices(20.0), targets=(target(7.0),))
    decided = intent(SERVE, HOLD, inputs, up(*MINERS, *GPUS), NOW_S)
    assert [decided.levels[one.name] for one in GPUS] == [ON] * 4
    assert [decided.levels[one.name] for one in MINERS] == [OFF, OFF, OFF, ON], (
        "7 MW less 5 MW of GPUs, at a PUE of 1.1"
    )
    assert decided.reasons["m0"] == "target"
    assert "target" in decided.codes


@pytest.mark.parametrize(
    ("targets", "running_units"),
    [
        ((target(2.3),), 2),
        ((target(2.3, start_s=NOW_S + 1),), 4),
        ((target(2.3, end_s=NOW_S),), 4),
        ((target(2.3), target(1.2)), 1),
        ((target(0.0),), 0),
    ],
)
def test_the_lowest_target_that_holds_now_counts(targets, running_units):
    decided = levels(MINE, replace(prices(20.0), targets=targets), up(*MINERS))
    assert list(decided.values()).count(ON) == running_units


@pytest.mark.parametrize(
    ("limit_mw", "other_mw", "losses_frac", "running_units"),
    [(4.4, 1.2, 0.0, 3), (4.4, 1.2, 0.1, 2), (1.0, 1.2, 0.0, 0), (0.0, 1.2, 0.0, 0)],
)
def test_a_load_target_holds_at_the_meter_with_its_other_loads_and_losses(
    limit_mw, other_mw, losses_frac, running_units
):
    rules = replace(HOLD, other_mw=other_mw, losses_frac=losses_frac)
    decided = intent(MINE, rules, replace(prices(20.0), targets=(target(limit_mw),)), up(*MINERS), NOW_S)
    assert list(decided.levels.values()).count(ON) == running_units
    assert ("over_limit" in decided.codes) == (0.0 < limit_mw < other_mw)


@pytest.mark.parametrize(("rule", "running_units"), [(Fallback.HOLD, 2), (Fallback.CURTAIL, 0), (Fallback.RUN, 4)])
def test_a_silent_source_of_targets_is_handled_as_declared(rule, running_units):
    inputs = replace(prices(20.0), targets=(target(2.3),), targets_lost=True)
    decided = intent(MINE, replace(HOLD, on_lost_target=rule), inputs, up(*MINERS), NOW_S)
    assert list(decided.levels.values()).count(ON) == running_units
    assert f"target_lost_{rule}" in decided.codes


def test_the_feeder_holds_also_against_units_that_nobody_sees():
    views = [running(MINERS[0], state=UnitState.UNKNOWN, level=None), *up(*MINERS[1:])]
    decided = intent(MINE, replace(HOLD, units_mw=3.0), prices(20.0), views, NOW_S)
    assert "m0" not in decided.levels
    assert [decided.levels[name] for name in ("m1", "m2", "m3")] == [OFF, ON, ON]
    assert decided.reasons == {"m0": "unknown", "m1": "feeder", "m2": "runs", "m3": "runs"}
    assert "over_limit" in intent(MINE, replace(HOLD, units_mw=0.9), prices(20.0), views, NOW_S).codes


@pytest.mark.parametrize(
    ("rule", "expected"), [(Fallback.HOLD, [ON, OFF]), (Fallback.CURTAIL, [OFF, OFF]), (Fallback.RUN, [ON, ON])]
)
def test_a_stale_price_leads_to_the_declared_fallback(rule, expected):
    views = [running(MINERS[3]), asleep(MINERS[2])]
    rules = Rules(rule, Fallback.HOLD, stale_price_s=900.0)
    late, stale = (intent(MINE, rules, prices(20.0), views, 3600.0 + wait_s) for wait_s in (899.0, 900.0))
    assert late.codes == ("price_late",)
    assert set(late.levels.values()) == {ON}
    assert [stale.levels[view.unit.name] for view in views] == expected
    assert f"price_stale_{rule}" in stale.codes


def test_a_price_that_never_came_is_stale():
    assert "price_stale_hold" in intent(MINE, HOLD, Inputs(), up(*MINERS), NOW_S).codes
    assert "price_stale_hold" in intent(MINE, HOLD, prices(float("nan")), up(*MINERS), NOW_S).codes


def test_a_price_to_come_does_not_count_yet():
    assert set(levels(MINE, prices(20.0, 500.0, end_s=3900.0), up(*MINERS)).values()) == {ON}


def test_a_limit_holds_also_while_units_are_held():
    inputs = Inputs(targets=(target(2.3),))
    assert list(levels(MINE, inputs, up(*MINERS)).values()).count(ON) == 2
    held = levels(MINE, inputs, [*up(MINERS[0]), *(asleep(one) for one in MINERS[1:])])
    assert held == {"m0": ON, "m1": OFF, "m2": OFF, "m3": OFF}, "no unit comes up to take the place of a worse one"


def test_without_a_source_of_prices_the_plans_own_price_holds():
    rules = replace(HOLD, has_price=False)
    assert set(levels(MINE, Inputs(), up(*MINERS), rules).values()) == {ON}
    assert set(levels(made_plan(("miners", "", 4.4, 60.0), spot=61.0), Inputs(), up(*MINERS), rules).values()) == {OFF}


def test_outside_the_plan_units_stay_as_they_are_within_the_limits():
    views = [*up(*MINERS[:3]), asleep(MINERS[3])]
    decided = intent(MINE, replace(HOLD, units_mw=2.0), prices(20.0), views, MINE.end_s + 5.0)
    assert list(decided.levels.values()).count(ON) == 2
    assert decided.levels["m3"] == OFF
    assert decided.plan_w is None
    assert "no_plan" in decided.codes


@pytest.mark.parametrize(
    ("history", "was_running", "expected"),
    [
        ((20, 20, 20, 20, 99), True, ON),
        ((20, 20, 20, 99, 99), True, OFF),
        ((99, 99, 99, 99, 20), False, OFF),
        ((99, 99, 99, 20, 20), False, OFF),
        ((99, 99, 20, 20, 20), False, ON),
        ((20, 99, 20, 99, 20), False, OFF),
        ((20, 99, 20, 99, 20), True, ON),
    ],
)
def test_units_wait_for_as_many_prices_as_declared(history, was_running, expected):
    rules = replace(HOLD, windows_down=2, windows_up=3)
    view = running(MINERS[0]) if was_running else asleep(MINERS[0])
    assert levels(MINE, prices(*history), [view], rules)["m0"] == expected


def test_a_controller_that_has_just_started_takes_the_plans_prices_for_those_before():
    rules = replace(HOLD, windows_down=2, windows_up=2)
    dear = made_plan(("miners", "", 4.4, 60.0), spot=80.0)
    assert levels(dear, prices(99.0), up(MINERS[0]), rules)["m0"] == OFF
    assert levels(MINE, prices(99.0), up(MINERS[0]), rules)["m0"] == ON
    assert intent(MINE, rules, prices(99.0), up(MINERS[0]), NOW_S).reasons == {"m0": "hold"}


def test_units_that_are_not_ours_to_command_get_no_level():
    views = [
        running(MINERS[0], as_found=OFF),
        asleep(MINERS[1], as_found=OFF),
        running(MINERS[2], released="by_hand"),
        running(MINERS[3], state=UnitState.FAULT),
        running(unit("elsewhere", "no block")),
        running(unit("new"), as_found=None, level=None),
    ]
    decided = intent(MINE, HOLD, prices(500.0), views, NOW_S)
    assert decided.levels == {}
    assert decided.reasons == {
        "m0": "off_as_found", "m1": "off_as_found", "m2": "released", "m3": "fault",
        "elsewhere": "not_in_plan", "new": "not_seen",
    }  # fmt: skip


def test_a_unit_without_telemetry_is_stopped_where_that_is_declared():
    rules = replace(HOLD, on_lost_telemetry=Fallback.CURTAIL)
    views = [running(MINERS[0], state=UnitState.UNKNOWN, level=None), *up(*MINERS[1:])]
    decided = intent(MINE, rules, prices(20.0), views, NOW_S)
    assert (decided.levels["m0"], decided.reasons["m0"]) == (OFF, "lost_telemetry")
    limited = intent(MINE, replace(rules, units_mw=3.0), prices(20.0), views, NOW_S)
    assert list(limited.levels.values()).count(ON) == 2, "until it is seen to be off, it counts at full power"


def test_units_of_a_larger_block_do_their_share():
    views = up(*MINERS[:2])
    assert list(levels(MINE, replace(prices(20.0), targets=(target(2.2),)), views).values()).count(ON) == 1
    assert list(levels(MINE, replace(prices(20.0), targets=(target(4.4),)), views).values()).count(ON) == 2


def test_a_block_without_listed_units_draws_by_the_order_and_the_others_keep_the_limit():
    decided = levels(SERVE, replace(prices(20.0), targets=(target(7.0),)), up(*MINERS))
    assert list(decided.values()).count(ON) == 1, "2 MW are left beside the GPUs, and a miner takes 1.1"


def test_hot_air_leaves_room_for_fewer_units():
    hot = replace(MINE, blocks=(replace(MINE.blocks[0], ceiling_mw=(3.0,) * MINE.steps),))
    decided = intent(hot, HOLD, prices(20.0), up(*MINERS), NOW_S)
    assert list(decided.levels.values()).count(ON) == 3
    assert decided.reasons["m0"] == "derated"


def test_expected_values_of_the_plan_do_not_switch_units_off():
    plan = made_plan(("miners", "", 4.18, 60.0), availability_frac=0.95, room_mw=4.18)
    assert set(levels(plan, prices(20.0), up(*MINERS)).values()) == {ON}


def test_contracted_power_is_resold_where_that_pays_more():
    plan = made_plan(("miners", "", 4.4, 60.0), contract_mw=10.0)
    decided = intent(plan, HOLD, prices(61.0), up(*MINERS), NOW_S)
    assert [block.code for block in decided.targets] == ["resale"]


def test_a_tenant_with_a_right_to_power_runs_through_a_curtailment():
    plan = made_plan(("miners", "", 4.4, 60.0), ("gpus", "on-demand", 5.0, 1e6, {"firm": True}))
    rules = Rules(Fallback.CURTAIL, Fallback.HOLD)
    decided = levels(plan, Inputs(), up(*MINERS, *GPUS), rules)
    assert [decided[one.name] for one in (*MINERS, *GPUS)] == [OFF] * 4 + [ON] * 4


def test_a_tenant_who_pays_for_power_runs_at_any_price():
    plan = made_plan(("gpus", "on-demand", 5.0, 10.0, {"passes": True}))
    assert set(levels(plan, prices(4999.0), up(*GPUS)).values()) == {ON}


def test_units_that_did_as_asked_are_asked_for_nothing_new():
    inputs = replace(prices(20.0), targets=(target(5.1),))
    views = up(*MINERS, *GPUS)
    first = intent(SERVE, HOLD, inputs, views, NOW_S)
    second = intent(SERVE, HOLD, inputs, after(views, first.levels), NOW_S)
    assert dict(second.levels) == dict(first.levels)


def test_every_code_has_its_words():
    for code, words in REASONS.items():
        assert code.isidentifier()
        assert words
        assert not words.endswith(".")


def test_rules_without_a_meaning_are_refused():
    from hardware_profiles.errors import InputError

    for changes in (
        {"on_lost_telemetry": Fallback.RUN}, {"windows_down": 0}, {"windows_up": 13}, {"stale_price_s": -1.0},
        {"units_mw": float("nan")},
        {"other_mw": -1.0},
        {"losses_frac": 1.0},
    ):  # fmt: skip
        with pytest.raises(InputError, match="expected"):
            replace(HOLD, **changes)
