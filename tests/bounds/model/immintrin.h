/*
 * The vector instructions that csrc/ uses, as this checker sees them: a vector is one lane of 64 bits that stands for
 * every lane. What another lane holds is another_lane(x), bounded as x is; one_of(x, y) is x in some lanes, y in
 * others.
 *
 * A contract here says what the code relies on: no input has bits that the instruction would ignore.
 */
#ifndef MODEL_IMMINTRIN_H
#define MODEL_IMMINTRIN_H

typedef unsigned long long __m128i;
typedef unsigned long long __m256i;
typedef unsigned long long __m512i;
typedef unsigned char __mmask8;

typedef unsigned long long model_lane;
typedef unsigned __int128 model_product;

#define MODEL_LOW52 0xfffffffffffffULL

/* Known to primitives.py. */
model_lane another_lane(model_lane x);
model_lane one_of(model_lane x, model_lane y);
model_lane lt_load64_le(const void *p);

/* ---- Sums, shifts, bits: in each lane what C does, and as in C nothing may be lost unseen ----------------- */

static inline __m128i _mm_add_epi64(__m128i a, __m128i b) {
    return a + b;
}
static inline __m256i _mm256_add_epi64(__m256i a, __m256i b) {
    return a + b;
}
static inline __m512i _mm512_add_epi64(__m512i a, __m512i b) {
    return a + b;
}
static inline __m256i _mm256_sub_epi64(__m256i a, __m256i b) {
    return a - b;
}

static inline __m256i _mm256_slli_epi64(__m256i a, int n) {
    return a << n;
}
static inline __m512i _mm512_slli_epi64(__m512i a, int n) {
    return a << n;
}
static inline __m256i _mm256_srli_epi64(__m256i a, int n) {
    return a >> n;
}
static inline __m512i _mm512_srli_epi64(__m512i a, int n) {
    return a >> n;
}

static inline __m256i _mm256_and_si256(__m256i a, __m256i b) {
    return a & b;
}
static inline __m512i _mm512_and_si512(__m512i a, __m512i b) {
    return a & b;
}
static inline __m256i _mm256_or_si256(__m256i a, __m256i b) {
    return a | b;
}
static inline __m512i _mm512_or_si512(__m512i a, __m512i b) {
    return a | b;
}
static inline __m256i _mm256_xor_si256(__m256i a, __m256i b) {
    return a ^ b;
}

/* All ones in lanes where a is b, here in any. in: any; out: result any. */
static inline __m256i _mm256_cmpeq_epi64(__m256i a, __m256i b) {
    return 0 - one_of(0, 1);
}
/* With 0xf8, the only one in use. in: any; out: result any. */
static inline __m256i _mm256_ternarylogic_epi64(__m256i a, __m256i b, __m256i c, int function) {
    return a | (b & c);
}

/* ---- Products ------------------------------------------------------------------------------------------- */

/* Lanes shift by as many bits as `n` says, here by 0, 1 or 2. in: a any, n <= 2; out: result any. */
static inline __m256i _mm256_sllv_epi64(__m256i a, __m256i n) {
    return one_of(a, one_of(a << 1, a << 2));
}

/* VPMULUDQ. in: a < 2^32, b < 2^32; out: result = a b. */
static inline __m256i _mm256_mul_epu32(__m256i a, __m256i b) {
    return a * b;
}

/* VPMADD52LUQ. in: a < 2^52, b < 2^52; out: result any. */
static inline __m256i _mm256_madd52lo_epu64(__m256i sum, __m256i a, __m256i b) {
    return sum + ((model_lane)((model_product)a * b) & MODEL_LOW52);
}
/* in: a < 2^52, b < 2^52; out: result any. */
static inline __m512i _mm512_madd52lo_epu64(__m512i sum, __m512i a, __m512i b) {
    return sum + ((model_lane)((model_product)a * b) & MODEL_LOW52);
}

/* VPMADD52HUQ. in: a < 2^52, b < 2^52; out: result any. */
static inline __m256i _mm256_madd52hi_epu64(__m256i sum, __m256i a, __m256i b) {
    return sum + (model_lane)((model_product)a * b >> 52);
}
/* in: a < 2^52, b < 2^52; out: result any. */
static inline __m512i _mm512_madd52hi_epu64(__m512i sum, __m512i a, __m512i b) {
    return sum + (model_lane)((model_product)a * b >> 52);
}

