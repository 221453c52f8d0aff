/* Inversion by divsteps in variable time: a times 1/a is 1, for the modulus of each user and numbers at both ends. */
#include "check.h"

#include "vartime.h"

/* The orders of P-256 and P-384, big endian. */
static const char *const orders[] = {
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
};

/* 1 to 100; m - 1 to m - 100; single bits; all ones below a bit; pseudo-random. Below m, above 0. */
static void number(lt_limb *out, uint32_t index, const lt_limb *m, size_t n) {
    memset(out, 0, n * sizeof *out);
    if (index < 100) {
        out[0] = index + 1;
    } else if (index < 200) {
        lt_limb small[LT_INVERT_MAX] = {index - 99};

        (void)lt_limbs_subtract_vartime(out, m, small, n);
    } else if (index < 200 + 4 * n * LT_LIMB_BITS) {
        const size_t bit = (index - 200) / 4;

        out[bit / LT_LIMB_BITS] = (lt_limb)1 << bit % LT_LIMB_BITS;
        if (index % 4 == 1) {
            out[0] |= 1;
        } else if (index % 4 > 1 && bit > 0) {
            lt_limb small[LT_INVERT_MAX] = {index % 4 - 1};

            (void)lt_limbs_subtract_vartime(out, out, small, n);
        }
        out[0] |= bit < 2;
    } else {
        fill((uint8_t *)out, n * sizeof *out, index);
        out[n - 1] >>= index % (LT_LIMB_BITS - 1) + 1;
        out[0] |= 1;
    }
}

static void check_order(const char *digits) {
    uint8_t bytes[48];
    const size_t len = hex(bytes, digits), n = len / sizeof(lt_limb);
    lt_limb order[LT_INVERT_MAX], a[LT_INVERT_MAX], inverse[LT_INVERT_MAX], work[2 * LT_INVERT_MAX];
    lt_modulus m;

    lt_limbs_read_vartime(order, n, bytes, len);
    lt_modulus_set_vartime(&m, order, n);
    for (uint32_t i = 0; i < 4000; i++) {
        WHERE("number %u modulo %s", (unsigned)i, digits);
        number(a, i, order, n);
        lt_modulus_invert_vartime(inverse, a, &m);
        CHECK(lt_limbs_less_vartime(inverse, order, n));
        lt_montgomery_enter_vartime(a, a, &m, work);
        lt_montgomery_multiply_vartime(a, a, inverse, &m, work);
        a[0] ^= 1;
        CHECK(lt_limbs_are_zero_vartime(a, n));
        lt_modulus_invert_vartime(a, inverse, &m);
        lt_modulus_invert_vartime(a, a, &m); /* in place */
        CHECK(memcmp(a, inverse, n * sizeof *a) == 0);
    }
}

int main(void) {
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        check_order(orders[i]);
    }
    return check_result();
}
