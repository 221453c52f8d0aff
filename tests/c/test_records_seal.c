/*
 * Sealing records: what is written byte by byte, bad arguments, and the budget of a key.
 *
 * Build: any flags; all of csrc/, also with -DLT_FORCE_32BIT and under -fsanitize=address,undefined.
 */
#include "records_fixture.h"

#define GCM_LIMIT ((uint64_t)1 << 24)

/* RFC 5246 section 6.2.3.3, RFC 5288 section 3, RFC 7905 section 2, built here from the AEAD alone. */
static void check_wire_form(uint32_t aead, uint64_t sequence, size_t len) {
    uint8_t expected[700], nonce[12], aad[13];
    size_t body = len + expansion(aead) - 5;
    size_t at = 0;

    for (int i = 7; i >= 0; i--) {
        aad[at++] = (uint8_t)(sequence >> 8 * i);
    }
    aad[8] = DATA;
    aad[9] = aad[10] = 3;
    aad[11] = (uint8_t)(len >> 8);
    aad[12] = (uint8_t)len;
    memcpy(nonce, iv, 12);
    for (int i = 0; i < 8; i++) {
        nonce[4 + i] = aead == LT_CHACHA20_POLY1305 ? (uint8_t)(iv[4 + i] ^ aad[i]) : aad[i];
    }
    expected[0] = DATA;
    expected[1] = expected[2] = 3;
    expected[3] = (uint8_t)(body >> 8);
    expected[4] = (uint8_t)body;
    memcpy(expected + 5, aad, explicit_len(aead));
    CHECK(lt_test_aead_seal(aead, key, lt_aead_key_len(aead), nonce, aad, 13, expected + 5 + explicit_len(aead), plain,
                            len) == LT_OK);

    memset(wire, CANARY, sizeof wire);
    CHECK(seal_at(aead, sequence, DATA, wire, plain, len) == 5 + body);
    CHECK(memcmp(wire, expected, 5 + body) == 0);
    CHECK(all_bytes_are(wire + 5 + body, sizeof wire - 5 - body, CANARY));
}

static void check_sealing_arguments(uint32_t aead) {
    lt_record_keys keys, before;

    keys_init(&keys, aead);
    before = keys;
    memset(wire, CANARY, sizeof wire);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, 19, plain, 1, 100, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, 24, plain, 1, 100, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, 256 + DATA, plain, 1, 100, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 1, 0, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 1, LT_RECORD_MAX + 1, 0) == LT_ERR_ARGUMENT);
    for (size_t len = 0; len < 300; len += 99) { /* 1, 1, 2 and 3 records of up to 100 bytes */
        size_t records = len <= 100 ? 1 : (len + 99) / 100;
        size_t needed = len + records * expansion(aead);

        CHECK(lt_records_seal(&keys, wire, 0, DATA, plain, len, 100, 0) == LT_ERR_SPACE);
        CHECK(lt_records_seal(&keys, wire, needed - 1, DATA, plain, len, 100, 0) == LT_ERR_SPACE);
        CHECK(memcmp(&keys, &before, sizeof keys) == 0);
        CHECK(all_bytes_are(wire, sizeof wire, CANARY));
        CHECK(lt_records_seal(&keys, wire, needed, DATA, plain, len, 100, 0) == (ptrdiff_t)needed);
        CHECK(all_bytes_are(wire + needed, sizeof wire - needed, CANARY));
        memset(wire, CANARY, sizeof wire);
        keys = before;
    }
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, NULL, 0, 100, 0) == (ptrdiff_t)expansion(aead));
    CHECK(lt_records_open(&keys, &opened, NULL, 0, LT_RECORD_MAX) == 0 && opened.consumed == 0);
    CHECK(lt_records_seal(&keys, wire, SIZE_MAX / 2, DATA, plain, SIZE_MAX / 2, 1, 0) == LT_ERR_SPACE);
    lt_record_keys_wipe(&keys);
    CHECK(all_bytes_are((const uint8_t *)&keys, sizeof keys, 0));
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 1, 100, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_open(&keys, &opened, wire, 100, LT_RECORD_MAX) == LT_ERR_ARGUMENT);
    CHECK(lt_record_keys_init(&keys, LAST_AEAD + 1, key, iv) == LT_ERR_ARGUMENT);
    keys_init(&keys, aead);
    CHECK(lt_records_open(&keys, &opened, wire, 100, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_open(&keys, &opened, wire, 100, LT_RECORD_MAX + 1) == LT_ERR_ARGUMENT);
}

