"""Operations and bytes of a matrix product, counted from its lengths."""

from kernels.matmul.formats import Format


def flop(m: int, n: int, k: int) -> int:
    """Return the operations of a product of [m, k] with [k, n], counting multiplications and additions."""
    return 2 * m * n * k


def moved_bytes(form: Format, m: int, n: int, k: int) -> float:
    """Return the fewest bytes that a product moves: each operand is read once and the result is written once."""
    return (m * k + n * k) * form.bytes_per_operand + m * n * form.out_bytes
