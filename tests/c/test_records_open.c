/*
 * Opening records: what is accepted and refused, and that nothing but the stated fields changes.
 *
 * Build: any flags; all of csrc/, also with -DLT_FORCE_32BIT and under -fsanitize=address,undefined.
 */
#include "records_fixture.h"

static lt_opened untouched;

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

/* The plaintext length, if the input is opened as one record of data; else lt_records_open's status. */
static int opened_one(lt_record_keys *keys, const uint8_t *in, size_t in_len, size_t limit) {
    int status = lt_records_open(keys, &opened, in, in_len, limit);

    if (status == 1) {
        CHECK(opened.count == 1 && opened.consumed == in_len && span_is(0, DATA, 0, opened.spans[2]));
    }
    return status == 1 ? (int)opened.spans[2] : status;
}

/* lt_records_open_data leaves alone what is not exactly one record of data. */
static void check_others(uint32_t aead, size_t len) {
    lt_record_keys keys;
    size_t size = seal_at(aead, 0, DATA, wire, plain, len);

    keys_init(&keys, aead);
    open_resets();
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, NULL, 0) == 0);
    for (size_t cut = 1; cut < size; cut++) {
        CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, cut) == 0);
    }
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, size + 1) == 0);
    for (size_t i = 0; i < 5; i++) { /* types, versions and lengths that are none, and lengths that are others */
        wire[i] ^= 1;
        CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, size) == 0);
        wire[i] ^= 1;
    }
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, seal_at(aead, 0, ALERT, wire, plain, 2)) ==
          0);
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, seal_at(aead, 0, DATA, wire, plain, 0)) ==
          0);
    CHECK(all_bytes_are((const uint8_t *)&opened, sizeof opened, CANARY));
    size = seal_at(aead, 0, DATA, wire, plain, len);
    CHECK(lt_records_open_data(&keys, opened.data, len - 1, wire, size) == LT_ERR_SPACE);
    CHECK(all_bytes_are((const uint8_t *)&opened, sizeof opened, CANARY));
    CHECK(lt_record_keys_short_bytes(&keys) == 0);
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, size) ==
          (int)len); /* and the key is as before */
    CHECK(lt_record_keys_short_bytes(&keys) == size);
    lt_record_keys_wipe(&keys);
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, size) == LT_ERR_ARGUMENT);
}

/* lt_records_open_into: data that fits, one record behind the other, and nothing else is touched. */
static void check_into(uint32_t aead) {
    static uint8_t out[200];
    const size_t each = 50 + expansion(aead);
    lt_record_keys write, read;
    size_t size, consumed;

    /* Four of data (50, 50, 50, none), an alert. */
    keys_init(&write, aead);
    size = (size_t)lt_records_seal(&write, wire, sizeof wire, DATA, plain, 150, 50, 0);
    size += (size_t)lt_records_seal(&write, wire + size, 100, DATA, plain, 0, 50, 0);
    size += (size_t)lt_records_seal(&write, wire + size, 100, ALERT, plain, 2, 50, 0);
    for (size_t room = 0; room <= sizeof out; room++) {
        for (size_t cut = 0; cut <= size; cut += cut < 3 * each ? 1 : size - cut) {
            size_t fit = room / 50 < cut / each ? room / 50 : cut / each;

            fit = fit < 3 ? fit : 3;
            keys_init(&read, aead);
            memset(out, CANARY, sizeof out);
            consumed = 99;
            CHECK(lt_records_open_into(&read, out, room, &consumed, wire, cut) == (ptrdiff_t)(50 * fit));
            CHECK(consumed == fit * each && memcmp(out, plain, 50 * fit) == 0);
            CHECK(all_bytes_are(out + 50 * fit, sizeof out - 50 * fit, CANARY));
            if (cut == size) {
                break;
            }
        }
    }
    keys_init(&read, aead);
    CHECK(lt_records_open_into(&read, NULL, 0, &consumed, NULL, 0) == 0 && consumed == 0);
    wire[2 * each - 1] ^= 1; /* the second is forged */
    memset(out, CANARY, sizeof out);
    CHECK(lt_records_open_into(&read, out, sizeof out, &consumed, wire, size) == 50 && consumed == each);
    CHECK(memcmp(out, plain, 50) == 0 && all_bytes_are(out + 50, 50, 0));
    CHECK(all_bytes_are(out + 100, sizeof out - 100, CANARY));
    CHECK(lt_records_open_into(&read, out, sizeof out, &consumed, wire + each, size - each) == 0 && consumed == 0);
    CHECK(lt_records_open(&read, &opened, wire + each, size - each, 50) == LT_ERR_AUTH);
    lt_record_keys_wipe(&read);
    CHECK(lt_records_open_into(&read, out, sizeof out, &consumed, wire, size) == LT_ERR_ARGUMENT);
}