/* REC-25, REC-26. */
static void check_budget(uint32_t aead) {
    uint64_t budget = aead == LT_CHACHA20_POLY1305 ? (uint64_t)1 << 48 : GCM_LIMIT;
    lt_record_keys keys, before;

    keys_init(&keys, aead);
    lt_test_record_keys_sequence(&keys, budget - 3);
    before = keys;
    memset(wire, CANARY, sizeof wire);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 31, 10, 0) == LT_ERR_SEQUENCE); /* four records */
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 30, 10, 1) == LT_ERR_SEQUENCE);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 10, 10, 3) == LT_ERR_SEQUENCE);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 10, 10, 4) == LT_ERR_SEQUENCE);
    CHECK(memcmp(&keys, &before, sizeof keys) == 0);
    CHECK(all_bytes_are(wire, sizeof wire, CANARY));
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 20, 10, 1) > 0);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 1, 10, 1) == LT_ERR_SEQUENCE);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, ALERT, plain, 2, 10, 0) > 0); /* the one kept back */
    CHECK(lt_records_seal(&keys, wire, sizeof wire, ALERT, plain, 2, 10, 0) == LT_ERR_SEQUENCE);
    lt_test_record_keys_sequence(&keys, UINT64_MAX);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, ALERT, plain, 2, 10, 0) == LT_ERR_SEQUENCE);
    keys_init(&keys, LT_AES_128_GCM);
    CHECK(lt_records_seal(&keys, wire, sizeof wire, DATA, plain, 1, 10, (uint32_t)GCM_LIMIT + 1) == LT_ERR_SEQUENCE);
}

/* The short way writes what the long one does, and leaves the last record of the budget. */
static void check_short_way(uint32_t aead) {
    static uint8_t sealed[LT_SEALED_DATA];
    static const size_t LENGTHS_OF_DATA[] = {0, 1, 64, LT_RECORD_MAX, LT_RECORD_MAX + 1, 4 * LT_RECORD_MAX};
    lt_record_keys one, other;

    for (size_t i = 0; i < sizeof LENGTHS_OF_DATA / sizeof LENGTHS_OF_DATA[0]; i++) {
        size_t len = LENGTHS_OF_DATA[i];
        ptrdiff_t size;

        keys_init(&one, aead);
        keys_init(&other, aead);
        size = lt_records_seal(&one, wire, sizeof wire, DATA, plain, len, LT_RECORD_MAX, 1);
        memset(sealed, CANARY, sizeof sealed);
        CHECK(lt_records_seal_data(&other, sealed, (size_t)size - 1, plain, len) == LT_ERR_SPACE);
        CHECK(size > 0 && lt_records_seal_data(&other, sealed, sizeof sealed, plain, len) == size);
        CHECK(memcmp(sealed, wire, (size_t)size) == 0);
        CHECK(lt_record_keys_short_bytes(&one) == 0 && lt_record_keys_short_bytes(&other) == (uint64_t)size);
        CHECK(all_bytes_are(sealed + size, sizeof sealed - (size_t)size, CANARY));
    }
    memset(sealed, CANARY, sizeof sealed);
    CHECK(lt_records_seal_data(&one, sealed, sizeof sealed, plain, 4 * LT_RECORD_MAX + 64) == LT_ERR_SPACE);
    lt_test_record_keys_sequence(&one, (aead == LT_CHACHA20_POLY1305 ? (uint64_t)1 << 48 : GCM_LIMIT) - 1);
    CHECK(lt_records_seal_data(&one, sealed, sizeof sealed, plain, 1) == LT_ERR_SEQUENCE);
    lt_record_keys_wipe(&one);
    CHECK(lt_records_seal_data(&one, sealed, sizeof sealed, plain, 1) == LT_ERR_ARGUMENT);
    CHECK(all_bytes_are(sealed, sizeof sealed, CANARY));
}

/* Input and output that share a byte are refused; neighbours are not. */
static void check_overlap(uint32_t aead) {
    const size_t size = 100 + expansion(aead);
    lt_record_keys keys;

    keys_init(&keys, aead);
    memset(wire, CANARY, sizeof wire);
    for (size_t at = 0; at <= size + 100; at++) {
        int apart = at == 0 || at == size + 100;

        CHECK(lt_records_seal(&keys, wire + 100, size, DATA, wire + at, 100, 100, 0) ==
              (apart ? (ptrdiff_t)size : LT_ERR_ARGUMENT));
        CHECK(apart || all_bytes_are(wire, 100, CANARY));
        memset(wire, CANARY, sizeof wire);
    }
    CHECK(lt_records_seal(&keys, wire, size, DATA, wire + 5, 0, 100, 0) == (ptrdiff_t)expansion(aead)); /* nothing */
}

int main(void) {
    static const size_t LENGTHS[] = {0, 1, 15, 16, 64, 129, 500};
    size_t mask_count;

    fill_all();
    mask_count = distinct_masks(masks, MASKS, sizeof MASKS / sizeof MASKS[0]);
    for (size_t m = 0; m < mask_count; m++) {
        lt_cpu_restrict(masks[m]);
        for (uint32_t aead = LT_AES_128_GCM; aead <= LAST_AEAD; aead++) {
            WHERE("AEAD %u, features %x", (unsigned)aead, (unsigned)lt_cpu_features());
            for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
                check_wire_form(aead, i * 0x10203, LENGTHS[i]);
            }
            check_sealing_arguments(aead);
            check_budget(aead);
            check_short_way(aead);
            check_overlap(aead);
        }
    }
    return check_result();
}
