// The operations between a decoder's matrix products: look-up, norm, rotary, gate, choice of the next token. A row is one
// token of one sequence; rows of a call are sequence by sequence, `tokens` of each.

typedef @STREAM@ Stream;     // the residual stream and what products give
typedef @ENTERING@ Entering; // what enters a product, stored times ENTERING_SCALE
typedef @CACHED@ Cached;     // keys and values, stored times CACHE_SCALE
typedef @SCORE@ Score;       // queries and weights of attention

#define HEAD @HEAD@ // width of a head
#define GROUP @GROUP@ // query heads that share a key head
#define ENTERING_SCALE @ENTERING_SCALE@f
#define CACHE_SCALE @CACHE_SCALE@f

static __device__ __forceinline__ float sum_over_warp(float x)
{
    for (int mask = 16; mask > 0; mask /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, mask);
    return x;
}

// Block = one row. stream[row] = embedding[tokens[row]], width a multiple of 8.
extern "C" __global__ void __launch_bounds__(256)
look_up(u16 *const stream, const u16 *const embedding, const int *const tokens, const int width)
{
    const u64 to = (u64)blockIdx.x * width, from = (u64)tokens[blockIdx.x] * width;
    for (int i = 8 * threadIdx.x; i < width; i += 8 * blockDim.x)
        *(uint4 *)(stream + to + i) = *(const uint4 *)(embedding + from + i);
}

// Block = one row: of every `tokens` rows the last one where only_last is set. stream += added (unless that is null), then
// out = stream / rms(stream) * scale, out's rows one after the other.
template <typename Out>
static __device__ __forceinline__ void norm(typename Out::Code *const out, u16 *const stream, const u16 *const added,
                                            const float *const scale, const int width, const int every,
                                            const float eps, const float out_scale)
{
    const u64 row = (u64)(blockIdx.x + 1) * every - 1;
    __shared__ float sums[8];
    float sum = 0.0f, x[8], y[8];
    for (int i = 8 * threadIdx.x; i < width; i += 8 * blockDim.x) {
        load<Stream>(x, stream + row * width + i);
        if (added) {
            load<Stream>(y, added + row * width + i);
#pragma unroll
            for (int j = 0; j < 8; ++j)
                x[j] += y[j];
            store<Stream>(stream + row * width + i, x, 1.0f);
        }
#pragma unroll
        for (int j = 0; j < 8; ++j)
            sum += x[j] * x[j];
    }
    sum = sum_over_warp(sum);
    if (threadIdx.x % 32 == 0)
        sums[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0.0f;
    for (int warp = 0; warp < 8; ++warp)
        sum += sums[warp];
    const float factor = rsqrtf(sum / width + eps) * out_scale;
    for (int i = 8 * threadIdx.x; i < width; i += 8 * blockDim.x) {
        load<Stream>(x, stream + row * width + i);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            x[j] *= scale[i + j];
        store<Out>(out + (u64)blockIdx.x * width + i, x, factor);
    }
}
extern "C" __global__ void __launch_bounds__(256)
norm_layer(Entering::Code *const out, u16 *const stream, const u16 *const added, const float *const scale,
           const int width, const float eps)
{
    norm<Entering>(out, stream, added, scale, width, 1, eps, ENTERING_SCALE);
}
extern "C" __global__ void __launch_bounds__(256)
norm_last(u16 *const out, u16 *const stream, const u16 *const added, const float *const scale, const int width,
          const int tokens, const float eps)
{
    norm<Stream>(out, stream, added, scale, width, tokens, eps, 1.0f);
}

// Block = one row of qkv [heads + 2 kv heads][HEAD]. Queries and keys are turned by their position, pair (i, i + HEAD / 2);
// queries go on, scaled so that the softmax is one of powers of two; keys and values go into the cache
// [sequence][kv head][capacity][HEAD] after the `length` tokens that are there.
extern "C" __global__ void __launch_bounds__(128)
turn_and_cache(Score::Code *const queries, Cached::Code *const keys, Cached::Code *const values, const u16 *const qkv,
               const float2 *const turns, const int *const length, const int tokens, const int capacity,
               const int heads, const int kv_heads, const float query_scale)
{
    const int row = blockIdx.x, position = *length + row % tokens, parts = HEAD / 16;
    const u64 sequence = row / tokens;
    for (int item = threadIdx.x; item < (heads + 2 * kv_heads) * parts; item += blockDim.x) {
        const int head = item / parts, i = item % parts * 8;
        const u16 *const from = qkv + ((u64)row * (heads + 2 * kv_heads) + head) * HEAD + i;
        float low[8], high[8];
        load<Stream>(low, from);
        load<Stream>(high, from + HEAD / 2);
        const bool is_value = head >= heads + kv_heads;
        if (!is_value) {
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                const float2 turn = turns[position * (HEAD / 2) + i + j]; // cosine, sine
                const float turned = low[j] * turn.x - high[j] * turn.y;
                high[j] = high[j] * turn.x + low[j] * turn.y;
                low[j] = turned;
            }
        }
        if (head < heads) {
            Score::Code *const to = queries + ((u64)row * heads + head) * HEAD + i;
            store<Score>(to, low, query_scale);
            store<Score>(to + HEAD / 2, high, query_scale);
        } else {
            const int kv_head = head - heads - is_value * kv_heads;
            Cached::Code *const to = (is_value ? values : keys) +
                                     ((sequence * kv_heads + kv_head) * capacity + position) * HEAD + i;
            store<Cached>(to, low, CACHE_SCALE);
            store<Cached>(to + HEAD / 2, high, CACHE_SCALE);
        }
    }
}

