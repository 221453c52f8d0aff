/*
 * ECDSA on P-256 with a private key in memory, FIPS 186-5 section 6.4.1. The nonce is derived from key, digest and what
 * the caller adds, RFC 6979 section 3.6: it stays secret, and differs between digests, even if the addition is public
 * or always the same. Additions that differ make the nonces of one digest differ too, so that a fault in one of two
 * signatures does not give the key away.
 *
 * A signing key holds the private key in its first 32 bytes and 1 in its last word (0: none).
 */
#include "p256_order.h"

#define KEY_SET 4

LT_STATIC_ASSERT(signing_key_holds_scalar, KEY_SET * 8 >= 32);

/* HMAC_DRBG as RFC 6979 section 3.2 runs it; K and V have the length of the digest. */
typedef struct {
    uint32_t algorithm;
    size_t len;
    uint8_t k[LT_HASH_MAX], v[LT_HASH_MAX];
    lt_hmac_key hmac;
    lt_hash_state hash;
} generator;

/* What a signature is computed with, wiped at its end. */
typedef struct {
    generator source;
    uint8_t seed[64]; /* the private key, the digest modulo n */
    uint8_t nonce[32], point[65], number[32];
    order256 d, z, k, r, s;
} work;

/* see lighttls.h */
void lt_signing_key_wipe(lt_signing_key *key) {
    lt_wipe(key, sizeof *key);
}

/* see lighttls.h */
int lt_signing_key_set(lt_signing_key *key, uint8_t *scalar, size_t scalar_len) {
    int status = LT_ERR_ARGUMENT;

    lt_signing_key_wipe(key);
    if (scalar_len == 32) {
        status = lt_ct_declassify(lt_p256_check_scalar(scalar));
    }
    if (status == LT_OK) {
        lt_copy((uint8_t *)key->opaque, scalar, 32);
        key->opaque[KEY_SET] = 1;
    }
    lt_wipe(scalar, scalar_len);
    lt_wipe_stack();
    return status;
}

/* ---- The nonce ------------------------------------------------------------------------------------ */

static void begin_hmac(generator *g) {
    lt_hmac_set_key(&g->hmac, g->algorithm, g->k, g->len);
    g->hash = g->hmac.inner;
    lt_hash_update(&g->hash, g->v, g->len);
}

/* V = HMAC_K(V): the next bytes. */
static void next_bytes(generator *g) {
    begin_hmac(g);
    lt_hmac_end(&g->hmac, &g->hash, g->v);
}

/* K = HMAC_K(V, mark, seed, extra), then V = HMAC_K(V). */
static void absorb(generator *g, uint8_t mark, const uint8_t *seed, size_t seed_len, const uint8_t *extra,
                   size_t extra_len) {
    begin_hmac(g);
    lt_hash_update(&g->hash, &mark, 1);
    lt_hash_update(&g->hash, seed, seed_len);
    lt_hash_update(&g->hash, extra, extra_len);
    lt_hmac_end(&g->hmac, &g->hash, g->k);
    next_bytes(g);
}

/* Steps a to g of RFC 6979 section 3.2, with the additional data of section 3.6. */
static void seed_generator(work *w, const uint8_t *extra, size_t extra_len) {
    generator *g = &w->source;

    for (size_t i = 0; i < g->len; i++) {
        g->k[i] = 0;
        g->v[i] = 1;
    }
    absorb(g, 0, w->seed, sizeof w->seed, extra, extra_len);
    absorb(g, 1, w->seed, sizeof w->seed, extra, extra_len);
}

/* Step h: 0 < nonce < n. That some bytes in front of it were none says nothing of it. */
static void draw_nonce(work *w) {
    generator *g = &w->source;

    for (next_bytes(g); lt_ct_declassify(lt_p256_check_scalar(g->v)) != LT_OK; next_bytes(g)) {
        absorb(g, 0, NULL, 0, NULL, 0);
    }
    lt_copy(w->nonce, g->v, 32);
}

/* ---- The signature -------------------------------------------------------------------------------- */

