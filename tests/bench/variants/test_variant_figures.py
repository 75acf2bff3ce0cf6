"""Figures of all variants, and headers from outside: what is measured, printed and refused."""

import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from bench.cli import main, perwatt
from bench.errors import RunFailedError
from bench.machine.environment import usable_cores
from bench.variants import figures as variant_figures
from bench.variants import slices as variant_slices
from bench.variants.header_check import check_headers
from bench.workloads.cpu import scan_bounds as variant_bounds
from bench.workloads.cpu.scan_bounds import Limit, ProbeError, StepBound
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.scan_cpu import selftest, variants
from kernels.scan_cpu.scan import VersionScanResult

HEADERS = Path(__file__).parents[2] / "kernels" / "data" / "headers.csv"


BOUND = StepBound(50.0, "sha256msg2", 300.0, 0.001, (Limit("sha256msg2", 23.0, 49.0),), {"sha256msg2": 23.0})


@pytest.fixture
def short(monkeypatch):
    """Make slices short and few."""
    monkeypatch.setattr(variant_figures, "ROUNDS", 2)
    monkeypatch.setattr(variant_figures, "ROUNDS_TOGETHER", 2)
    monkeypatch.setattr(variant_figures, "SLICE_S", 0.001)
    monkeypatch.setattr(variant_figures, "SLICE_TOGETHER_S", 0.001)
    monkeypatch.setattr(variant_figures, "step_bound", lambda *_: BOUND)


@pytest.mark.usefixtures("short")
def test_figures_hold_rate_cycles_and_bound():
    names = [variant.name for variant in variants.candidates()]
    figures = variant_figures.measure_variants(compile_times=False)
    document = figures.document()
    assert sorted(row["variant"] for row in document["variants"]) == sorted(names)
    rates = [row["rate_hash_per_s"] for row in document["variants"]]
    assert rates == sorted(rates, reverse=True)
    for row in document["variants"]:
        assert row["mh_per_s"] * 1e6 == pytest.approx(row["rate_hash_per_s"])
        assert row["cycles_per_hash"] > 0
        assert row["bound_cycles_per_hash"] == 50.0
        assert row["fraction_of_bound"] == 50.0 / row["cycles_per_hash"]
        assert row["bound"]["bound_by"] == "sha256msg2"
        assert row["scaling"] is None
        assert 2 <= row["slices"] <= 4
    assert {row["variant"] for row in document["unavailable"]} == {v.name for v in variants.VARIANTS} - set(names)
    json.dumps(document, allow_nan=False)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_figures_of_several_versions_count_every_hash():
    figures = variant_figures.measure_variants(names=["scalar"], midstates=4, compile_times=False)
    document = figures.document()
    assert document["workload"] == "sha256d_scan_vr4_cpu"
    assert document["variants"][0]["cycles_per_hash"] > 100
    here = {variant.name for variant in variants.candidates()}
    assert {row["variant"] for row in document["unavailable"]} == {variant.name for variant in variants.VARIANTS} - here


@pytest.mark.usefixtures("short")
def test_a_variant_without_a_bound_says_why(monkeypatch):
    def fail(*_):
        raise ProbeError("the probe of integer rotates gave no plausible cycles per instruction: 0")

    for bound, words in ((fail, "no bound: the probe of integer rotates"), (lambda *_: None, "no bound: the instr")):
        monkeypatch.setattr(variant_figures, "step_bound", bound)
        row = variant_figures.measure_variants(names=["scalar"], compile_times=False).document()["variants"][0]
        assert row["bound"] is row["bound_cycles_per_hash"] is row["fraction_of_bound"] is None
        assert row["bound_sentence"].startswith(words)


@pytest.mark.usefixtures("short")
def test_two_threads_report_their_scaling():
    figures = variant_figures.measure_variants(2, names=["scalar"], compile_times=False)
    row = figures.document()["variants"][0]
    assert len(figures.cores) <= 2
    assert row["scaling"] is None or row["scaling"] > 0


@pytest.mark.parametrize(("quiet", "words"), [(True, "quiet: every variant has"), (False, "not quiet: no verdict")])
def test_noise_is_admitted(quiet, words):
    one = variant_slices.VariantSlice(1e6, 100.0, 3e9, quiet)
    figure = variant_figures.VariantFigure("scalar", (one,) * 50, None, None, "none", None, None)
    figures = variant_figures.Figures((figure,), (), 1, (0,))
    assert figures.quiet is quiet
    assert figures.sentence().startswith(words)


