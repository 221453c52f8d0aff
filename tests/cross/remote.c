/*
 * Runs the C core on requests, so that a machine without Python, such as an emulated one, can be tested from one that
 * has it (executor.py is the other side). Linked with all of csrc/.
 *
 *     remote MASK [WRONG]    MASK goes to lt_cpu_restrict; answer number WRONG gets one wrong bit, see below
 *
 * stdin   requests: operation, count, so many numbers, count, so many strings; a string is its length and its bytes
 * stdout  one answer each: status, then a string
 *
 * Every number has 32 bits, the lowest byte first. The end of stdin is the end of the program.
 *
 * WRONG is for the test that a wrong answer is noticed: the lowest bit of the last byte is turned round, or that of the
 * status if there are no bytes.
 *
 * Every string, in either direction, ends where a page begins that cannot be touched: a read or a write beyond the end
 * ends the program, and starts lie at every alignment. A buffer is filled with a pattern before it is written.
 */
#define _DEFAULT_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lighttls.h"

#define MAX_NUMBERS 8
#define MAX_STRINGS 8
#define PLACES      (MAX_STRINGS + 2) /* one for each string, OUT and SPARE */
#define OUT         MAX_STRINGS
#define SPARE       (MAX_STRINGS + 1)
#define PLACE_SIZE  ((size_t)1 << 19)

typedef struct {
    uint8_t *bytes;
    size_t len;
} string;

typedef struct {
    uint32_t operation;
    uint32_t numbers[MAX_NUMBERS];
    string strings[MAX_STRINGS];
} request;

typedef struct {
    int32_t status;
    string out;
} answer;

static uint8_t *place_end[PLACES];

static void fail(const char *what) {
    fprintf(stderr, "remote: %s\n", what);
    exit(2);
}

static void make_places(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < PLACES; i++) {
        uint8_t *start = mmap(NULL, PLACE_SIZE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (start == MAP_FAILED || mprotect(start + PLACE_SIZE, page, PROT_NONE) != 0) {
            fail(strerror(errno));
        }
        place_end[i] = start + PLACE_SIZE;
    }
}

/* So many bytes just before the page that cannot be touched. */
static string placed(size_t place, size_t len) {
    string s;

    if (len > PLACE_SIZE) {
        fail("a string is too long");
    }
    s.bytes = place_end[place] - len;
    s.len = len;
    memset(s.bytes, 0xAA, len);
    return s;
}

/* ---- The wire --------------------------------------------------------------------------------- */

/* 0 at the end of stdin, which may come only where a request begins. */
static int read_number(uint32_t *number) {
    uint8_t b[4];
    const size_t got = fread(b, 1, sizeof b, stdin);

    if (got == 0 && feof(stdin)) {
        return 0;
    }
    if (got != sizeof b) {
        fail("a number is cut off");
    }
    *number = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return 1;
}

static uint32_t next_number(void) {
    uint32_t number;

    if (!read_number(&number)) {
        fail("a request is cut off");
    }
    return number;
}

static void put_number(uint8_t *out, uint32_t number) {
    for (size_t i = 0; i < 4; i++) {
        out[i] = (uint8_t)(number >> 8 * i);
    }
}

static int read_request(request *r) {
    uint32_t count;

    memset(r, 0, sizeof *r);
    if (!read_number(&r->operation)) {
        return 0;
    }
    count = next_number();
    if (count > MAX_NUMBERS) {
        fail("too many numbers");
    }
    for (uint32_t i = 0; i < count; i++) {
        r->numbers[i] = next_number();
    }
    count = next_number();
    if (count > MAX_STRINGS) {
        fail("too many strings");
    }
    for (uint32_t i = 0; i < count; i++) {
        r->strings[i] = placed(i, next_number());
        if (fread(r->strings[i].bytes, 1, r->strings[i].len, stdin) != r->strings[i].len) {
            fail("a string is cut off");
        }
    }
    return 1;
}

static void write_answer(const answer *a) {
    uint8_t head[8];

    put_number(head, (uint32_t)a->status);
    put_number(head + 4, (uint32_t)a->out.len);
    if (fwrite(head, 1, sizeof head, stdout) != sizeof head ||
        fwrite(a->out.bytes, 1, a->out.len, stdout) != a->out.len || fflush(stdout) != 0) {
        fail("the answer cannot be written");
    }
}

/* ---- Operations: numbers and strings in the order of the arguments ---------------------------- */

static void features(const request *r, answer *a) {
    (void)r;
    a->status = (int32_t)lt_cpu_features();
}

