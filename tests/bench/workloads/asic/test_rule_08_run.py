"""Method rule 8, over whole runs: the rate is Poisson, the joules are the wall's, and nothing displayed is mixed in."""

import math

import numpy as np
import pytest
from doubles.work_server import RATE_H_S, FakeWorkServer, codes, session

from bench.measure.counted import NORMAL_95
from bench.measure.joining.attach import attach
from bench.meters.protocol import MeterOptions
from bench.results.folder import read_record
from bench.stratum.statistics.planning import shares_for
from bench.stratum.statistics.rate import poisson_interval
from bench.stratum.verify import ShareClass


def test_rule_08_the_rate_is_all_shares_over_all_windows_with_garwoods_interval(run):
    record = run()
    assert record.status == "ok", record.reasons
    shares = record.miner.shares
    rate = record.metrics["rate"]
    low, high = poisson_interval(shares.valid)
    assert shares.verified_by_shares
    assert rate.interval_95 == pytest.approx((rate.value * low / shares.valid, rate.value * high / shares.valid))
    assert rate.value == pytest.approx(
        shares.valid * shares.hashes_per_share / sum(window.duration_s for window in record.windows)
    )
    assert rate.interval_95[0] < RATE_H_S < rate.interval_95[1]
    assert shares.valid == pytest.approx(shares_for(0.05), rel=0.1)


def test_rule_08_the_record_that_is_stored_is_read_again(run, tmp_path):
    record = run()
    stored = read_record(tmp_path / "results" / record.id)
    assert (stored.miner, stored.metrics) == (record.miner, record.metrics)
    assert stored.miner is not None
    assert record.device.kind == "asic"


@pytest.mark.slow
def test_rule_08_the_interval_covers_the_rate_in_19_of_20_runs(run):
    covered = 0
    for seed in range(20):
        interval = run(seed=seed, error=0.1).metrics["rate"].interval_95
        covered += interval[0] <= RATE_H_S <= interval[1]
    assert 16 <= covered <= 20


def test_rule_08_joules_per_hash_join_the_chance_of_the_shares_and_the_meter(run, fake_meter):
    record = run(meters=[fake_meter(lambda _t: 3500.0, accuracy=0.01, period_s=0.2)])
    energy, power = record.metrics["energy_per_hash_wall"], record.metrics["power_wall"]
    assert power.value == pytest.approx(3500.0, rel=1e-3)
    assert energy.value == pytest.approx(power.value / record.metrics["rate"].value, rel=1e-3)
    low, high = poisson_interval(record.miner.shares.valid)
    meter = NORMAL_95 * 0.01 / math.sqrt(3.0)
    above = math.hypot(record.miner.shares.valid / low - 1.0, meter)
    below = math.hypot(1.0 - record.miner.shares.valid / high, meter)
    assert energy.interval_95 == pytest.approx((energy.value * (1.0 - below), energy.value * (1.0 + above)), rel=1e-6)
    assert (energy.boundary, energy.tier) == ("wall", "B")


def test_rule_08_the_chance_of_the_shares_is_no_unsteadiness(run, fake_meter):
    for seed in range(5):
        record = run(seed=seed, meters=[fake_meter(lambda _t: 3500.0, period_s=0.2, name=f"m{seed}")])
        assert not {r.code: r.detail for r in record.warnings if r.code == "unsteady"}
        assert not codes(record) & {"unsteady", "unstable", "spread_warn", "no_idle"}
        assert "always_on" in codes(record)


def test_rule_08_a_ticket_mask_of_2_leaves_no_figure(run):
    record = run(ticket_mask=2.0)
    assert record.status == "invalid"
    assert "shares_not_uniform" in {reason.code for reason in record.reasons}
    assert record.metrics == {}
    assert not record.miner.shares.verified_by_shares
    assert record.miner.shares.uniformity.effective_difficulty == pytest.approx(
        2.0 * record.miner.shares.difficulty, rel=0.01
    )


