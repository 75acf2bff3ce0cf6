"""A fake NVIDIA GPU where there is none: NVML, and CuPy over NumPy whose scan is the real text run on the CPU.

Whatever runs on it is named `fake` in its test; nothing it gives is a measurement.
"""

# ruff: noqa: ARG001, ARG002, N802, PLR0917 (names and arguments are NVML's and CuPy's)

import dataclasses
import sys
import time
import types
from functools import cache

import numpy as np
import pytest
from doubles.system.nvml import FakeNvml
from oracles.cuda_hostcheck import HostCheck, VersionsHostCheck

from bench.measure.plans import PLANS
from kernels.gpu import device as gpu_device
from kernels.gpu.toolchain import ToolMissingError
from kernels.scan_cuda.variants import ROLLED_VARIANTS, TEXT_VARIANTS


class Array(np.ndarray):
    """A NumPy array with CuPy's ways: `get`, `set`, and a pointer behind `data`."""

    def get(self):
        return np.array(self)

    def set(self, values):
        self[:] = values

    @property
    def data(self):
        source = self
        pointer = self.__array_interface__["data"][0]

        def copy(other, size, _stream):
            flat, their = source.view(np.uint8).reshape(-1), other.array.view(np.uint8).reshape(-1)
            flat[:size] = their[:size]

        return types.SimpleNamespace(ptr=pointer, array=source, copy_from_device_async=copy)


class FakeStream:
    ptr = 0

    def __init__(self, **_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def synchronize(self):
        pass


class FakeEvent:
    def record(self, _stream=None):
        self.at = time.perf_counter()

    def synchronize(self):
        pass


class CUDARuntimeError(RuntimeError):
    pass


class OutOfMemoryError(MemoryError):
    pass


class FakeCupy(types.ModuleType):
    """CuPy as far as the workloads use it; kernels are found by their name."""

    __version__ = "fake"

    def __init__(self, host):
        super().__init__("cupy")
        self.host = host
        self.refuse = None  # an exception that the next allocation raises
        self.driver, self.runtime_version = 13000, 13020
        self.wrong = False  # whether kernels leave out their last word
        self.launches = []
        device = types.SimpleNamespace(
            use=self._use,
            attributes={
                "MultiProcessorCount": 4,
                "L2CacheSize": 1 << 12,
                "MaxSharedMemoryPerMultiprocessor": 228 << 10,
            },
            compute_capability="90",
        )
        runtime = types.SimpleNamespace(
            driverGetVersion=lambda: self.driver,
            runtimeGetVersion=lambda: self.runtime_version,
            getDeviceCount=lambda: 2,
            deviceGetPCIBusId=lambda i: f"0000:0{1 - i}:00.0",  # CUDA counts the other way round
            free=lambda _pointer: None,
            memGetInfo=lambda: (1 << 22, 1 << 23),
        )
        self.used = []
        self.cuda = types.SimpleNamespace(
            Device=lambda index=0: device if not self.used.append(index) else None,
            Stream=FakeStream,
            Event=FakeEvent,
            runtime=runtime,
            nvrtc=types.SimpleNamespace(getVersion=lambda: (13, 5)),
            get_current_stream=FakeStream,
            get_elapsed_time=lambda start, end: max(1e3 * (end.at - start.at), 1e-3),
        )

    def __getattr__(self, name):
        return getattr(np, name)

    def _use(self):
        if self.refuse is not None and not isinstance(self.refuse, MemoryError):
            raise self.refuse

    def _array(self, array):
        if self.refuse is not None:
            raise self.refuse
        return array.view(Array)

    def zeros(self, shape, dtype=float):
        return self._array(np.zeros(shape, dtype))

    def empty(self, shape, dtype=float):
        poison = np.empty(shape, dtype)  # never what an earlier test left in this memory
        poison.view(np.uint8)[...] = 0xA5
        return self._array(poison)

    def full(self, shape, value, dtype=None):
        return self._array(np.full(shape, value, dtype))

    def asarray(self, values):
        return self._array(np.array(values))

    def get_default_memory_pool(self):
        return types.SimpleNamespace(free_all_blocks=lambda: None)

    def RawModule(self, code=None, *, options=(), backend="nvrtc"):
        assert options == ("-std=c++17",)
        texts = (versions_host() if "sha256d_scan_versions" in code else self.host).texts
        variant = next((text.variant for text in texts.values() if text.source == code), "")
        return types.SimpleNamespace(get_function=lambda name: FakeKernel(self, name, variant))


class FakeKernel:
    num_regs = 32

    def __init__(self, cupy, name, variant):
        self.cupy, self.name, self.variant = cupy, name, variant

    def __call__(self, grid, block, arguments, *, shared_mem=0):
        assert isinstance(grid, tuple)
        assert isinstance(block, tuple)
        assert shared_mem <= 48 << 10  # more takes an opt-in
        for argument in arguments:  # what CuPy takes: its arrays, NumPy's scalars, NumPy's arrays of one element
            assert isinstance(argument, Array | np.generic) or argument.size == 1, type(argument)
        self.cupy.launches.append((self.name, grid, block))
        getattr(self, self.name)(*arguments)

    def sha256d_scan(self, job, first, threads, found, out, capacity):
        self._scan(self.cupy.host, job, (first, threads), found, out, capacity)

    def sha256d_scan_versions(self, job, first, threads, found, out, capacity):
        assert out.dtype == np.uint64
        self._scan(versions_host(), job, (first, threads), found, out, capacity)

    def _scan(self, host, job, window, found, out, capacity):
        assert job.size == 1
        words = np.frombuffer(job.tobytes(), dtype=np.uint32)
        hits = host.scan(self.variant, words.tolist(), *map(int, window), 1 << 22)
        found[0] = len(hits)
        kept = hits[: int(capacity)]
        if not self.cupy.wrong:
            out[: len(kept)] = kept

    def _fill(self, out, table, count, seed):
        generator = np.random.default_rng(int(seed))
        out.reshape(-1)[:] = table[generator.integers(0, len(table), int(count))]

    fill_8 = fill_16 = fill_32 = _fill

    def memory_copy(self, a, b, count):
        a[:] = b
        if self.cupy.wrong:
            a[-1] ^= 1

    def memory_triad(self, a, b, c, scale, count):
        a.view(np.float64)[:] = b.view(np.float64) + scale * c.view(np.float64)

    def memory_read(self, result, b, count):
        result[0] ^= np.bitwise_xor.reduce(np.asarray(b))

    def probe(self, seed, x, y, turns, cycles, out):
        # the runner sizes its windows by the clock, so a probe has to take real time
        time.sleep(1e-6 * int(turns))
        cycles[:] = int(turns) * 8 * 64 * 1024 // 64


@cache
def versions_host():
    return VersionsHostCheck(ROLLED_VARIANTS)


@pytest.fixture(scope="session")
def host():
    try:
        return HostCheck(list(TEXT_VARIANTS))
    except ToolMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def nvml(monkeypatch):
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.setattr(gpu_device, "cupy_packages", lambda: ["cupy-cuda13x"])
    monkeypatch.setattr(gpu_device, "_OPENED", set())
    return fake


@pytest.fixture
def cupy(monkeypatch, nvml, host):
    fake = FakeCupy(host)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr("bench.workloads.cuda.context.WARM_S", 1e-3)
    return fake


@pytest.fixture
def gpu_job(job):
    return dataclasses.replace(job, plan=dataclasses.replace(PLANS["smoke"], rate_floor_s=0.05))
