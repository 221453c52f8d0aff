/*
 * What the files of signature verification offer each other. Everything they see is public, so they branch, index and
 * loop by it: they take a time that depends on their inputs. Therefore every function here ends in _vartime, lives in a
 * file whose name does, and is called from such files only (tests/c/test_vartime_fence.py).
 */
#ifndef LT_VARTIME_H
#define LT_VARTIME_H

#include "p256_adx.h"

/* ---- Numbers of any length: limbs, least significant first ------------------------------------ */

#if LT_LIMB64
typedef uint64_t lt_limb;
typedef lt_u128 lt_two_limbs;
#define LT_LIMB_BITS 64
#else
typedef uint32_t lt_limb;
typedef uint64_t lt_two_limbs;
#define LT_LIMB_BITS 32
#endif

#define LT_LIMBS(bits) (((bits) + LT_LIMB_BITS - 1) / LT_LIMB_BITS)

/** Read len bytes, big endian, as n limbs; they fit. */
void lt_limbs_read_vartime(lt_limb *out, size_t n, const uint8_t *bytes, size_t len);

/** Write n limbs as len bytes, big endian; what does not fit is zero. */
void lt_limbs_write_vartime(uint8_t *bytes, size_t len, const lt_limb *a, size_t n);

int lt_limbs_less_vartime(const lt_limb *a, const lt_limb *b, size_t n);

int lt_limbs_are_zero_vartime(const lt_limb *a, size_t n);

/** a - b modulo 2^(n limbs); returns the borrow. `out` may be an input. */
lt_limb lt_limbs_subtract_vartime(lt_limb *out, const lt_limb *a, const lt_limb *b, size_t n);

/* Where modular_adx_vartime.c is not empty; running it needs LT_CPU_BMI2_ADX. */
#if LT_X86_64 && LT_LIMB64 && LT_GNUC
#define LT_MODULAR_ADX 1
#else
#define LT_MODULAR_ADX 0
#endif

/** out += a b; returns the carry. */
lt_limb lt_limbs_add_product_adx_vartime(lt_limb *out, const lt_limb *a, size_t n, lt_limb b);

/* An odd modulus of at least two limbs, the top one not zero. R is 2^(n limbs). */
typedef struct {
    const lt_limb *limbs;
    size_t n;
    lt_limb minus_inverse; /* -1 / limbs[0] modulo 2^LT_LIMB_BITS */
    int adx;               /* whether modular_adx_vartime.c may be used */
} lt_modulus;

void lt_modulus_set_vartime(lt_modulus *m, const lt_limb *limbs, size_t n);

/* Below, `work` has room for 2 n limbs. */

/** a R mod m, for a < m. `out` may be `a`. */
void lt_montgomery_enter_vartime(lt_limb *out, const lt_limb *a, const lt_modulus *m, lt_limb *work);

/** a b / R mod m, for a, b < m. `out` may be an input. */
void lt_montgomery_multiply_vartime(lt_limb *out, const lt_limb *a, const lt_limb *b, const lt_modulus *m,
                                    lt_limb *work);

/** a^2 / R mod m; as the former. */
void lt_montgomery_square_vartime(lt_limb *out, const lt_limb *a, const lt_modulus *m, lt_limb *work);

/* Where modular_ifma_vartime.c is not empty; running it needs LT_CPU_IFMA. */
#define LT_MODULAR_IFMA LT_MODULAR_ADX

/** base^exponent mod m, for base < m and an odd exponent above 1. 0: the modulus has none of the sizes it is made for.
 */
LT_MUST_CHECK int lt_modulus_power_ifma_vartime(lt_limb *out, const lt_limb *base, uint32_t exponent,
                                                const lt_modulus *m);

#define LT_INVERT_MAX LT_LIMBS(384)

/** 1 / a mod m, for a prime m of at most LT_INVERT_MAX limbs and 0 < a < m (invert_vartime.c). `out` may be `a`. */
void lt_modulus_invert_vartime(lt_limb *out, const lt_limb *a, const lt_modulus *m);

/* ---- DER, X.690 section 10 --------------------------------------------------------------------- */

/* Bytes not yet read. */
typedef struct {
    const uint8_t *at;
    size_t left;
} lt_der;

/** Take the next element, whose tag must be `tag`: its contents. 0: it is not there, or its length is not DER. */
LT_MUST_CHECK int lt_der_take_vartime(lt_der *from, uint8_t tag, lt_der *contents);

/** Take an INTEGER above zero in its shortest form: its magnitude without a leading zero. */
LT_MUST_CHECK int lt_der_take_positive_vartime(lt_der *from, lt_der *magnitude);

/* ---- Signatures ------------------------------------------------------------------------------- */

#define LT_SHA1 2 /* as in RFC 5246 section 7.4.1.4.1; for certificates below anchors that permit it */

/**
 * ECDSA, FIPS 186-5 section 6.4.2; the public key is 04 x y. LT_ERR_KEY: it is no point of the curve.
 * LT_ERR_AUTH: the signature is no DER of two numbers in [1, n - 1], or wrong.
 */
LT_MUST_CHECK int lt_ecdsa_p256_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len);

/* The same with instructions that not every processor has: only where LT_P256_ADX is 1, and needs LT_CPU_BMI2_ADX. */
LT_MUST_CHECK int lt_ecdsa_p256_adx_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len);

#define LT_P256_MULTIPLES_WORDS (32 * 8 * 8) /* of 32 blocks with 8 points each */

/**
 * Make the multiples of a public key that lt_ecdsa_p256_prepared_vartime takes instead of it. LT_ERR_KEY as above;
 * LT_ERR_UNSUPPORTED: this processor has no use for them.
 */
LT_MUST_CHECK int lt_ecdsa_p256_prepare_vartime(uint64_t *multiples, lt_der key);
LT_MUST_CHECK int lt_ecdsa_p256_prepared_vartime(const uint64_t *multiples, lt_der signature, const uint8_t *digest,
                                                 size_t digest_len);

LT_MUST_CHECK int lt_ecdsa_p384_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len);
LT_MUST_CHECK int lt_ecdsa_p384_adx_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len);

#define LT_RSA_MIN_BITS 1024
#define LT_RSA_MAX_BITS 8192

/**
 * RSA, RFC 8017 section 8: PSS with MGF1, or PKCS#1 v1.5, of the hash `algorithm`. The public key is an RSAPublicKey.
 * LT_ERR_KEY: it is none. LT_ERR_UNSUPPORTED: sizes other than the above, exponents of 2^32 and more.
 */
LT_MUST_CHECK int lt_rsa_vartime(lt_der key, lt_der signature, int pss, uint32_t algorithm, const uint8_t *digest,
                                 size_t digest_len);

#endif