/* Input and output that share a byte are refused; neighbours are not, wherever they begin. */
static void check_overlap(uint32_t aead) {
    const size_t size = seal_at(aead, 0, DATA, wire, plain, 50);
    static struct {
        uint8_t before[200];
        lt_opened opened;
        uint8_t after[200];
    } room;
    lt_record_keys keys;
    size_t consumed;

    keys_init(&keys, aead);
    for (size_t at = 0; at + size <= sizeof room; at += at < 300 || at > sizeof room - 400 ? 1 : 4096) {
        uint8_t *in = (uint8_t *)&room + at;
        int apart = at + size <= sizeof room.before || at >= sizeof room.before + sizeof room.opened;
        int apart_from_data = apart || at + size <= (size_t)(room.opened.data - (uint8_t *)&room);

        memcpy(in, wire, size);
        lt_test_record_keys_sequence(&keys, 0);
        CHECK(lt_records_open(&keys, &room.opened, in, size, 50) == (apart ? 1 : LT_ERR_ARGUMENT));
        lt_test_record_keys_sequence(&keys, 0);
        CHECK(lt_records_open_data(&keys, room.opened.data, sizeof room.opened.data, in, size) ==
              (apart_from_data ? 50 : LT_ERR_ARGUMENT));
        CHECK(memcmp(in, wire, size) == 0);
    }
    memcpy(room.before, wire, size);
    CHECK(lt_records_open_into(&keys, room.before + size - 1, 50, &consumed, room.before, size) == LT_ERR_ARGUMENT);
    CHECK(memcmp(room.before, wire, size) == 0);
    lt_test_record_keys_sequence(&keys, 0);
    CHECK(lt_records_open_into(&keys, room.before + size, 50, &consumed, room.before, size) == 50);
}

static void check_one(uint32_t aead, size_t len) {
    lt_record_keys keys;
    size_t size = seal_at(aead, 0, DATA, wire, plain, len);

    keys_init(&keys, aead);
    open_resets();
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, size) == (int)len);
    CHECK(memcmp(opened.data, plain, len) == 0);
    CHECK(all_bytes_are(opened.data + len, sizeof opened.data - len, CANARY));
    CHECK(only_data_changed());
    /* REC-12: the same record again is a forgery. */
    CHECK(lt_records_open_data(&keys, opened.data, sizeof opened.data, wire, size) == LT_ERR_AUTH);
    CHECK(all_bytes_are(opened.data, len, 0) && only_data_changed());
    CHECK(lt_records_open(&keys, &opened, wire, size, LT_RECORD_MAX) == LT_ERR_AUTH);
    CHECK(all_bytes_are(opened.data, len, 0));
    keys_init(&keys, aead);
    CHECK(opened_one(&keys, wire, size, LT_RECORD_MAX) == (int)len && memcmp(opened.data, plain, len) == 0);
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
    CHECK(opened_one(&read, wire + opened.consumed, 1 + expansion(aead), 50) == 1);
    CHECK(opened.data[0] == plain[122]);

    /* Cut anywhere: the complete ones, and no error. */
    for (cut = 0; cut < 2 * each; cut++) {
        keys_init(&read, aead);
        open_resets();
        if (cut == each) {
            CHECK(opened_one(&read, wire, cut, 50) == 50);
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
    CHECK(opened_one(&read, wire + each, each, LT_RECORD_MAX) == 50);
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
    CHECK(opened_one(&read, wire + opened.consumed, 1 + expansion(aead), 1) == 1);
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
        CHECK(opened_one(&keys, wire, seal_at(aead, 0, DATA, wire, plain, LIMITS[i]), LIMITS[i]) == (int)LIMITS[i]);
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
    CHECK(opened_one(&keys, record, sizeof record, 40) == 40);
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
    static const size_t LENGTHS[] = {1, 15, 16, 64, 129, 500};
    size_t mask_count;

    fill_all();
    memset(&untouched, CANARY, sizeof untouched);
    mask_count = distinct_masks(masks, MASKS, sizeof MASKS / sizeof MASKS[0]);
    for (size_t m = 0; m < mask_count; m++) {
        lt_cpu_restrict(masks[m]);
        for (uint32_t aead = LT_AES_128_GCM; aead <= LAST_AEAD; aead++) {
            WHERE("AEAD %u, features %x", (unsigned)aead, (unsigned)lt_cpu_features());
            for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
                check_one(aead, LENGTHS[i]);
            }
            check_others(aead, 40);
            check_into(aead);
            check_overlap(aead);
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
