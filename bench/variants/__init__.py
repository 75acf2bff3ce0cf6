"""Figures of the CPU scan's variants: bounds, interleaved slices, and checks against block headers."""
