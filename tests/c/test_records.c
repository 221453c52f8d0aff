/*
 * Records: what lt_records_seal writes byte by byte, what lt_records_open accepts and refuses, the
 * budget of a key, and that nothing but the stated fields changes.
 *
 * Build: any flags; all of csrc/, also with -DLT_FORCE_32BIT and under -fsanitize=address,undefined.
 */
#include "check.h"

#include "inner.h"

#define DATA      23
#define ALERT     21
#define CANARY    0xa5
#define GCM_LIMIT ((uint64_t)1 << 24)

static const uint32_t MASKS[] = {0, UINT32_MAX};

static uint8_t plain[70000];
static uint8_t wire[80000];
static lt_opened opened;
static lt_opened untouched;
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
    return 5 + explicit_len(aead) + 16;
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

/* ---- Sealing --------------------------------------------------------------------------------------- */

/* RFC 5246 section 6.2.3.3, RFC 5288 section 3, RFC 7905 section 2, built here from the AEAD alone. */
static void check_wire_form(uint32_t aead, uint64_t sequence, size_t len) {
    uint8_t expected[700], nonce[12], aad[13];
    size_t body = explicit_len(aead) + len + 16;
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
    CHECK(lt_record_keys_init(&keys, 4, key, iv) == LT_ERR_ARGUMENT);
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

/* ---- Opening ---------------------------------------------------------------------------------------- */

static void open_resets(void) {
    memset(&opened, CANARY, sizeof opened);
}

/* No field but data changed. */
static int only_data_changed(void) {
    return opened.consumed == untouched.consumed && opened.count == untouched.count &&
           memcmp(opened.spans, untouched.spans, sizeof opened.spans) == 0;
}

static int span_is(size_t i, uint32_t type, uint32_t offset, uint32_t len) {
    return opened.spans[3 * i] == type && opened.spans[3 * i + 1] == offset && opened.spans[3 * i + 2] == len;
}

static void check_one(uint32_t aead, size_t len) {
    lt_record_keys keys;
    size_t size = seal_at(aead, 0, DATA, wire, plain, len);

    keys_init(&keys, aead);
    open_resets();
    CHECK(lt_records_open(&keys, &opened, wire, size, LT_RECORD_MAX) == LT_OPENED_ONE + (int)len);
    CHECK(memcmp(opened.data, plain, len) == 0);
    CHECK(all_bytes_are(opened.data + len, sizeof opened.data - len, CANARY));
    CHECK(only_data_changed());
    /* REC-12: the same record again is a forgery. */
    CHECK(lt_records_open(&keys, &opened, wire, size, LT_RECORD_MAX) == LT_ERR_AUTH);
    CHECK(all_bytes_are(opened.data, len, 0));
}

static void check_stream(uint32_t aead) {
    lt_record_keys write, read;
    ptrdiff_t size;
    size_t each = 50 + expansion(aead);
    size_t cut;

    /* Three of data (50, 50, 20), an alert, one of data. */
    keys_init(&write, aead);
    size = lt_records_seal(&write, wire, sizeof wire, DATA, plain, 120, 50, 0);
    size += lt_records_seal(&write, wire + size, 100, ALERT, plain + 120, 2, 50, 0);
    size += lt_records_seal(&write, wire + size, 100, DATA, plain + 122, 1, 50, 0);
    CHECK(size == (ptrdiff_t)(123 + 5 * expansion(aead)));
    keys_init(&read, aead);
    open_resets();
    CHECK(lt_records_open(&read, &opened, wire, (size_t)size, LT_RECORD_MAX) == 4);
    CHECK(opened.count == 4 && opened.consumed == (uint32_t)size - 1 - expansion(aead));
    CHECK(span_is(0, DATA, 0, 50) && span_is(1, DATA, 50, 50) && span_is(2, DATA, 100, 20) &&
          span_is(3, ALERT, 120, 2));
    CHECK(memcmp(opened.data, plain, 122) == 0);
    CHECK(all_bytes_are(opened.data + 122, sizeof opened.data - 122, CANARY));
    CHECK(all_bytes_are((const uint8_t *)(opened.spans + 12), sizeof opened.spans - 48, CANARY));
    CHECK(lt_records_open(&read, &opened, wire + opened.consumed, 1 + expansion(aead), 50) == LT_OPENED_ONE + 1);
    CHECK(opened.data[0] == plain[122]);

    /* Cut anywhere: the complete ones, and no error. */
    for (cut = 0; cut < 2 * each; cut++) {
        keys_init(&read, aead);
        open_resets();
        if (cut == each) {
            CHECK(lt_records_open(&read, &opened, wire, cut, 50) == LT_OPENED_ONE + 50);
        } else {
            CHECK(lt_records_open(&read, &opened, wire, cut, 50) == (int)(cut / each));
            CHECK(opened.count == cut / each && opened.consumed == cut / each * each);
            CHECK(all_bytes_are(opened.data + cut / each * 50, sizeof opened.data - cut / each * 50, CANARY));
        }
    }

    /* A bad second record: the first is given, the second wiped; then it is the first and an error. */
    keys_init(&read, aead);
    open_resets();
    wire[each + 5 + explicit_len(aead) + 3] ^= 1;
    CHECK(lt_records_open(&read, &opened, wire, (size_t)size, LT_RECORD_MAX) == 1);
    CHECK(opened.count == 1 && opened.consumed == each && span_is(0, DATA, 0, 50));
    CHECK(memcmp(opened.data, plain, 50) == 0 && all_bytes_are(opened.data + 50, 50, 0));
    CHECK(all_bytes_are(opened.data + 100, sizeof opened.data - 100, CANARY));
    untouched.count = opened.count;
    untouched.consumed = opened.consumed;
    memcpy(untouched.spans, opened.spans, sizeof opened.spans);
    CHECK(lt_records_open(&read, &opened, wire + each, (size_t)size - each, LT_RECORD_MAX) == LT_ERR_AUTH);
    CHECK(only_data_changed() && all_bytes_are(opened.data, 50, 0));
    wire[each + 5 + explicit_len(aead) + 3] ^= 1; /* what was refused has no number */
    CHECK(lt_records_open(&read, &opened, wire + each, each, LT_RECORD_MAX) == LT_OPENED_ONE + 50);
    memset(&untouched, CANARY, sizeof untouched);
}

/* Empty records are records (REC-14); 32 spans and 65536 bytes are the most of one call. */
static void check_fullness(uint32_t aead) {
    lt_record_keys write, read;
    size_t size = 0;
    ptrdiff_t written;

    keys_init(&write, aead);
    keys_init(&read, aead);
    for (int i = 0; i < 33; i++) {
        size += (size_t)lt_records_seal(&write, wire + size, 100, DATA, plain, 0, 50, 0);
    }
    CHECK(size == 33 * expansion(aead));
    CHECK(lt_records_open(&read, &opened, wire, size, LT_RECORD_MAX) == 32);
    CHECK(opened.consumed == 32 * expansion(aead) && span_is(31, DATA, 0, 0));
    open_resets();
    CHECK(lt_records_open(&read, &opened, wire + opened.consumed * 0 + 32 * expansion(aead), expansion(aead), 50) == 1);
    CHECK(opened.count == 1 && span_is(0, DATA, 0, 0) && opened.consumed == expansion(aead));

    keys_init(&write, aead);
    keys_init(&read, aead);
    written = lt_records_seal(&write, wire, sizeof wire, DATA, plain, 65537, LT_RECORD_MAX, 0);
    CHECK(written == (ptrdiff_t)(65537 + 5 * expansion(aead)));
    CHECK(lt_records_open(&read, &opened, wire, (size_t)written, LT_RECORD_MAX) == 4);
    CHECK(memcmp(opened.data, plain, 65536) == 0 && span_is(3, DATA, 49152, 16384));
    CHECK(lt_records_open(&read, &opened, wire + opened.consumed, 1 + expansion(aead), 1) == LT_OPENED_ONE + 1);
}

/* What is judged on the header, with nothing behind it: REC-01, REC-04, REC-06, REC-08; REC-10 is legal. */
static void check_headers(uint32_t aead) {
    static const size_t LIMITS[] = {1, 64, 512, LT_RECORD_MAX};
    size_t overhead = expansion(aead) - 5;
    uint8_t header[5];
    lt_record_keys keys;

    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
        for (int other = 0; other < 2; other++) { /* data, then an alert: both paths */
            size_t limit = LIMITS[i];
            size_t longest = limit + overhead;
            struct {
                int type, major, minor;
                size_t len;
                int expected;
            } cases[] = {
                {other ? ALERT : DATA, 3, 3, longest, 0},
                {other ? ALERT : DATA, 3, 3, longest + 1, LT_ERR_OVERFLOW},
                {other ? ALERT : DATA, 3, 3, 0xffff, LT_ERR_OVERFLOW},
                {other ? ALERT : DATA, 3, 3, overhead, 0},
                {other ? ALERT : DATA, 3, 3, overhead - 1, LT_ERR_AUTH},
                {other ? ALERT : DATA, 3, 3, 0, LT_ERR_AUTH},
                {other ? ALERT : DATA, 3, 1, longest, LT_ERR_VERSION},
                {other ? ALERT : DATA, 3, 4, longest + 1, LT_ERR_VERSION},
                {other ? ALERT : DATA, 2, 3, longest, LT_ERR_VERSION},
                {other ? 24 : 19, 3, 3, longest, LT_ERR_ARGUMENT},
                {other ? 'H' : 0, 'T', 'T', 0, LT_ERR_ARGUMENT},
            };

            for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
                header[0] = (uint8_t)cases[c].type;
                header[1] = (uint8_t)cases[c].major;
                header[2] = (uint8_t)cases[c].minor;
                header[3] = (uint8_t)(cases[c].len >> 8);
                header[4] = (uint8_t)cases[c].len;
                WHERE("AEAD %u, limit %u, header case %u", (unsigned)aead, (unsigned)limit, (unsigned)c);
                keys_init(&keys, aead);
                open_resets();
                CHECK(lt_records_open(&keys, &opened, header, 4, limit) == 0);
                CHECK(opened.count == 0 && opened.consumed == 0);
                open_resets();
                CHECK(lt_records_open(&keys, &opened, header, 5, limit) == cases[c].expected);
                CHECK(all_bytes_are(opened.data, sizeof opened.data, CANARY));
                CHECK(cases[c].expected == 0 || only_data_changed());

                /* Behind a good record the call stops before it. */
                if (limit >= 10) {
                    size_t size = seal_at(aead, 0, DATA, wire, plain, 10);

                    memcpy(wire + size, header, 5);
                    keys_init(&keys, aead);
                    CHECK(lt_records_open(&keys, &opened, wire, size + 5, limit) == 1);
                    CHECK(opened.consumed == size);
                    CHECK(lt_records_open(&keys, &opened, wire + size, 5, limit) == cases[c].expected);
                }
            }
        }
        keys_init(&keys, aead);
        CHECK(lt_records_open(&keys, &opened, wire, seal_at(aead, 0, DATA, wire, plain, LIMITS[i]), LIMITS[i]) ==
              LT_OPENED_ONE + (int)LIMITS[i]);
    }
    keys_init(&keys, aead);
    CHECK(lt_records_open(&keys, &opened, wire, 5, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_records_open(&keys, &opened, wire, 5, LT_RECORD_MAX + 1) == LT_ERR_ARGUMENT);
}

