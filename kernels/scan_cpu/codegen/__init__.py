"""Code generators of the CPU scan, from the graph of SHA-256 to LLVM IR and x86 assembly.

Targets receive the operations of the graph: `lanes_target` for LLVM scalars and vectors, `sha_target` for LLVM's SHA
instructions, `assembly_target` with `assembly` for text on vector registers. A `_step` module wraps one step of the
scan in Numba intrinsics, which the modules of `kernels.scan_cpu.compiled` call: `lanes_step`, `quads_step`, and
`pipeline_step`, whose assembly `pipeline_assembly` writes.
"""
