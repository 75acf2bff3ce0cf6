"""The tables of contracts and money in a site file: what is read, and one line for each fault."""

import pytest

from hardware_profiles.errors import InputError
from hardware_profiles.reading import parse_toml, validate
from sites.file.contracts.tables import KINDS, MoneyTables, powers_mw
from sites.file.values import assumptions_of, numbers_of
from sites.plausible.doubts import number_doubts

EVERYTHING = """
[[contract]]
kind = "hosting"
name = "customer"
blocks = ["miners"]
start = 2026-01-01
end = 2030-12-31
usd_per_kwh = { value = 0.075, source = "agreement" }
revenue_share_percent = 10
minimum_usd_per_month = 900000
[[contract]]
kind = "lease"
name = "tenant"
blocks = ["gpus"]
contracted_kw = 10000
usd_per_kw_month = 130
end = 2027-12-31
escalator_percent_per_year = 3
[[contract]]
kind = "gpu_hours"
name = "cloud"
blocks = ["gpus"]
start = 2028-01-01
usd_per_gpu_hour = 2.5
reserved_gpus = 512
reserved_usd_per_gpu_hour = 1.8
[[contract]]
kind = "ppa"
name = "wind"
generated_mwh = { file = "wind.csv", column = "mwh" }
share_percent = 50
floor_usd_per_mwh = 20
cap_usd_per_mwh = 45
[[contract]]
kind = "swap"
name = "hedge"
mw = 10
fixed_usd_per_mwh = 45
[[contract]]
kind = "demand_response"
name = "ers"
enrolled_mw = 15
usd_per_mw_hour = 8
event = [{ start = 2026-08-10T15:00:00, hours = 2 }]
[[contract]]
kind = "transmission"
name = "4cp"
usd_per_kw_year = 60
peak = [2026-06-22T16:45:00, 2026-07-20T16:30:00]
[[contract]]
kind = "minimum_take"
name = "supply"
contract_mwh_per_year = 300000
unused_usd_per_mwh = 20
[[capex]]
name = "phase 1"
paid = 2026-01-01
usd = 20000000
life_months = 60
[[debt]]
kind = "level payment"
name = "senior"
principal_usd = 10000000
interest_percent = 12
drawn = 2026-01-01
months = 48
[[debt]]
kind = "btc"
name = "pledged"
principal_usd = 5000000
collateral_btc = 120
interest_percent = 9
drawn = 2026-01-01
repaid = 2027-12-31
cured_ltv_percent = 50
margin_call_ltv_percent = 70
liquidation_ltv_percent = 80
[tax]
rate_percent = 21
"""


def _read(text):
    return validate(MoneyTables, parse_toml(text.encode(), "site.toml"), "site.toml")


def _changed(old, new):
    assert EVERYTHING.count(old) == 1
    return EVERYTHING.replace(old, new)


def test_every_kind_of_contract_is_read_with_its_sources():
    tables = _read(EVERYTHING)
    assert [table.kind for table in tables.contract] == list(KINDS)
    sources = {each.key: each.source for each in assumptions_of(tables)}
    assert sources["contract[customer].usd_per_kwh"] == "agreement"
    assert sources["debt[senior].interest_percent"] == "assumption"
    assert list(number_doubts(numbers_of(tables))) == []


def test_a_share_in_place_of_per_cent_is_doubted_in_a_loan_to_value():
    tables = _read(
        _changed("liquidation_ltv_percent = 80", "liquidation_ltv_percent = 80.0").replace("= 50\n", "= 0.5\n")
    )
    (doubt,) = number_doubts(numbers_of(tables))
    assert doubt.text == (
        "key debt[pledged].cured_ltv_percent: expected 20 to 100 per cent, got 0.5 (as a share? write 50)"
    )


