"""The intent as the brain takes it: what the units should be in, of a plan and the operator's rules."""

from collections.abc import Sequence

from bench.control.decision.terms import Intended, Policy
from sites.control.intent import intent
from sites.control.model import Inputs, UnitView
from sites.control.plan import Plan
from sites.control.rules import Rules


def policy_of(plan: Plan, rules: Rules) -> Policy:
    """Return the pure function from inputs, views and time to what the units should be in."""

    def policy(inputs: Inputs, views: Sequence[UnitView], now_s: float) -> Intended:
        found = intent(plan, rules, inputs, views, now_s)
        return Intended(found.levels, found.codes, found.plan_w, found.intended_w)

    return policy
