"""Small CUDA C kernels beside the scan: fill with random values, copy, triad, read. Compiled by NVRTC at run time."""

from typing import Any

FILL_SOURCE = """\
typedef unsigned int u32;
typedef unsigned long long u64;

// One of 2^16 codes for each place, by a hash of place and seed: a fill that needs no library.
template <typename T> static __device__ __forceinline__ void fill(T *const out, const T *const table, const u64 count,
                                                                  const u64 seed)
{
    const u64 stride = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        u64 x = (i + seed) * 0x9e3779b97f4a7c15ull;
        x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ull;
        x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ull;
        out[i] = table[(u32)(x >> 48)];
    }
}
extern "C" __global__ void fill_8(unsigned char *out, const unsigned char *table, u64 count, u64 seed)
{
    fill(out, table, count, seed);
}
extern "C" __global__ void fill_16(unsigned short *out, const unsigned short *table, u64 count, u64 seed)
{
    fill(out, table, count, seed);
}
extern "C" __global__ void fill_32(u32 *out, const u32 *table, u64 count, u64 seed)
{
    fill(out, table, count, seed);
}
"""

MEMORY_SOURCE = """\
typedef unsigned int u32;
typedef unsigned long long u64;

// Four independent 16-byte accesses a thread are in flight before the first is used. A block takes tiles of four times
// its threads, whole pages of memory; `count` is a multiple of a tile.
#define FOR_EACH_TILE(i) \\
    const u32 stride = blockDim.x; \\
    const u64 step = (u64)gridDim.x * stride * 4; \\
    for (u64 i = (u64)blockIdx.x * stride * 4 + threadIdx.x; i < count; i += step)

extern "C" __global__ void __launch_bounds__(512) memory_copy(uint4 *const a, const uint4 *const b, const u64 count)
{
    FOR_EACH_TILE(i) {
        const uint4 w = __ldcs(b + i), x = __ldcs(b + i + stride), y = __ldcs(b + i + 2 * stride),
                    z = __ldcs(b + i + 3 * stride);
        __stcs(a + i, w);
        __stcs(a + i + stride, x);
        __stcs(a + i + 2 * stride, y);
        __stcs(a + i + 3 * stride, z);
    }
}

static __device__ __forceinline__ double2 triad(const double2 b, const double2 c, const double s)
{
    return make_double2(fma(s, c.x, b.x), fma(s, c.y, b.y));
}

extern "C" __global__ void __launch_bounds__(512)
memory_triad(double2 *const a, const double2 *const b, const double2 *const c, const double s, const u64 count)
{
    FOR_EACH_TILE(i) {
        const double2 b0 = __ldcs(b + i), b1 = __ldcs(b + i + stride), b2 = __ldcs(b + i + 2 * stride),
                      b3 = __ldcs(b + i + 3 * stride);
        const double2 c0 = __ldcs(c + i), c1 = __ldcs(c + i + stride), c2 = __ldcs(c + i + 2 * stride),
                      c3 = __ldcs(c + i + 3 * stride);
        __stcs(a + i, triad(b0, c0, s));
        __stcs(a + i + stride, triad(b1, c1, s));
        __stcs(a + i + 2 * stride, triad(b2, c2, s));
        __stcs(a + i + 3 * stride, triad(b3, c3, s));
    }
}

extern "C" __global__ void __launch_bounds__(512) memory_read(u32 *const result, const uint4 *const b, const u64 count)
{
    u32 sum = 0;
    FOR_EACH_TILE(i) {
        const uint4 w = __ldcs(b + i), x = __ldcs(b + i + stride), y = __ldcs(b + i + 2 * stride),
                    z = __ldcs(b + i + 3 * stride);
        sum ^= w.x ^ w.y ^ w.z ^ w.w ^ x.x ^ x.y ^ x.z ^ x.w ^ y.x ^ y.y ^ y.z ^ y.w ^ z.x ^ z.y ^ z.z ^ z.w;
    }
    sum = __reduce_xor_sync(0xffffffffu, sum);
    if (threadIdx.x % 32 == 0)
        atomicXor(result, sum);
}
"""


def compile_module(cupy: Any, source: str) -> Any:
    """Return a CuPy module of CUDA C; a kernel is compiled when it is first asked for."""
    return cupy.RawModule(code=source, options=("-std=c++17",))


def fill_random(cupy: Any, module: Any, array: Any, table: Any, seed: int) -> None:
    """Fill a device array of 1, 2 or 4-byte codes with codes drawn from a table of 2^16."""
    kernel = module.get_function(f"fill_{8 * array.dtype.itemsize}")
    kernel((1024,), (256,), (array, table, cupy.uint64(array.size), cupy.uint64(seed)))
