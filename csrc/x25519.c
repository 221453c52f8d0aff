/* X25519 with a peer's public key: the Montgomery ladder, RFC 7748 section 5. */
#include "x25519_field.h"
#include "x25519_ifma.h"

/* Everything the ladder computes with, in one place to be wiped. The names are those of the RFC. */
typedef struct {
    uint64_t k[4];
    fe25519 x_1, x_2, z_2, x_3, z_3;
    fe25519 a, b, c, d, e, aa, bb, da, cb;
} ladder;

/**
 * One step for one bit: (x_2 : z_2) is doubled, (x_3 : z_3) becomes the sum. Every operand meets the field's bounds:
 * all nine are products, or one sum or difference of two products. in: s->x_1 tight, s->x_2 tight, s->z_2 tight,
 * s->x_3 tight, s->z_3 tight; out: s->x_2 tight, s->z_2 tight, s->x_3 tight, s->z_3 tight.
 */
static void ladder_step(ladder *s) {
    fe25519_add(&s->a, &s->x_2, &s->z_2);
    fe25519_sub(&s->b, &s->x_2, &s->z_2);
    fe25519_add(&s->c, &s->x_3, &s->z_3);
    fe25519_sub(&s->d, &s->x_3, &s->z_3);
    fe25519_mul(&s->da, &s->d, &s->a);
    fe25519_mul(&s->cb, &s->c, &s->b);
    fe25519_square(&s->aa, &s->a);
    fe25519_square(&s->bb, &s->b);
    fe25519_sub(&s->e, &s->aa, &s->bb);
    fe25519_mul(&s->x_2, &s->aa, &s->bb);
    fe25519_mul_a24(&s->a, &s->e);
    fe25519_add(&s->a, &s->aa, &s->a);
    fe25519_mul(&s->z_2, &s->e, &s->a);
    fe25519_add(&s->x_3, &s->da, &s->cb);
    fe25519_square(&s->x_3, &s->x_3);
    fe25519_sub(&s->z_3, &s->da, &s->cb);
    fe25519_square(&s->z_3, &s->z_3);
    fe25519_mul(&s->z_3, &s->x_1, &s->z_3);
}

/* see inner.h */
int lt_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    static const uint64_t one[4] = {1, 0, 0, 0}, zero[4] = {0, 0, 0, 0};
    ladder s;
    uint64_t w[4], swap = 0;
    int status;

#if LT_X25519_IFMA
    if (lt_cpu_has(LT_CPU_IFMA)) {
        return lt_x25519_ifma(out, scalar, u);
    }
#endif
    x25519_scalar(s.k, scalar);
    for (int i = 0; i < 4; i++) {
        w[i] = lt_load64_le(u + 8 * i);
    }
    fe25519_from_words(&s.x_1, w); /* drops the top bit, takes u >= p as it is: RFC 7748 section 5 */
    fe25519_from_words(&s.x_2, one);
    fe25519_from_words(&s.z_2, zero);
    s.x_3 = s.x_1;
    fe25519_from_words(&s.z_3, one);

    for (int i = 254; i >= 0; i--) {
        uint64_t bit = 0 - (s.k[i / 64] >> (i % 64) & 1);

        fe25519_swap(swap ^ bit, &s.x_2, &s.x_3);
        fe25519_swap(swap ^ bit, &s.z_2, &s.z_3);
        swap = bit;
        ladder_step(&s);
    }
    fe25519_swap(swap, &s.x_2, &s.x_3);
    fe25519_swap(swap, &s.z_2, &s.z_3);

    fe25519_invert(&s.z_2, &s.z_2);
    fe25519_mul(&s.x_2, &s.x_2, &s.z_2);
    fe25519_to_words(w, &s.x_2);
    for (int i = 0; i < 4; i++) {
        lt_store64_le(out + 8 * i, w[i]);
    }
    status = LT_ERR_POINT * (int)(lt_ct_is_zero(w[0] | w[1] | w[2] | w[3]) & 1);
    lt_wipe(&s, sizeof s);
    lt_wipe(w, sizeof w);
    return status;
}

/* see inner.h */
int lt_x25519_agree(uint8_t public[32], uint8_t secret[32], const uint8_t scalar[32], const uint8_t u[32]) {
#if LT_X25519_IFMA
    if (lt_cpu_has(LT_CPU_IFMA)) {
        return lt_x25519_agree_ifma(public, secret, scalar, u);
    }
#endif
    lt_x25519_base(public, scalar);
    return lt_x25519(secret, scalar, u);
}
