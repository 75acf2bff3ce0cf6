typedef unsigned long long u64;

struct Job {
    u32 words[@WORDS@];
    u32 midstates;
    u32 own[@MOST_MIDSTATES@][@OWN_WORDS@];
    @POWER_FIELDS@u32 one_early;
    u32 mask;
    u32 one_late;
};
struct Rows { u32 @ROWS@; }; // words of the message schedule + K, which the hashes of all midstates share

static __device__ __forceinline__ Rows sha256d_rows(const Job &job, const u32 nonce_word)
{
    const u32 one_early = job.one_early, one_late = job.one_late;
    (void)one_early, (void)one_late;
@ROWS_BODY@
    return {@ROWS_RESULT@};
}

static __device__ __forceinline__ u32 sha256d_last_word(
    const Job &job, const u32 (&own)[@OWN_WORDS@], const Rows &rows, const u32 nonce_word)
{
    const u32 one_early = job.one_early, one_late = job.one_late;
    (void)one_early, (void)one_late;
@BODY@
    return @LAST_WORD@;
}

// Two blocks a multiprocessor: at most 128 registers a thread.
extern "C" __global__ void __launch_bounds__(256, 2)
sha256d_scan_versions(
    const Job job, const u32 first, const u32 threads, u32 *const found, u64 *const out, const u32 capacity)
{
    const u32 thread = blockIdx.x * blockDim.x + threadIdx.x;
    if (thread >= threads)
        return;
    u32 word = __byte_perm(first + thread * @PER_THREAD@u, 0u, 0x0123u);
    const u32 stop = word + (@PER_THREAD@u << 24);
    do {
        const Rows rows = sha256d_rows(job, word);
#pragma unroll 1 // unrolled, the code of four hashes would not fit the instruction cache
        for (u32 index = 0; index < job.midstates; ++index)
            if ((sha256d_last_word(job, job.own[index], rows, word) & job.mask) == 0u) {
                const u32 place = atomicAdd(found, 1u);
                if (place < capacity)
                    out[place] = (u64)index << 32 | __byte_perm(word, 0u, 0x0123u);
            }
        word += 0x01000000u;
    } while (word != stop);
}