/* Every bit of a record counts: an error, or (length grown, type changed to one more) never its plaintext. */
static void check_flips(uint32_t aead) {
    size_t len = 40;
    size_t size = seal_at(aead, 5, DATA, wire, plain, len);
    lt_record_keys keys;

    for (size_t bit = 0; bit < 8 * size; bit++) {
        int status;

        WHERE("AEAD %u, record bit %u", (unsigned)aead, (unsigned)bit);
        keys_init(&keys, aead);
        lt_test_record_keys_sequence(&keys, 5);
        open_resets();
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
        status = lt_records_open(&keys, &opened, wire, size, LT_RECORD_MAX);
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(status < 0 || (status == 0 && bit >= 24 && bit < 40));
        CHECK(memcmp(opened.data, plain, 8) != 0);
    }
    keys_init(&keys, aead);
    lt_test_record_keys_sequence(&keys, 4); /* one dropped */
    CHECK(lt_records_open(&keys, &opened, wire, size, LT_RECORD_MAX) == LT_ERR_AUTH);
    keys_init(&keys, aead);
    wire[1] = 3;
    memset(wire + 5, 7, 40); /* REC-11: an unprotected record */
    CHECK(lt_records_open(&keys, &opened, wire, size, LT_RECORD_MAX) == LT_ERR_AUTH);
}

