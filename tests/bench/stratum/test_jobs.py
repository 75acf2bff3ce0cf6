"""Jobs look like a pool's, differ from each other, and cannot become a block."""

import dataclasses
import hashlib

import pytest

from bench.stratum.addresses import output_script
from bench.stratum.jobs import JobSource, network_target, swap_words
from bench.stratum.verify import merkle_root

KEY_HASH = "751e76e8199196d454941c45d1b3a323f1433bd6"  # of the generator point: the examples of BIP 173


@pytest.mark.parametrize(
    ("address", "script"),
    [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014" + KEY_HASH),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014" + KEY_HASH),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "0014" + KEY_HASH),
        ("tb1qumezefzdeqqwn5zfvgdrhxjzc5ylr39uhuxcz4", "0014e6f22ca44dc800e9d049621a3b9a42c509f1c4bc"),
        (
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
        ),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87"),
    ],
)
def test_an_address_has_its_script(address, script):
    assert output_script(address).hex() == script


@pytest.mark.parametrize(
    "text",
    [
        "",
        "perwatt",
        "1",
        "x" * 91,
        "é",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",  # checksum
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4",  # mixed case
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",  # version 1 with the checksum of version 0
        "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",  # version 17
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",  # a group of padding too many
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",  # padding that is not zeros
        "bc1gmk9yu",  # no data
        "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ],
)
def test_what_is_no_address_has_no_script(text):
    assert output_script(text) is None


def test_the_coinbase_pays_the_address_of_the_worker_and_nobody_otherwise():
    source = JobSource()
    paid = source.job(source.template(), 1.0, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.s21")
    assert bytes.fromhex("160014" + KEY_HASH) in paid.coinbase2
    assert b"\x16\x00\x14" + bytes(20) in source.job(source.template(), 1.0, "perwatt.s21").coinbase2


@pytest.mark.parametrize("extranonce2_bytes", [4, 8])
@pytest.mark.parametrize("worker", ["", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"])
def test_a_coinbase_is_a_transaction_of_at_most_250_bytes(extranonce2_bytes, worker):
    source = JobSource(extranonce2_bytes)
    job = source.job(source.template(), 1.0, worker)
    coinbase = job.coinbase1 + bytes(4 + extranonce2_bytes) + job.coinbase2
    assert len(coinbase) <= 250
    script_length = coinbase[41]
    assert script_length <= 100
    script = coinbase[42 : 42 + script_length]
    assert script[0] == 3
    assert int.from_bytes(script[1:4], "little") == job.template.height
    assert b"/perwatt/" in script
    rest = coinbase[42 + script_length :]
    assert rest[:5] == b"\xff\xff\xff\xff\x01"
    output_length = rest[13]
    assert len(rest) == 14 + output_length + 4


def test_no_two_jobs_have_a_merkle_root_in_common_even_of_one_template():
    source = JobSource()
    template = source.template()
    roots = {merkle_root(source.job(template, 1.0), b"abcd", bytes(8)) for _ in range(50)}
    assert len(roots) == 50


def test_templates_have_four_to_twelve_branches_and_follow_one_block_until_the_next():
    source = JobSource()
    templates = [source.template() for _ in range(200)]
    assert {len(template.branches) for template in templates} == set(range(4, 13))
    assert len({template.previous_hash for template in templates}) == 1
    assert len({template.branches for template in templates}) == 200
    source.next_block()
    assert source.template().previous_hash != templates[0].previous_hash
    assert source.template().height == templates[0].height + 1


def test_the_previous_block_looks_real_and_is_random():
    hashes = [JobSource().template().previous_hash for _ in range(3)]
    assert len(set(hashes)) == 3
    assert all(int.from_bytes(digest, "little") <= network_target() for digest in hashes)


def test_notify_has_padded_numbers_and_a_previous_hash_of_swapped_words():
    source = JobSource()
    job = source.job(source.template(), 1.0, clean=True)
    params = job.notify_parameters()
    assert params[0] == job.job_id
    assert bytes.fromhex(params[1])[:4] == job.template.previous_hash[:4][::-1]
    assert swap_words(bytes.fromhex(params[1])) == job.template.previous_hash
    assert params[5:7] == ["20000000", "17034219"]
    assert all(len(number) == 8 for number in params[5:8])
    assert params[8] is True
    early = source.job(dataclasses.replace(job.template, time_s=0xABC, version=0x2000), 1.0)
    assert early.notify_parameters()[5:8:2] == ["00002000", "00000abc"]
    assert hashlib.sha256(bytes.fromhex(params[2])).digest() == job.coinbase_state.digest()
