"""One test body for every variant of the scan of several versions, which share a message schedule."""

import csv
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from llvmlite import binding, ir
from oracles.op_count import count_operations, scan_operations

from kernels.errors import KernelInputError
from kernels.scan_cpu import scan as scan_module
from kernels.scan_cpu import selftest, variants
from kernels.scan_cpu.codegen.pipeline_step import HYBRID, MIXED, pipeline_step
from kernels.scan_cpu.codegen.quads_step import STREAMS
from kernels.scan_cpu.codegen.rolled_quads import rolled_quads
from kernels.scan_cpu.codegen.sha_target import ArmSha
from kernels.scan_cpu.scan import MIDSTATES, meets_target, scan_versions
from kernels.sha256.graph import Graph
from kernels.sha256.header import NONCES, VERSION_MASK, Header, rolled_versions, versions_around, with_version
from kernels.sha256.scan_graph import rolled_scan_graph, scan_graph

HEADERS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "headers.csv").read_text("ascii").splitlines()))
GENESIS = bytes.fromhex(HEADERS[0]["header_hex_80_bytes"])
ONE_IN_8, ONE_IN_64 = (1 << 253) - 1, (1 << 250) - 1

THIS_MACHINE = [entry.variant.name for entry in variants.all_variants() if not entry.reason.startswith("needs a")]


@pytest.fixture(params=THIS_MACHINE)
def variant(request):
    entry = variants.availability(request.param)
    if not entry.available:
        pytest.skip(f"{request.param}: {entry.reason}")
    return request.param


def expected_hits(header80, versions, start, count, target):
    nonces = ((start + offset) % NONCES for offset in range(count))
    return tuple(
        (version, nonce)
        for nonce in nonces
        for version in versions
        if meets_target(with_version(header80, version), nonce, target)
    )


@pytest.mark.parametrize("midstates", MIDSTATES)
def test_every_real_header_is_found_among_rolled_versions_and_nothing_else(variant, midstates):
    for place, row in enumerate(HEADERS):
        header80, nonce = bytes.fromhex(row["header_hex_80_bytes"]), int(row["nonce"])
        versions = versions_around(Header.unpack(header80).version, place % midstates, midstates)
        found = scan_versions(header80, versions, (nonce - 301) % NONCES, 700, variant=variant)
        assert found.hits == ((Header.unpack(header80).version, nonce),), row["height"]
        assert found.hashes == 700 * midstates


@pytest.mark.parametrize("midstates", MIDSTATES)
def test_ten_thousand_random_versions_and_nonces_agree_with_hashlib(variant, midstates):
    generator = random.Random(f"{variant} {midstates}")
    for _ in range(100):
        header80, start = generator.randbytes(80), generator.getrandbits(32)
        versions = [generator.getrandbits(32) for _ in range(midstates)]
        found = scan_versions(header80, versions, start, 100, variant=variant, target=ONE_IN_8)
        assert found.hits == expected_hits(header80, versions, start, 100, ONE_IN_8)


@pytest.mark.parametrize("midstates", MIDSTATES)
def test_windows_wrap_past_the_last_nonce_and_versions_past_the_last_bits(variant, midstates):
    versions = rolled_versions(0x3FFFE004, midstates, (1 << 16) - midstates // 2)
    assert len({version & VERSION_MASK for version in versions}) == midstates
    for start in (NONCES - 1, NONCES - 16, NONCES - 151):
        found = scan_versions(GENESIS, versions, start, 300, variant=variant, target=ONE_IN_8)
        assert found.hits == expected_hits(GENESIS, versions, start, 300, ONE_IN_8)


@pytest.mark.parametrize("threads", [2, 3])
def test_hits_at_the_borders_of_chunks_and_of_a_full_buffer_are_found_once(variant, threads, monkeypatch):
    monkeypatch.setattr(scan_module, "_SMALLEST_CHUNK", 64)
    monkeypatch.setattr(scan_module, "_CANDIDATES", 8 * 48)
    versions = rolled_versions(4, 8)
    for start in (NONCES - 700, 12345):
        found = scan_versions(GENESIS, versions, start, 900, variant=variant, target=ONE_IN_8, threads=threads)
        assert found.hits == expected_hits(GENESIS, versions, start, 900, ONE_IN_8)


def test_the_selftest_passes(variant):
    assert len(selftest.run_selftest(variant, threads=2, midstates=4)) == 10


def test_versions_differ_in_the_bits_that_a_miner_may_change():
    for version in (1, 0x20000000, 0x3FFFE004, 0xFFFFFFFF):
        for index in range(8):
            versions = versions_around(version, index, 8)
            assert versions[index] == version
            assert len(set(versions)) == 8
            assert {other & ~VERSION_MASK for other in versions} == {version & ~VERSION_MASK}


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 47, 48, 49])
def test_a_window_holds_exactly_its_nonces(variant, count):
    versions = rolled_versions(2, 4)
    every = (1 << 256) - 1
    found = scan_versions(GENESIS, versions, 5, count, variant=variant, target=every)
    assert found.hits == tuple((version, nonce) for nonce in range(5, 5 + count) for version in versions)