def test_powers_of_contracts_are_those_at_this_site():
    """MW of agreements, swaps and enrolments, kW of hosts and leases; what a host elsewhere grants is not its power."""
    found = {keys[-1]: mw for keys, mw in powers_mw(_read(EVERYTHING).contract)}
    assert found == {"contracted_kw": 10.0, "mw": 10.0, "enrolled_mw": 15.0}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "end = 2030-12-31",
            "end = 2025-12-31",
            "contract[0].end: expected a last day from its start (2026-01-01) on, got 2025-12-31",
        ),
        (
            'kind = "swap"',
            'kind = "swop"',
            f"contract[4]: expected a kind of {', '.join(KINDS)}, got another or none",
        ),
        (
            "usd_per_kwh = { value = 0.075",
            "usd_per_kwh = { value = 75.0",
            "contract[0].usd_per_kwh: expected a number of 0 to 10 USD/kWh, got 75 (per MWh? write 0.075)",
        ),
        (
            "floor_usd_per_mwh = 20",
            "floor_usd_per_mwh = 50",
            "contract[3]: expected a floor of at most the cap (45), got 50",
        ),
        (
            "cap_usd_per_mwh = 45",
            "adder_usd_per_mwh = 2",
            (
                "contract[3]: expected one price: fixed_usd_per_mwh, floor_usd_per_mwh or cap_usd_per_mwh, "
                "adder_usd_per_mwh, got floor_usd_per_mwh or cap_usd_per_mwh and adder_usd_per_mwh"
            ),
        ),
        (
            "end = 2027-12-31",
            "end = 2028-01-01",
            "contract: expected one contract for a block at a time, got 'cloud' and 'tenant' for 'gpus'",
        ),
        ('["miners"]', '["miners", "miners"]', "contract[0].blocks: expected each block once, got 'miners' 2 times"),
        (
            "life_months = 60",
            "life_months = 2.5",
            "capex[0].life_months: expected a whole number of 1 to 600 months, got 2.5",
        ),
        ("mw = 10\n", "", "contract[4]: expected one of mw, mw_by_hour_of_week, generated_mwh, got none"),
        (
            "mw = 10\n",
            "mw_by_hour_of_week = [1, 2]\n",
            "contract[4].mw_by_hour_of_week: expected 168 numbers of 0 to 100,000 MW, got [1, 2]",
        ),
        (
            "reserved_gpus = 512\n",
            "",
            "contract[2]: expected both reserved_gpus and reserved_usd_per_gpu_hour, got one",
        ),
        ('name = "hedge"', 'name = "wind"', "contract: expected each name once, got 'wind' 2 times"),
        (
            "life_months = 60\n",
            "",
            'capex[0]: expected life_months with method = "straight line", and only with it',
        ),
        (
            "months = 48\n",
            "months = 48\npayment_usd = 90000\n",
            (
                "debt[0].payment_usd: expected above the interest of a month (100,000.00 USD), "
                "else it is never repaid, got 90,000.00"
            ),
        ),
        (
            "months = 48\n",
            "months = 48\ninterest_only_months = 0.5\n",
            "debt[0].interest_only_months: expected a whole number of 0 to 600 months, got 0.5",
        ),
        ("months = 48\n", "months = 4.5\n", "debt[0].months: expected a whole number of 1 to 600 months, got 4.5"),
        (
            "repaid = 2027-12-31",
            "repaid = 2025-12-31",
            "debt[1].repaid: expected a day from drawn (2026-01-01) on, got 2025-12-31",
        ),
        (
            "cured_ltv_percent = 50",
            "cured_ltv_percent = 75",
            (
                "debt[1]: expected cured_ltv_percent below margin_call_ltv_percent below liquidation_ltv_percent, "
                "got 75, 70 and 80"
            ),
        ),
        (
            "fixed_usd_per_mwh = 45",
            "fixed_usd_per_mwh = 45\nmw_hour = 3",
            (
                "contract[4].mw_hour: expected a known key, got an unknown key "
                "(did you mean usd_per_mw_hour, mw_by_hour_of_week?)"
            ),
        ),
        ("rate_percent = 21", "rate_percent = 210", "tax.rate_percent: expected a share of 0 to 100 per cent, got 210"),
    ],
)
def test_each_fault_is_one_line_with_its_key(old, new, line):
    with pytest.raises(InputError) as fault:
        _read(_changed(old, new))
    assert fault.value.faults == (f"site.toml: key {line}",)


@pytest.mark.parametrize(
    ("old", "new", "doubt"),
    [
        ("usd_per_kwh = { value = 0.075", "usd_per_kwh = { value = 7.5", "in cents per kWh? write 0.075)"),
        ("usd_per_kw_month = 130", "usd_per_kw_month = 1560", "(per kW-year? write 130)"),
        ("contracted_kw = 10000", "contracted_kw = 1", "(in MW? write 1000)"),
        ("interest_percent = 12", "interest_percent = 0.12", "(as a share? write 12)"),
        ("revenue_share_percent = 10", "revenue_share_percent = 0.1", "(as a share? write 10)"),
        ("fixed_usd_per_mwh = 45", "fixed_usd_per_mwh = 0.045", "(per kWh? write 45"),
        ("usd_per_kw_year = 60", "usd_per_kw_year = 60000", "(per MW-year? write 60)"),
        ("escalator_percent_per_year = 3", "escalator_percent_per_year = 0.03", "(as a share? write 3)"),
        ("rate_percent = 21", "rate_percent = 0.21", "(as a share? write 21)"),
    ],
)
def test_a_wrong_unit_is_asked_about(old, new, doubt):
    (found,) = number_doubts(numbers_of(_read(_changed(old, new))))
    assert doubt in found.text
