/* Powers with AVX-512 IFMA against those by Montgomery's multiplication in portable C: moduli and bases at their ends.
 */
#include "check.h"

#include "vartime.h"

#if LT_MODULAR_IFMA
#include <xmmintrin.h>

#define MOST 64

static const uint32_t exponents[] = {3, 17, 65537, 0xffffffff};

#define MODULI 13
#define BASES  13
#define SQUARE 12 /* the modulus, and the base that is its root: powers are 0, but computed as a multiple of it */

/*
 * All ones; as little as has all bits; a few ones at both ends; pseudo-random, and with the upper bits as large or as
 * small as they may be, the lower ones 1 or -1 further up than what is cleared in one turn; the square of all ones in
 * half the length, 2^size - 2 2^(size / 2) + 1.
 */
static void set_modulus(lt_limb *m, size_t n, uint32_t index) {
    memset(m, index == 0 ? 0xff : 0, n * sizeof *m);
    if (index == SQUARE) {
        memset(m + n / 2, 0xff, n / 2 * sizeof *m);
        m[0] = 1;
        m[n / 2]--;
        return;
    }
    if (index > 1) {
        fill((uint8_t *)m, (index == 2 ? 1 : n) * sizeof *m, index);
    }
    if (index >= 6) {
        memset(m, index % 2 == 0 ? 0xff : 0, 9 * sizeof *m);
    }
    if (index >= 8) {
        memset(m + n - 3, index < 10 ? 0xff : 0, 3 * sizeof *m);
    }
    m[0] |= 1;
    m[n - 1] |= (lt_limb)1 << 63;
}

/* 0, 1, 2; m - 1 to m - 4; all ones below the top bit of m, or in half the length; pseudo-random. */
static void set_base(lt_limb *base, const lt_limb *m, size_t n, uint32_t index) {
    const lt_limb small[MOST] = {index - 2};

    memset(base, 0, n * sizeof *base);
    if (index < 3) {
        base[0] = index;
    } else if (index < 7) {
        (void)lt_limbs_subtract_vartime(base, m, small, n);
    } else if (index == 7) {
        memset(base, 0xff, n * sizeof *base);
        base[n - 1] >>= 1;
    } else if (index == SQUARE) {
        memset(base, 0xff, n / 2 * sizeof *base);
    } else {
        fill((uint8_t *)base, n * sizeof *base, index);
        base[n - 1] >>= 1;
    }
}

static void check_power(const lt_limb *m, size_t n, const lt_limb *base, uint32_t exponent) {
    lt_limb ours[MOST], theirs[MOST], entered[MOST], work[2 * MOST], one[MOST] = {1};
    lt_modulus modulus;

    lt_modulus_set_vartime(&modulus, m, n);
    CHECK(lt_modulus_power_ifma_vartime(ours, base, exponent, &modulus) == 1);
    lt_montgomery_enter_vartime(entered, base, &modulus, work);
    lt_montgomery_enter_vartime(theirs, one, &modulus, work);
    for (int bit = 31; bit >= 0; bit--) {
        lt_montgomery_square_vartime(theirs, theirs, &modulus, work);
        if ((exponent >> bit & 1) != 0) {
            lt_montgomery_multiply_vartime(theirs, theirs, entered, &modulus, work);
        }
    }
    lt_montgomery_multiply_vartime(theirs, theirs, one, &modulus, work);
    CHECK(memcmp(ours, theirs, n * sizeof *ours) == 0);
}

/* Of these and of moduli with a bit less the caller is told to help itself. */
static void check_other_sizes(void) {
    static const size_t sizes[] = {16, 31, 33, 40, 49, 63, 65, 128};
    lt_limb m[128], base[128] = {2}, out[128];
    lt_modulus modulus;

    for (size_t n = 32; n <= MOST; n += 16) {
        WHERE("%u limbs and a bit less", (unsigned)n);
        set_modulus(m, n, 0);
        m[n - 1] >>= 1;
        lt_modulus_set_vartime(&modulus, m, n);
        CHECK(lt_modulus_power_ifma_vartime(out, base, 3, &modulus) == 0);
        m[n - 1] = 1;
        CHECK(lt_modulus_power_ifma_vartime(out, base, 3, &modulus) == 0);
    }

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        WHERE("%u limbs", (unsigned)sizes[i]);
        set_modulus(m, sizes[i], 0);
        lt_modulus_set_vartime(&modulus, m, sizes[i]);
        CHECK(lt_modulus_power_ifma_vartime(out, base, 3, &modulus) == 0);
    }
}

int main(void) {
    if (!lt_cpu_has(LT_CPU_IFMA)) {
        return 0;
    }
    lt_cpu_restrict(0);
    for (size_t n = 32; n <= MOST; n += 16) {
        for (uint32_t i = 0; i < MODULI; i++) {
            lt_limb m[MOST], base[MOST];

            set_modulus(m, n, i);
            for (uint32_t j = 0; j < BASES; j++) {
                set_base(base, m, n, j);
                _MM_SET_ROUNDING_MODE((i + j) % 4 << 13); /* each of the four: callers may have set any */
                for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
                    WHERE("%u limbs, modulus %u, base %u, exponent %x", (unsigned)n, (unsigned)i, (unsigned)j,
                          (unsigned)exponents[e]);
                    check_power(m, n, base, exponents[e]);
                }
            }
        }
    }
    check_other_sizes();
    return check_result();
}
#else
int main(void) {
    WHERE("built without it");
    return check_result();
}
#endif
