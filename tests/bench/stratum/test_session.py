"""The protocol over a real socket: order of messages, quirks of firmware, and the classes of shares."""

import json

import pytest

from bench.stratum.jobs import ROLLED_BITS
from bench.stratum.verify import ShareClass


def counts(server):
    return {share_class: n for share_class, n in server.shares.counts(0.0, 1e12).items() if n}


def test_a_miner_gets_mask_difficulty_and_job_in_this_order_after_it_is_authorized(serve, client):
    _, address = serve()
    miner = client(address)
    miner.log_in()
    assert [push["method"] for push in miner.pushes] == [
        "mining.set_version_mask",
        "mining.set_difficulty",
        "mining.notify",
    ]
    assert miner.pushes[0]["params"] == ["1fffe000"]
    assert all(push["id"] is None for push in miner.pushes)
    assert miner.pushes[2]["params"][8] is True


def test_authorize_may_come_before_subscribe_and_jobs_wait_for_both(serve, client):
    _, address = serve()
    miner = client(address)
    assert miner.call("mining.suggest_difficulty", [512])["result"] is True
    assert miner.call("mining.authorize", ["a", "x"])["result"] is True
    assert miner.pushes == []
    result = miner.call("mining.subscribe", [])["result"]
    assert miner.pushes == []
    assert result[0][0][0] == "mining.notify"
    assert len(bytes.fromhex(result[1])) == 4
    assert result[2] == 8
    assert miner.next_push("mining.notify")[8] is True


def test_a_miner_that_does_not_roll_gets_no_mask(serve, client):
    _, address = serve()
    miner = client(address)
    miner.log_in(mask=None)
    assert "mining.set_version_mask" not in [push["method"] for push in miner.pushes]


@pytest.mark.parametrize(
    ("names", "values", "expected"),
    [
        (
            ["version-rolling"],
            {"version-rolling.mask": "ffffffff", "version-rolling.min-bit-count": 2},
            {"version-rolling": True, "version-rolling.mask": "1fffe000"},
        ),
        (
            ["version-rolling"],
            {"version-rolling.mask": "00ffe000"},
            {"version-rolling": True, "version-rolling.mask": "00ffe000"},
        ),
        (["version-rolling"], {"version-rolling.mask": "00000001"}, {"version-rolling": False}),
        (["version-rolling"], {"version-rolling.mask": "zz"}, {"version-rolling": False}),
        (
            ["version-rolling"],
            {"version-rolling.mask": "00006000", "version-rolling.min-bit-count": 3},
            {"version-rolling": False},
        ),
        (["version-rolling"], {}, {"version-rolling": True, "version-rolling.mask": "1fffe000"}),
        (["minimum-difficulty"], {"minimum-difficulty.value": 2048}, {"minimum-difficulty": True}),
        (["subscribe-extranonce"], {}, {"subscribe-extranonce": True}),
        (["something-new"], {}, {"something-new": False}),
        ([], {}, {}),
    ],
)
def test_configure_answers_the_keys_that_were_asked_for_and_no_other(serve, client, names, values, expected):
    _, address = serve()
    assert client(address).call("mining.configure", [names, values])["result"] == expected


@pytest.mark.parametrize("params", [None, {}, [], [5], [["version-rolling"], 7], [[5]], [[], {}, []], "text"])
def test_a_malformed_configure_is_refused_and_the_connection_stays(serve, client, params):
    _, address = serve()
    miner = client(address)
    assert miner.call("mining.configure", params)["error"][0] == 20
    assert miner.call("mining.ping", [])["result"] == "pong"


@pytest.mark.parametrize("message_id", [7, "seven", None, 0, -1, "", 2**70])
def test_the_id_comes_back_as_it_was_sent(serve, client, message_id):
    _, address = serve()
    assert client(address).call("mining.ping", [], message_id)["id"] == message_id


@pytest.mark.parametrize(
    ("method", "result", "code"),
    [
        ("mining.ping", "pong", None),
        ("mining.extranonce.subscribe", True, None),
        ("mining.suggest_target", True, None),
        ("mining.get_transactions", None, 20),
        ("mining.multi_version", None, 20),
        ("client.get_version", None, 20),
        ("", None, 20),
    ],
)
def test_small_and_unknown_methods_are_answered_and_close_nothing(serve, client, method, result, code):
    _, address = serve()
    miner = client(address)
    for _ in range(3):
        answer = miner.call(method, [])
        assert answer["result"] == result
        assert (answer["error"] or [None])[0] == code


def test_crlf_blank_lines_joined_and_split_lines_are_read(serve, client):
    _, address = serve()
    miner = client(address)
    ping = json.dumps({"id": 1, "method": "mining.ping", "params": []}).encode()
    miner.send_bytes(ping + b"\r\n\r\n\n" + ping[:9])
    assert miner.read()["result"] == "pong"
    miner.send_bytes(ping[9:] + b"\n" + ping + b"\n")
    assert [miner.read()["result"] for _ in range(2)] == ["pong", "pong"]


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


