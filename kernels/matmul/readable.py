"""Matrix products for GPUs as readable `numba.cuda` kernels, with tiles in shared memory and fp32 sums."""

from typing import Any

from numba import cuda, float32, types

from kernels.gpu.numba_launch import small_grids_allowed

TILE = 16
TILE_PADDED = TILE + 1  # one more than the tile, so that the words of a column are in different banks
float16 = types.float16


@cuda.jit
def matmul_fp32(a: Any, b: Any, d: Any) -> None:
    """Write A Bᵀ into `d`, float32: `a` [m, k], `b` [n, k], `d` [m, n]; blocks of TILE by TILE threads."""
    column, row = cuda.grid(2)
    across, down = cuda.threadIdx.x, cuda.threadIdx.y
    first_column = cuda.blockIdx.x * TILE
    tile_a = cuda.shared.array((TILE, TILE), float32)
    tile_b = cuda.shared.array((TILE, TILE_PADDED), float32)
    total = float32(0.0)
    for start in range(0, a.shape[1], TILE):
        k = start + across
        tile_a[down, across] = a[row, k] if row < a.shape[0] and k < a.shape[1] else float32(0.0)
        other = first_column + down
        tile_b[down, across] = b[other, k] if other < b.shape[0] and k < b.shape[1] else float32(0.0)
        cuda.syncthreads()
        for i in range(TILE):
            total += tile_a[down, i] * tile_b[across, i]
        cuda.syncthreads()
    if row < d.shape[0] and column < d.shape[1]:
        d[row, column] = total


@cuda.jit
def matmul_fp16(a: Any, b: Any, d: Any) -> None:
    """Write A Bᵀ into `d` as `matmul_fp32` does, with operands and result in float16 and sums in float32."""
    column, row = cuda.grid(2)
    across, down = cuda.threadIdx.x, cuda.threadIdx.y
    first_column = cuda.blockIdx.x * TILE
    tile_a = cuda.shared.array((TILE, TILE), float32)
    tile_b = cuda.shared.array((TILE, TILE_PADDED), float32)
    total = float32(0.0)
    for start in range(0, a.shape[1], TILE):
        k = start + across
        tile_a[down, across] = float32(a[row, k]) if row < a.shape[0] and k < a.shape[1] else float32(0.0)
        other = first_column + down
        tile_b[down, across] = float32(b[other, k]) if other < b.shape[0] and k < b.shape[1] else float32(0.0)
        cuda.syncthreads()
        for i in range(TILE):
            total += tile_a[down, i] * tile_b[across, i]
        cuda.syncthreads()
    if row < d.shape[0] and column < d.shape[1]:
        d[row, column] = float16(total)


KERNELS = {"fp32": matmul_fp32, "fp16": matmul_fp16}


def launch(form_name: str, a: Any, b: Any, d: Any, stream: Any = 0) -> None:
    """Queue a product on a Numba stream; the arrays are on the device or, in Numba's simulator, NumPy's."""
    grid = (-(-d.shape[1] // TILE), -(-d.shape[0] // TILE))
    with small_grids_allowed():
        KERNELS[form_name][grid, (TILE, TILE), stream](a, b, d)
