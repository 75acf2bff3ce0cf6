// What CUDA C of the scan needs to compile as C++ and run on a CPU, one thread after the other.
#include <cstddef>
#include <cstdint>
typedef unsigned int u32;
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
struct Dim { unsigned int x; };
static thread_local Dim blockIdx, blockDim, threadIdx;
static inline unsigned int __funnelshift_r(unsigned int low, unsigned int high, unsigned int n)
{
    return (unsigned int)(((((uint64_t)high) << 32) | low) >> (n & 31));
}
static inline unsigned int __umulhi(unsigned int x, unsigned int y)
{
    return (unsigned int)(((uint64_t)x * y) >> 32);
}
static inline unsigned int __byte_perm(unsigned int x, unsigned int y, unsigned int selector)
{
    const uint64_t bytes = ((uint64_t)y << 32) | x;
    unsigned int result = 0;
    for (int i = 0; i < 4; ++i)
        result |= (unsigned int)((bytes >> (8 * ((selector >> (4 * i)) & 7))) & 0xff) << (8 * i);
    return result;
}
static inline unsigned int atomicAdd(unsigned int *place, unsigned int value)
{
    const unsigned int before = *place;
    *place += value;
    return before;
}
