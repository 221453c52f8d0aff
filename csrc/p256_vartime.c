/* ECDSA verification on P-256 in portable C, and the choice between that, IFMA and p256_adx_vartime.c. */
#include "p256_ifma_vartime.h"

#if LT_LIMB64
#define P256_R_BITS 260
#else
#define P256_R_BITS 256
#endif
#include "p256_curve_vartime.h"

#define fe            fe256
#define fe_add        fe256_add
#define fe_sub        fe256_sub
#define fe_mul        fe256_mul
#define fe_square     fe256_square
#define fe_fold       fe256_fold
#define fe_from_words fe256_from_words
#define fe_to_words   fe256_to_words
#define fe_one        fe256_one
#define fe_b          fe256_b
#define fe_rr         fe256_rr

#if LT_P256_IFMA
#define sum_quickly sum_with_ifma

static int sum_with_ifma(fe *x, fe *z, const int8_t *digits1, const int8_t *digits2, int used, const fe *qx,
                         const fe *qy) {
    if (!lt_cpu_has(LT_CPU_IFMA)) {
        return 0;
    }
    lt_p256_sum_ifma_vartime(x, z, digits1, digits2, used, qx, qy);
    return 1;
}
#endif

#include "ecdsa_vartime.h"

/* see vartime.h */
int lt_ecdsa_p256_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len) {
#if LT_P256_ADX && LT_LIMB64
    if (lt_cpu_has(LT_CPU_BMI2_ADX) && !lt_cpu_has(LT_CPU_IFMA)) {
        return lt_ecdsa_p256_adx_vartime(key, signature, digest, digest_len);
    }
#endif
    return verify(key, signature, digest, digest_len);
}

/* see vartime.h */
int lt_ecdsa_p256_prepare_vartime(uint64_t *multiples, lt_der key) {
    point q;

    if (!read_point(&q, key)) {
        return LT_ERR_KEY;
    }
#if LT_P256_IFMA
    if (lt_cpu_has(LT_CPU_IFMA)) {
        lt_p256_multiples_ifma_vartime(multiples, &q.x, &q.y);
        return LT_OK;
    }
#endif
    (void)multiples;
    return LT_ERR_UNSUPPORTED;
}

/* see vartime.h; the sum is made the other way where the first meets an exception, or the mask has changed. */
int lt_ecdsa_p256_prepared_vartime(const uint64_t *multiples, lt_der signature, const uint8_t *digest,
                                   size_t digest_len) {
    question asked;
    point q;

    if (!read_question(&asked, signature, digest, digest_len)) {
        return LT_ERR_AUTH;
    }
#if LT_P256_IFMA
    if (lt_cpu_has(LT_CPU_IFMA)) {
        fe x, zz;

        lt_p256_sum_of_multiples_ifma_vartime(&x, &zz, asked.u1, asked.u2, multiples);
        if (!is_zero(&zz)) {
            return is_answer(&asked, &x, &zz) ? LT_OK : LT_ERR_AUTH;
        }
    }
#endif
    fe_from_words(&q.x, multiples); /* the first of them is the point itself */
    fe_from_words(&q.y, multiples + WORDS);
    fe_from_words(&q.z, fe_one);
    q.infinite = 0;
    return is_answered_by(&asked, &q) ? LT_OK : LT_ERR_AUTH;
}