def test_rule_08_too_few_shares_are_not_verified_by_shares(run):
    record = run(error=0.1)
    assert record.status == "ok"
    assert "shares_few" in codes(record)
    assert not record.miner.shares.verified_by_shares


def test_rule_08_shares_outside_the_mask_are_not_credited_and_withhold_the_label(run):
    record = run(refused=[(ShareClass.MASK_VIOLATION, 0.1)])
    assert {"mask_ignored", "shares_refused"} <= codes(record)
    assert record.metrics["rate"].value == pytest.approx(0.9 * RATE_H_S, rel=0.1)
    assert not record.miner.shares.verified_by_shares
    assert record.miner.shares.by_class["mask_violation"] > 100


def test_rule_08_refused_shares_are_reported_with_their_interval(run):
    record = run(refused=[(ShareClass.STALE, 0.03)])
    shares = record.miner.shares
    assert "shares_refused" in codes(record)
    assert shares.refused_frac_95[0] < 0.03 < shares.refused_frac_95[1]
    assert shares.verified_by_shares


def test_rule_08_a_miner_that_has_not_settled_is_marked_and_under_publish_invalid(run):
    assert run(settled=False).status == "ok"
    assert "not_settled" in codes(run(settled=False))
    assert run(settled=False, plan="publish").status == "invalid"


def test_rule_08_a_gap_counts_as_time_and_both_figures_are_there(run, asic_clock):
    start_s = asic_clock.monotonic()
    gap = (start_s + 100.0, start_s + 115.0)
    sessions = [session(1, end_s=gap[0]), session(2, start_s=gap[1])]
    record = run(gaps=[gap], sessions=sessions)
    assert {"disconnected"} <= codes(record)
    assert record.miner.shares.disconnected_s == pytest.approx(15.0, abs=0.1)
    total_s = sum(window.duration_s for window in record.windows)
    with_gap, without = record.metrics["rate"].value, record.metrics["rate_while_connected"].value
    assert without / with_gap == pytest.approx(total_s / (total_s - 15.0), rel=1e-3)


def test_rule_08_a_miner_that_slows_down_is_unsteady(run, asic_clock):
    start_s = asic_clock.monotonic()
    gaps = [(start_s + 80.0 + 2.0 * i, start_s + 81.0 + 2.0 * i) for i in range(300)]
    assert "unsteady" in codes(run(gaps=gaps))


@pytest.mark.parametrize(
    ("sessions", "code", "status"),
    [
        ([session(1, workers=("a", "b"))], "aggregated", "invalid"),
        ([session(1), session(2, agent="other/1")], "aggregated", "invalid"),
        ([session(1), session(2)], "connected_twice", "ok"),
        ([session(1), session(2, peer="192.0.2.8")], "other_miners", "ok"),
    ],
)
def test_rule_08_one_connection_is_not_taken_for_one_machine(sessions, code, status, run):
    record = run(sessions=sessions)
    assert code in codes(record)
    assert record.status == status
    assert record.miner.shares.verified_by_shares == (code != "aggregated")


@pytest.mark.parametrize(("plan", "status"), [("quick", "ok"), ("publish", "invalid")])
def test_rule_08_two_machines_behind_a_proxy_with_one_worker_are_not_verified_as_one(plan, status, run):
    record = run(nominal_h_s=RATE_H_S / 2.0, plan=plan)
    assert "rate_above_expected" in codes(record)
    assert not record.miner.shares.verified_by_shares
    assert record.status == status
    assert "rate_above_expected" not in codes(run(nominal_h_s=RATE_H_S / 1.2))


def test_rule_08_shares_of_another_machine_are_not_counted(run, asic_clock):
    start_s = asic_clock.monotonic()
    server = FakeWorkServer(RATE_H_S, 4096.0, start_s=start_s - 100.0, end_s=start_s + 500.0,
                            sessions=[session(1), session(2, peer="192.0.2.8")])  # fmt: skip
    for _ in range(10_000):
        server.add(start_s + 500.0, number=2)
    record = run(server)
    assert record.metrics["rate"].value < 1.2 * RATE_H_S


