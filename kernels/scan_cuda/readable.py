"""The nonce scan for GPUs as a readable `numba.cuda` kernel, the baseline of the generated text.

It is the only kernel that writes the rounds out again, as a programmer would without a generator, so that the gain of
the generator can be measured. It also runs in Numba's simulator.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cuda, uint32

from kernels.scan_cuda.codegen import NONCES_PER_THREAD
from kernels.sha256.description import INITIAL_STATE, K
from kernels.sha256.header import midstate, tail

JOB_WORDS = 13
"""Midstate (8 words), end of the merkle root, time, nbits, mask of the hash's last word, nonces a thread."""

_K = np.array(K, dtype=np.uint32)
_INITIAL = np.array(INITIAL_STATE, dtype=np.uint32)


def numba_job(header80: bytes, mask: int, nonces_per_thread: int = NONCES_PER_THREAD) -> npt.NDArray[np.uint32]:
    """Return the job array of a header: uint32[JOB_WORDS]."""
    return np.array([*midstate(header80), *tail(header80)[:3], mask, nonces_per_thread], dtype=np.uint32)


@cuda.jit(device=True)
def rotr(word: Any, bits: int) -> Any:
    """Return a word rotated right."""
    return uint32(word >> uint32(bits)) | uint32(word << uint32(32 - bits))


@cuda.jit(device=True)
def compress(state: Any, window: Any, k: Any) -> None:
    """Update the state, 8 words, by a block of 16 words, which the schedule overwrites."""
    a, b, c, d = state[0], state[1], state[2], state[3]
    e, f, g, h = state[4], state[5], state[6], state[7]
    for i in range(64):
        if i >= 16:
            w1, w14 = window[(i + 1) & 15], window[(i + 14) & 15]
            sigma0 = rotr(w1, 7) ^ rotr(w1, 18) ^ uint32(w1 >> uint32(3))
            sigma1 = rotr(w14, 17) ^ rotr(w14, 19) ^ uint32(w14 >> uint32(10))
            window[i & 15] = uint32(window[i & 15] + sigma0 + window[(i + 9) & 15] + sigma1)
        big_sigma1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
        choice = (e & f) ^ (~e & g)
        t1 = uint32(h + big_sigma1 + choice + k[i] + window[i & 15])
        big_sigma0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
        majority = (a & b) ^ (a & c) ^ (b & c)
        h, g, f, e = g, f, e, uint32(d + t1)
        d, c, b, a = c, b, a, uint32(t1 + big_sigma0 + majority)
    state[0] = uint32(state[0] + a)
    state[1] = uint32(state[1] + b)
    state[2] = uint32(state[2] + c)
    state[3] = uint32(state[3] + d)
    state[4] = uint32(state[4] + e)
    state[5] = uint32(state[5] + f)
    state[6] = uint32(state[6] + g)
    state[7] = uint32(state[7] + h)


@cuda.jit
def scan_kernel(job: Any, first: Any, threads: Any, count: Any, out: Any) -> None:
    """Test the nonces of one thread, `job[12]` of them; append candidates to `out` and add their number to `count`."""
    thread = cuda.grid(1)
    if thread >= threads:
        return
    k = cuda.const.array_like(_K)
    initial = cuda.const.array_like(_INITIAL)
    state = cuda.local.array(8, uint32)
    window = cuda.local.array(16, uint32)
    for turn in range(job[12]):
        nonce = uint32(first + uint32(thread) * job[12] + uint32(turn))
        for i in range(8):
            state[i] = job[i]
        for i in range(3):
            window[i] = job[8 + i]
        window[3] = uint32(nonce << uint32(24)) | uint32(nonce >> uint32(24))  # the header's bytes in reverse
        window[3] |= uint32(nonce << uint32(8)) & uint32(0x00FF0000)
        window[3] |= uint32(nonce >> uint32(8)) & uint32(0x0000FF00)
        window[4] = uint32(0x80000000)
        for i in range(5, 15):
            window[i] = uint32(0)
        window[15] = uint32(80 * 8)
        compress(state, window, k)
        for i in range(8):
            window[i] = state[i]
            state[i] = initial[i]
        window[8] = uint32(0x80000000)
        for i in range(9, 15):
            window[i] = uint32(0)
        window[15] = uint32(32 * 8)
        compress(state, window, k)
        if state[7] & job[11] == 0:
            index = cuda.atomic.add(count, 0, uint32(1))
            if index < out.size:
                out[index] = nonce
