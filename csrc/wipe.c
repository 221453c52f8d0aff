/* Wiping and comparing secrets. */
#include "inner.h"

/* What one store of a wiped stack covers. */
#if LT_GNUC
typedef uint64_t line __attribute__((vector_size(16)));
#else
typedef uint64_t line;
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
#if LT_GNUC
    __asm__ volatile("" : : "r"(memory) : "memory");
#endif
}

/* Four stores a turn, because a turn may cost as much as two. `count` is a multiple of four. */
LT_INLINE void wipe_lines(volatile line *lines, size_t count) {
    static const line zeros;

    for (size_t i = 0; i < count; i += 4) {
        lines[i] = zeros;
        lines[i + 1] = zeros;
        lines[i + 2] = zeros;
        lines[i + 3] = zeros;
    }
}

/* see inner.h */
LT_NOINLINE void lt_wipe_stack(void) {
    volatile line left_behind[(LT_LIMB64 || LT_X86_64 ? 8192 : 4096) / sizeof(line)];

    wipe_lines(left_behind, sizeof left_behind / sizeof(line));
}

/* see inner.h */
LT_NOINLINE void lt_wipe_stack_2048(void) {
    volatile line left_behind[2048 / sizeof(line)];

    wipe_lines(left_behind, sizeof left_behind / sizeof(line));
}

/* see inner.h */
LT_NOINLINE void lt_wipe_stack_512(void) {
    volatile line left_behind[512 / sizeof(line)];

    wipe_lines(left_behind, sizeof left_behind / sizeof(line));
}

/* see lighttls.h */
int lt_equal(const uint8_t *left, const uint8_t *right, size_t len) {
    uint32_t difference = 0;

    for (; len >= 4; len -= 4, left += 4, right += 4) {
        difference |= lt_load32_le(left) ^ lt_load32_le(right);
    }
    for (size_t i = 0; i < len; i++) {
        difference |= (uint32_t)(left[i] ^ right[i]);
    }
    return (int)(lt_ct_is_zero(difference) & 1);
}
