/*
 * P-384 (secp384r1, SP 800-186 section 3.2.1.4) for key exchange: in portable C, and the choice between that and
 * p384_adx.c.
 */
#include "p384_field.h"

#define fe_add    fe384_add
#define fe_sub    fe384_sub
#define fe_mul    fe384_mul
#define fe_square fe384_square

#include "p384_multiply.h"

/* see inner.h */
int lt_p384_check_scalar(const uint8_t scalar[48]) {
    uint64_t k[6], any = 0, valid;

    load_words(k, scalar);
    for (int i = 0; i < 6; i++) {
        any |= k[i];
    }
    valid = words_subtract(NULL, k, p384_n) & ~lt_ct_is_zero(any);
    lt_wipe(k, sizeof k);
    return LT_ERR_SCALAR * (int)(~valid & 1);
}

/* see inner.h */
void lt_p384_base(uint8_t out[97], const uint8_t scalar[48]) {
#if LT_P384_ADX
    if (lt_cpu_has(LT_CPU_BMI2_ADX)) {
        lt_p384_base_adx(out, scalar);
        return;
    }
#endif
    multiply_base(out, scalar);
}

/* see inner.h */
int lt_p384(uint8_t out[48], const uint8_t scalar[48], const uint8_t peer[97]) {
#if LT_P384_ADX
    if (lt_cpu_has(LT_CPU_BMI2_ADX)) {
        return lt_p384_adx(out, scalar, peer);
    }
#endif
    return multiply_peer(out, scalar, peer);
}
