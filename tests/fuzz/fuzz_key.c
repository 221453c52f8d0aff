/*
 * Public keys from outside. Input: [what] [mask], then
 *
 *   what 0         a SubjectPublicKeyInfo: [scheme] SPKI. It verifies a signature that is well formed and wrong, so
 *                  that the verdict is the key's. What must hold: a key is taken if and only if this file's own encoder
 *                  makes the same bytes of the numbers in it, and, EC, these are a point by this folder's arithmetic.
 *   what 1, 2, 3   the peer's share on x25519, P-256, P-384: [form] scalar peer. Form 0: peer is taken as it is;
 *                  1: peer is a scalar, and its public key is used; 2: the same, then edits of [position] [exclusive
 *                  or]. What must hold: EC shares are taken if and only if they are points; both sides derive the same
 *                  secret; (x, -y) gives the secret of (x, y); u and u + p give the same, and so do both top bits.
 *
 * Every implementation says and derives the same. -DLT_PLANTED_POINT takes the last byte of P-256 shares for that of
 * the next smaller number if it is odd: the fuzzer must notice.
 */
#include "der.h"
#include "keys.h"
#include "numbers.h"

static int ready;

/* ---- SubjectPublicKeyInfo ------------------------------------------------------------------------------- */

static const uint32_t SCHEMES[] = {0x0201, 0x0401, 0x0501, 0x0601, 0x0203, 0x0403,
                                   0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807};

