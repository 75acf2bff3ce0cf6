// Attention over the cache, for a prompt and for one further token alike. A warp holds 8 or 16 rows: tokens by the GROUP
// query heads that share a key head, so that each key is loaded once for all of them. It goes through its share of the
// keys 16 at a time, from the cache straight into the registers that the tensor cores multiply from: keys and values are
// the left side, rows the right one (8 rows then waste nothing), and since the order in which a product adds up is free, a
// lane takes as its part of a key what one 16-byte load brings. No shared memory; warps of a prompt meet in the L1 cache.

#define VALUES ((int)(16 / sizeof(Cached::Code))) // numbers of the cache in a 16-byte load
#define WIDE (VALUES / 8)                         // 1, or 2 where a cached number is widened before it is multiplied

// Numbers 2 i and 2 i + 1 of a load of one key.
static __device__ __forceinline__ u32 along(const u32 (&key)[4], const int i)
{
    if constexpr (WIDE == 1)
        return key[i];
    else
        return widened((u16)(key[i / 2] >> i % 2 * 16));
}
// Number i of the loads of two keys.
static __device__ __forceinline__ u32 across(const u32 (&key)[4], const u32 (&next)[4], const int i)
{
    if constexpr (WIDE == 1)
        return __byte_perm(key[i / 2], next[i / 2], i % 2 ? 0x7632u : 0x5410u);
    else
        return widened((u16)__byte_perm(key[i / 4], next[i / 4], (4 + i % 4) << 4 | i % 4));
}
static __device__ __forceinline__ void load16(u32 (&words)[4], const Cached::Code *const place)
{
    const uint4 four = *(const uint4 *)place;
    words[0] = four.x, words[1] = four.y, words[2] = four.z, words[3] = four.w;
}

// Of keys 2 quad + 0, 1, 8, 9 the numbers of this lane.
static __device__ __forceinline__ void load_values(u32 (&value)[HEAD / (8 * VALUES)][4][4], const Cached::Code *const at)
{
#pragma unroll
    for (int part = 0; part < HEAD / (8 * VALUES); ++part)
#pragma unroll
        for (int i = 0; i < 4; ++i)
            load16(value[part][i], at + (8 * (i / 2) + i % 2) * HEAD + part * 8 * VALUES);
}

