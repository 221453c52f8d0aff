/*
 * P-256 with MULX, ADCX and ADOX: scalar multiplication for key exchange. The running time depends on neither scalar
 * nor result; peers' points are public. p256.c is the same in portable C, with a smaller table.
 *
 * Scalars: instead of k in (0, n) these multiply by the smaller of k and n - k, below 2^255, and negate what comes out
 * if it was the latter. Its digits d_j to the base B = 2^w are signed, -B/2 <= d_j <= B/2.
 *
 * Why additions never meet equal or opposite points: they add d_t B^t times a point to A times that point, where A is a
 * sum of other digits d_j B^j (or of all above t, in Horner's scheme, where all is divided by B^t). A + d_t B^t and
 * A - d_t B^t are no more than 2^255 + 2^252 either way: the digits below the top ones sum up to little more than half
 * of what the next one counts, and the top ones are what is left of 255 bits and a carry. That is below n, so if one of
 * them is a multiple of n, it is 0. A sum of digits from -B/2 to B/2 is 0 only if all are: the lowest that is not has
 * nothing below it and multiples of B above it. So both points are infinity, and masks deal with that.
 */
#include "p256_adx.h"

#if LT_P256_ADX
#include <emmintrin.h>

#include "invert64.h"
#include "p256_field_adx.h"
#include "p256_window_table.h"

#define fe            fe256adx
#define fe_add        fe256adx_add
#define fe_sub        fe256adx_sub
#define fe_mul        fe256adx_mul
#define fe_square     fe256adx_square
#define fe_fold       fe256adx_fold
#define fe_from_words fe256adx_from_words
#define fe_to_words   fe256adx_to_words
#define fe_b          fe256adx_b
#define fe_rr         fe256adx_rr

#include "p256_bytes.h"

/* ---- Points: Jacobian coordinates, x = X/Z^2, y = Y/Z^3 -------------------------------------------- */

typedef struct {
    fe x, y, z;
    uint64_t infinite; /* all ones: infinity, whatever x, y and z are */
} point;

/* What a multiplication computes with, wiped at its end. */
typedef struct {
    uint64_t k[5]; /* the scalar, and a word of zeros */
    uint64_t negative;
    fe a, b, c, d, e, f;
    point acc, entry, sum;
} work;

LT_INLINE void set_if(uint64_t mask, fe *out, const fe *a) {
    const __m128i m = _mm_set1_epi64x((long long)lt_ct_hide(mask));

    for (int i = 0; i < 4; i += 2) {
        __m128i old = _mm_loadu_si128((const __m128i *)(out->v + i));
        __m128i new = _mm_loadu_si128((const __m128i *)(a->v + i));

        _mm_storeu_si128((__m128i *)(out->v + i), _mm_xor_si128(old, _mm_and_si128(m, _mm_xor_si128(old, new))));
    }
}

/* a = 2a, infinity included. M = 3 (X - Z^2)(X + Z^2), S = 4 X Y^2, X' = M^2 - 2S, Y' = M (S - X') - (4 Y^2)^2 / 2.
 * Products are inlined here, where most of the time goes. */
static void double_point(point *a, work *w) {
    fe256adx_square_here(&w->a, &a->z);
    fe_add(&w->b, &a->x, &w->a);
    fe_sub(&w->a, &a->x, &w->a);
    fe_add(&w->c, &a->y, &a->y);
    fe256adx_mul_here(&w->a, &w->a, &w->b);
    fe256adx_mul_here(&a->z, &w->c, &a->z);
    fe256adx_square_here(&w->c, &w->c); /* 4 Y^2 */
    fe_add(&w->b, &w->a, &w->a);
    fe_add(&w->a, &w->a, &w->b);            /* M */
    fe256adx_mul_here(&w->b, &w->c, &a->x); /* S */
    fe256adx_square_here(&a->x, &w->a);
    fe256adx_square_here(&w->c, &w->c);
    fe_add(&w->d, &w->b, &w->b);
    fe_sub(&a->x, &a->x, &w->d);
    fe_sub(&w->b, &w->b, &a->x);
    fe256adx_mul_here(&w->a, &w->a, &w->b);
    fe256adx_halve(&w->c, &w->c);
    fe_sub(&a->y, &w->a, &w->c);
}

