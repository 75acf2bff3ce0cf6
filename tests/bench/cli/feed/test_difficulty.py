"""`perwatt feed difficulty` from an invented node, an invented REST server and files, and what takes its table."""

import json
from pathlib import Path

import pytest
from doubles.feeds.node import PASSWORD, InventedBitcoind, InventedRest, hash_text
from doubles.feeds.web import WebSource

from bench.feeds.difficulty.chain import needed_heights
from kernels.sha256.header import Header

FROM_0 = ("--from-height", 0)
pytestmark = pytest.mark.usefixtures("network")


@pytest.fixture
def from_node(perwatt, cookie):
    """Run the command for a node from the first block on."""

    def call(node, *more):
        words = ("--url", node.url, "--cookie-file", cookie, *FROM_0)
        return perwatt("feed", "difficulty", "bitcoind", *words, *more)

    return call


def table(folder, name="difficulty.csv"):
    return (folder / name).read_text(encoding="utf-8").splitlines()


def test_a_node_a_rest_server_and_a_file_give_the_same_table(  # noqa: PLR0917
    perwatt, node, rest, headers, cookie, tmp_path
):
    (tmp_path / "headers.bin").write_bytes(b"".join(headers))
    for source, options in (
        ("bitcoind", ("--url", node.url, "--cookie-file", cookie, *FROM_0)),
        ("mempool", ("--url", f"{rest.url}/api", *FROM_0)),
        ("headers.bin", ()),
    ):
        done = perwatt("feed", "difficulty", source, "--out", f"{source}.csv", *options)
        assert done.returncode == 0, done.stderr
        assert "4 epochs follow from the one before by the rule of the network." in done.stdout
    assert table(tmp_path, "bitcoind.csv") == table(tmp_path, "mempool.csv") == table(tmp_path, "headers.bin.csv")
    heading, first, *_ = table(tmp_path, "bitcoind.csv")
    assert heading == "start,difficulty,height,bits,last_unix,block_hash"
    assert first.startswith("2023-11-14T22:13:20Z,0.000000,0,207fffff,1700604500,")
    assert first.endswith(hash_text(headers[0]))


def test_the_provenance_has_source_time_rule_and_the_headers_that_prove_the_table(from_node, node, headers, tmp_path):
    done = from_node(node, "--json")
    document = json.loads(done.stdout)
    assert document["schema"] == "perwatt.feed_difficulty/1"
    assert [epoch["height"] for epoch in document["epochs"]] == [0, 2016, 4032, 6048]
    beside = json.loads((tmp_path / document["provenance"]).read_text(encoding="utf-8"))
    assert beside["source"] == {"kind": "RPC of a Bitcoin node", "place": node.url}
    assert beside["headers"] == {str(at): headers[at].hex() for at in needed_heights(0, len(headers) - 1)}
    assert "PASSWORD" not in str(beside)
    assert PASSWORD not in done.stdout + done.stderr + str(beside)


def test_a_reorganization_at_the_tip_cannot_change_the_table(from_node, serve, headers, tmp_path):
    node = serve(InventedBitcoind, headers[: 2016 + 5])
    from_node(node)
    assert len(table(tmp_path)) == 2
    node.headers = list(headers[: 2016 + 6])
    from_node(node)
    assert len(table(tmp_path)) == 3


def test_the_password_may_come_from_the_environment(perwatt, node):
    words = ("feed", "difficulty", "bitcoind", "--url", node.url, "--user", "__cookie__", *FROM_0)
    done = perwatt(*words, "--password-env", "NODE_PASSWORD", env={"NODE_PASSWORD": PASSWORD})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"getblockheader": lambda v: v | {"height": 7} if isinstance(v, dict) else v},
            "height 0: expected this height, got 7",
        ),
        (
            {"getblockheader": lambda v: v | {"difficulty": 1.5} if isinstance(v, dict) else v},
            "height 0: difficulty: expected 0.000000, which its bits 207fffff state, got 1.500000",
        ),
        ({"getblockhash": lambda _: hash_text(b"x" * 80)}, "error -8"),
        (
            {"getblockheader": lambda v: v[:-2] if isinstance(v, str) else v},
            "expected a header of 160 hexadecimal digits",
        ),
        (
            {"getblockchaininfo": lambda v: v | {"blocks": "many"}},
            "blocks: expected a value of a Bitcoin node, got 'many'",
        ),
        ({"getblockchaininfo": lambda _: None}, "chain: expected a value of a Bitcoin node, got None"),
        (
            {"getblockchaininfo": lambda v: v | {"chain": "regtest"}},
            "expected a node on the main network, got one on 'regtest'",
        ),
        (
            {"getblockchaininfo": lambda v: v | {"blocks": 3}},
            r"from height 0 on, got one at height 3 (still synchronizing?)",
        ),
    ],
)
def test_a_node_that_contradicts_itself_is_refused_in_one_line(  # noqa: PLR0917
    from_node, serve, headers, tmp_path, change, message
):
    node = serve(InventedBitcoind, headers, **change)
    done = from_node(node)
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "difficulty.csv").exists()


