/* Wiping and comparing secrets. */
#include "inner.h"

/* More than any function here goes down at this width, the curves' being the deepest; see tests/c/stack_search.h. */
#if LT_LIMB64
#define STACK_BYTES 8192
#else
#define STACK_BYTES 4096
#endif

/* see lighttls.h */
void lt_wipe(void *memory, size_t len) {
    volatile uint8_t *p = (volatile uint8_t *)memory;

    /* Words where aligned: a wiped work buffer may have 16 KiB. */
    while (len > 0 && ((uintptr_t)p & (sizeof(size_t) - 1)) != 0) {
        *p++ = 0;
        len--;
    }
    for (; len >= sizeof(size_t); len -= sizeof(size_t), p += sizeof(size_t)) {
        *(volatile lt_word *)p = 0;
    }
    while (len > 0) {
        *p++ = 0;
        len--;
    }
#if defined(__GNUC__)
    __asm__ volatile("" : : "r"(memory) : "memory");
#endif
}

/* see inner.h */
LT_NOINLINE void lt_wipe_stack(void) {
    uint8_t left_behind[STACK_BYTES];

    lt_wipe(left_behind, sizeof left_behind);
}

/* see lighttls.h */
int lt_equal(const uint8_t *left, const uint8_t *right, size_t len) {
    uint32_t difference = 0;

    for (size_t i = 0; i < len; i++) {
        difference |= (uint32_t)(left[i] ^ right[i]);
    }
    return (int)(lt_ct_is_zero(difference) & 1);
}
