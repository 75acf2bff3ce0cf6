"""The files that generate the compiled kernels, and their digest, which makes stored machine code stale."""

import hashlib
from functools import cache
from pathlib import Path

GENERATOR_FILES = (
    "compiler.py",
    "generator.py",
    "jit.py",
    "scan_cpu/codegen/assembly.py",
    "scan_cpu/codegen/assembly_target.py",
    "scan_cpu/compiled/candidates.py",
    "scan_cpu/codegen/early.py",
    "scan_cpu/codegen/lanes_target.py",
    "scan_cpu/codegen/lanes_step.py",
    "scan_cpu/codegen/pipeline_assembly.py",
    "scan_cpu/codegen/pipeline_layout.py",
    "scan_cpu/codegen/pipeline_step.py",
    "scan_cpu/codegen/pipeline_vectors.py",
    "scan_cpu/codegen/quads_step.py",
    "scan_cpu/codegen/rolled_lanes.py",
    "scan_cpu/codegen/rolled_quads.py",
    "scan_cpu/codegen/sha_target.py",
    "sha256/description.py",
    "sha256/graph.py",
    "sha256/reference.py",
    "sha256/scan_graph.py",
)


@cache
def generator_digest() -> str:
    """Return the SHA-256 digest of all files that generate kernels."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in GENERATOR_FILES)).hexdigest()
