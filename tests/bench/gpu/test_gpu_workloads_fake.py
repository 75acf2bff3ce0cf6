"""GPU workloads from preparation to record on a fake GPU: the scan runs the real text on the CPU, the rest is NumPy."""

# ruff: noqa: ARG001 (fixtures are asked for what they put in place; a stand-in takes what it is given)

import pytest

from bench.machine.devices import device_under_test
from bench.measure.runner import measure
from bench.workloads.cuda import probe_cuda, sha256d_scan_cuda
from bench.workloads.protocol import VerificationError, WorkloadOptions
from bench.workloads.registry import create
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.memory import cuda as memory
from kernels.scan_cpu.selftest import SelfTestError, known_headers
from kernels.scan_cuda.scan import CAPACITY, FEWER_WARPS, CudaScan, shared_bytes_for
from kernels.scan_cuda.selftest import run_cuda_selftest
from kernels.scan_cuda.variants import TEXT_VARIANTS
from kernels.sha256.header import NONCES, Header, nbits_to_target


@pytest.fixture
def small(monkeypatch):
    """Shrink everything to what a CPU does at once."""
    monkeypatch.setattr(sha256d_scan_cuda, "NONCES_PER_UNIT", 1 << 9)
    monkeypatch.setattr(sha256d_scan_cuda, "CALIBRATION_NONCES", 1 << 9)
    monkeypatch.setattr(sha256d_scan_cuda, "MOST_UNITS", 16)
    monkeypatch.setattr(memory, "BLOCKS_EACH", (1,))
    monkeypatch.setattr(memory, "LARGEST_BYTES", 1 << 18)
    monkeypatch.setattr(probe_cuda, "TURNS_PER_UNIT", 64)


def options(variant=None, **extra):
    return WorkloadOptions(device="gpu:0", variant=variant, extra=extra)


# --- scan -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", TEXT_VARIANTS)
def test_scan_of_a_fake_gpu_answers_the_whole_selftest(cupy, variant):
    assert len(run_cuda_selftest(variant, CudaScan(variant).scan)) >= 10


def test_selftest_catches_a_fake_gpu_that_loses_its_hits(cupy):
    cupy.wrong = True
    with pytest.raises(SelfTestError, match=r"nonce of block \d+ found: expected nonces"):
        run_cuda_selftest("plain", CudaScan("plain").scan)


def test_scan_divides_a_window_with_more_candidates_than_it_can_keep(cupy, monkeypatch):
    monkeypatch.setattr("kernels.scan_cuda.scan.CAPACITY", 64)
    header = known_headers()[0].header80
    scan = CudaScan("plain")
    found = scan.scan(header, NONCES - 100, 300, target=(1 << 256) - 1)
    assert found.hits == tuple((NONCES - 100 + i) % NONCES for i in range(300))
    assert len(cupy.launches) > 4
    assert CAPACITY == 1 << 16


def test_scan_of_no_nonces_launches_nothing(cupy):
    assert CudaScan("plain").scan(known_headers()[0].header80, 5, 0).hits == ()
    assert cupy.launches == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((b"short", 0, 1), "header: expected 80 bytes"),
        ((bytes(80), -1, 1, 1 << 200), "start_nonce"),
        ((bytes(80), 0, NONCES + 1, 1 << 200), "count: expected 0 to"),
        ((bytes(80), 0, 1, 0), "target: expected 1"),
    ],
)
def test_scan_refuses_a_window_or_target_out_of_range(cupy, arguments, message):
    with pytest.raises(KernelInputError, match=message):
        CudaScan("plain").scan(*arguments)