/* algorithm, length; data */
static void hash(const request *r, answer *a) {
    a->out = placed(OUT, r->numbers[1]);
    a->status = lt_hash(a->out.bytes, r->numbers[0], r->strings[0].bytes, r->strings[0].len);
}

/* algorithm, length; key, data */
static void hmac(const request *r, answer *a) {
    const string *s = r->strings;

    a->out = placed(OUT, r->numbers[1]);
    a->status = lt_hmac(a->out.bytes, r->numbers[0], s[0].bytes, s[0].len, s[1].bytes, s[1].len);
}

/* algorithm, length; secret, label, seed */
static void prf(const request *r, answer *a) {
    const string *s = r->strings;

    a->out = placed(OUT, r->numbers[1]);
    a->status = lt_test_prf(a->out.bytes, a->out.len, r->numbers[0], s[0].bytes, s[0].len, s[1].bytes, s[1].len,
                            s[2].bytes, s[2].len);
}

static size_t tag_len(uint32_t aead) {
    return aead == LT_AES_128_CCM_8 || aead == LT_AES_256_CCM_8 ? 8 : 16;
}

/* aead; key, nonce, additional data, text */
static void aead_seal(const request *r, answer *a) {
    const string *s = r->strings;

    a->out = placed(OUT, s[3].len + tag_len(r->numbers[0]));
    a->status = lt_test_aead_seal(r->numbers[0], s[0].bytes, s[0].len, s[1].bytes, s[2].bytes, s[2].len, a->out.bytes,
                                  s[3].bytes, s[3].len);
}

/* aead; key, nonce, additional data, sealed text */
static void aead_open(const request *r, answer *a) {
    const string *s = r->strings;

    a->out = placed(OUT, s[3].len < tag_len(r->numbers[0]) ? 0 : s[3].len - tag_len(r->numbers[0]));
    a->status = lt_test_aead_open(r->numbers[0], s[0].bytes, s[0].len, s[1].bytes, s[2].bytes, s[2].len, a->out.bytes,
                                  s[3].bytes, s[3].len);
}

/* group, length of a public key; private key: the public key */
static void share_public(const request *r, answer *a) {
    lt_key_share share = {{0}};

    a->out = placed(OUT, r->numbers[1]);
    a->status =
        lt_key_share_generate(&share, a->out.bytes, a->out.len, r->numbers[0], r->strings[0].bytes, r->strings[0].len);
    lt_key_share_wipe(&share);
}

/* group, length of a public key; private key, the peer's public key: the shared secret */
static void share_derive(const request *r, answer *a) {
    lt_key_share share = {{0}};
    lt_premaster premaster = {{0}};
    const string mine = placed(SPARE, r->numbers[1]);

    a->status =
        lt_key_share_generate(&share, mine.bytes, mine.len, r->numbers[0], r->strings[0].bytes, r->strings[0].len);
    if (a->status >= 0) {
        a->status = lt_key_share_derive(&share, &premaster, r->strings[1].bytes, r->strings[1].len);
    }
    if (a->status >= 0) {
        a->out = placed(OUT, 66);
        a->status = lt_test_premaster_get(&premaster, a->out.bytes);
        a->out.len = a->status < 0 ? 0 : (size_t)a->status;
    }
}

/* scheme; public key, signature, message */
static void verify(const request *r, answer *a) {
    const string *s = r->strings;

    a->status = lt_verify_vartime(r->numbers[0], s[0].bytes, s[0].len, s[1].bytes, s[1].len, s[2].bytes, s[2].len);
}

/*
 * aead, prf, length to export; premaster secret, both randoms, session hash, transcript hash, label, context:
 * master secret, the client's and the server's verify_data, keying material
 */
static void schedule(const request *r, answer *a) {
    const string *s = r->strings;
    lt_premaster premaster = {{0}};
    lt_key_schedule keys = {{0}};
    uint8_t *out;

    a->out = placed(OUT, 48 + 12 + 12 + (size_t)r->numbers[2]);
    out = a->out.bytes;
    a->status = lt_premaster_set(&premaster, s[0].bytes, s[0].len);
    if (a->status >= 0) {
        a->status = lt_key_schedule_derive(&keys, r->numbers[0], r->numbers[1], &premaster, s[1].bytes, s[2].bytes,
                                           s[3].bytes, s[3].len);
    }
    if (a->status >= 0) {
        a->status = lt_key_schedule_master_secret(&keys, out);
    }
    for (int server = 0; server < 2 && a->status >= 0; server++) {
        a->status = lt_key_schedule_finished(&keys, out + 48 + 12 * server, server, s[4].bytes, s[4].len);
    }
    if (a->status >= 0) {
        a->status = lt_key_schedule_export(&keys, out + 72, r->numbers[2], s[5].bytes, s[5].len, s[6].bytes, s[6].len);
    }
    lt_key_schedule_wipe(&keys);
}

