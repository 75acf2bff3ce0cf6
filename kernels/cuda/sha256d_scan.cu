struct Job { u32 words[@WORDS@]; @POWER_FIELDS@u32 one_early; u32 mask; u32 one_late; };

static __device__ __forceinline__ u32 sha256d_last_word(const Job &job, const u32 nonce_word)
{
    const u32 one_early = job.one_early, one_late = job.one_late;
    (void)one_early, (void)one_late;
@BODY@
    return @LAST_WORD@;
}

extern "C" __global__ void __launch_bounds__(256)
sha256d_scan(const Job job, const u32 first, const u32 threads, u32 *const found, u32 *const out, const u32 capacity)
{
    const u32 thread = blockIdx.x * blockDim.x + threadIdx.x;
    if (thread >= threads)
        return;
    u32 word = __byte_perm(first + thread * @PER_THREAD@u, 0u, 0x0123u);
    const u32 stop = word + (@PER_THREAD@u << 24);
    do {
        if ((sha256d_last_word(job, word) & job.mask) == 0u) {
            const u32 place = atomicAdd(found, 1u);
            if (place < capacity)
                out[place] = __byte_perm(word, 0u, 0x0123u);
        }
        word += 0x01000000u;
    } while (word != stop);
}
