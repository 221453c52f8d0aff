/* P-384 for key exchange with MULX, ADCX and ADOX. */
#include "inner.h"

#if LT_P384_ADX
#include "p384_field_adx.h"

#define fe_add    fe384adx_add
#define fe_sub    fe384adx_sub
#define fe_mul    fe384adx_mul
#define fe_square fe384adx_square

#include "p384_multiply.h"

/* see inner.h */
void lt_p384_base_adx(uint8_t out[97], const uint8_t scalar[48]) {
    multiply_base(out, scalar);
}

/* see inner.h */
int lt_p384_adx(uint8_t out[48], const uint8_t scalar[48], const uint8_t peer[97]) {
    return multiply_peer(out, scalar, peer);
}
#endif