/* aead, prf, low and high half of a sequence number; master secret, both randoms: the client's key. */
static int client_keys(const request *r, lt_record_keys *client) {
    const string *s = r->strings;
    lt_key_schedule keys = {{0}};
    lt_record_keys server = {{0}};
    int status = lt_key_schedule_resume(&keys, r->numbers[0], r->numbers[1], s[0].bytes, s[1].bytes, s[2].bytes);

    if (status >= 0) {
        status = lt_key_schedule_record_keys(&keys, client, &server);
    }
    lt_test_record_keys_sequence(client, (uint64_t)r->numbers[3] << 32 | r->numbers[2]);
    return status;
}

/* the former's, content type, fragment, reserve; the former's, data */
static void records_seal(const request *r, answer *a) {
    const string data = r->strings[3];
    const size_t fragment = r->numbers[5] == 0 ? 1 : r->numbers[5];
    lt_record_keys keys = {{0}};

    a->status = client_keys(r, &keys);
    if (a->status >= 0) {
        a->out = placed(OUT, data.len + (data.len / fragment + 1) * LT_RECORD_EXPANSION);
        a->status = (int32_t)lt_records_seal(&keys, a->out.bytes, a->out.len, r->numbers[4], data.bytes, data.len,
                                             r->numbers[5], r->numbers[6]);
        a->out.len = a->status < 0 ? 0 : (size_t)a->status;
    }
    lt_record_keys_wipe(&keys);
}

static void append(string *to, size_t cap, const uint8_t *bytes, size_t len) {
    if (len > cap - to->len) {
        fail("more was opened than there is room for");
    }
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

/*
 * the keys', limit; the keys', records: type, length and content of each record up to the first that is incomplete
 * (status 0) or refused
 */
static void records_open(const request *r, answer *a) {
    static lt_opened opened;
    static uint8_t all[PLACE_SIZE];
    string rest = r->strings[3];
    lt_record_keys keys = {{0}};
    uint8_t head[8];

    a->out.bytes = all;
    a->status = client_keys(r, &keys);
    while (a->status >= 0) {
        a->status = lt_records_open(&keys, &opened, rest.bytes, rest.len, r->numbers[4]);
        if (a->status <= 0) {
            break;
        }
        for (uint32_t i = 0; i < opened.count; i++) {
            put_number(head, opened.spans[3 * i]);
            put_number(head + 4, opened.spans[3 * i + 2]);
            append(&a->out, sizeof all, head, sizeof head);
            append(&a->out, sizeof all, opened.data + opened.spans[3 * i + 1], opened.spans[3 * i + 2]);
        }
        rest.bytes += opened.consumed;
        rest.len -= opened.consumed;
    }
    lt_record_keys_wipe(&keys);
}

/* the keys', room; the keys', records: what was opened to a buffer of that size, and how much of the records that was
 */
static void records_into(const request *r, answer *a) {
    const string records = r->strings[3];
    lt_record_keys keys = {{0}};
    size_t consumed = 0;

    a->status = client_keys(r, &keys);
    if (a->status >= 0) {
        const string out = placed(OUT, r->numbers[4]);
        const ptrdiff_t written =
            lt_records_open_into(&keys, out.bytes, out.len, &consumed, records.bytes, records.len);

        a->out.bytes = out.bytes;
        a->out.len = written < 0 ? 0 : (size_t)written;
        a->status = (int32_t)(written < 0 ? written : (ptrdiff_t)consumed);
    }
    lt_record_keys_wipe(&keys);
}

/* In the order of executor.Operation. */
static void (*const OPERATIONS[])(const request *, answer *) = {
    features,     hash,   hmac,     prf,          aead_seal,    aead_open,    share_public,
    share_derive, verify, schedule, records_seal, records_open, records_into,
};

int main(int argc, char **argv) {
    request r;
    long wrong;

    if (argc < 2) {
        fail("what mask?");
    }
    wrong = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
    lt_cpu_restrict((uint32_t)strtoul(argv[1], NULL, 10));
    make_places();
    for (long number = 0; read_request(&r); number++) {
        answer a = {0, {NULL, 0}};

        if (r.operation >= sizeof OPERATIONS / sizeof OPERATIONS[0]) {
            fail("no such operation");
        }
        OPERATIONS[r.operation](&r, &a);
        if (number == wrong && a.out.len > 0) {
            a.out.bytes[a.out.len - 1] ^= 1;
        } else if (number == wrong) {
            a.status ^= 1;
        }
        write_answer(&a);
    }
    return 0;
}
