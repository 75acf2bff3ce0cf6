"""The small assembler: registers, spills, three-way logic, interleaving."""

from itertools import pairwise, permutations, product

import pytest

from kernels.scan_cpu.codegen.assembly import (
    FIRST_REGISTER,
    Instruction,
    Memory,
    RegisterAllocator,
    Value,
    advance_last_uses,
    keep_apart,
    merge,
    permuted_table,
)
from kernels.scan_cpu.codegen.assembly_target import AssemblyTarget
from kernels.scan_cpu.codegen.early import Early, EarlyTable, EarlyTables, constant
from kernels.scan_cpu.codegen.pipeline_assembly import Pipeline, at_odd_distances
from kernels.scan_cpu.codegen.pipeline_layout import PAIRS, Shape
from kernels.sha256.graph import Time


@pytest.mark.parametrize("table", [0x96, 0xCA, 0xE8, 0x01])
def test_a_permuted_table_gives_the_same_logic(table):
    for order in permutations(range(3)):
        changed = permuted_table(table, order)
        for bits in product((0, 1), repeat=3):
            new = [bits[old] for old in order]
            assert (table >> (bits[0] << 2 | bits[1] << 1 | bits[2])) & 1 == (
                changed >> (new[0] << 2 | new[1] << 1 | new[2])
            ) & 1


def test_streams_interleave_in_proportion():
    one, two = ([Instruction(name)] * count for name, count in (("a", 2), ("b", 6)))
    assert "".join(line.mnemonic for line in merge(one, two)) == "babbbabb"


def test_runs_stay_together_an_odd_distance_apart():
    runs = [[Instruction(name) for name in names] for names in (("m", "sha256rnds2"), ("b", "m", "sha256rnds2", "e"))]
    mixed = at_odd_distances(runs * 8, [Instruction("v")] * 35)
    text = "".join(line.mnemonic[0] for line in mixed)
    assert (text.count("v"), text.count("ms"), text.count("bmse")) == (35, 16, 8)
    places = [place for place, letter in enumerate(text) if letter == "s"]
    distances = [later - earlier for earlier, later in pairwise(places)]
    assert all(distance % 2 for distance in distances)
    assert max(distances) <= 7


def test_dependent_vectors_move_apart_and_stores_stay_behind_loads():
    first, second = load("eax")[0], load("ebx")[0]
    chains = []
    for start in (first, second):
        chain = [Instruction("vprord", Value(), (start,), 7)]
        for _ in range(5):
            chain.append(Instruction("vprord", Value(), (chain[-1].result,), 7))
        chains.append(chain)
    loads = [Instruction("vmovdqu32", value, (Memory(f"rdi + {n}"),)) for n, value in enumerate((first, second))]
    store = Instruction("vmovdqu32", None, (first,), store_to="rdi + 1")
    ordered = keep_apart([loads[0], *chains[0], loads[1], store, *chains[1]], 2)
    assert sorted(map(id, ordered)) == sorted(map(id, [*loads, store, *chains[0], *chains[1]]))
    assert ordered.index(loads[1]) < ordered.index(store)
    place = {instruction.result: index for index, instruction in enumerate(ordered)}
    uses = [place[i.result] - place[i.sources[0]] for chain in chains for i in chain]
    assert min(uses) >= 1
    assert sum(distance >= 2 for distance in uses) >= 9


def load(address):
    value = Value()
    return value, Instruction("vpbroadcastd", value, immediate=address)


def test_more_values_than_registers_are_spilled_and_come_back():
    values, code = zip(*(load(f"r{n}") for n in range(20)), strict=True)
    total, sums = values[0], []
    for value in values[1:]:
        result = Value()
        sums.append(Instruction("vpaddd", result, (total, value), commutes=True))
        total = result
    allocator = RegisterAllocator("zmm", 16, "rdi")
    lines = allocator.assemble([*code, *sums, Instruction("vmovdqu32", None, (total,), store_to="rsi")])
    assert allocator.slots == 4
    assert sum("vmovdqu32 [rdi" in line for line in lines) == 4
    assert sum("vpaddd" in line and "[rdi" in line for line in lines) == 4
    assert lines[-1].startswith("vmovdqu32 [rsi], zmm")


