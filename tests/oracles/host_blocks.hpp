// CUDA C on a CPU: a block's threads as coroutines that take turns, so that barriers and a warp's exchanges do what they do on
// a GPU. One block after the other, on one thread of the CPU; shared memory is a static variable.
#undef _FORTIFY_SOURCE // its check of longjmp knows one stack only
#include <cmath>
#include <cstdint>
#include <cstring>
#include <setjmp.h>
#include <ucontext.h>
#include <utility>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#define PERWATT_HOST
#define __device__
#define __global__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)

struct Dim { unsigned int x, y, z; };
struct alignas(8) uint2 { unsigned int x, y; };
struct alignas(16) uint4 { unsigned int x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
static inline uint2 make_uint2(unsigned int x, unsigned int y) { return {x, y}; }
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
template <typename T> static inline T min(T x, T y) { return y < x ? y : x; }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline float __uint_as_float(unsigned int bits)
{
    float real;
    memcpy(&real, &bits, 4);
    return real;
}
static inline unsigned int __float_as_uint(float real)
{
    unsigned int bits;
    memcpy(&bits, &real, 4);
    return bits;
}
static inline unsigned int __byte_perm(unsigned int x, unsigned int y, unsigned int selector)
{
    const uint64_t bytes = ((uint64_t)y << 32) | x;
    unsigned int result = 0;
    for (int i = 0; i < 4; ++i)
        result |= (unsigned int)((bytes >> (8 * ((selector >> (4 * i)) & 7))) & 0xff) << (8 * i);
    return result;
}

namespace host {
constexpr int MOST_THREADS = 1024, STACK_BYTES = 1 << 16, WORDS = 6;
struct Thread {
    ucontext_t context; // to start on a stack of its own; then it goes on by jumps, which cost no system call
    jmp_buf here;
    bool started, done;
    unsigned int exchanges;
};
struct Warp { // the words that lanes show each other, of two exchanges in turn
    unsigned int words[2][32][WORDS], shown[2];
};
static Thread threads[MOST_THREADS];
static Warp warps[MOST_THREADS / 32];
static char *stacks; // until the process ends
static jmp_buf scheduler;
static unsigned int running, waiting, generation, events;
static void (*body)(void **);
static void **arguments;
} // namespace host
static Dim threadIdx, blockIdx, blockDim, gridDim;

namespace host {
static void give_way()
{
    if (_setjmp(threads[threadIdx.x].here) == 0)
        _longjmp(scheduler, 1);
}
static void go_on(Thread &thread)
{
    if (_setjmp(scheduler) != 0)
        return;
    if (thread.started)
        _longjmp(thread.here, 1);
    thread.started = true;
    setcontext(&thread.context);
}
static void arrive(unsigned int arrived)
{
    ++events;
    if (arrived == running) {
        waiting = 0;
        ++generation;
    }
}
static void start()
{
    body(arguments);
    threads[threadIdx.x].done = true;
    --running;
    arrive(waiting ? waiting : ~0u);
    give_way();
}
// Show this lane's words to its warp and return everyone's, lane by lane, once all are there.
static const unsigned int (*exchange(const unsigned int *mine, int count))[WORDS]
{
    Warp &warp = warps[threadIdx.x / 32];
    const unsigned int turn = threads[threadIdx.x].exchanges++, which = turn % 2;
    memcpy(warp.words[which][threadIdx.x % 32], mine, 4 * count);
    ++warp.shown[which];
    ++events;
    while (warp.shown[which] < 32 * (turn / 2 + 1))
        give_way();
    return warp.words[which];
}
// While it lives, subnormal floats are zero, as in what CuPy compiles (on x86 alone).
struct FlushedToZero {
#ifdef __SSE__
    const unsigned int before = _mm_getcsr();
    FlushedToZero() { _mm_setcsr(before | 0x8040u); }
    ~FlushedToZero() { _mm_setcsr(before); }
#endif
};
// Run all blocks; 1 where threads of one wait for each other.
static int run(const unsigned int *grid, const unsigned int *block, void (*kernel)(void **), void **given)
{
    const FlushedToZero flushed;
    if (!stacks)
        stacks = new char[(size_t)MOST_THREADS * STACK_BYTES];
    gridDim = {grid[0], grid[1], grid[2]}, blockDim = {block[0], 1, 1};
    body = kernel, arguments = given;
    for (uint64_t i = 0; i < (uint64_t)grid[0] * grid[1] * grid[2]; ++i) {
        blockIdx = {(unsigned int)(i % grid[0]), (unsigned int)(i / grid[0] % grid[1]), (unsigned int)(i / grid[0] / grid[1])};
        memset(warps, 0, sizeof warps);
        running = block[0], waiting = 0;
        for (unsigned int t = 0; t < block[0]; ++t) {
            threads[t].started = threads[t].done = false, threads[t].exchanges = 0;
            getcontext(&threads[t].context);
            threads[t].context.uc_stack.ss_sp = stacks + (size_t)t * STACK_BYTES;
            threads[t].context.uc_stack.ss_size = STACK_BYTES;
            makecontext(&threads[t].context, start, 0);
        }
        while (running) {
            const unsigned int before = events;
            for (unsigned int t = 0; t < block[0]; ++t)
                if (!threads[t].done) {
                    threadIdx = {t, 0, 0};
                    go_on(threads[t]);
                }
            if (running && events == before)
                return 1;
        }
    }
    return 0;
}
template <typename... A, size_t... I> static void call(void (*kernel)(A...), void **given, std::index_sequence<I...>)
{
    kernel(*(A *)given[I]...);
}
template <typename... A> static void call(void (*kernel)(A...), void **given)
{
    call(kernel, given, std::index_sequence_for<A...>{});
}
} // namespace host

static inline void __syncthreads()
{
    const unsigned int mine = host::generation;
    host::arrive(++host::waiting);
    while (host::generation == mine)
        host::give_way();
}
template <typename T> static inline T __shfl_xor_sync(unsigned int, T x, int mask)
{
    unsigned int word;
    memcpy(&word, &x, 4);
    memcpy(&x, host::exchange(&word, 1)[(threadIdx.x % 32) ^ mask], 4);
    return x;
}
static inline int __any_sync(unsigned int, int holds)
{
    const unsigned int mine = holds != 0;
    const auto all = host::exchange(&mine, 1);
    unsigned int any = 0;
    for (int lane = 0; lane < 32; ++lane)
        any |= all[lane][0];
    return (int)any;
}
template <typename Number>
static void host_multiply_tiles(float (&c)[4], const unsigned int (&a)[4], unsigned int b0, unsigned int b1)
{
    const unsigned int mine[6] = {a[0], a[1], a[2], a[3], b0, b1};
    const auto all = host::exchange(mine, 6);
    const int row = threadIdx.x % 32 / 4, quad = threadIdx.x % 4;
    for (int i = 0; i < 4; ++i) {
        const int m = row + 8 * (i / 2), n = 2 * quad + i % 2;
        for (int k = 0; k < 16; ++k) {
            const unsigned int left = all[m % 8 * 4 + k % 8 / 2][m / 8 + 2 * (k / 8)];
            const unsigned int right = all[n * 4 + k % 8 / 2][4 + k / 8];
            c[i] += Number::real((uint16_t)(left >> 16 * (k % 2))) * Number::real((uint16_t)(right >> 16 * (k % 2)));
        }
    }
}
static unsigned int host_turned_over(unsigned int m)
{
    const auto all = host::exchange(&m, 1);
    const int row = threadIdx.x % 32 / 4, quad = threadIdx.x % 4, half = 16 * (row % 2);
    return (all[2 * quad * 4 + row / 2][0] >> half & 0xffffu) | (all[(2 * quad + 1) * 4 + row / 2][0] >> half & 0xffffu) << 16;
}