def test_a_new_difficulty_comes_with_a_job_and_old_jobs_keep_theirs(serve, client):
    server, address = serve()
    miner = client(address)
    old_job, old_difficulty = miner.log_in(), server.difficulty
    server.set_difficulty(old_difficulty * 4)
    new_job = miner.next_push("mining.notify")
    assert miner.pushes[-2]["params"] == [old_difficulty * 4]
    assert new_job[8] is False
    for job, difficulty in ((old_job, old_difficulty), (new_job, old_difficulty * 4)):
        assert miner.call("mining.submit", miner.share(job, difficulty))["result"] is True
    assert [event.difficulty for event in server.shares.since(0)[0]] == [old_difficulty, old_difficulty * 4]


def test_jobs_follow_each_other_and_a_clean_one_retires_the_others(serve, client):
    server, address = serve(notify_s=0.05, clean_s=0.2)
    miner = client(address)
    first = miner.log_in()
    share = miner.share(first)
    job = miner.next_push("mining.notify")
    assert (job[1], job[8]) == (first[1], False)
    assert job[4] != first[4]
    while not job[8]:
        job = miner.next_push("mining.notify")
    assert job[1] != first[1]
    assert miner.call("mining.submit", share)["error"][0] == 21
    assert counts(server) == {ShareClass.STALE: 1}


def test_the_last_ten_jobs_take_shares_and_much_older_ones_are_stale(serve, client):
    server, address = serve(notify_s=600.0)
    miner = client(address)
    jobs = [miner.log_in()]
    for _ in range(16):
        server.set_difficulty(server.difficulty)
        jobs.append(miner.next_push("mining.notify"))
    assert miner.call("mining.submit", miner.share(jobs[0]))["error"][0] == 21
    assert miner.call("mining.submit", miner.share(jobs[-11]))["result"] is True
    assert counts(server) == {ShareClass.STALE: 1, ShareClass.VALID: 1}


def test_a_job_of_another_connection_is_unknown(serve, client):
    server, address = serve()
    first, second = client(address), client(address)
    share = first.share(first.log_in())
    second.log_in()
    assert second.call("mining.submit", share)["error"][0] == 21
    assert counts(server) == {ShareClass.UNKNOWN_JOB: 1}
    assert first.extranonce1 != second.extranonce1


def test_a_mask_that_is_negotiated_late_comes_with_a_job(serve, client):
    _, address = serve()
    miner = client(address)
    miner.log_in(mask=None)
    miner.call("mining.configure", [["version-rolling"], {"version-rolling.mask": "ffffffff"}])
    job = miner.next_push("mining.notify")
    assert miner.pushes[-2] == {"id": None, "method": "mining.set_version_mask", "params": [f"{ROLLED_BITS:08x}"]}
    assert miner.call("mining.submit", miner.share(job))["result"] is True


def test_sessions_say_who_is_connected_and_never_hold_a_password(serve, client):
    server, address = serve()
    miner = client(address)
    miner.call("mining.suggest_difficulty", [512])
    miner.call("mining.configure", [["minimum-difficulty"], {"minimum-difficulty.value": 256}])
    miner.log_in(agent="Antminer S21/\x1b[31mé")
    miner.call("mining.authorize", ["perwatt.y", "secret"])
    (info,) = server.sessions()
    assert info.user_agent == "Antminer S21/?[31m\\xe9"
    assert info.workers == ("perwatt.x", "perwatt.y")
    assert (info.peer, info.mask, info.ended_s) == ("127.0.0.1", 0x1FFFE000, None)
    assert (info.suggested_difficulty, info.minimum_difficulty) == (512.0, 256.0)
    assert "secret" not in repr(info)


def test_a_second_connection_and_a_second_worker_are_visible(serve, client):
    server, address = serve()
    miners = [client(address), client(address)]
    for miner in miners:
        miner.log_in()
    miners[0].call("mining.authorize", ["perwatt.behind", "x"])
    population = server.population()
    assert (population.connected, population.working, population.accepted, population.peers) == (2, 2, 2, 1)
    assert (population.workers, population.most_workers, population.most_per_peer) == (2, 2, 2)


@pytest.mark.parametrize("worker", ["", None, 5, [], "x" * 300])
def test_a_name_that_is_no_name_is_not_authorized(serve, client, worker):
    _, address = serve()
    miner = client(address)
    assert miner.call("mining.authorize", [worker, "x"])["error"][0] == 24


def test_one_connection_may_authorize_a_limited_number_of_workers(serve, client):
    server, address = serve()
    miner = client(address)
    answers = [miner.call("mining.authorize", [f"w{number}", "x"])["result"] for number in range(70)]
    assert answers.count(True) == 64
    assert "too many workers" in [notice.reason for notice in server.notices()]