def test_three_way_logic_overwrites_an_operand_that_nobody_needs():
    (x, load_x), (y, load_y), (z, load_z) = (load(name) for name in ("eax", "ebx", "ecx"))
    result, last = Value(), Value()
    code = [
        load_x, load_y, load_z,
        Instruction("vpternlogd", result, (x, y, z), table=0xCA),
        Instruction("vpaddd", last, (x, z), commutes=True),
        Instruction("vpaddd", Value(), (last, result), commutes=True),
    ]  # fmt: skip
    lines = RegisterAllocator("ymm", 8, "rdi").assemble(code)
    assert not any("vmovdqa64" in line for line in lines)
    live = RegisterAllocator("ymm", 8, "rdi").assemble([*code, Instruction("vmovdqu32", None, (y,), store_to="rsi")])
    assert sum("vmovdqa64" in line for line in live) == 1


def test_a_sum_that_frees_an_operand_goes_first():
    (x, load_x), (y, load_y), (z, load_z) = (load(name) for name in ("eax", "ebx", "ecx"))
    result, total = Value(), Value()
    logic = Instruction("vpternlogd", result, (x, y, z), table=0xCA)
    frees = Instruction("vpaddd", total, (z, Memory("rdi", broadcast=True)), commutes=True)
    uses = Instruction("vpxord", Value(), (x, y), commutes=False)
    assert advance_last_uses([load_x, load_y, load_z, logic, uses, frees]) == [
        load_x, load_y, load_z, frees, logic, uses,
    ]  # fmt: skip


def test_early_words_are_read_from_the_table_and_share_a_place():
    table = EarlyTable("rdi", 128)
    target = AssemblyTarget(table, {})
    nonce = Value()
    for _ in range(2):
        target.apply("add", Time.NONCE, [constant(7), nonce], 0)
    early = target.apply("rotr", Time.JOB, [constant(7)], 3)
    target.apply("ch", Time.NONCE, [nonce, early, early], 0)
    assert table.words == [constant(7), early]
    assert str(target.code[0].sources[0]) == "[rdi + -128]"
    allocator = RegisterAllocator("zmm", 16, "rdi")
    lines = allocator.assemble([Instruction("vpbroadcastd", nonce, immediate="ecx"), *target.code])
    assert lines[1].endswith("dword ptr [rdi + -128]{1to16}")


@pytest.mark.parametrize(("ternary", "names"), [(True, ["vpternlogd"]), (False, ["vpxord", "vpxord"])])
def test_an_xor_of_three_is_one_instruction_or_two(ternary, names):
    target = AssemblyTarget(EarlyTables(EarlyTable("rdi"), EarlyTable("r8")), {}, ternary=ternary)
    target.apply("xor3", Time.NONCE, [Value(), Value(), Value()], 0)
    assert [line.mnemonic for line in target.code] == names


@pytest.mark.parametrize("chains", [1, 4, 5, 6, 7])
def test_any_number_of_chains_does_every_round_pair_once(chains):
    pipeline = Pipeline(Shape("ymm", 8, chains=chains), 1)
    borders = pipeline._borders()
    assert (borders[0], borders[-1]) == (0, 16 * PAIRS)
    assert max(map(int.__sub__, borders[1:], borders)) - min(map(int.__sub__, borders[1:], borders)) <= 1
    straddling = {border // PAIRS for border in borders if border % PAIRS}
    tasks = pipeline._tasks()
    assert sorted(tasks) == [(block, lane) for block in (0, 1) for lane in range(8)]
    assert all(tasks[index][0] == 1 for index in straddling)
    assert pipeline.program().text.count("sha256rnds2") == 16 * PAIRS


def test_registers_are_those_that_legacy_code_cannot_reach():
    assert FIRST_REGISTER == 16


def test_words_of_a_midstate_have_a_table_of_their_own():
    tables = EarlyTables(EarlyTable("rdi"), EarlyTable("r8"))
    shared, own = Early("input", (), "nbits"), Early("add", (Early("input", (), "midstate3"), constant(5)))
    assert [tables.address(word) for word in (shared, own, shared)] == ["rdi + 0", "r8 + 0", "rdi + 0"]
