/*
 * ChaCha20 and Poly1305 below the AEAD: published vectors, accelerated code against portable code over lengths,
 * counters and hard numbers, and sums that end where Poly1305 reduces last. (test_aead.c has the AEAD.)
 *
 * Build: any flags; all of csrc/, also with -DLT_FORCE_32BIT and under -fsanitize=address,undefined.
 */
#include "check.h"

#include "chacha20.h"

/* ---- ChaCha20 ------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    uint32_t features;
    void (*apply)(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                  uint32_t counter);
    size_t unit; /* lengths are multiples of this */
    void (*four)(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter);
    void (*eight)(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter);
} cipher;

static const cipher CIPHERS[] = {
    {"portable", 0, lt_chacha20_portable_xor, 1, NULL, NULL},
#if LT_X86_64
    {"AVX2", LT_CPU_AVX2, lt_chacha20_avx2_xor, 1, lt_chacha20_avx2_four, NULL},
    {"AVX-512", LT_CPU_AVX512, lt_chacha20_avx512_xor, 1, lt_chacha20_avx512_four, lt_chacha20_avx512_eight},
#endif
#if LT_ARM64
    {"NEON", LT_CPU_NEON, lt_chacha20_neon_xor, LT_CHACHA20_NEON_CHUNK, NULL, NULL},
#endif
};

#define LONGEST 16500
#define CANARY  0xa5

static uint8_t text[LONGEST];
static uint8_t expected[LONGEST];
static uint8_t room[LONGEST + 64];

static void check_stream(const cipher *c, size_t len, uint32_t counter) {
    uint8_t *out = room + 16 + len % 16;
    uint8_t key[32], nonce[12];

    WHERE("ChaCha20 %s, %u bytes, counter %x", c->name, (unsigned)len, (unsigned)counter);
    fill(key, sizeof key, (uint32_t)len);
    fill(nonce, sizeof nonce, (uint32_t)len + 1);
    lt_chacha20_portable_xor(expected, text, len, key, nonce, counter);
    memset(room, CANARY, sizeof room);
    c->apply(out, text, len, key, nonce, counter);
    CHECK(memcmp(out, expected, len) == 0);
    CHECK(all_bytes_are(room, (size_t)(out - room), CANARY) && all_bytes_are(out + len, 16, CANARY));
    c->apply(out, out, len, key, nonce, counter); /* in place, and back */
    CHECK(memcmp(out, text, len) == 0);
}