@pytest.mark.usefixtures("short")
def test_a_variant_that_fails_its_selftest_gets_no_figure(monkeypatch):
    def fail(name, **_):
        raise selftest.SelfTestError(f"variant {name}: wrong")

    monkeypatch.setattr(selftest, "run_selftest", fail)
    with pytest.raises(RunFailedError, match="variant scalar: wrong"):
        variant_figures.measure_variants(names=["scalar"], compile_times=False)


def test_a_slice_that_misses_its_nonce_gets_no_figure():
    compiled = SimpleNamespace(STEP=1, scan_steps=lambda _job, _first, steps, _out: (0, steps))
    words = "broken: block 0: expected nonce 2083236893"
    with variant_slices.PinnedThreads(usable_cores()[:1]) as pinned, pytest.raises(RunFailedError, match=words):
        pinned.slice(variant_slices.TimedScan("broken", compiled), 10)


def test_compiling_and_loading_are_timed_in_fresh_processes(monkeypatch):
    caches, run = [], subprocess.run

    def watched(*arguments, env, **options):
        done = run(*arguments, env=env, **options)
        caches.append({path.name: path.stat().st_mtime_ns for path in Path(env["NUMBA_CACHE_DIR"]).rglob("*.nb?")})
        return done

    monkeypatch.setattr(subprocess, "run", watched)
    cold_s, cached_s = variant_bounds.compile_seconds("scalar")
    assert cold_s > 0 < cached_s
    assert caches[0]
    assert caches[1] == caches[0]  # the second process compiled nothing


@pytest.fixture
def two(monkeypatch, short):  # noqa: ARG001 (short slices)
    """Let two variants run here, whose compilation is not timed."""
    monkeypatch.setattr(variant_figures, "compile_seconds", lambda *_: (1.0, 0.1))
    some = [variants.find("scalar"), variants.candidates()[0]]
    monkeypatch.setattr(variants, "candidates", lambda: some)
    return [variant.name for variant in some]


def all_variants(tmp_path, *arguments, workload="sha256d_scan_cpu"):
    command = ["run", workload, "--all-variants", "--plan", "smoke", "--out", str(tmp_path), *arguments]
    return CliRunner().invoke(perwatt, command, standalone_mode=False)


def test_the_command_prints_a_table_and_stores_a_record_of_each_variant(two, tmp_path, monkeypatch):
    monkeypatch.setattr(variant_slices, "is_quiet", lambda *_: False)
    table = all_variants(tmp_path, "--watts", "65")
    assert table.exception is None
    for words in ("cycles/hash", "speed over the fastest", "scalar", ", ungated", "not quiet: no verdict", "stored in"):
        assert words in table.stdout
    assert "scalar: bound by sha256msg2: 50.0 cycles per hash" in table.stdout
    records = [json.loads(path.read_text()) for path in tmp_path.glob("*/result.json")]
    assert sorted(record["workload"]["variant"] for record in records) == sorted(two)
    assert {record["assumed_power_w"]["power_w"] for record in records} == {65.0}
    spans = sorted(
        (window["start_s"], record["workload"]["variant"]) for record in records for window in record["windows"]
    )
    assert [name for _, name in spans] == two * 2, "the windows alternate"


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_the_command_gives_one_document_for_several_versions_too(tmp_path):
    done = all_variants(tmp_path, "--json", "--threads", "1", workload="sha256d_scan_vr2_cpu")
    document = json.loads(done.stdout)
    assert document["schema"] == variant_figures.SCHEMA
    assert document["workload"] == "sha256d_scan_vr2_cpu"
    assert document["variants"][0]["compile_cold_s"] == 1.0
    assert document["variants"][0]["over_fastest"]["ratio"] == 1.0
    assert [record["workload"]["parameters"]["midstates_per_schedule"] for record in document["records"]] == [2, 2]
    assert {record["run"]["plan"] for record in document["records"]} == {"smoke"}