def test_a_header_of_another_hash_than_stated_is_refused(from_node, serve, headers):
    other = headers[9].hex()
    node = serve(InventedBitcoind, headers, getblockheader=lambda v: other if isinstance(v, str) else v)
    done = from_node(node)
    assert "height 0: hash: expected" in done.stderr
    assert done.returncode == 2


def test_a_node_that_starts_or_refuses_is_named_with_exit_status_1(from_node, node, cookie):
    node.warming_up = True
    done = from_node(node)
    assert (done.returncode, "the node is starting; ask again later" in done.stderr) == (1, True)
    cookie.write_text("__cookie__:wrong", encoding="utf-8")
    done = from_node(node)
    assert (done.returncode, "the node refuses the user and the password" in done.stderr) == (1, True)
    assert "wrong" not in done.stderr


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            (429, {"Retry-After": "90"}, b"Too Many Requests"),
            "HTTP status 429, the source is asked too often; ask again in 90 s",
        ),
        ((200, {}, b"<html><body>Rate limit exceeded</body></html>"), "asked too often: 'Rate limit exceeded'"),
        ((200, {}, b"<html>hello</html>"), "expected the text of a REST server such as Esplora, got 'hello'"),
        ((503, {"Retry-After": "5"}, b""), "HTTP status 503, the source is not available; ask again in 5 s"),
        (
            (301, {"Location": "https://elsewhere.example/"}, b""),
            "the source has moved to 'https://elsewhere.example/'; see --url",
        ),
        ((403, {}, b"no"), "HTTP status 403, the source refuses the key or the login: 'no'"),
        ((200, {}, b"12x"), "expected a height, got '12x'"),
    ],
)
def test_a_rest_server_that_does_not_answer_with_data_is_named_in_one_line(perwatt, serve, answer, message):
    server = serve(WebSource, lambda *_: answer)
    done = perwatt("feed", "difficulty", "mempool", "--url", server.url, *FROM_0)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_rest_server_with_another_header_than_its_hash_is_refused(perwatt, serve, headers):
    path = f"/api/block/{hash_text(headers[0])}/header"
    server = serve(InventedRest, headers, {path: headers[1].hex().encode()})
    done = perwatt("feed", "difficulty", "mempool", "--url", f"{server.url}/api", *FROM_0)
    assert (done.returncode, "height 0: hash: expected" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bitcoin",), "expected bitcoind, mempool or a file of block headers, got 'bitcoin' (did you mean bitcoind?)"),
        (("bitcoind", "--from-height", 7), "--from-height: expected a multiple of 2016, got 7"),
        (("bitcoind", "--first-height", 0), "--first-height: expected a file of headers, got 'bitcoind'"),
        (("bitcoind", "--user", "me"), "--password-env: expected a value, because --user has one"),
        (("bitcoind", "--password-env", "X"), "--user: expected a value, because --password-env has one"),
        (
            ("bitcoind", "--cookie-file", "no-such-file"),
            "--cookie-file: no-such-file: expected a readable password file",
        ),
        (("mempool", "--cookie-file", "c"), "--cookie-file: expected no such option with mempool, got 'c'"),
        (("mempool", "--url", "http://me:secret@127.0.0.1"), "expected an address without a user and a password"),
        (("mempool", "--url", "ftp://127.0.0.1"), "--url: expected an address such as"),
        (("headers.bin", "--url", "x"), "--url: expected no such option with a file of headers, got 'x'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(refused, tmp_path, arguments, message):
    (tmp_path / "headers.bin").write_bytes(b"\1" * 80)
    line = refused("feed", "difficulty", *arguments)
    assert message in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, {}, b""), "HTTP status 403, the node does not serve this machine (see its rpcallowip)"),
        ((502, {}, b"<p>proxy</p>"), "HTTP status 502: 'proxy'"),
        ((200, {}, b"<html>"), "expected the JSON of a Bitcoin node, got '<html>'"),
        ((200, {}, b'[{"id": 0}]'), "expected the JSON-RPC of a Bitcoin node, got {'id': 0}"),
        ((200, {}, b'[{"id": 7, "result": 1, "error": null}]'), "expected an answer to each of 1 calls, got 1"),
        (
            (500, {}, b'{"result": null, "error": {"code": -1, "message": "Undo data expected but pruned"}, "id": 0}'),
            "the node has pruned this block; use a node with prune of 550 or more",
        ),
        (
            (200, {}, b'[{"id": 0, "result": {"chain": "main", "blocks": 99999999}, "error": null}]'),
            "blocks: expected at most 10000000, got 99999999",
        ),
    ],
)
def test_what_is_no_answer_of_a_node_is_named_in_one_line(from_node, serve, answer, message):
    done = from_node(serve(WebSource, lambda *_: answer))
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_beyond_every_height_is_refused(refused, serve):
    server = serve(WebSource, lambda *_: (200, {}, b"99999999"))
    line = refused("feed", "difficulty", "mempool", "--url", server.url)
    assert "height: expected at most 10000000, got 99999999" in line