// Grid = rows x parts of the width, eight numbers a thread. out = silu(gate) * up, of inner [row][gate, up][width].
extern "C" __global__ void __launch_bounds__(256)
gate(Entering::Code *const out, const u16 *const inner, const int width)
{
    const int i = 8 * (blockIdx.y * blockDim.x + threadIdx.x);
    const u64 row = blockIdx.x;
    if (i >= width)
        return;
    float gates[8], ups[8];
    load<Stream>(gates, inner + 2 * row * width + i);
    load<Stream>(ups, inner + (2 * row + 1) * width + i);
#pragma unroll
    for (int j = 0; j < 8; ++j)
        ups[j] *= gates[j] / (1.0f + expf(-gates[j]));
    store<Entering>(out + row * width + i, ups, ENTERING_SCALE);
}

static __device__ __forceinline__ void largest_of_warp(float &best, int &place)
{
    for (int mask = 16; mask > 0; mask /= 2) {
        const float other = __shfl_xor_sync(0xffffffffu, best, mask);
        const int its_place = __shfl_xor_sync(0xffffffffu, place, mask);
        if (other > best || (other == best && its_place < place)) {
            best = other;
            place = its_place;
        }
    }
}

// Block = one sequence. The first of the largest of logits [width], a multiple of 8, becomes its next token.
extern "C" __global__ void __launch_bounds__(1024)
greedy(int *const tokens, const u16 *const logits, const int width)
{
    __shared__ float values[32];
    __shared__ int places[32];
    float best = LOWEST, x[8];
    int place = 0;
    for (int i = 8 * threadIdx.x; i < width; i += 8 * blockDim.x) {
        load<Stream>(x, logits + (u64)blockIdx.x * width + i);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            if (x[j] > best) {
                best = x[j];
                place = i + j;
            }
    }
    largest_of_warp(best, place);
    if (threadIdx.x % 32 == 0) {
        values[threadIdx.x / 32] = best;
        places[threadIdx.x / 32] = place;
    }
    __syncthreads();
    best = values[threadIdx.x % 32];
    place = places[threadIdx.x % 32];
    largest_of_warp(best, place);
    if (threadIdx.x == 0)
        tokens[blockIdx.x] = place;
}
