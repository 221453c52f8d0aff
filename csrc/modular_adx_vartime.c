/* The inner loop of modular_vartime.c with MULX, ADCX and ADOX: two carry chains, which compilers do not make from C.
 */
#include "vartime.h"

#if LT_MODULAR_ADX
/* out[i] += a[i] b + carry_in, by one chain the carry, by the other what stood in out[i]; leaves carry_out. */
#define STEP(i, carry_in, carry_out)                                                                                   \
    "mulx 8*" #i "(%[a]), %[low], %[" #carry_out "]\n\t"                                                               \
    "adcx %[" #carry_in "], %[low]\n\t"                                                                                \
    "adox 8*" #i "(%[out]), %[low]\n\t"                                                                                \
    "mov %[low], 8*" #i "(%[out])\n\t"

/* see vartime.h */
lt_limb lt_limbs_add_product_adx_vartime(lt_limb *out, const lt_limb *a, size_t n, lt_limb b) {
    size_t eights = n / 8;
    uint64_t carry = 0, other, low, zero;

    if (eights > 0) { /* lea and jrcxz, since both chains must live through the loop */
        __asm__("xor %k[zero], %k[zero]\n\t"
                "1:\n\t" STEP(0, carry, other) STEP(1, other, carry) STEP(2, carry, other) STEP(3, other, carry)
                    STEP(4, carry, other) STEP(5, other, carry) STEP(6, carry, other) STEP(7, other, carry)
                /* on to the next eight */
                "lea 64(%[a]), %[a]\n\t"
                "lea 64(%[out]), %[out]\n\t"
                "lea -1(%[eights]), %[eights]\n\t"
                "jrcxz 2f\n\t"
                "jmp 1b\n\t"
                "2:\n\t"
                /* the carry has room for both: out + a b < 2^(64 limbs + 64) */
                "adcx %[zero], %[carry]\n\t"
                "adox %[zero], %[carry]\n\t"
                : [out] "+&r"(out), [a] "+&r"(a), [eights] "+&c"(eights), [carry] "+&r"(carry), [other] "=&r"(other),
                  [low] "=&r"(low), [zero] "=&r"(zero)
                : "d"(b)
                : "cc", "memory");
    }
    for (size_t i = 0; i < n % 8; i++) {
        lt_two_limbs t = (lt_two_limbs)a[i] * b + out[i] + carry;

        out[i] = (lt_limb)t;
        carry = (lt_limb)(t >> LT_LIMB_BITS);
    }
    return carry;
}
#endif