// A warp's part: a tile of rows and a split of the keys. `length` tokens were in the cache before this call, whose `tokens`
// a sequence are there now too; token i sees length + i + 1 keys, capacity is a multiple of 16. One split: out
// [row][head][HEAD] is written. Several: parts [split][row][head][HEAD], not yet divided, and tops and sums, for `join`.
template <int EIGHTS> // of rows
static __device__ __forceinline__ void
attend(Entering::Code *const out, float *const parts, float2 *const tops_sums, const Score::Code *const queries,
       const Cached::Code *const keys, const Cached::Code *const values, const int *const length, const int tokens,
       const int capacity, const int splits)
{
    constexpr int TOKENS = 8 * EIGHTS / GROUP;
    const int warp = (blockIdx.x * blockDim.x + threadIdx.x) / 32, tile = warp / splits, split = warp % splits;
    if (tile * TOKENS >= tokens)
        return;
    const int row = threadIdx.x % 32 / 4, quad = threadIdx.x % 4;
    const int seen = *length + min(tokens, (tile + 1) * TOKENS);
    const int share = (seen + 16 * splits - 1) / (16 * splits) * 16;
    const int first = split * share, last = min(first + share, seen);
    const u64 cached = ((u64)blockIdx.z * gridDim.y + blockIdx.y) * capacity * HEAD;
    const u64 head = ((u64)blockIdx.z * tokens * gridDim.y + blockIdx.y) * GROUP; // of the sequence's first token

    u32 query[EIGHTS][HEAD / 16][2]; // of row `row` of each eight
#pragma unroll
    for (int eight = 0; eight < EIGHTS; ++eight) {
        const int mine = 8 * eight + row, token = tile * TOKENS + mine / GROUP;
        const bool is_real = mine < TOKENS * GROUP && token < tokens;
        const Score::Code *const from = queries + (head + token * gridDim.y * GROUP + mine % GROUP) * HEAD;
#pragma unroll
        for (int step = 0; step < HEAD / 16; ++step) {
            const int i = step / (2 * WIDE) * 4 * VALUES + quad * VALUES + step % (2 * WIDE) * 4;
            const uint2 four = is_real ? *(const uint2 *)(from + i) : make_uint2(0u, 0u);
            query[eight][step][0] = four.x;
            query[eight][step][1] = four.y;
        }
    }
    const int past = *length + tile * TOKENS; // the newest key that the tile's first token sees

    float sum[EIGHTS][2] = {}, top[EIGHTS][2], mixed[EIGHTS][HEAD / 16][4] = {};
#pragma unroll
    for (int eight = 0; eight < EIGHTS; ++eight)
        top[eight][0] = top[eight][1] = LOWEST;
    const Cached::Code *key_place = keys + cached + (u64)(first + row) * HEAD + quad * VALUES;
    const Cached::Code *value_place = values + cached + (u64)(first + 2 * quad) * HEAD + row * VALUES;
    for (int key = first; key < last; key += 16, key_place += 16 * HEAD, value_place += 16 * HEAD) {
        float score[EIGHTS][4] = {};
#pragma unroll
        for (int part = 0; part < HEAD / (4 * VALUES); ++part) {
            u32 low[4], high[4]; // keys row and row + 8
            load16(low, key_place + part * 4 * VALUES);
            load16(high, key_place + part * 4 * VALUES + 8 * HEAD);
#pragma unroll
            for (int i = 0; i < 2 * WIDE; ++i) {
                const u32 a[4] = {along(low, 2 * i), along(high, 2 * i), along(low, 2 * i + 1), along(high, 2 * i + 1)};
#pragma unroll
                for (int eight = 0; eight < EIGHTS; ++eight) {
                    const u32 (&b)[2] = query[eight][part * 2 * WIDE + i];
                    multiply_tiles(score[eight], a, b[0], b[1]);
                }
            }
        }
        u32 weight[EIGHTS][2], value[HEAD / (8 * VALUES)][4][4];
        if (EIGHTS == 1) // registers are free for values on their way while the softmax is computed
            load_values(value, value_place);
#pragma unroll
        for (int eight = 0; eight < EIGHTS; ++eight) {
            float(&of)[4] = score[eight]; // key row, rows 2 quad + 0, 1; key row + 8, the same rows
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                const int newest = past + (8 * eight + 2 * quad + r) / GROUP;
                of[r] = key + row <= newest ? of[r] : LOWEST;
                of[r + 2] = key + row + 8 <= newest ? of[r + 2] : LOWEST;
                float new_top = fmaxf(top[eight][r], fmaxf(of[r], of[r + 2]));
                for (int mask = 4; mask < 32; mask *= 2)
                    new_top = fmaxf(new_top, __shfl_xor_sync(0xffffffffu, new_top, mask));
                const float base = new_top == LOWEST ? 0.0f : new_top; // a row that has seen no key yet
                if (__any_sync(0xffffffffu, new_top > top[eight][r])) {
                    const float factor = exp2f(top[eight][r] - base);
                    top[eight][r] = new_top;
                    sum[eight][r] *= factor;
#pragma unroll
                    for (int block = 0; block < HEAD / 16; ++block) {
                        mixed[eight][block][r] *= factor;
                        mixed[eight][block][r + 2] *= factor;
                    }
                }
                of[r] = exp2f(of[r] - base);
                of[r + 2] = exp2f(of[r + 2] - base);
                sum[eight][r] += of[r] + of[r + 2];
            }
            weight[eight][0] = turned_over(two_scores(of[0], of[1]));
            weight[eight][1] = turned_over(two_scores(of[2], of[3]));
        }
        if (EIGHTS > 1)
            load_values(value, value_place);
#pragma unroll
        for (int part = 0; part < HEAD / (8 * VALUES); ++part)
#pragma unroll
            for (int i = 0; i < VALUES; i += 2) {
                const u32(&v)[4][4] = value[part];
                const u32 a[4] = {across(v[0], v[1], i), across(v[0], v[1], i + 1), across(v[2], v[3], i),
                                  across(v[2], v[3], i + 1)};
#pragma unroll
                for (int eight = 0; eight < EIGHTS; ++eight)
                    multiply_tiles(mixed[eight][(part * VALUES + i) / 2], a, weight[eight][0], weight[eight][1]);
            }
    }