def test_a_variant_that_answers_wrongly_has_a_failed_record_and_no_figure(two, tmp_path, monkeypatch):
    right = selftest.run_selftest

    def wrong(name, *arguments, **options):
        if name == "scalar":
            raise selftest.SelfTestError("variant scalar: wrong")
        return right(name, *arguments, **options)

    monkeypatch.setattr(selftest, "run_selftest", wrong)
    done = all_variants(tmp_path, "--json")
    assert done.return_value == 1
    document = json.loads(done.stdout)
    assert {record["workload"]["variant"]: record["status"] for record in document["records"]}["scalar"] == "failed"
    assert [row["variant"] for row in document["variants"]] == two[1:]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--all-variants"], "--all-variants: expected one workload of sha256d_scan_cpu, sha256d_scan_vr2_cpu"),
        (["run", "matmul_f32_cpu", "--all-variants"], "sha256d_scan_vr8_cpu, got 'matmul_f32_cpu'"),
        (["run", "sha256d_scan_cpu", "--all-variants", "--variant", "scalar"], "expected no --variant with it"),
        (["run", "sha256d_scan_cpu", "--all-variants", "--device", "gpu:0"], "--device: expected cpu, got 'gpu:0'"),
        (
            ["run", "sha256d_scan_cpu", "--all-variants", "--attach", "x"],
            "--attach: expected no --all-variants with it",
        ),
        (["run", "sha256d_scan_cpu", "--variant", "neon_sha3"], "did you mean neon_sha2"),
        (["verify", "headers", str(HEADERS), "--variant", "nothing"], "variant: expected one of"),
        (["verify", "headers", "no-such.csv"], "no-such.csv: expected a readable CSV file, got no such file"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_2(arguments, words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    shown = capsys.readouterr()
    assert caught.value.code == 2
    assert re.fullmatch(r"error: [^\n]+\n", shown.err)
    assert words in shown.err
    assert shown.out == ""


@pytest.mark.slow
def test_every_variant_here_finds_every_header_of_the_file():
    result = CliRunner().invoke(perwatt, ["verify", "headers", str(HEADERS), "--json"])
    document = json.loads(result.stdout)
    assert document["all_found"] is True
    assert len(document["headers"]) == 30
    names = [variant.name for variant in variants.candidates()]
    assert all(row["found_by"] == names and row["not_found_by"] == {} for row in document["headers"])


def test_a_header_that_is_lost_among_several_versions_is_reported(monkeypatch, tmp_path):
    real = HEADERS.read_text(encoding="ascii").splitlines()[1].split(",")[1]
    path = write(tmp_path, f"{real},2083236893")
    monkeypatch.setattr("kernels.scan_cpu.scan.scan_versions", lambda *_, **__: VersionScanResult(((5, 7),), 1))
    faults = check_headers(path, ["scalar"])[0].faults
    assert faults == {"scalar": "among 2 versions: found version 0x5 nonce 7"}


def write(tmp_path, *rows):
    path = tmp_path / "headers.csv"
    path.write_text("header_hex_80_bytes,nonce\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_nonce_that_is_not_there_is_reported_and_exits_1(tmp_path, capsys):
    real = HEADERS.read_text(encoding="ascii").splitlines()[1].split(",")[1]
    path = write(tmp_path, f"{real},2083000000")
    with pytest.raises(SystemExit) as caught:
        main(["verify", "headers", str(path), "--variant", "scalar"])
    assert caught.value.code == 1
    shown = capsys.readouterr().out
    assert "not found" in shown
    assert "0 of 1 nonces were found" in shown
    assert check_headers(path, ["scalar"])[0].name == "line 2"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("00" * 79 + ",1", "header_hex_80_bytes: header: expected 80 bytes, got 79"),
        ("zz" * 80 + ",1", "expected 160 hexadecimal digits"),
        ("00" * 80 + ",1", "nbits: expected a target"),
        ("00" * 72 + "ffff001d" + "00" * 4 + ",-1", "expected a nonce of 0 to 2^32 - 1, got '-1'"),
        ("00" * 72 + "ffff001d" + "00" * 4 + ",4294967296", "expected a nonce"),
        ("00" * 72 + "ffff001d" + "00" * 4, "expected 2 cells, as in the heading, got 1"),
        ("0" * 140_000 + ",1", "expected CSV, got field larger than field limit"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path, row, words):
    with pytest.raises(InputError) as caught:
        check_headers(write(tmp_path, row), ["scalar"])
    assert words in str(caught.value)
    assert re.search(r"line [12]\b", str(caught.value))


def test_a_file_without_columns_rows_or_text_is_refused(tmp_path):
    path = tmp_path / "odd.csv"
    for text, words in (
        (b"", "an empty file"),
        (b"a,b\n1,2\n", "expected a column header_hex"),
        (b"\xff\xfe\x00", "UTF-8"),
    ):
        path.write_bytes(text)
        with pytest.raises(InputError, match=words):
            check_headers(path, ["scalar"])
    path.write_text("header_hex_80_bytes,nonce\n", encoding="ascii")
    with pytest.raises(InputError, match="at least one header"):
        check_headers(path, ["scalar"])


def test_an_unavailable_variant_says_which_feature_is_missing(monkeypatch):
    monkeypatch.setattr(variants, "host_features", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(variants, "_machine", lambda: "x86_64")
    with pytest.raises(KernelInputError, match="this CPU lacks avx512f"):
        check_headers(HEADERS, ["lanes16"])
