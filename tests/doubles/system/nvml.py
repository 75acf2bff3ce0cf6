"""A fake NVML of one GPU, whatever is installed here."""

# ruff: noqa: ARG002, N802 (names and arguments are NVML's)

import types

GIB = 1 << 30


class FakeNvmlError(Exception):
    def __init__(self, value):
        super().__init__(f"NVML error {value}")
        self.value = value


class FakeNvml(types.ModuleType):
    """The few NVML functions that are asked, with answers that a test sets."""

    NVMLError = FakeNvmlError
    NVML_ERROR_LIBRARY_NOT_FOUND, NVML_ERROR_DRIVER_NOT_LOADED, NVML_ERROR_LIB_RM_VERSION_MISMATCH = 12, 9, 18

    def __init__(self):
        super().__init__("pynvml")
        self.init_error = 0
        self.count = 2
        self.cuda_driver = 13000
        self.processes = []
        self.free = 130 * GIB
        self.mig = 0
        self.shut = 0

    def nvmlInit(self):
        if self.init_error:
            raise FakeNvmlError(self.init_error)

    def nvmlShutdown(self):
        self.shut += 1

    def nvmlDeviceGetCount(self):
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetUUID(self, handle):
        return f"GPU-fake-{handle}"

    def nvmlDeviceGetName(self, handle):
        return "NVIDIA H200"

    def nvmlDeviceGetPciInfo(self, handle):
        return types.SimpleNamespace(busId=f"00000000:0{handle}:00.0")

    def nvmlDeviceGetMemoryInfo(self, handle):
        return types.SimpleNamespace(total=140 * GIB, free=self.free)

    def nvmlDeviceGetMaxClockInfo(self, handle, kind):
        return 1980

    def nvmlDeviceGetEnforcedPowerLimit(self, handle):
        return 700_000

    def nvmlDeviceGetCudaComputeCapability(self, handle):
        return (9, 0)

    def nvmlDeviceGetEccMode(self, handle):
        return [1, 1]

    def nvmlDeviceGetMigMode(self, handle):
        return [self.mig, self.mig]

    def nvmlSystemGetDriverVersion(self):
        return "580.00"

    def nvmlSystemGetCudaDriverVersion(self):
        return self.cuda_driver

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return self.processes