#pragma unroll
    for (int eight = 0; eight < EIGHTS; ++eight)
#pragma unroll
        for (int r = 0; r < 2; ++r) {
            float all = sum[eight][r];
            for (int mask = 4; mask < 32; mask *= 2)
                all += __shfl_xor_sync(0xffffffffu, all, mask);
            const int mine = 8 * eight + 2 * quad + r, token = tile * TOKENS + mine / GROUP;
            if (mine >= TOKENS * GROUP || token >= tokens)
                continue;
            const u64 place = head + token * gridDim.y * GROUP + mine % GROUP;
            const u64 part_place = (u64)split * gridDim.z * tokens * gridDim.y * GROUP + place;
#pragma unroll
            for (int i = 0; i < HEAD / 8; i += 8) { // eight numbers in a row lie in four blocks
                const int at = i / VALUES * 8 * VALUES + row * VALUES + i % VALUES;
                float x[8];
#pragma unroll
                for (int j = 0; j < 8; ++j)
                    x[j] = mixed[eight][(i + j) / 2][r + j % 2 * 2];
                if (splits == 1) {
                    store<Entering>(out + place * HEAD + at, x, @OUT_SCALE@f / all);
                } else {
                    *(float4 *)(parts + part_place * HEAD + at) = make_float4(x[0], x[1], x[2], x[3]);
                    *(float4 *)(parts + part_place * HEAD + at + 4) = make_float4(x[4], x[5], x[6], x[7]);
                }
            }
            if (splits > 1 && row == 0)
                tops_sums[part_place] = make_float2(top[eight][r], all);
        }
}
// Grid = (blocks of up to 4 warps: tiles x splits, kv heads, sequences).
#define ATTEND(name, blocks, eights)                                                                                   \
    extern "C" __global__ void __launch_bounds__(128, blocks)                                                          \
    name(Entering::Code *out, float *parts, float2 *tops_sums, const Score::Code *queries, const Cached::Code *keys,   \
         const Cached::Code *values, const int *length, int tokens, int capacity, int splits)                          \
    {                                                                                                                  \
        attend<eights>(out, parts, tops_sums, queries, keys, values, length, tokens, capacity, splits);                \
    }
ATTEND(attend_prompt, 3, 2)
ATTEND(attend_token, (GROUP > 8 ? 3 : 4), (GROUP > 8 ? 2 : 1))

// Block = one row and head. Puts the splits of `attend` together, each weighted by its own sum and top.
extern "C" __global__ void __launch_bounds__(HEAD / 8)
join(Entering::Code *const out, const float *const parts, const float2 *const tops_sums, const int splits)
{
    const u64 place = blockIdx.x;
    float top = LOWEST, sum = 0.0f, x[8] = {};
    for (int split = 0; split < splits; ++split)
        top = fmaxf(top, tops_sums[(u64)split * gridDim.x + place].x);
    for (int split = 0; split < splits; ++split) {
        const u64 from = (u64)split * gridDim.x + place;
        const float weight = exp2f(tops_sums[from].x - top);
        sum += weight * tops_sums[from].y;
#pragma unroll
        for (int j = 0; j < 8; ++j)
            x[j] += weight * parts[from * HEAD + 8 * threadIdx.x + j];
    }
    store<Entering>(out + place * HEAD + 8 * threadIdx.x, x, @OUT_SCALE@f / sum);
}