def test_a_cookie_without_a_colon_and_two_logins_are_refused(refused, cookie):
    words = ("feed", "difficulty", "bitcoind", "--cookie-file", cookie)
    assert "either --cookie-file or --user with --password-env, got 'both'" in refused(*words, "--user", "me")
    cookie.write_text("password", encoding="utf-8")
    assert "expected a file with USER:PASSWORD in one line" in refused(*words)


def test_a_cookie_that_others_may_read_is_refused(refused, cookie):
    cookie.chmod(0o644)
    assert "expected mode 0600" in refused("feed", "difficulty", "bitcoind", "--cookie-file", cookie)


REPORT = (
    "company,month,days,deployed_ehs,avg_operating_ehs,btc_produced,hashrate_used,basis_note,source\n"
    "Riot,2026-07,31,40,36,400,avg,average,made up\n"
)


def later_table(folder, name="difficulty.csv"):
    """Write a table of epochs after the bundled ones, by the rule, with invented times of blocks."""
    from datetime import UTC, datetime

    from sites.market.retarget import check_bits, next_nbits

    lines, bits, start = ["start,difficulty,height,bits,last_unix"], 0x170240C3, 1_781_397_386
    for epoch in range(4):
        last = start + 1_209_000 if epoch < 3 else None
        day = datetime.fromtimestamp(start, UTC).isoformat()
        difficulty = check_bits("", bits, None)
        lines.append(f"{day},{difficulty:.6f},{953_568 + 2016 * epoch},{bits:08x},{'' if last is None else last}")
        bits, start = next_nbits(bits, 1_209_000), start + 1_209_600
    (folder / name).write_text("\n".join(lines), encoding="utf-8")


def test_validate_mining_takes_a_month_after_the_bundled_data_once_difficulties_are_supplied(perwatt, tmp_path):
    (tmp_path / "reports.csv").write_text(REPORT, encoding="utf-8")
    later_table(tmp_path)
    words = ("validate", "mining", "--data", "reports.csv")
    assert "`perwatt feed difficulty` gets later ones for --difficulty" in perwatt(*words).stdout
    document = json.loads(perwatt(*words, "--difficulty", "difficulty.csv", "--json").stdout)
    (row,) = document["rows"]
    said = perwatt(*words, "--difficulty", "difficulty.csv").stdout
    assert "Difficulty: difficulty.csv after the bundled epochs, known until 2026-08-09" in said
    assert (document["difficulty"], document["difficulty_known_until"]) == ("difficulty.csv", "2026-08-09")
    assert (row["status"], row["epoch_start_times"]) == ("accepted", "header")
    seconds, expected_hashes = 31 * 86_400, 124_932_866_006_548.16 * 2**32 * 65536 / 65535
    assert row["predicted_btc"] == pytest.approx(36e18 * seconds * 3.125 / expected_hashes, rel=1e-3)


def test_validate_mining_refuses_a_table_that_is_not_checked_or_breaks_the_rule(refused, tmp_path):
    later_table(tmp_path)
    text = (tmp_path / "difficulty.csv").read_text(encoding="utf-8")
    (tmp_path / "points.csv").write_text("start,difficulty\n2026-07-01,1e14\n", encoding="utf-8")
    (tmp_path / "wrong.csv").write_text(text.replace("1782606386", "1782600000"), encoding="utf-8")
    assert "points.csv: key height: expected this column, once" in refused(
        "validate", "mining", "--difficulty", "points.csv"
    )
    line = refused("validate", "mining", "--difficulty", "wrong.csv")
    assert "wrong.csv: height 955584: bits: expected" in line


def test_no_key_of_the_environment_is_in_the_table(perwatt, node, tmp_path):
    words = ("feed", "difficulty", "bitcoind", "--url", node.url, "--user", "__cookie__", *FROM_0)
    perwatt(*words, "--password-env", "NODE_PASSWORD", env={"NODE_PASSWORD": PASSWORD})
    for path in (Path(tmp_path / "difficulty.csv"), Path(tmp_path / "difficulty.csv.json")):
        assert PASSWORD not in path.read_text(encoding="utf-8")
    assert Header.unpack(node.headers[0]).time_s == 1_700_000_000
