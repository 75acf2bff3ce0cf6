"""Seeded work for a miner without a socket: jobs of the server, headers of the miner, shares verified by the server."""

import dataclasses
import random
from collections import Counter
from typing import NamedTuple

import pytest

from bench.stratum.jobs import JobSource
from bench.stratum.simulator.personality import Personality
from bench.stratum.simulator.work import Work, attempts, run_slice
from bench.stratum.verify import ShareClass, read_submission, verify
from kernels.scan_cpu import variants

MASK = 0x1FFFE000
EXTRANONCE1 = b"\x01\x02\x03\x04"


class Mined(NamedTuple):
    hashes: int
    classes: Counter
    fractions: list  # hash over target of the valid shares
    by_slice: list  # hashes and valid shares of each header


@pytest.fixture(scope="session")
def variant():
    """The variant that compiles fastest among those that are fast."""
    names = [candidate.name for candidate in variants.candidates()]
    return next(name for name in ("shani", "neon_sha2", *names) if name in names)


@pytest.fixture
def mine(variant, monkeypatch):
    """Mine a job of the server at a difficulty, so many headers with so many nonces each."""

    def run(seed, difficulty, *, slices=1, nonces=1 << 16, personality=None, granted=MASK):
        personality = personality or Personality()
        draws = random.Random(seed)
        monkeypatch.setattr("bench.stratum.jobs.secrets.token_bytes", draws.randbytes)
        source = JobSource(branches=2)
        job = source.job(dataclasses.replace(source.template(), time_s=1_700_000_000), difficulty)
        work = Work.read(job.notify_parameters(), EXTRANONCE1, 8, granted, difficulty)
        hashes, classes, fractions, by_slice = 0, Counter(), [], []
        for _, attempt in zip(range(slices), attempts(work, personality), strict=False):
            part = run_slice(attempt, nonces, personality, variant=variant)
            hashes += part.hashes
            before = len(fractions)
            for nonce in part.nonces:
                share = read_submission(attempt.submission("w", nonce), 8)
                verdict = verify(job, share, EXTRANONCE1, granted)
                classes[verdict.share_class] += 1
                if verdict.share_class is ShareClass.VALID:
                    fractions.append(verdict.hash_frac)
            by_slice.append((part.hashes, len(fractions) - before))
        return Mined(hashes, classes, fractions, by_slice)

    return run