def test_scan_workload_on_a_fake_gpu_calibrates_measures_and_states_its_bound(cupy, small, gpu_job):
    record = measure(create("sha256d_scan_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    assert record.workload.variant in TEXT_VARIANTS
    tried = [key for key in record.workload.parameters if key.startswith("calibration: ")]
    assert len(tried) == 3 * len(TEXT_VARIANTS) + len(FEWER_WARPS)
    assert record.metrics["bound"].basis == "modelled"
    assert "4 SMs at 1.980 GHz" in record.metrics["bound"].note
    assert 0 < record.metrics["fraction_of_bound"].value < 1
    assert "found exactly the planted nonce" in record.workload.verification[-1]


def test_scan_workload_plants_a_nonce_beside_which_no_window_holds_another():
    workload = create("sha256d_scan_cuda", options())
    target = nbits_to_target(Header.unpack(workload._known.header80).nbits)
    assert (
        NONCES * (target + 1) / 2**256 < 1e-9
    )  # other hits in a window of all nonces; block 0 has 3197545707 beside its own


def test_scan_workload_uses_the_rates_that_probes_found(cupy, small):
    slow = create("sha256d_scan_cuda", options("imad", pipe_rates={"alu": 32.0}))
    fast = create("sha256d_scan_cuda", options("imad"))
    for workload in (slow, fast):
        workload.prepare()
    assert slow.bound().rate_per_s == pytest.approx(fast.bound().rate_per_s / 2)
    assert "probed" in slow.bound().why


def test_scan_workload_on_a_fake_gpu_that_answers_wrongly_gets_no_number(cupy, small, gpu_job):
    cupy.wrong = True
    record = measure(create("sha256d_scan_cuda", options("plain")), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "failed"
    assert record.reasons[0].code == "wrong_answer"
    assert record.metrics == {}


def test_fake_gpu_out_of_memory_stores_a_failed_record_that_says_what_helps(cupy, small, gpu_job):
    cupy.refuse = MemoryError("Out of memory allocating 4,294,967,296 bytes")
    record = measure(create("memory_copy_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "failed"
    assert record.reasons[0].code == "run_failed"
    assert "gpu:0 is out of memory: Out of memory allocating" in record.reasons[0].detail
    assert "end other programs on this GPU" in record.reasons[0].detail
    assert (gpu_job.store / record.id / "result.json").is_file()


# --- memory and probes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["copy", "triad", "read"])
def test_memory_workload_on_a_fake_gpu_checks_every_word(cupy, small, gpu_job, operation):
    record = measure(create(f"memory_{operation}_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    assert "words right" in record.workload.verification[0]
    assert record.metrics["bound"].value == 4.8e12
    assert record.metrics["bound"].basis == "rated"


def test_memory_workload_with_one_wrong_word_gets_no_number(cupy, small, gpu_job):
    cupy.wrong = True
    record = measure(create("memory_copy_cuda", options("kernel")), gpu_job, device=device_under_test("gpu:0"))
    assert record.reasons[0].code == "wrong_answer"


def test_memory_arrays_fit_a_quarter_of_what_is_free_and_a_whole_number_of_turns():
    size = memory.array_bytes(60 << 20, 8 << 30, 1056)
    assert size <= 2 << 30
    assert size % (1056 * 512 * 64) == 0
    assert memory.array_bytes(60 << 20, 140 << 30, 1056) <= 4 << 30
    with pytest.raises(KernelInputError, match="expected at least 960 MiB free, got 256 MiB"):
        memory.array_bytes(60 << 20, 256 << 20, 1056)


def test_probe_workload_on_a_fake_gpu_reports_instructions_a_clock(cupy, small, gpu_job):
    record = measure(create("probe_lop3_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    assert record.workload.parameters["per_clock_per_multiprocessor"] == pytest.approx(64.0)
    assert record.metrics["rate"].unit == "instruction/s"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("matmul_bf16_nt_cuda", options("cublas"), "expected one of cublaslt, cupy, numba, got 'cublas'"),
        ("matmul_int8_nt_cuda", options("numba"), "numba has only fp32, fp16"),
        ("matmul_bf16_nt_cuda", options(m=100), "m: expected a positive multiple of 16 for bf16, got 100"),
        ("memory_read_cuda", options("memcpy"), "expected one of kernel, got 'memcpy'"),
        ("probe_shf_cuda", options("plain"), "expected ptx, got 'plain'"),
        ("matmul_bf16_nt_cuda", WorkloadOptions(device="cpu"), "expected gpu, got 'cpu'"),
    ],
)
def test_what_a_workload_cannot_do_is_refused_by_name(name, given, message):
    with pytest.raises(InputError, match=message):
        create(name, given)


def test_scan_variant_that_is_unknown_is_refused_by_name():
    with pytest.raises(KernelInputError, match=r"expected one of plain, imad, imad_shift, .*, numba, got 'simd'"):
        create("sha256d_scan_cuda", options("simd"))


def test_workloads_run_before_they_are_prepared_say_so():
    for name in ("sha256d_scan_cuda", "memory_copy_cuda", "probe_shf_cuda", "matmul_bf16_nt_cuda"):
        workload = create(name, options())
        with pytest.raises(RuntimeError, match="run before prepare"):
            workload.run(1)
        assert workload.bound() is None if hasattr(workload, "bound") else True
        workload.close()


def test_a_probe_whose_loop_does_not_scale_is_refused(cupy, small, monkeypatch):
    workload = create("probe_imad_cuda", options())
    workload.prepare()
    answers = iter([64.0, 32.0])
    monkeypatch.setattr(workload._probe, "per_clock_per_multiprocessor", lambda _turns: next(answers))
    with pytest.raises(VerificationError, match="per clock over one loop"):
        workload.verify()


def test_warps_of_a_multiprocessor_are_limited_by_the_shared_memory_that_a_block_asks_for():
    for warps in FEWER_WARPS:
        asked = shared_bytes_for(warps, 64, 228 << 10) + (1 << 10)
        assert (228 << 10) // asked == warps * 32 // 64
    assert shared_bytes_for(8, 256, 228 << 10) == 0  # a block of more than 48 KiB takes an opt-in
    assert shared_bytes_for(16, 64, 0) == 0
