"""The compiled scans, one module a variant, each with `STEP` and `scan_steps(job, first, steps, out)`.

The modules repeat each other because Numba caches a function by the file that defines it: a factory that closed over
the step would miss the cache in every process. `STEP` is the number of nonces that a step takes in.

Parameters of `scan_steps`
--------------------------
job
    uint32[12]: midstate, three tail words, mask of the bits that must be zero in the hash's last word.
first
    uint32, first nonce, a multiple of STEP; past 2^32 the nonces continue at 0.
steps
    Number of steps.
out
    uint32[at least STEP], receives the candidate nonces.

Returns
-------
(candidates written, steps done): fewer steps than requested if the next one could overflow `out`.
"""
