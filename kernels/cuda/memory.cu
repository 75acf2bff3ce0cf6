typedef unsigned int u32;
typedef unsigned long long u64;

// Four independent 16-byte accesses a thread are in flight before the first is used. A block takes tiles of four times
// its threads, whole pages of memory; `count` is a multiple of a tile.
#define FOR_EACH_TILE(i) \
    const u32 stride = blockDim.x; \
    const u64 step = (u64)gridDim.x * stride * 4; \
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
