/* RSA signature verification, RFC 8017 section 8: the public operation and both ways to encode a digest. */
#include "vartime.h"

#define SEQUENCE     0x30
#define NULL_VALUE   0x05
#define OBJECT_ID    0x06
#define OCTET_STRING 0x04

#define MAX_LIMBS LT_LIMBS(LT_RSA_MAX_BITS)
#define MAX_BYTES (LT_RSA_MAX_BITS / 8)

typedef struct {
    lt_limb limbs[MAX_LIMBS];
    size_t bits;
    uint32_t exponent;
} public_key;

/* ---- The public key -------------------------------------------------------------------------------- */

static size_t bit_length(lt_der magnitude) {
    size_t bits = 8 * magnitude.left - 8;

    for (unsigned top = magnitude.at[0]; top != 0; top >>= 1) {
        bits++;
    }
    return bits;
}

/* RFC 8017 appendix A.1.1. */
static int read_key(public_key *out, lt_der key) {
    lt_der numbers, modulus, exponent;

    if (!lt_der_take_vartime(&key, SEQUENCE, &numbers) || key.left != 0 ||
        !lt_der_take_positive_vartime(&numbers, &modulus) || !lt_der_take_positive_vartime(&numbers, &exponent) ||
        numbers.left != 0) {
        return LT_ERR_KEY;
    }
    out->bits = bit_length(modulus);
    if (out->bits < LT_RSA_MIN_BITS || out->bits > LT_RSA_MAX_BITS || exponent.left > 4) {
        return LT_ERR_UNSUPPORTED;
    }
    out->exponent = 0;
    for (size_t i = 0; i < exponent.left; i++) {
        out->exponent = out->exponent << 8 | exponent.at[i];
    }
    if (out->exponent < 3 || (out->exponent & 1) == 0) {
        return LT_ERR_KEY;
    }
    if ((modulus.at[modulus.left - 1] & 1) == 0) {
        return LT_ERR_AUTH; /* well-formed, but no product of two odd primes: nothing was ever signed with it */
    }
    lt_limbs_read_vartime(out->limbs, LT_LIMBS(out->bits), modulus.at, modulus.left);
    return LT_OK;
}

/* ---- The public operation --------------------------------------------------------------------------- */

/*
 * signature^exponent mod modulus as `len` bytes; 0: the signature is not below the modulus. From the top bit of the
 * exponent down in Montgomery's form; its last bit is 1, and multiplying by the signature as it is also leaves that
 * form.
 */
static int open_signature(uint8_t *encoded, size_t len, const public_key *key, const uint8_t *signature) {
    lt_limb base[MAX_LIMBS], entered[MAX_LIMBS], power[MAX_LIMBS], work[2 * MAX_LIMBS];
    const size_t n = LT_LIMBS(key->bits);
    unsigned bit = 31;
    lt_modulus m;

    lt_limbs_read_vartime(base, n, signature, len);
    if (!lt_limbs_less_vartime(base, key->limbs, n)) {
        return 0;
    }
    lt_modulus_set_vartime(&m, key->limbs, n);
#if LT_MODULAR_IFMA
    if (lt_cpu_has(LT_CPU_IFMA) && lt_modulus_power_ifma_vartime(power, base, key->exponent, &m)) {
        lt_limbs_write_vartime(encoded, len, power, n);
        return 1;
    }
#endif
    lt_montgomery_enter_vartime(entered, base, &m, work);
    for (size_t i = 0; i < n; i++) {
        power[i] = entered[i];
    }
    while (key->exponent >> bit == 0) {
        bit--;
    }
    while (bit-- > 0) {
        lt_montgomery_square_vartime(power, power, &m, work);
        if ((key->exponent >> bit & 1) != 0) {
            lt_montgomery_multiply_vartime(power, power, bit == 0 ? base : entered, &m, work);
        }
    }
    lt_limbs_write_vartime(encoded, len, power, n);
    return 1;
}

/* ---- PKCS#1 v1.5 -------------------------------------------------------------------------------------- */

/*
 * 00 01 FF ... FF 00 DigestInfo, RFC 8017 section 9.2, DigestInfo with NULL parameters or with none. At least eight FF;
 * 0: there is no room for them.
 */
