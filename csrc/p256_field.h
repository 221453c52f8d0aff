/* The field of P-256 at the width of this processor, and what is the same at every width. */
#ifndef LT_P256_FIELD_H
#define LT_P256_FIELD_H

#include "inner.h"

#if LT_LIMB64
#include "p256_field64.h"
#else
#include "p256_field32.h"
#endif

#define fe              fe256
#define fe_mul          fe256_mul
#define fe_square       fe256_square
#define fe_square_times fe256_square_times
#define fe_invert       fe256_invert
#include "p256_invert.h"
#undef fe
#undef fe_mul
#undef fe_square
#undef fe_square_times
#undef fe_invert

#endif
