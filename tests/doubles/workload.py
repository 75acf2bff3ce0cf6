"""A workload under a test's control."""

import time

from bench.workloads.protocol import Batch, Check, VerificationError


class FakeWorkload:
    """Does nothing but take time: `n` units of work in `n * unit_s` seconds of its clock."""

    clock = time

    name = "fake_cpu"
    version = 1
    unit = "hash"
    variant = "fake"

    def __init__(self, unit_s: float = 0.0005) -> None:
        self.unit_s = unit_s
        self.closed = 0
        self.verified = 0
        self.wrong = ""
        self.raises: Exception | None = None

    def prepare(self) -> None:
        pass

    def verify(self) -> list[Check]:
        if self.wrong == "before":
            raise VerificationError("planted nonce was not found")
        self.verified += 1
        return [Check("known answer", "given")]

    def run(self, n: int) -> Batch:
        assert self.verified, "timed before it was verified"
        if self.raises is not None:
            raise self.raises
        self.clock.sleep(n * self.unit_s)
        return Batch(float(n), n * self.unit_s)

    def check_output(self) -> list[Check]:
        if self.wrong == "after":
            raise VerificationError("the timed call's output was wrong")
        return [Check("timed output", "right")]

    def parameters(self) -> dict[str, object]:
        return {"unit_s": self.unit_s}

    def close(self) -> None:
        self.closed += 1
