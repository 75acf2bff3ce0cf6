"""The protocol over a real socket: order of messages, negotiation, and the quirks of firmware."""

import json

import pytest


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


@pytest.mark.parametrize(
    ("target", "difficulty"),
    [
        ("00000000ffff" + 52 * "0", 1.0),
        ("0x0000000000ffff" + 50 * "0", 256.0),
        ("", None),
        ("zz", None),
        (5, None),
        ("0", None),
        ("f" * 70, None),
    ],
)
def test_a_suggested_target_is_recorded_as_its_difficulty(serve, client, target, difficulty):
    server, address = serve()
    miner = client(address)
    assert miner.call("mining.suggest_target", [target])["result"] is True
    assert server.sessions()[0].suggested_difficulty == difficulty


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