/* REC-32: a peer that counts its explicit nonces from elsewhere. */
static void check_foreign_nonce(void) {
    uint8_t nonce[12];
    uint8_t aad[13] = {0, 0, 0, 0, 0, 0, 0, 0, DATA, 3, 3, 0, 40};
    uint8_t record[5 + 8 + 40 + 16] = {DATA, 3, 3, 0, 64, 0xde, 0xad, 0xbe, 0xef, 0xff, 0xff, 0xff, 0xff};
    lt_record_keys keys;

    memcpy(nonce, iv, 4);
    memcpy(nonce + 4, record + 5, 8);
    CHECK(lt_test_aead_seal(LT_AES_128_GCM, key, 16, nonce, aad, 13, record + 13, plain, 40) == LT_OK);
    keys_init(&keys, LT_AES_128_GCM);
    CHECK(lt_records_open(&keys, &opened, record, sizeof record, 40) == LT_OPENED_ONE + 40);
    CHECK(memcmp(opened.data, plain, 40) == 0);
}

/* REC-25: the last number is never used for reading; the budgets of REC-26 are the writer's. */
static void check_last_sequence(uint32_t aead) {
    uint8_t nonce[12];
    uint8_t aad[13] = {255, 255, 255, 255, 255, 255, 255, 254, DATA, 3, 3, 0, 1};
    uint8_t record[2 * 30];
    size_t size = 1 + expansion(aead);
    lt_record_keys keys;

    memcpy(nonce, iv, 12);
    for (int copy = 0; copy < 2; copy++) { /* sequence 2^64 - 2, then 2^64 - 1 */
        uint8_t *p = record + (size_t)copy * size;

        aad[7] = (uint8_t)(254 + copy);
        for (int i = 0; i < 8; i++) {
            nonce[4 + i] = aead == LT_CHACHA20_POLY1305 ? (uint8_t)(iv[4 + i] ^ aad[i]) : aad[i];
        }
        p[0] = DATA;
        p[1] = p[2] = 3;
        p[3] = 0;
        p[4] = (uint8_t)(size - 5);
        memcpy(p + 5, aad, explicit_len(aead));
        CHECK(lt_test_aead_seal(aead, key, lt_aead_key_len(aead), nonce, aad, 13, p + 5 + explicit_len(aead), plain,
                                1) == LT_OK);
    }
    keys_init(&keys, aead);
    lt_test_record_keys_sequence(&keys, UINT64_MAX - 1);
    open_resets();
    CHECK(lt_records_open(&keys, &opened, record, 2 * size, 10) == 1);
    CHECK(opened.consumed == size && opened.data[0] == plain[0]);
    CHECK(lt_records_open(&keys, &opened, record + size, size, 10) == LT_ERR_SEQUENCE);
}

int main(void) {
    static const size_t LENGTHS[] = {0, 1, 15, 16, 64, 129, 500};

    fill(plain, sizeof plain, 11);
    fill(key, sizeof key, 12);
    fill(iv, sizeof iv, 13);
    memset(&untouched, CANARY, sizeof untouched);
    for (size_t m = 0; m < sizeof MASKS / sizeof MASKS[0]; m++) {
        lt_cpu_restrict(MASKS[m]);
        for (uint32_t aead = LT_AES_128_GCM; aead <= LT_CHACHA20_POLY1305; aead++) {
            WHERE("AEAD %u, features %x", (unsigned)aead, (unsigned)lt_cpu_features());
            for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
                check_wire_form(aead, i * 0x10203, LENGTHS[i]);
                if (LENGTHS[i] > 0) {
                    check_one(aead, LENGTHS[i]);
                }
            }
            check_sealing_arguments(aead);
            check_budget(aead);
            check_stream(aead);
            check_fullness(aead);
            check_headers(aead);
            check_flips(aead);
            check_last_sequence(aead);
        }
        check_foreign_nonce();
    }
    return check_result();
}