/* ---- What fills lanes ------------------------------------------------------------------------------------ */

static inline __m256i _mm256_setzero_si256(void) {
    return 0;
}
static inline __m512i _mm512_setzero_si512(void) {
    return 0;
}
static inline __m256i _mm256_set1_epi64x(long long a) {
    return (model_lane)a;
}
static inline __m512i _mm512_set1_epi64(long long a) {
    return (model_lane)a;
}
static inline __m512i _mm512_maskz_set1_epi64(__mmask8 mask, long long a) {
    return one_of((model_lane)a, 0);
}
static inline __m256i _mm256_set_epi64x(long long d, long long c, long long b, long long a) {
    return one_of(one_of((model_lane)a, (model_lane)b), one_of((model_lane)c, (model_lane)d));
}
static inline __m256i _mm256_loadu_si256(const __m256i *p) {
    return lt_load64_le(p);
}
static inline __m512i _mm512_loadu_si512(const void *p) {
    return lt_load64_le(p);
}

/* `p` is the first of four words. */
static inline void _mm256_storeu_si256(__m256i *p, __m256i a) {
    p[0] = a;
    p[1] = another_lane(a);
    p[2] = another_lane(a);
    p[3] = another_lane(a);
}

/* ---- What moves or mixes lanes --------------------------------------------------------------------------- */

static inline __m128i _mm256_castsi256_si128(__m256i a) {
    return another_lane(a);
}
static inline __m128i _mm256_extracti128_si256(__m256i a, int which) {
    return another_lane(a);
}
static inline long long _mm_cvtsi128_si64(__m128i a) {
    return (long long)another_lane(a);
}
static inline __m128i _mm_unpackhi_epi64(__m128i a, __m128i b) {
    return one_of(another_lane(a), another_lane(b));
}
static inline __m256i _mm256_unpackhi_epi64(__m256i a, __m256i b) {
    return one_of(another_lane(a), another_lane(b));
}
static inline __m512i _mm512_unpackhi_epi64(__m512i a, __m512i b) {
    return one_of(another_lane(a), another_lane(b));
}
static inline __m256i _mm256_unpacklo_epi64(__m256i a, __m256i b) {
    return one_of(another_lane(a), another_lane(b));
}
static inline __m512i _mm512_unpacklo_epi64(__m512i a, __m512i b) {
    return one_of(another_lane(a), another_lane(b));
}
static inline __m256i _mm256_permute4x64_epi64(__m256i a, int order) {
    return another_lane(a);
}
static inline __m256i _mm256_permutexvar_epi64(__m256i order, __m256i a) {
    return another_lane(a);
}
static inline __m256i _mm256_permutex2var_epi64(__m256i a, __m256i order, __m256i b) {
    return one_of(another_lane(a), another_lane(b));
}
static inline __m256i _mm256_permute2x128_si256(__m256i a, __m256i b, int order) {
    return one_of(another_lane(a), another_lane(b));
}

/* Halves of lanes; masks here never part a lane. */
static inline __m256i _mm256_blend_epi32(__m256i a, __m256i b, int mask) {
    return one_of(a, b);
}
static inline __m512i _mm512_mask_blend_epi64(__mmask8 mask, __m512i a, __m512i b) {
    return one_of(a, b);
}
static inline __m256i _mm256_mask_mov_epi64(__m256i a, __mmask8 mask, __m256i b) {
    return one_of(a, b);
}
static inline __m256i _mm256_mask_add_epi64(__m256i other, __mmask8 mask, __m256i a, __m256i b) {
    return one_of(other, a + b);
}
static inline __m256i _mm256_mask_sub_epi64(__m256i other, __mmask8 mask, __m256i a, __m256i b) {
    return one_of(other, a - b);
}
static inline __m256i _mm256_maskz_mov_epi64(__mmask8 mask, __m256i a) {
    return one_of(a, 0);
}

static inline long long _mm512_reduce_add_epi64(__m512i a) {
    return (long long)(another_lane(a) + another_lane(a) + another_lane(a) + another_lane(a) + another_lane(a) +
                       another_lane(a) + another_lane(a) + another_lane(a));
}

#endif
