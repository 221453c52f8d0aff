/*
 * What the tests of records share: keys, texts, room, and one record sealed by a fresh key.
 */
#ifndef LT_TEST_RECORDS_H
#define LT_TEST_RECORDS_H

#include "check.h"

#include "inner.h"

#define DATA   23
#define ALERT  21
#define CANARY 0xa5

#define LAST_AEAD LT_AES_256_CCM_8

static const uint32_t MASKS[] = {0, UINT32_MAX};
static uint32_t masks[sizeof MASKS / sizeof MASKS[0]]; /* those that differ here */

static uint8_t plain[70000];
static uint8_t wire[80000];
static lt_opened opened;
static uint8_t key[32];
static uint8_t iv[12];

static void keys_init(lt_record_keys *keys, uint32_t aead) {
    memset(keys, CANARY, sizeof *keys);
    CHECK(lt_record_keys_init(keys, aead, key, iv) == LT_OK);
}

static size_t explicit_len(uint32_t aead) {
    return aead == LT_CHACHA20_POLY1305 ? 0 : 8;
}

static size_t expansion(uint32_t aead) {
    return 5 + explicit_len(aead) + (aead == LT_AES_128_CCM_8 || aead == LT_AES_256_CCM_8 ? 8 : 16);
}

/* Seal one record of `type` with a fresh key at `sequence`; returns its length. */
static size_t seal_at(uint32_t aead, uint64_t sequence, uint32_t type, uint8_t *out, const uint8_t *in, size_t len) {
    lt_record_keys keys;
    ptrdiff_t written;

    keys_init(&keys, aead);
    lt_test_record_keys_sequence(&keys, sequence);
    written = lt_records_seal(&keys, out, len + 29, type, in, len, LT_RECORD_MAX, 0);
    CHECK(written == (ptrdiff_t)(len + expansion(aead)));
    return (size_t)written;
}

static void fill_all(void) {
    fill(plain, sizeof plain, 11);
    fill(key, sizeof key, 12);
    fill(iv, sizeof iv, 13);
}

#endif
