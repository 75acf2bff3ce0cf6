"""Whole-GPU work: the doctor and the single call that measures a GPU."""