static const char P256_HEAD[] = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
static const char P384_HEAD[] = "3076301006072a8648ce3d020106052b81040022036200";
static const uint8_t RSA_ALGORITHM[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

static int is_ec_key(const curve *c, const char *head_hex, const uint8_t *spki, size_t len) {
    const size_t head_len = strlen(head_hex) / 2;
    uint8_t head[32];

    read_hex(head, head_len, head_hex);
    return len > head_len && memcmp(spki, head, head_len) == 0 && is_point(c, spki + head_len, len - head_len);
}

typedef enum { NO_RSA_KEY, RSA_KEY, EVEN_RSA_KEY } rsa_verdict;

static rsa_verdict judge_rsa_key(const uint8_t *spki, size_t len) {
    uint8_t n[1024], e[4];
    source all = {spki, len}, info, algorithm, bits, numbers;
    encoding again;
    size_t top = 0;

    if (!guess(&all, &info) || !guess(&info, &algorithm) || !guess(&info, &bits) || bits.left == 0) {
        return NO_RSA_KEY;
    }
    (void)take(&bits);
    if (!guess(&bits, &numbers) || !guess_number(&numbers, n, sizeof n) || !guess_number(&numbers, e, sizeof e)) {
        return NO_RSA_KEY;
    }
    begin(&again);
    prepend_integer(&again, e, sizeof e, 0);
    prepend_integer(&again, n, sizeof n, 0);
    prepend_header(&again, 0x30, encoded_len(&again));
    prepend_byte(&again, 0);
    prepend_header(&again, 0x03, encoded_len(&again));
    prepend(&again, RSA_ALGORITHM, sizeof RSA_ALGORITHM);
    prepend_header(&again, 0x30, encoded_len(&again));
    while (top < sizeof n && n[top] == 0) {
        top++;
    }
    if (!is_encoding(&again, spki, len) || sizeof n - top < 128 || (sizeof n - top == 128 && n[top] < 0x80) ||
        e[3] % 2 == 0 || (e[3] == 1 && all_are(e, 3, 0))) {
        return NO_RSA_KEY;
    }
    return n[sizeof n - 1] % 2 == 0 ? EVEN_RSA_KEY : RSA_KEY;
}

static void check_spki(source *in, uint32_t mask) {
    static const uint8_t one_and_one[] = {0x30, 6, 2, 1, 1, 2, 1, 1}, message[] = {'m'};
    const uint32_t scheme = SCHEMES[take(in) % COUNT(SCHEMES)];
    const int is_ecdsa = (scheme & 0xff) == 3 && scheme >> 8 != 8;
    const size_t len = in->left;
    uint8_t *const spki = copy_of(in->at, len);
    int status, on_curve, taken;
    rsa_verdict rsa;

    lt_cpu_restrict(mask);
    status = lt_verify_vartime(scheme, spki, len, one_and_one, sizeof one_and_one, message, 1);
    lt_cpu_restrict(0);
    REQUIRE(lt_verify_vartime(scheme, spki, len, one_and_one, sizeof one_and_one, message, 1) == status);

    on_curve = is_ec_key(&p256, P256_HEAD, spki, len) || is_ec_key(&p384, P384_HEAD, spki, len);
    rsa = judge_rsa_key(spki, len);
    taken = scheme != 0x0807 && (is_ecdsa ? on_curve : rsa != NO_RSA_KEY);
    REQUIRE(status == (taken ? LT_ERR_AUTH : LT_ERR_KEY) || (!taken && status == LT_ERR_UNSUPPORTED));
    if (rsa == RSA_KEY && taken) { /* such a signature opens to nothing, but goes all the way there */
        uint8_t *const zeros = allocate(len);

        memset(zeros, 0, len);
        for (size_t n = 128; n <= 1024; n++) {
            if (n < len && len - n <= 50) {
                REQUIRE(lt_verify_vartime(scheme, spki, len, zeros, n, message, 1) == LT_ERR_AUTH);
            }
        }
        free(zeros);
    }
    free(spki);
}

/* ---- Shares of the peer ----------------------------------------------------------------------------------- */

typedef struct {
    uint32_t group;
    size_t scalar_len;
    size_t public_len;
    const curve *curve; /* NULL: x25519 */
} group_shape;

static const group_shape GROUPS[] = {
    {LT_X25519, 32, 32, NULL},
    {LT_SECP256R1, 32, 65, &p256},
#ifdef LT_SECP384R1
    {LT_SECP384R1, 48, 97, &p384},
#endif
};

#define PUBLIC_MAX 97

/* A key pair; 0 if the scalar is none. */
static int generate(lt_key_share *share, uint8_t *public_key, const group_shape *g, const uint8_t *scalar) {
    uint8_t *const random = copy_of(scalar, g->scalar_len), *const held = allocate(g->public_len);
    const int status = lt_key_share_generate(share, held, g->public_len, g->group, random, g->scalar_len);

    REQUIRE(all_are(random, g->scalar_len, 0));
    if (g->curve == NULL || is_scalar(g->curve, scalar)) {
        REQUIRE(status == (int)g->public_len);
        REQUIRE(g->curve == NULL || is_point(g->curve, held, g->public_len));
        memcpy(public_key, held, g->public_len);
    } else {
        REQUIRE(status == LT_ERR_SCALAR);
        REQUIRE(all_are((const uint8_t *)share, sizeof *share, 0));
    }
    free(random);
    free(held);
    return status > 0;
}

/* The secret with one peer under one mask: its length, or LT_ERR_POINT. */
static int derive(uint8_t *secret, const group_shape *g, uint32_t mask, const uint8_t *scalar, const uint8_t *peer,
                  size_t peer_len) {
    uint8_t *const held = copy_of(peer, peer_len);
    uint8_t public_key[PUBLIC_MAX];
    lt_key_share share;
    lt_premaster premaster;
    int status;

    lt_cpu_restrict(mask);
    REQUIRE(generate(&share, public_key, g, scalar));
#ifdef LT_PLANTED_POINT
    if (g->group == LT_SECP256R1 && peer_len == g->public_len) {
        held[64] &= 0xfe;
    }
#endif
    status = lt_key_share_derive(&share, &premaster, held, peer_len);
    REQUIRE(all_are((const uint8_t *)&share, sizeof share, 0));
    if (status == LT_OK) {
        status = lt_test_premaster_get(&premaster, secret);
        REQUIRE(status == (g->curve == NULL ? 32 : (int)g->curve->len));
    } else {
        REQUIRE(status == LT_ERR_POINT && all_are((const uint8_t *)&premaster, sizeof premaster, 0));
    }
    free(held);
    return status;
}

/* `peer` has its right length and gave `secret` or was refused; other forms of it must do the same. */
static void check_other_forms(const group_shape *g, uint32_t mask, const uint8_t *scalar, const uint8_t *peer,
                              int status, const uint8_t *secret) {
    uint8_t other[PUBLIC_MAX], again[LT_PREMASTER_MAX];

    memcpy(other, peer, g->public_len);
    if (g->curve != NULL) {
        if (status > 0) {
            subtract(other + 1 + g->curve->len, g->curve->p, peer + 1 + g->curve->len, g->curve->len);
            REQUIRE(derive(again, g, mask, scalar, other, g->public_len) == status);
            REQUIRE(memcmp(again, secret, (size_t)status) == 0);
        }
        return;
    }
    other[31] ^= 0x80;
    REQUIRE(derive(again, g, mask, scalar, other, 32) == status && (status < 0 || memcmp(again, secret, 32) == 0));
    if (peer[0] < 19 && all_are(peer + 1, 30, 0) && (peer[31] & 0x7f) == 0) { /* u + 2^255 - 19 fits */
        memset(other, 0xff, 32);
        other[0] = (uint8_t)(peer[0] + 0xed);
        REQUIRE(derive(again, g, mask, scalar, other, 32) == status && (status < 0 || memcmp(again, secret, 32) == 0));
    }
}

static void check_peer(source *in, const group_shape *g, uint32_t mask) {
    const unsigned form = take(in) % 3;
    uint8_t scalar[48], other_scalar[48], peer[PUBLIC_MAX], ours[PUBLIC_MAX];
    uint8_t secret[LT_PREMASTER_MAX], again[LT_PREMASTER_MAX];
    size_t peer_len = g->public_len;
    lt_key_share share;
    int status;

    take_bytes(in, scalar, g->scalar_len);
    lt_cpu_restrict(mask);
    if (!generate(&share, ours, g, scalar)) {
        return;
    }
    if (form == 0) {
        peer_len = in->left < sizeof peer ? in->left : sizeof peer;
        take_bytes(in, peer, peer_len);
    } else {
        take_bytes(in, other_scalar, g->scalar_len);
        if (!generate(&share, peer, g, other_scalar)) {
            return;
        }
        while (form == 2 && in->left > 0) {
            const size_t position = take(in) % peer_len;

            peer[position] ^= take(in);
        }
    }
    status = derive(secret, g, mask, scalar, peer, peer_len);
    if (g->curve != NULL) {
        REQUIRE((status > 0) == is_point(g->curve, peer, peer_len));
    } else {
        REQUIRE(peer_len == 32 || status == LT_ERR_POINT);
        REQUIRE(status < 0 || !all_are(secret, 32, 0));
    }
    REQUIRE(derive(again, g, 0, scalar, peer, peer_len) == status);
    REQUIRE(status < 0 || memcmp(again, secret, (size_t)status) == 0);
    if (peer_len == g->public_len) {
        check_other_forms(g, mask, scalar, peer, status, secret);
    }
    if (form == 1) {
        REQUIRE(derive(again, g, mask, other_scalar, ours, g->public_len) == status);
        REQUIRE(status > 0 && memcmp(again, secret, (size_t)status) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    source in = {data, len};
    size_t what;
    uint32_t mask;

    if (!ready) {
        set_curves();
        ready = 1;
    }
    what = take(&in) % 4;
    mask = take_mask(&in);
    if (what == 0) {
        check_spki(&in, mask);
    } else if (what <= COUNT(GROUPS)) {
        check_peer(&in, &GROUPS[what - 1], mask);
    }
    return 0;
}
