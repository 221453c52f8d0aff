/*
 * Signatures under fixed good keys. Input: [key] [scheme] [mask] [form] [length of the message] message signature.
 *
 *   form 0   the signature is taken as it is
 *   form 1   ECDSA: r and s, each as long as n, which are encoded here, so that mutations meet numbers instead of DER
 *
 * What must hold: every implementation says the same; only one encoding of two numbers in [1, n - 1] is accepted, only
 * one of an RSA signature; and what is accepted in (r, s) is accepted in (r, n - s).
 *
 * -DLT_PLANTED_TRAILER drops the byte behind the outer SEQUENCE, as a lenient reader would: the fuzzer must notice.
 */
#include "der.h"
#include "keys.h"
#include "numbers.h"

#define RSA_PKCS1 0x01
#define ECDSA     0x03

static const uint32_t SCHEMES[] = {0x0201, 0x0401, 0x0501, 0x0601, 0x0203, 0x0403,
                                   0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807};

static const struct {
    const char *hex;
    const curve *curve; /* NULL: RSA */
    size_t len;         /* of the modulus */
} keys[] = {{P256, &p256, 0}, {P384, &p384, 0}, {RSA_1024, NULL, 128}, {RSA_1025, NULL, 129}, {RSA_2048, NULL, 256}};

/* One question to the core: everything but the signature. */
typedef struct {
    uint8_t spki[600];
    size_t spki_len;
    uint32_t scheme;
    uint32_t mask;
    const uint8_t *message;
    size_t message_len;
} question;

/* The same under a prepared key, where there is one; it is kept for the next question. */
static void check_prepared(const question *q, const uint8_t *signature, size_t len, const uint8_t *message,
                           int status) {
    static lt_public_key prepared;
    static uint8_t spki[sizeof q->spki];
    static size_t spki_len;

    if (q->spki_len != spki_len || memcmp(spki, q->spki, spki_len) != 0) {
        if (lt_public_key_set_vartime(&prepared, q->spki, q->spki_len) != LT_OK) {
            spki_len = 0;
            return;
        }
        spki_len = q->spki_len;
        memcpy(spki, q->spki, spki_len);
    }
    REQUIRE(lt_public_key_verify_vartime(&prepared, q->scheme, signature, len, message, q->message_len) == status);
}

static int ask_under(uint32_t mask, const question *q, const uint8_t *signature, size_t len) {
    uint8_t *const held = copy_of(signature, len), *const message = copy_of(q->message, q->message_len);
    uint8_t *const spki = copy_of(q->spki, q->spki_len);
    int status;

#ifdef LT_PLANTED_TRAILER
    if (len > 2 && held[0] == 0x30 && held[1] == len - 3) {
        len--;
    }
#endif
    lt_cpu_restrict(mask);
    status = lt_verify_vartime(q->scheme, spki, q->spki_len, held, len, message, q->message_len);
    check_prepared(q, held, len, message, status);
    free(held);
    free(message);
    free(spki);
    return status;
}

static int ask(const question *q, const uint8_t *signature, size_t len) {
    const int status = ask_under(q->mask, q, signature, len);

    REQUIRE(ask_under(0, q, signature, len) == status);
    return status;
}

static void refused(const question *q, const encoding *e) {
    REQUIRE(ask(q, e->bytes + e->start, encoded_len(e)) == LT_ERR_AUTH);
}

/* What a lenient reader would take for the accepted signature (r, s). */
static void check_neighbours(const question *q, const curve *c, const uint8_t *r, const uint8_t *s) {
    uint8_t other[NUMBER_MAX + 1] = {0};
    encoding e;

    subtract(other, c->n, s, c->len);
    encode_ecdsa(&e, r, other, c->len);
    REQUIRE(ask(q, e.bytes + e.start, encoded_len(&e)) == LT_OK);

    for (size_t excess = 0; excess < 4; excess++) { /* a zero too many in r, in s, in both; a long length */
        begin(&e);
        prepend_integer(&e, s, c->len, excess & 1);
        prepend_integer(&e, r, c->len, excess >> 1);
        if (excess == 0) {
            const size_t len = encoded_len(&e);

            if (len >= 0x80) {
                prepend_byte(&e, len);
                prepend_byte(&e, 0);
                prepend_byte(&e, 0x82);
            } else {
                prepend_byte(&e, len);
                prepend_byte(&e, 0x81);
            }
            prepend_byte(&e, 0x30);
        } else {
            prepend_header(&e, 0x30, encoded_len(&e));
        }
        refused(q, &e);
    }
    begin(&e);
    prepend_byte(&e, 0); /* behind everything */
    prepend_integer(&e, s, c->len, 0);
    prepend_integer(&e, r, c->len, 0);
    prepend_header(&e, 0x30, encoded_len(&e) - 1);
    refused(q, &e);
    begin(&e);
    prepend_byte(&e, 0); /* behind s, inside */
    prepend_integer(&e, s, c->len, 0);
    prepend_integer(&e, r, c->len, 0);
    prepend_header(&e, 0x30, encoded_len(&e));
    refused(q, &e);
    other[0] = (uint8_t)add(other + 1, s, c->n, c->len); /* s + n, which is s modulo n */
    begin(&e);
    prepend_integer(&e, other, c->len + 1, 0);
    prepend_integer(&e, r, c->len, 0);
    prepend_header(&e, 0x30, encoded_len(&e));
    refused(q, &e);
}