/* The end of both additions. In: w->a = U = X1 Z2^2, w->b = S = Y1 Z2^3, w->c = H = X2 Z1^2 - U, w->d = R =
 * Y2 Z1^3 - S. X = R^2 - H^3 - 2 U H^2, Y = R (U H^2 - X) - S H^3. */
LT_INLINE void add_tail(work *w) {
    fe_square(&w->e, &w->c);
    fe_square(&w->sum.x, &w->d);
    fe_mul(&w->f, &w->e, &w->c); /* H^3 */
    fe_mul(&w->a, &w->a, &w->e); /* U H^2 */
    fe_mul(&w->b, &w->b, &w->f);
    fe_sub(&w->sum.x, &w->sum.x, &w->f);
    fe_add(&w->e, &w->a, &w->a);
    fe_sub(&w->sum.x, &w->sum.x, &w->e);
    fe_sub(&w->a, &w->a, &w->sum.x);
    fe_mul(&w->a, &w->a, &w->d);
    fe_sub(&w->sum.y, &w->a, &w->b);
}

/* acc = acc + entry, unless they are equal or opposite and not infinity. */
static void add_entry(work *w) {
    point *a = &w->acc, *b = &w->entry;

    fe_square(&w->e, &b->z);
    fe_square(&w->f, &a->z);
    fe_mul(&w->a, &a->x, &w->e); /* U */
    fe_mul(&w->c, &b->x, &w->f);
    fe_mul(&w->e, &w->e, &b->z);
    fe_mul(&w->f, &w->f, &a->z);
    fe_sub(&w->c, &w->c, &w->a); /* H */
    fe_mul(&w->b, &a->y, &w->e); /* S */
    fe_mul(&w->d, &b->y, &w->f);
    fe_mul(&w->sum.z, &a->z, &b->z);
    fe_sub(&w->d, &w->d, &w->b); /* R */
    fe_mul(&w->sum.z, &w->sum.z, &w->c);
    add_tail(w);
    set_if(b->infinite, &w->sum.x, &a->x);
    set_if(b->infinite, &w->sum.y, &a->y);
    set_if(b->infinite, &w->sum.z, &a->z);
    set_if(a->infinite, &w->sum.x, &b->x);
    set_if(a->infinite, &w->sum.y, &b->y);
    set_if(a->infinite, &w->sum.z, &b->z);
    a->x = w->sum.x;
    a->y = w->sum.y;
    a->z = w->sum.z;
    a->infinite &= b->infinite;
}

/* The same for an entry with Z = 1. */
static void add_affine_entry(work *w) {
    point *a = &w->acc, *b = &w->entry;

    w->a = a->x; /* U */
    w->b = a->y; /* S */
    fe_square(&w->e, &a->z);
    fe_mul(&w->c, &b->x, &w->e);
    fe_mul(&w->e, &w->e, &a->z);
    fe_sub(&w->c, &w->c, &w->a); /* H */
    fe_mul(&w->d, &b->y, &w->e);
    fe_mul(&w->sum.z, &a->z, &w->c);
    fe_sub(&w->d, &w->d, &w->b); /* R */
    add_tail(w);
    fe_from_words(&w->e, fe256adx_one);
    set_if(b->infinite, &w->sum.x, &a->x);
    set_if(b->infinite, &w->sum.y, &a->y);
    set_if(b->infinite, &w->sum.z, &a->z);
    set_if(a->infinite, &w->sum.x, &b->x);
    set_if(a->infinite, &w->sum.y, &b->y);
    set_if(a->infinite, &w->sum.z, &w->e);
    a->x = w->sum.x;
    a->y = w->sum.y;
    a->z = w->sum.z;
    a->infinite &= b->infinite;
}

/* a = -a if `mask` is all ones. */
static void negate_if(uint64_t mask, fe *a, work *w) {
    static const uint64_t zero[4] = {0, 0, 0, 0};

    fe_from_words(&w->e, zero);
    fe_sub(&w->e, &w->e, a);
    set_if(mask, a, &w->e);
}

