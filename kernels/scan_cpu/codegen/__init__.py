"""Code generators of the CPU scan: from the graph of SHA-256 to LLVM IR and assembly."""