/* Any 32 bytes, modulo n, of which 2^256 is less than twice. */
static void number_from_bytes(order256 *out, const uint8_t bytes[32]) {
    for (int i = 0; i < 8; i++) {
        out->v[i] = lt_load32_be(bytes + 28 - 4 * i);
    }
    order256_subtract_n(out, 0);
}

static void number_to_bytes(uint8_t bytes[32], const order256 *a) {
    for (int i = 0; i < 8; i++) {
        lt_store32_be(bytes + 28 - 4 * i, a->v[i]);
    }
}

static int is_zero(const order256 *a) {
    uint64_t any = 0;

    for (int i = 0; i < 8; i++) {
        any |= a->v[i];
    }
    return lt_ct_declassify((int)(lt_ct_is_zero(any) & 1));
}

/* r = the x coordinate of k G modulo n, s = (z + r d) / k, once more with another nonce if one of them is 0. */
static void compute(work *w) {
    do {
        draw_nonce(w);
        lt_p256_base(w->point, w->nonce);
        number_from_bytes(&w->r, w->point + 1);
        number_from_bytes(&w->k, w->nonce);
        order256_invert(&w->k, &w->k);            /* 2^256 / k */
        order256_mul(&w->s, &w->d, &order256_rr); /* 2^256 d */
        order256_mul(&w->s, &w->s, &w->r);        /* r d */
        order256_add(&w->s, &w->s, &w->z);
        order256_mul(&w->s, &w->s, &w->k);
    } while (is_zero(&w->r) || is_zero(&w->s));
}

/* An INTEGER, X.690 section 8.3; `number`, which is no secret, is above 0. Returns its length. */
static size_t put_integer(uint8_t *out, const uint8_t number[32]) {
    size_t skipped = 0, sign;

    while (number[skipped] == 0) {
        skipped++;
    }
    sign = number[skipped] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(32 - skipped + sign);
    out[2] = 0;
    lt_copy(out + 2 + sign, number + skipped, 32 - skipped);
    return 2 + sign + 32 - skipped;
}

/* Ecdsa-Sig-Value, RFC 3279 section 2.2.3. */
static int put_signature(uint8_t *out, work *w) {
    size_t len = 2;

    lt_ct_publish(&w->r, sizeof w->r);
    lt_ct_publish(&w->s, sizeof w->s);
    number_to_bytes(w->number, &w->r);
    len += put_integer(out + len, w->number);
    number_to_bytes(w->number, &w->s);
    len += put_integer(out + len, w->number);
    out[0] = 0x30;
    out[1] = (uint8_t)(len - 2);
    return (int)len;
}

/* In a frame of its own, for what compilers spill to it. */
LT_NOINLINE static int sign(uint8_t *signature, const uint8_t scalar[32], uint32_t algorithm, const uint8_t *digest,
                            const uint8_t *extra, size_t extra_len) {
    work w;
    int len;

    w.source.algorithm = algorithm;
    w.source.len = lt_hash_len(algorithm);
    lt_copy(w.seed, scalar, 32);
    number_from_bytes(&w.d, w.seed);
    number_from_bytes(&w.z, digest); /* the leftmost bits of it */
    number_to_bytes(w.seed + 32, &w.z);
    seed_generator(&w, extra, extra_len);
    compute(&w);
    len = put_signature(signature, &w);
    lt_wipe(&w, sizeof w);
    return len;
}

/* see lighttls.h */
int lt_signing_key_sign(const lt_signing_key *key, uint8_t *signature, size_t signature_cap, const uint8_t *digest,
                        size_t digest_len, const uint8_t *extra, size_t extra_len) {
    const uint32_t algorithm = digest_len == 32 ? LT_SHA256 : digest_len == 48 ? LT_SHA384 : LT_SHA512;
    int len;

    if (key->opaque[KEY_SET] == 0 || digest_len != lt_hash_len(algorithm)) {
        return LT_ERR_ARGUMENT;
    }
    if (signature_cap < LT_SIGNATURE_MAX) {
        return LT_ERR_SPACE;
    }
    len = sign(signature, (const uint8_t *)key->opaque, algorithm, digest, extra, extra_len);
    lt_wipe_stack();
    return len;
}