@pytest.mark.parametrize(
    ("versions", "options", "words"),
    [
        ([1], {}, "versions: expected 2, 4 or 8 different ones, got 1"),
        ([1, 2, 3], {}, "versions: expected 2, 4 or 8 different ones, got 3"),
        ([7, 7], {}, "versions: expected 2, 4 or 8 different ones, got 2"),
        ([1, 1 << 32], {}, "version: expected 0 to 2^32 - 1, got 4294967296"),
        ([1, 2], {"variant": "lane16"}, "did you mean lanes16"),
        ([1, 2], {"threads": 0}, "threads: expected at least 1, got 0"),
    ],
)
def test_a_callers_mistake_is_named(versions, options, words):
    with pytest.raises(KernelInputError) as caught:
        scan_versions(GENESIS, versions, 0, 1, **options)
    assert words in str(caught.value)


def test_a_shared_schedule_saves_a_ninth_of_the_instructions():
    counted = {midstates: scan_operations(midstates=midstates) for midstates in (1, *MIDSTATES)}
    assert sum(count_operations([scan_graph(Graph()).last_word]).values()) + 2 == counted[1]
    assert counted == {1: 2848.0, 2: 2617.5, 4: 2502.25, 8: 2444.625}


@pytest.mark.parametrize("midstates", MIDSTATES)
def test_a_step_of_hybrid_does_its_part_of_the_schedule(midstates):
    plain, rolled = (
        Counter(line.split()[0] for line in pipeline_step(HYBRID, count).text.splitlines()) for count in (1, midstates)
    )
    assert rolled["sha256rnds2"] == plain["sha256rnds2"] == 480
    shifts = [counts["vprord"] + counts["vpsrld"] for counts in (plain, rolled)]
    assert shifts[1] == 240 + 6 * 48 // midstates
    assert shifts[1] < shifts[0]


@pytest.mark.parametrize("midstates", MIDSTATES)
def test_a_step_of_mixed_does_its_part_of_three_schedules(midstates):
    plain, rolled = (
        Counter(line.split()[0] for line in pipeline_step(MIXED, count).text.splitlines()) for count in (1, midstates)
    )
    assert rolled["sha256rnds2"] == plain["sha256rnds2"] == 960
    shifts = [counts["vprord"] + counts["vpsrld"] for counts in (plain, rolled)]
    scan = rolled_scan_graph(Graph())
    on_vectors = count_operations(scan.digest) + count_operations([scan.last_word])
    assert shifts[1] == 240 + 2 * (on_vectors["rotr"] + on_vectors["shr"]) + 3 * 6 * 48 // midstates
    assert rolled.total() < plain.total()  # so that it compiles as fast


def test_neon_sha2_uses_the_sha_instructions_of_aarch64():
    module, word, address = ir.Module(), ir.IntType(32), ir.IntType(64)
    turn = ir.ArrayType(word, 2)
    function = ir.Function(module, ir.FunctionType(word, [address, turn, word]), "turn")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(rolled_quads(ArmSha).turn(4)(None, builder, None, [None, *function.args]))
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module.triple = "aarch64-unknown-linux-gnu"
    machine = binding.Target.from_triple(module.triple).create_target_machine(cpu="neoverse-n1", features="+sha2")
    text = machine.emit_assembly(binding.parse_assembly(str(module)))
    counts = Counter(re.findall(r"\bsha256\w+", text))
    assert counts["sha256h2"] == 30 * STREAMS
    assert counts["sha256su1"] <= 12 * STREAMS + 12  # the second hashes, and one schedule for all four
