"""Shares over a real socket: every class has its answer, and only valid ones earn."""

import pytest

from bench.stratum.verify import ShareClass


def counts(server):
    return {share_class: n for share_class, n in server.shares.counts(0.0, 1e12).items() if n}


def test_a_valid_share_is_credited_with_the_difficulty_of_its_job_and_a_second_time_it_is_a_duplicate(serve, client):
    server, address = serve()
    miner = client(address)
    share = miner.share(miner.log_in())
    assert miner.call("mining.submit", share) == {"id": 4, "result": True, "error": None}
    assert miner.call("mining.submit", share)["error"][0] == 22
    assert counts(server) == {ShareClass.VALID: 1, ShareClass.DUPLICATE: 1}
    (event, second), cursor = server.shares.since(0)
    assert (event.difficulty, event.worker, event.session) == (server.difficulty, "perwatt.x", 1)
    assert 0.0 < event.hash_frac <= 1.0
    assert 0.0 <= event.job_age_s < 10.0
    assert second.share_class is ShareClass.DUPLICATE
    assert cursor == 2


def test_a_share_of_five_parameters_has_the_version_of_the_job(serve, client):
    server, address = serve()
    miner = client(address)
    share = miner.share(miner.log_in(mask=None), bits="00000000")
    assert miner.call("mining.submit", share[:5])["result"] is True
    assert miner.call("mining.submit", share)["error"][0] == 22  # zero bits are the same header
    assert counts(server) == {ShareClass.VALID: 1, ShareClass.DUPLICATE: 1}


def changed(share, position, value):
    return [*share[:position], value, *share[position + 1 :]]


@pytest.mark.parametrize(
    ("change", "share_class", "code"),
    [
        (lambda s: changed(s, 0, "other"), ShareClass.UNAUTHORIZED, 24),
        (lambda s: changed(s, 1, "ffff"), ShareClass.UNKNOWN_JOB, 21),
        (lambda s: changed(s, 2, "00" * 4), ShareClass.MALFORMED, 20),
        (lambda s: changed(s, 2, "zz" * 8), ShareClass.MALFORMED, 20),
        (lambda s: changed(s, 3, "xyz"), ShareClass.MALFORMED, 20),
        (lambda s: changed(s, 3, f"{int(s[3], 16) - 1:08x}"), ShareClass.NTIME_OUT_OF_RANGE, 20),
        (lambda s: changed(s, 3, f"{int(s[3], 16) + 7001:08x}"), ShareClass.NTIME_OUT_OF_RANGE, 20),
        (lambda s: changed(s, 3, f"{int(s[3], 16) + 86400:08x}"), ShareClass.NTIME_OUT_OF_RANGE, 20),
        (lambda s: changed(s, 4, "1ffffffff"), ShareClass.MALFORMED, 20),
        (lambda s: changed(s, 4, 17), ShareClass.MALFORMED, 20),
        (lambda s: changed(s, 4, ""), ShareClass.MALFORMED, 20),
        (lambda s: changed(s, 5, "00000001"), ShareClass.MASK_VIOLATION, 20),
        (lambda s: changed(s, 5, "20002000"), ShareClass.MASK_VIOLATION, 20),
        (lambda s: changed(s, 5, None), ShareClass.MALFORMED, 20),
        (lambda s: s[:4], ShareClass.MALFORMED, 20),
        (lambda s: [*s, "00"], ShareClass.MALFORMED, 20),
        (lambda _: None, ShareClass.MALFORMED, 20),
        (lambda _: {"worker": 1}, ShareClass.MALFORMED, 20),
        (lambda _: "text", ShareClass.MALFORMED, 20),
    ],
)
def test_every_other_share_has_its_class_and_code_and_earns_nothing(serve, client, change, share_class, code):
    server, address = serve()
    miner = client(address)
    share = miner.share(miner.log_in())
    assert miner.call("mining.submit", change(share))["error"][0] == code
    assert counts(server) == {share_class: 1}
    assert miner.call("mining.submit", share)["result"] is True


def test_a_share_above_the_target_is_of_low_difficulty(serve, client):
    server, address = serve(difficulty=1.0)
    miner = client(address)
    share = miner.share(miner.log_in())
    assert miner.call("mining.submit", share)["error"][0] == 23
    assert counts(server) == {ShareClass.LOW_DIFFICULTY: 1}
    assert server.shares.since(0)[0][0].hash_frac > 1.0


def test_a_share_before_subscription_is_unauthorized_and_the_answer_says_so(serve, client):
    server, address = serve()
    miner = client(address)
    answer = miner.call("mining.submit", ["a", "1", "00" * 8, "00000000", "00000000"])
    assert answer["error"][0] == 25
    assert counts(server) == {ShareClass.UNAUTHORIZED: 1}


def test_numbers_may_be_shorter_or_longer_than_eight_digits(serve, client):
    _, address = serve()
    miner = client(address)
    share = miner.share(miner.log_in())
    share[4] = share[4].lstrip("0") or "0"
    share[3] = "0000" + share[3]
    assert miner.call("mining.submit", share)["result"] is True
