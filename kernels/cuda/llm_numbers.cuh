// Numbers of 16 and 8 bits, and the tensor cores' product of two tiles. No header is needed: the same text is compiled
// by NVRTC for a GPU and, behind tests/oracles/cuda_hostblocks.py's shim, as C++ for a CPU (PERWATT_HOST).
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#define LOWEST __uint_as_float(0xff800000u) // minus infinity

// A float of fewer bits: above the smallest normal number a float's code with another bias and fewer digits; below it a count
// of the smallest steps, which a float of the right size holds in its last digits. Nothing here is a subnormal float, for
// CuPy has those flushed to zero. Rounding is to nearest, ties to even; what is larger than the largest becomes the largest.
template <typename Word, int EXPONENT, int MANTISSA, u32 LARGEST> struct Short {
    typedef Word Code;
    static constexpr int DROPPED = 23 - MANTISSA, SIGN = 31 - EXPONENT - MANTISSA;
    static constexpr u32 MAGNITUDE = (1u << (EXPONENT + MANTISSA)) - 1u, BIAS = (1u << (EXPONENT - 1)) - 1u;
    static constexpr u32 REBIAS = 127u - BIAS, STEPS = (REBIAS + DROPPED + 1u) << 23; // a float that ends in a smallest step

    static __device__ __forceinline__ float real(const Code code)
    {
        const u32 bits = code & MAGNITUDE;
        const float size = bits >> MANTISSA ? __uint_as_float((bits << DROPPED) + (REBIAS << 23))
                                            : __uint_as_float(STEPS + bits) - __uint_as_float(STEPS);
        return __uint_as_float(__float_as_uint(size) | ((u32)code & ~MAGNITUDE) << SIGN);
    }
    static __device__ __forceinline__ Code code(const float real)
    {
        const u32 bits = __float_as_uint(real) & 0x7fffffffu;
        const u32 size = bits >> 23 > REBIAS
                             ? ((bits + (1u << (DROPPED - 1)) - 1u + (bits >> DROPPED & 1u)) >> DROPPED) - (REBIAS << MANTISSA)
                             : __float_as_uint(__uint_as_float(bits) + __uint_as_float(STEPS)) - STEPS;
        return (Code)(min(size, LARGEST) | (__float_as_uint(real) & 0x80000000u) >> SIGN);
    }
};
typedef Short<u16, 8, 7, 0x7fffu> Bf16;
typedef Short<u16, 5, 10, 0x7bffu> Fp16;
typedef Short<u8, 4, 3, 0x7eu> E4m3;

// Eight numbers in a row, moved by one access of 16 or 8 bytes.
template <typename Number> struct alignas(8 * sizeof(typename Number::Code)) Eight {
    typename Number::Code codes[8];
};
template <typename Number>
static __device__ __forceinline__ void load(float (&x)[8], const typename Number::Code *const place)
{
    const Eight<Number> eight = *(const Eight<Number> *)place;
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = Number::real(eight.codes[i]);
}
template <typename Number>
static __device__ __forceinline__ void store(typename Number::Code *const place, const float (&x)[8], const float scale)
{
    Eight<Number> eight;
#pragma unroll
    for (int i = 0; i < 8; ++i)
        eight.codes[i] = Number::code(x[i] * scale);
    *(Eight<Number> *)place = eight;
}
// Scores: what attention multiplies in, @SCORE@.
static __device__ __forceinline__ u32 two_scores(const float low, const float high)
{
    return (u32)@SCORE@::code(low) | (u32)@SCORE@::code(high) << 16;
}

// c += a b over a warp: a is 16 x 16, b 16 x 8, c 16 x 8. With row = lane / 4 and quad = lane % 4 a lane holds, two numbers a
// register, a[row, row + 8, row, row + 8][2 quad + 0, 1; of the last two registers 8 further] and b[2 quad + 0, 1; of the
// second register 8 further][row]; and c[row, row, row + 8, row + 8][2 quad + 0, 1].
// (PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".)
static __device__ __forceinline__ void multiply_tiles(float (&c)[4], const u32 (&a)[4], const u32 b0, const u32 b1)
{
#ifdef PERWATT_HOST
    host_multiply_tiles<@SCORE@>(c, a, b0, b1);
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.@MMA@.@MMA@.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}
// Two E4m3 as two Fp16, low byte low: exact. GPUs that multiply fp8 (sm_89 and later) have an instruction for it.
static __device__ __forceinline__ u32 widened(const u16 two)
{
#ifdef PERWATT_HOST
    return Fp16::code(E4m3::real((u8)two)) | (u32)Fp16::code(E4m3::real((u8)(two >> 8))) << 16;
#else
    u32 wide;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(wide) : "h"(two));
    return wide;
#endif
}
// An 8 x 8 matrix of 16-bit numbers, m[row][2 quad + 0, 1] in each lane, turned over: m[2 quad + 0, 1][row].
static __device__ __forceinline__ u32 turned_over(const u32 m)
{
#ifdef PERWATT_HOST
    return host_turned_over(m);
#else
    u32 turned;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(turned) : "r"(m));
    return turned;
#endif
}