static int encode_pkcs1(uint8_t *out, size_t len, uint32_t algorithm, const uint8_t *digest, size_t digest_len,
                        int with_null) {
    static const uint8_t sha1[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};                   /* 1.3.14.3.2.26 */
    static const uint8_t sha2[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02}; /* 2.16.840.1.101.3.4.2 */
    const size_t oid_len = algorithm == LT_SHA1 ? sizeof sha1 : sizeof sha2 + 1;
    const size_t algorithm_len = 2 + oid_len + (with_null ? 2 : 0), info_len = 2 + algorithm_len + 2 + digest_len;
    uint8_t *info;

    if (len < 2 + 8 + 1 + 2 + info_len) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        out[i] = 0xff;
    }
    out[0] = 0x00;
    out[1] = 0x01;
    info = out + len - info_len - 3;
    *info++ = 0x00;
    *info++ = SEQUENCE;
    *info++ = (uint8_t)info_len;
    *info++ = SEQUENCE;
    *info++ = (uint8_t)algorithm_len;
    *info++ = OBJECT_ID;
    *info++ = (uint8_t)oid_len;
    lt_copy(info, algorithm == LT_SHA1 ? sha1 : sha2, algorithm == LT_SHA1 ? sizeof sha1 : sizeof sha2);
    info += oid_len;
    if (algorithm != LT_SHA1) {
        info[-1] = (uint8_t)(algorithm - LT_SHA256 + 1); /* .1, .2 and .3: SHA-256, SHA-384, SHA-512 */
    }
    if (with_null) {
        *info++ = NULL_VALUE;
        *info++ = 0;
    }
    *info++ = OCTET_STRING;
    *info++ = (uint8_t)digest_len;
    lt_copy(info, digest, digest_len);
    return 1;
}

/* Rebuilt and compared as a whole (SKE-19). Both forms are right: RFC 5246 section 4.7 (SKE-20). */
static int is_pkcs1(const uint8_t *encoded, size_t len, uint32_t algorithm, const uint8_t *digest, size_t digest_len) {
    uint8_t expected[MAX_BYTES];

    for (int with_null = 1; with_null >= 0; with_null--) {
        if (encode_pkcs1(expected, len, algorithm, digest, digest_len, with_null) && lt_equal(encoded, expected, len)) {
            return 1;
        }
    }
    return 0;
}

/* ---- PSS -------------------------------------------------------------------------------------------------- */

/* out ^= MGF1(seed), RFC 8017 appendix B.2.1. */
static void unmask(uint8_t *out, size_t len, uint32_t algorithm, const uint8_t *seed, size_t seed_len) {
    const size_t hash_len = lt_hash_len(algorithm);
    uint8_t counter[4], block[LT_HASH_MAX];
    lt_hash_state hash;

    for (uint32_t i = 0; len > 0; i++) {
        const size_t taken = len < hash_len ? len : hash_len;

        lt_store32_be(counter, i);
        lt_hash_begin(&hash, algorithm);
        lt_hash_update(&hash, seed, seed_len);
        lt_hash_update(&hash, counter, sizeof counter);
        lt_hash_end(&hash, block);
        for (size_t k = 0; k < taken; k++) {
            out[k] ^= block[k];
        }
        out += taken;
        len -= taken;
    }
}

/* RFC 8017 section 9.1.2, the salt as long as the hash; `encoded` is changed. `bits` are those of the modulus. */
static int is_pss(uint8_t *encoded, size_t len, size_t bits, uint32_t algorithm, const uint8_t *digest,
                  size_t digest_len) {
    static const uint8_t padding[8] = {0};
    uint8_t *db = encoded, expected[LT_HASH_MAX];
    const uint8_t *hash_at;
    lt_hash_state hash;
    size_t zeros;

    if (bits % 8 == 1) { /* the encoded message has one bit less than the modulus: a byte less here */
        if (*db++ != 0) {
            return 0;
        }
        len--;
    }
    if (len < 2 * digest_len + 2 || db[len - 1] != 0xbc || db[0] >> (8 - (8 * len - (bits - 1))) != 0) {
        return 0;
    }
    hash_at = db + len - 1 - digest_len;
    unmask(db, len - 1 - digest_len, algorithm, hash_at, digest_len);
    db[0] &= (uint8_t)(0xff >> (8 * len - (bits - 1)));
    zeros = len - 2 * digest_len - 2;
    for (size_t i = 0; i < zeros; i++) {
        if (db[i] != 0) {
            return 0;
        }
    }
    if (db[zeros] != 1) {
        return 0;
    }
    lt_hash_begin(&hash, algorithm);
    lt_hash_update(&hash, padding, sizeof padding);
    lt_hash_update(&hash, digest, digest_len);
    lt_hash_update(&hash, db + zeros + 1, digest_len);
    lt_hash_end(&hash, expected);
    return lt_equal(expected, hash_at, digest_len);
}

/* see vartime.h */
int lt_rsa_vartime(lt_der key, lt_der signature, int pss, uint32_t algorithm, const uint8_t *digest,
                   size_t digest_len) {
    uint8_t encoded[MAX_BYTES];
    public_key public;
    size_t len;
    int status = read_key(&public, key);

    if (status != LT_OK) {
        return status;
    }
    len = (public.bits + 7) / 8;
    if (signature.left != len || !open_signature(encoded, len, &public, signature.at)) {
        return LT_ERR_AUTH; /* SKE-21 */
    }
    if (pss) {
        return is_pss(encoded, len, public.bits, algorithm, digest, digest_len) ? LT_OK : LT_ERR_AUTH;
    }
    return is_pkcs1(encoded, len, algorithm, digest, digest_len) ? LT_OK : LT_ERR_AUTH;
}