def test_rule_08_shares_that_the_server_no_longer_keeps_leave_no_figure(run, asic_clock):
    start_s = asic_clock.monotonic()
    server = FakeWorkServer(RATE_H_S, 4096.0, start_s=start_s - 100.0, end_s=start_s + 520.0, kept=5400)
    record = run(server)
    assert record.status == "invalid"
    assert "shares_lost" in {reason.code for reason in record.reasons}


@pytest.mark.parametrize(("share_class", "lost"), [(ShareClass.VALID, True), (ShareClass.STALE, False)])
def test_rule_08_valid_shares_of_a_connection_that_is_no_longer_listed_leave_no_figure(
    share_class, lost, run, asic_clock
):
    start_s = asic_clock.monotonic()
    server = FakeWorkServer(RATE_H_S, 4096.0, start_s=start_s - 100.0, end_s=start_s + 130.0)
    server.add(start_s + 131.0, share_class, number=2)
    assert ("shares_lost" in codes(run(server))) == lost


def test_rule_08_a_simulated_miner_is_named(run):
    record = run(sessions=[session(agent="perwatt-simulator/1")], agent="perwatt-simulator/1")
    assert record.status == "ok"
    assert "simulated_miner" in codes(record)
    assert "simulated_miner" not in codes(run())


def test_rule_08_shares_of_two_difficulties_are_credited_each_by_its_own(run, asic_clock):
    start_s = asic_clock.monotonic()
    server = FakeWorkServer(RATE_H_S, 4096.0, start_s=start_s - 100.0, end_s=start_s)
    now_s = start_s
    for index in range(6000):
        now_s += 0.03
        server.add(now_s, difficulty=2048.0 if index % 2 else 4096.0, hash_frac=index * 0.618034 % 1.0)
    record = run(server)
    assert "difficulty_mixed" in codes(record)
    assert record.miner.shares.rule == "mixed_difficulty"
    interval = record.metrics["rate"].interval_95
    assert interval[0] < record.metrics["rate"].value < interval[1]


def test_rule_08_without_a_temperature_the_record_says_so(run):
    assert "temperature_missing" in codes(run(ambient_c=None))
    record = run(ambient_c=23.5)
    assert record.miner.temperatures_c == {"ambient": 23.5}
    assert "temperature_missing" not in codes(record)


def test_rule_08_a_window_without_a_share_is_no_work(run):
    server = FakeWorkServer(RATE_H_S, 4096.0, start_s=0.0, end_s=1.0)
    record = run(server)
    assert record.status == "failed"
    assert [reason.code for reason in record.reasons] == ["no_work"]


def test_rule_08_a_log_that_is_joined_later_gives_the_interval_of_the_shares_and_the_meter(run, tmp_path):
    record = run()
    first, last = record.windows[0], record.windows[-1]
    start_s, end_s = first.start_utc.timestamp() - 30.0, last.start_utc.timestamp() + last.duration_s + 30.0
    log = tmp_path / "wall.csv"
    seconds = np.arange(start_s, end_s, 0.25)
    rows = [f"{t:.3f},3500.0" if index % 2 else f"{t:.3f},3501.0" for index, t in enumerate(seconds)]
    log.write_text("\n".join(["timestamp,power_w", *rows]) + "\n")
    spec = f"trace:{log},column=power_w,accuracy=1%"
    joined = attach(record.id, [spec], MeterOptions(), tmp_path / "results", ["run", "--attach"])
    energy = joined.metrics["energy_per_hash_wall"]
    assert joined.metrics["rate"].interval_95 == pytest.approx(record.metrics["rate"].interval_95)
    assert joined.miner == record.miner
    above = math.hypot(joined.rate.value / joined.rate.interval_95[0] - 1.0, NORMAL_95 * 0.01 / math.sqrt(3.0))
    assert energy.interval_95[1] / energy.value - 1.0 == pytest.approx(above)
    assert not codes(joined) & {"unsteady", "no_idle"}