/* RFC 8439 section 2.3.2: block 1; and what makes four or eight blocks, counters that wrap among them. */
static void check_block(const cipher *c) {
    uint8_t key[32], nonce[12], block[64], out[512] = {0}, again[512];

    WHERE("ChaCha20 %s, one block", c->name);
    hex(key, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    hex(nonce, "000000090000004a00000000");
    hex(block, "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
               "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
    c->apply(out, out, 256, key, nonce, 1);
    CHECK(memcmp(out, block, sizeof block) == 0);
    for (uint32_t counter = 0xfffffff7; counter != 3; counter++) {
        WHERE("ChaCha20 %s, four and eight blocks from %x", c->name, (unsigned)counter);
        memset(out, 0, sizeof out);
        lt_chacha20_portable_xor(out, out, sizeof out, key, nonce, counter);
        memset(again, CANARY, sizeof again);
        if (c->four != NULL) {
            c->four(again, key, nonce, counter);
            CHECK(memcmp(again, out, 256) == 0 && all_bytes_are(again + 256, 256, CANARY));
        }
        if (c->eight != NULL) {
            c->eight(again, key, nonce, counter);
            CHECK(memcmp(again, out, 512) == 0);
        }
    }
}

static void check_ciphers(void) {
    /* The last ones wrap within a vector, as RFC 8439 leaves it; records never come near. */
    static const uint32_t COUNTERS[] = {0, 1, 250, 0xfffe, 0x7ffffff9, 0xfffffff3, 0xffffffff};
    static const size_t EDGES[] = {1280, 1535, 1536, 2047, 2048, 2049, 2304, 2305, 16127, 16128, 16383, 16384, 16385};

    fill(text, sizeof text, 5);
    for (size_t i = 0; i < sizeof CIPHERS / sizeof CIPHERS[0]; i++) {
        const cipher *c = &CIPHERS[i];

        if (!lt_cpu_has(c->features)) {
            continue;
        }
        check_block(c);
        for (size_t len = 0; len <= 1100; len += c->unit) {
            check_stream(c, len, COUNTERS[len % (sizeof COUNTERS / sizeof COUNTERS[0])]);
        }
        for (size_t j = 0; j < sizeof EDGES / sizeof EDGES[0]; j++) {
            check_stream(c, EDGES[j] - EDGES[j] % c->unit, COUNTERS[j % (sizeof COUNTERS / sizeof COUNTERS[0])]);
        }
    }
}

/* ---- Poly1305 ------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    uint32_t features;
    void (*absorb)(lt_poly1305 *poly, const uint8_t *in, size_t in_len);
} hash;

static const hash HASHES[] = {
    {"portable", 0, lt_poly1305_absorb},
#if LT_X86_64
    {"AVX2", LT_CPU_AVX2, lt_poly1305_avx2},
    {"IFMA", LT_CPU_AVX512 | LT_CPU_IFMA, lt_poly1305_ifma},
#endif
};

/* What accelerated code takes at a time, or more. */
#define UNIT 128

static void check_published(void) {
    /* RFC 8439 appendix A.3, 7 to 11: sums that carry into and beyond 2^130 - 5. (Key, message, tag.) */
    static const char *const CASES[][3] = {
        {"02000000000000000000000000000000 00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
         "03000000000000000000000000000000"},
        {"02000000000000000000000000000000 ffffffffffffffffffffffffffffffff", "02000000000000000000000000000000",
         "03000000000000000000000000000000"},
        {"01000000000000000000000000000000 00000000000000000000000000000000",
         "ffffffffffffffffffffffffffffffff f0ffffffffffffffffffffffffffffff 11000000000000000000000000000000",
         "05000000000000000000000000000000"},
        {"01000000000000000000000000000000 00000000000000000000000000000000",
         "ffffffffffffffffffffffffffffffff fbfefefefefefefefefefefefefefefe 01010101010101010101010101010101",
         "00000000000000000000000000000000"},
        {"02000000000000000000000000000000 00000000000000000000000000000000", "fdffffffffffffffffffffffffffffff",
         "faffffffffffffffffffffffffffffff"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint8_t key[32], message[64], wanted[16], tag[16];
        size_t len = hex(message, CASES[i][1]);
        lt_poly1305 poly;

        WHERE("Poly1305 A.3 case %u", (unsigned)i + 7);
        hex(key, CASES[i][0]);
        hex(wanted, CASES[i][2]);
        lt_poly1305_start(&poly, key);
        lt_poly1305_absorb(&poly, message, len);
        lt_poly1305_finish(&poly, tag);
        CHECK(memcmp(tag, wanted, 16) == 0);
        CHECK(all_bytes_are((const uint8_t *)&poly, sizeof poly, 0));
    }
}

/*
 * r = 1, s = 0. A block m adds 2^128 + m, so 8 k blocks add 8 k 2^128 = 10 k modulo p and the sum of the m. That is
 * made 2^130 - 4 - x by three blocks of ones, one that lacks x, and zeros: with x = 10 k + 1 - e the tag is that of p +
 * e.
 */
static void check_last_reduction(const hash *h) {
    for (unsigned k = 1; k <= 9; k++) {
        for (int e = -6; e <= 6; e++) {
            for (size_t first = 0; first + 4 <= 8 * k; first += 3) {
                uint8_t key[32] = {1}, wanted[16] = {0}, tag[16];
                lt_poly1305 poly;

                WHERE("Poly1305 %s, %u blocks, p %+d, ones from %u", h->name, 8 * k, e, (unsigned)first);
                memset(text, 0, sizeof text);
                memset(text + 16 * first, 0xff, 64);
                text[16 * first + 48] = (uint8_t)(0xff - (10 * (int)k + 1 - e));
                if (e < 0) { /* 2^130 - 5 + e without its two highest bits */
                    memset(wanted, 0xff, sizeof wanted);
                    wanted[0] = (uint8_t)(0x100 - 5 + e);
                } else {
                    wanted[0] = (uint8_t)e;
                }
                lt_poly1305_start(&poly, key);
                h->absorb(&poly, text, UNIT * (size_t)k);
                lt_poly1305_finish(&poly, tag);
                CHECK(memcmp(tag, wanted, sizeof tag) == 0);
            }
        }
    }
}

/* Bytes of numbers that are hard: all ones, next to a limb's end, sparse. */
static void fill_hard(uint8_t *out, size_t len, uint32_t seed) {
    static const uint8_t HARD[] = {0x00, 0xff, 0xfb, 0xfa, 0xfc, 0x01, 0x80, 0x7f, 0x03, 0x0f, 0xf0, 0xfe};

    fill(out, len, seed);
    if (seed % 4 == 0) {
        memset(out, HARD[seed / 4 % sizeof HARD], len);
    } else if (seed % 4 != 3) {
        for (size_t i = 0; i < len; i++) {
            out[i] = HARD[out[i] % (seed % 4 == 1 ? 2 : sizeof HARD)];
        }
    }
}

/* Any h to begin with, any length, and more behind it. */
static void check_hard_numbers(const hash *h) {
    for (uint32_t round = 0; round < 2400; round++) {
        size_t len = UNIT * (size_t)(1 + round % 19);
        size_t before = round % 7 * 8;
        uint8_t key[32], ahead[48], slow_tag[16], fast_tag[16];
        lt_poly1305 slow, fast;

        WHERE("Poly1305 %s, round %u, %u bytes", h->name, (unsigned)round, (unsigned)len);
        fill_hard(key, sizeof key, round / 3);
        fill_hard(ahead, sizeof ahead, round / 5);
        fill_hard(text, len + 33, round);
        lt_poly1305_start(&slow, key);
        lt_poly1305_absorb(&slow, ahead, before);
        fast = slow;
        lt_poly1305_absorb(&slow, text + 1, len);
        h->absorb(&fast, text + 1, len);
        CHECK(lt_poly1305_h(&fast, 2) <= 4);
        lt_poly1305_absorb(&slow, text + len, 33);
        lt_poly1305_absorb(&fast, text + len, 33);
        lt_poly1305_finish(&slow, slow_tag);
        lt_poly1305_finish(&fast, fast_tag);
        CHECK(memcmp(slow_tag, fast_tag, 16) == 0);
    }
}

int main(void) {
    check_ciphers();
    check_published();
    for (size_t i = 0; i < sizeof HASHES / sizeof HASHES[0]; i++) {
        if (lt_cpu_has(HASHES[i].features)) {
            check_last_reduction(&HASHES[i]);
            check_hard_numbers(&HASHES[i]);
        }
    }
    return check_result();
}
