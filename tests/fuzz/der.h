/* DER for the oracles: an encoder only. Whether bytes are DER is asked by encoding again what they seem to say. */
#ifndef LT_FUZZ_DER_H
#define LT_FUZZ_DER_H

#include "fuzz.h"

/* Written from its end to its start, so that every length is known when it is due. */
typedef struct {
    uint8_t bytes[2600];
    size_t start;
} encoding;

static inline void begin(encoding *out) {
    out->start = sizeof out->bytes;
}

static inline size_t encoded_len(const encoding *out) {
    return sizeof out->bytes - out->start;
}

static inline void prepend(encoding *out, const uint8_t *bytes, size_t len) {
    REQUIRE(out->start >= len);
    out->start -= len;
    if (len > 0) {
        memcpy(out->bytes + out->start, bytes, len);
    }
}

static inline void prepend_byte(encoding *out, size_t byte) {
    const uint8_t b = (uint8_t)byte;

    prepend(out, &b, 1);
}

/* Tag and length of contents that are `len` bytes, in the fewest bytes. */
static inline void prepend_header(encoding *out, uint8_t tag, size_t len) {
    size_t more = 0;

    if (len < 0x80) {
        prepend_byte(out, len);
    } else {
        for (; len > 0; len >>= 8, more++) {
            prepend_byte(out, len & 0xff);
        }
        prepend_byte(out, 0x80 + more);
    }
    prepend_byte(out, tag);
}

/* INTEGER of a big endian magnitude that may begin with zeros; `excess` more zeros than DER has. */
static inline void prepend_integer(encoding *out, const uint8_t *magnitude, size_t len, size_t excess) {
    const size_t before = encoded_len(out);

    while (len > 0 && magnitude[0] == 0) {
        magnitude++;
        len--;
    }
    prepend(out, magnitude, len);
    if (len == 0 || magnitude[0] >= 0x80) {
        prepend_byte(out, 0);
    }
    for (; excess > 0; excess--) {
        prepend_byte(out, 0);
    }
    prepend_header(out, 0x02, encoded_len(out) - before);
}

static inline void encode_ecdsa(encoding *out, const uint8_t *r, const uint8_t *s, size_t len) {
    begin(out);
    prepend_integer(out, s, len, 0);
    prepend_integer(out, r, len, 0);
    prepend_header(out, 0x30, encoded_len(out));
}

static inline int is_encoding(const encoding *of, const uint8_t *bytes, size_t len) {
    return len == encoded_len(of) && memcmp(of->bytes + of->start, bytes, len) == 0;
}

/*
 * What BER of a tag, a length in any form and contents seems to say; 0 if it does not fit into `from`. Lenient on
 * purpose: the verdict comes from encoding again.
 */
static inline int guess(source *from, source *contents) {
    size_t len;

    (void)take(from);
    len = take(from);
    if (len >= 0x80) {
        size_t more = len & 0x7f;

        for (len = 0; more > 0 && len <= from->left; more--) {
            len = len << 8 | take(from);
        }
    }
    if (len > from->left) {
        return 0;
    }
    contents->at = from->at;
    contents->left = len;
    from->at += len;
    from->left -= len;
    return 1;
}

/* A guessed number, right-aligned in `len` bytes; 0 if it is longer. */
static inline int guess_number(source *from, uint8_t *out, size_t len) {
    source contents;

    if (!guess(from, &contents)) {
        return 0;
    }
    for (; contents.left > len; contents.at++, contents.left--) {
        if (contents.at[0] != 0) {
            return 0;
        }
    }
    memset(out, 0, len - contents.left);
    if (contents.left > 0) {
        memcpy(out + len - contents.left, contents.at, contents.left);
    }
    return 1;
}

#endif