/* 1/a, 0 for 0. Of a R this makes 1/(a R), so the factor that leads back is R^2, and R^3 in Montgomery form. */
static void invert(fe *out, const fe *a) {
    static const lt_modulus62 p = {{{0x3fffffffffffffff, 0x00000003ffffffff, 0, 0x3fffffc000000040, 0xff}},
                                   UINT64_C(0x3fffffffffffffff)};
    uint64_t w[4];
    fe rrr;

    fe_to_words(w, a);
    lt_invert64(w, w, &p);
    fe_from_words(out, w);
    fe_from_words(&rrr, fe_rr);
    fe_square(&rrr, &rrr);
    fe_mul(out, out, &rrr);
    lt_wipe(w, sizeof w);
}

/* ---- Scalars ---------------------------------------------------------------------------------------- */

/* k or n - k, whichever is smaller; which one it is, and acc = infinity. */
static void begin(work *w, const uint8_t scalar[32]) {
    static const uint64_t n[4] = {UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84),
                                  UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffff00000000)};
    uint64_t other[4], borrow = 0;

    load_words(w->k, scalar);
    for (int i = 0; i < 4; i++) {
        lt_u128 difference = (lt_u128)n[i] - w->k[i] - borrow;

        other[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    w->negative = words_lt(other, w->k);
    for (int i = 0; i < 4; i++) {
        w->k[i] = lt_ct_select(w->negative, other[i], w->k[i]);
    }
    w->k[4] = 0;
    lt_wipe(other, sizeof other);
    lt_wipe(&w->acc, sizeof w->acc);
    w->acc.infinite = ~(uint64_t)0;
}

/* Digit j to the base 2^width: its bits, plus the bit below them, minus 2^width times the topmost. Returns how large it
 * is, at most 2^(width - 1), and a mask. */
LT_INLINE uint64_t digit(const uint64_t k[5], int j, int width, uint64_t *negative) {
    const int first = width * j - 1, word = first / 64, shift = first % 64;
    uint64_t bits, low;

    if (first < 0) {
        bits = k[0] << 1;
    } else {
        bits = k[word] >> shift;
        if (shift > 63 - width) {
            bits |= k[word + 1] << (64 - shift);
        }
    }
    *negative = lt_ct_hide(0 - (bits >> width & 1));
    low = ((bits & (((uint64_t)1 << width) - 1)) + 1) >> 1;
    return lt_ct_select(*negative, ((uint64_t)1 << (width - 1)) - low, low);
}

/*
 * The `wanted`th of `count` entries, counted from 1, `step` words apart: x and y, and z if `with_z`. All are read;
 * zeros if `wanted` is 0. The loop over the lines of an entry is written out for compilers to keep them in registers.
 */
LT_INLINE void read_table(point *out, const uint64_t *table, int count, int step, int with_z, uint64_t wanted) {
    const __m128i one = _mm_set1_epi32(1), sought = _mm_set1_epi32((int)lt_ct_hide(wanted));
    __m128i index = _mm_setzero_si128(), x0 = index, x1 = index, y0 = index, y1 = index, z0 = index, z1 = index;

    for (int i = 0; i < count; i++) {
        const __m128i *line = (const __m128i *)(const void *)(table + step * i);
        __m128i mask;

        index = _mm_add_epi32(index, one);
        mask = _mm_cmpeq_epi32(index, sought);
        x0 = _mm_or_si128(x0, _mm_and_si128(mask, _mm_loadu_si128(line)));
        x1 = _mm_or_si128(x1, _mm_and_si128(mask, _mm_loadu_si128(line + 1)));
        y0 = _mm_or_si128(y0, _mm_and_si128(mask, _mm_loadu_si128(line + 2)));
        y1 = _mm_or_si128(y1, _mm_and_si128(mask, _mm_loadu_si128(line + 3)));
        if (with_z) {
            z0 = _mm_or_si128(z0, _mm_and_si128(mask, _mm_loadu_si128(line + 4)));
            z1 = _mm_or_si128(z1, _mm_and_si128(mask, _mm_loadu_si128(line + 5)));
        }
    }
    _mm_storeu_si128((__m128i *)(void *)out->x.v, x0);
    _mm_storeu_si128((__m128i *)(void *)(out->x.v + 2), x1);
    _mm_storeu_si128((__m128i *)(void *)out->y.v, y0);
    _mm_storeu_si128((__m128i *)(void *)(out->y.v + 2), y1);
    _mm_storeu_si128((__m128i *)(void *)out->z.v, z0);
    _mm_storeu_si128((__m128i *)(void *)(out->z.v + 2), z1);
    out->infinite = lt_ct_is_zero(wanted);
}

/* ---- The base point ----------------------------------------------------------------------------------- */

#define BASE_WIDTH   6  /* table block i: 1 to 32 times 2^(12 i) G */
#define BASE_WINDOWS 43 /* ceil(256 / 6) */

static void add_from_base_table(work *w, int j) {
    uint64_t negative, magnitude = digit(w->k, j, BASE_WIDTH, &negative);

    read_table(&w->entry, p256_window_table[j / 2][0], 1 << (BASE_WIDTH - 1), 8, 0, magnitude);
    negate_if(negative, &w->entry.y, w);
    add_affine_entry(w);
}

/* see p256_adx.h */
void lt_p256_base_adx(uint8_t out[65], const uint8_t scalar[32]) {
    work w;

    begin(&w, scalar);
    for (int j = 1; j < BASE_WINDOWS; j += 2) {
        add_from_base_table(&w, j);
    }
    for (int i = 0; i < BASE_WIDTH; i++) {
        double_point(&w.acc, &w);
    }
    for (int j = 0; j < BASE_WINDOWS; j += 2) {
        add_from_base_table(&w, j);
    }
    negate_if(w.negative, &w.acc.y, &w);
    out[0] = 4;
    invert(&w.a, &w.acc.z);
    fe_square(&w.b, &w.a);
    fe_mul(&w.c, &w.acc.x, &w.b);
    fe_to_bytes(out + 1, &w.c);
    fe_mul(&w.b, &w.b, &w.a);
    fe_mul(&w.c, &w.acc.y, &w.b);
    fe_to_bytes(out + 33, &w.c);
    lt_wipe(&w, sizeof w);
}

/* ---- A peer's point ------------------------------------------------------------------------------------ */

#define PEER_WIDTH   5
#define PEER_WINDOWS 52 /* ceil(256 / 5) */
#define PEER_ENTRIES 16

/* 1 to 16 times the point. What it is added to are its multiples 2 to 14. */
static void fill_table(point table[PEER_ENTRIES], const p256_affine *peer, work *w) {
    table[0].x = peer->x;
    table[0].y = peer->y;
    fe_from_words(&table[0].z, fe256adx_one);
    table[0].infinite = 0;
    for (int i = 1; i < PEER_ENTRIES; i += 2) {
        table[i] = table[i / 2];
        double_point(&table[i], w);
        if (i + 1 < PEER_ENTRIES) {
            w->acc = table[i];
            w->entry = table[0];
            add_affine_entry(w);
            table[i + 1] = w->acc;
        }
    }
}

/* see p256_adx.h */
int lt_p256_adx(uint8_t out[32], const uint8_t scalar[32], const uint8_t peer[65]) {
    point table[PEER_ENTRIES];
    p256_affine affine;
    work w;

    if (point_from_bytes(&affine, peer) != LT_OK) {
        return LT_ERR_POINT;
    }
    fill_table(table, &affine, &w);
    begin(&w, scalar);
    for (int j = PEER_WINDOWS - 1; j >= 0; j--) {
        uint64_t negative, magnitude = digit(w.k, j, PEER_WIDTH, &negative);

        for (int i = 0; i < PEER_WIDTH && j < PEER_WINDOWS - 1; i++) { /* acc is infinity to begin with */
            double_point(&w.acc, &w);
        }
        read_table(&w.entry, table[0].x.v, PEER_ENTRIES, sizeof(point) / 8, 1, magnitude);
        negate_if(negative, &w.entry.y, &w);
        add_entry(&w);
    }
    invert(&w.a, &w.acc.z); /* 0 < k < n, the order: not infinity */
    fe_square(&w.b, &w.a);
    fe_mul(&w.c, &w.acc.x, &w.b);
    fe_to_bytes(out, &w.c);
    lt_wipe(&w, sizeof w);
    return LT_OK;
}
#endif
