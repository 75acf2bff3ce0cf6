"""docs/method.md says nothing that no code does: the code, the tests and the reason codes of each rule are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from bench.diagnostics import TABLE

ROOT = Path(__file__).resolve().parents[2]
METHOD = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
SOURCES = sorted(path for path in (ROOT / "bench").rglob("*.py") if path.name != "diagnostics.py")
NOT_YET = "not measured yet"
OTHER_WORDS = {"smoke", "quick", "publish", "compare"}  # plans and commands, which look like codes


def rules(text=METHOD):
    """Return the text of each numbered rule."""
    section = text.partition("\n## The rules\n")[2].partition("\n## ")[0]
    parts = re.split(r"(?m)^(\d+)\. (?=\*\*)", section)
    return {int(number): body for number, body in zip(parts[1::2], parts[2::2], strict=True)}


RULES = rules()
DONE = {number: text for number, text in RULES.items() if NOT_YET not in text}


def paths_in(text):
    return re.findall(r"`((?:bench|kernels|sites|tests|docs|hardware_profiles)/[\w./-]+)`", text)


def codes_in(text):
    return set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", text)) - OTHER_WORDS


@cache
def names_of_tests():
    """Return the names by which `pytest -k` selects the tests: of their files and their functions."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    functions = [name for file in files for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))]
    return [*(file.stem for file in files), *functions]


def codes_set_in(source):
    """Return the texts of a module that may set a reason code: none that is only compared, listed or looked up."""
    tree = ast.parse(source)
    passive = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            passive |= {id(inner) for inner in ast.walk(node)}
    for node in tree.body:  # tables of names
        if isinstance(node, ast.Assign):
            passive |= {id(inner) for inner in ast.walk(node)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passive
    }


@cache
def codes_set():
    return set().union(*(codes_set_in(path.read_text(encoding="utf-8")) for path in SOURCES))


def test_the_rules_are_numbered_without_a_gap():
    assert list(RULES) == list(range(1, len(RULES) + 1))
    assert len(DONE) >= 20


@pytest.mark.parametrize("number", DONE)
def test_each_rule_names_code_that_exists(number):
    paths = paths_in(DONE[number])
    assert paths, f"rule {number} names no module"
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("number", DONE)
def test_each_rule_has_a_test_of_its_number(number):
    assert any(f"rule_{number:02}" in name for name in names_of_tests()), f"pytest -k rule_{number:02} finds nothing"


@pytest.mark.parametrize("number", RULES)
def test_each_code_that_a_rule_names_is_a_reason_code(number):
    assert sorted(codes_in(RULES[number]) - set(TABLE)) == []


def test_each_code_that_the_rest_of_the_page_names_is_a_reason_code():
    tables = re.findall(r"(?m)^\|.*\| `([a-z_]+)` \|$", METHOD)
    assert tables
    assert sorted(set(tables) - set(TABLE)) == []


@pytest.mark.parametrize("code", TABLE)
def test_each_reason_code_is_set_by_code_and_named_by_its_rule(code):
    assert code in codes_set(), f"{code} stands in bench/diagnostics.py, and nothing sets it"
    number = TABLE[code].rule
    if number is not None:
        assert code in codes_in(DONE[number]), f"rule {number} does not name {code}"


@pytest.mark.parametrize(
    "number", sorted({int(n) for name in names_of_tests() for n in re.findall(r"rule_(\d\d)", name)})
)
def test_no_test_carries_the_number_of_a_rule_that_is_not_there(number):
    assert number in DONE


def test_the_limits_that_the_rules_state_are_those_of_the_code():
    from bench import limits

    stated = {
        2: (f"{limits.PERIODS_PER_WINDOW} update periods",),
        3: (
            f"max({limits.LEAD_FLOOR_S:g} s, {limits.LEAD_AVERAGING_TIMES:g} A)",
            f"{limits.LOG_JOIN_WINDOW_S:g} s or more",
        ),
        4: (
            f"{limits.MIN_SAMPLES} distinct samples",
            f"max({limits.MAX_GAP_PERIODS:g} T, {limits.MAX_GAP_FLOOR_S:g} s)",
            f"above {limits.SLOWEST_PERIOD_S:g} s",
            f"max({limits.DURATION_ERROR_S:g} s, {limits.DURATION_ERROR_FRAC:.0%}".replace("%", " %"),
            f"Up to {100 * limits.MALFORMED_LINES_FRAC:g} % of its lines",
        ),
        5: (f"within {100 * limits.METER_DISAGREEMENT_FRAC:g} %",),
        8: (
            f"at least {limits.VERIFIED_SHARES} valid shares",
            f"more than {100 * limits.REFUSED_SHARES_FRAC:g} %",
            f"less than {100 * limits.SHARES_DRIFT_P:g} %",
            f"{limits.SETTLE_S / 60.0:g} min at most",
        ),
        9: (f"more than {100 * limits.IDLE_DRIFT_FRAC:g} %",),
        10: (
            f"rate within {100 * limits.RATE_HALVES_FRAC:g} %",
            f"power within {100 * limits.POWER_HALVES_FRAC:g} %",
            f"more than {100 * limits.CORE_CLOCK_DROP_FRAC:g} %",
        ),
        11: (f"below {100 * limits.LOW_GPU_CLOCK_FRAC:g} %",),
        12: (f"up to {100 * limits.SPREAD_NOTED_FRAC:g} %", f"up to {100 * limits.SPREAD_UNSTABLE_FRAC:g} %"),
        14: (f"± {100 * limits.SAME_FRAC:g} %",),
        16: (f"above {100 * limits.FOREIGN_LOAD_FRAC:g} %",),
    }
    for number, phrases in stated.items():
        text = " ".join(RULES[number].split())
        assert [phrase for phrase in phrases if phrase not in text] == [], f"rule {number}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('x.judged(("a_code",))', True),
        ('return ["a_code"] if x else []', True),
        ('_KNOWN = ("a_code",)', False),
        ('if code == "a_code": pass', False),
        ('y = code in {"a_code"}', False),
    ],
)
def test_a_code_that_is_only_listed_or_compared_is_not_set(source, found):
    assert ("a_code" in codes_set_in(source)) is found
