typedef unsigned int u32;

#define ADD_EARLY(x, y) @ADD_EARLY@
#define ADD(x, y) @ADD@
#define SHR(x, n) @SHR@
#define ROTR(x, n) __funnelshift_r((x), (x), (n))
#define ROTR_PRODUCT(x, n) (__umulhi((x), power##n) + (x) * power##n)
#define XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define CH(x, y, z) (((x) & (y)) | (~(x) & (z)))
#define MAJ(x, y, z) (((x) & (y)) | ((x) & (z)) | ((y) & (z)))