static void check_ecdsa(const question *q, const curve *c, const uint8_t *signature, size_t len) {
    uint8_t r[NUMBER_MAX], s[NUMBER_MAX];
    source all = {signature, len}, numbers;
    encoding e;
    const int status = ask(q, signature, len);
    int right = guess(&all, &numbers) && guess_number(&numbers, r, c->len) && guess_number(&numbers, s, c->len);

    if (right) {
        encode_ecdsa(&e, r, s, c->len);
        right = is_encoding(&e, signature, len) && is_scalar(c, r) && is_scalar(c, s);
    }
    REQUIRE(status == LT_ERR_AUTH || (status == LT_OK && right));
    if (status == LT_OK) {
        check_neighbours(q, c, r, s);
    }
}

static void check_rsa(question *q, const uint8_t *modulus, size_t modulus_len, const uint8_t *signature, size_t len) {
    const int status = ask(q, signature, len);
    uint8_t wide[257] = {0};

    REQUIRE(status == LT_ERR_AUTH || (status == LT_OK && len == modulus_len && memcmp(signature, modulus, len) < 0));
    if (status != LT_OK) {
        return;
    }
    memcpy(wide + 1, signature, len);
    REQUIRE(ask(q, wide, len + 1) == LT_ERR_AUTH);
    REQUIRE(ask(q, wide + 1, len - 1) == LT_ERR_AUTH);
    wide[0] = (uint8_t)add(wide + 1, signature, modulus, len); /* the same number modulo n */
    REQUIRE(ask(q, wide + (wide[0] == 0), len + (wide[0] != 0)) == LT_ERR_AUTH);
    subtract(wide, modulus, signature, len); /* an odd exponent: the negative of the message */
    REQUIRE(ask(q, wide, len) == LT_ERR_AUTH);
    q->scheme = q->scheme >> 8 == 8 ? (q->scheme & 0xff) << 8 | RSA_PKCS1 : 0x0800 | (q->scheme >> 8);
    REQUIRE(ask(q, signature, len) != LT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    source in = {data, len};
    static int ready;
    question q;
    size_t key, form;
    int is_ecdsa;
    uint8_t s[NUMBER_MAX], r[NUMBER_MAX];

    if (!ready) {
        set_curves();
        ready = 1;
    }
    key = take(&in) % COUNT(keys);
    q.scheme = SCHEMES[take(&in) % COUNT(SCHEMES)];
    q.mask = take_mask(&in);
    form = take(&in);
    q.message_len = take(&in);
    q.message_len = q.message_len < in.left ? q.message_len : in.left;
    q.message = in.at;
    in.at += q.message_len;
    in.left -= q.message_len;
    q.spki_len = strlen(keys[key].hex) / 2;
    read_hex(q.spki, q.spki_len, keys[key].hex);
    is_ecdsa = (q.scheme & 0xff) == ECDSA && q.scheme >> 8 != 8;
    if (is_ecdsa != (keys[key].curve != NULL) || q.scheme == 0x0807) {
        REQUIRE(ask(&q, in.at, in.left) == LT_ERR_UNSUPPORTED);
    } else if (!is_ecdsa) {
        /* the modulus; behind it 02 03 01 00 01, the exponent */
        check_rsa(&q, q.spki + q.spki_len - 5 - keys[key].len, keys[key].len, in.at, in.left);
    } else if (form % 2 == 0) {
        check_ecdsa(&q, keys[key].curve, in.at, in.left);
    } else {
        encoding e;

        take_bytes(&in, r, keys[key].curve->len);
        take_bytes(&in, s, keys[key].curve->len);
        encode_ecdsa(&e, r, s, keys[key].curve->len);
        check_ecdsa(&q, keys[key].curve, e.bytes + e.start, encoded_len(&e));
    }
    return 0;
}
