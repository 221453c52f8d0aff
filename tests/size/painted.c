/*
 * Peak stack by measurement: the stack is painted, a call is made, and what is no longer paint is counted. A Linux
 * program of Cortex-M4 code without a C library, for qemu-arm. Prints a line per call: bytes, name.
 */
#include "inner.h"

#define DEPTH 12000
#define PAINT 0xc7

static uint8_t key[32], iv[12], text[2000], wire[3000];
static lt_opened opened;

static void *system_call(long number, long a, const void *b, size_t c) {
    register long r7 __asm__("r7") = number;
    register long r0 __asm__("r0") = a;
    register const void *r1 __asm__("r1") = b;
    register size_t r2 __asm__("r2") = c;

    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
    return (void *)r0;
}

static void leave(int status) {
    (void)system_call(1, status, NULL, 0);
}

static void print(size_t number, const char *name) {
    char line[80];
    size_t at = 10, end = 10;

    do {
        line[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    line[end++] = ' ';
    while (*name != '\0') {
        line[end++] = *name++;
    }
    line[end++] = '\n';
    (void)system_call(4, 1, line + at, end - at);
}

LT_NOINLINE static void paint(void) {
    volatile uint8_t stack[DEPTH];

    for (size_t i = 0; i < DEPTH; i++) {
        stack[i] = PAINT;
    }
}

LT_NOINLINE static size_t used(void) {
    volatile uint8_t stack[DEPTH];
    size_t i = 0;

    while (i < DEPTH && stack[i] == PAINT) {
        i++;
    }
    return DEPTH - i;
}

#define MEASURE(function, result, ...)                                                                                 \
    do {                                                                                                               \
        paint();                                                                                                       \
        result = function(__VA_ARGS__);                                                                                \
        print(used(), #function);                                                                                      \
        if (result < 0) {                                                                                              \
            leave(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

static void measure_records(uint32_t aead) {
    lt_record_keys keys;
    ptrdiff_t len;
    int status = lt_record_keys_init(&keys, aead, key, iv);

    MEASURE(lt_records_seal, len, &keys, wire, sizeof wire, 23, text, sizeof text, LT_RECORD_MAX, 0);
    status |= lt_record_keys_init(&keys, aead, key, iv);
    MEASURE(lt_records_open, status, &keys, &opened, wire, (size_t)len, LT_RECORD_MAX);
}

static void measure_group(uint32_t group, size_t scalar_len) {
    uint8_t public_key[97], random[48];
    lt_key_schedule schedule;
    lt_premaster premaster;
    lt_key_share share;
    int status;

    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = 7;
    }
    MEASURE(lt_key_share_generate, status, &share, public_key, sizeof public_key, group, random, scalar_len);
    MEASURE(lt_key_share_derive, status, &share, &premaster, public_key, (size_t)status);
    MEASURE(lt_key_schedule_derive, status, &schedule, LT_AES_128_GCM, LT_SHA384, &premaster, key, key, NULL, 0);
}

void _start(void);

void _start(void) {
    measure_records(LT_AES_128_GCM);
    measure_records(LT_AES_256_GCM);
    measure_records(LT_AES_128_CCM_8);
    measure_records(LT_AES_256_CCM);
    measure_records(LT_CHACHA20_POLY1305);
    measure_group(LT_X25519, 32);
    measure_group(LT_SECP256R1, 32);
    measure_group(LT_SECP384R1, 48);
    leave(0);
}
