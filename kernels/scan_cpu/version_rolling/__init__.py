"""The compiled scans of several midstates, one module a variant, each with `STEP` and `scan_steps`.

The midstates belong to headers that differ in the version only. They share the schedule of the nonce's block.

Parameters of `scan_steps(jobs, first, steps, out)`
---------------------------------------------------
jobs
    uint32[2 to 8, 12]: for each midstate the job that `kernels.scan_cpu.compiled` describes.
first
    uint32, first nonce, a multiple of STEP; past 2^32 the nonces continue at 0.
steps
    Number of steps; each takes in STEP nonces with every midstate.
out
    uint64[at least STEP * midstates], receives the candidates: index of the midstate * 2^32 + nonce.

Returns
-------
(candidates written, steps done): fewer steps than requested if the next one could overflow `out`.
"""
