/* Signature verification from public key, signature and message as certificates and handshakes carry them. */
#include "vartime.h"

#define SEQUENCE   0x30
#define BIT_STRING 0x03
#define OBJECT_ID  0x06

#define KEY_SET LT_P256_MULTIPLES_WORDS /* this word of an lt_public_key is 1 once it holds the multiples before it */

LT_STATIC_ASSERT(public_key_holds_multiples, sizeof(lt_public_key) == 8 * (KEY_SET + 1));

#define RSA_PKCS1 1
#define RSA_PSS   2
#define ECDSA     3

static const uint8_t rsa_encryption[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                         0x0d, 0x01, 0x01, 0x01};                     /* 1.2.840.113549.1.1.1 */
static const uint8_t id_ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}; /* 1.2.840.10045.2.1 */
static const uint8_t secp256r1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};  /* 1.2.840.10045.3.1.7 */
static const uint8_t secp384r1[] = {0x2b, 0x81, 0x04, 0x00, 0x22};                    /* 1.3.132.0.34 */

typedef enum { KEY_NONE, KEY_OTHER, KEY_RSA, KEY_P256, KEY_P384 } key_kind;

static int is(lt_der contents, const uint8_t *bytes, size_t len) {
    return contents.left == len && lt_equal(contents.at, bytes, len);
}

/* RFC 5280 section 4.1.2.7 with RFC 3279 section 2.3: NULL parameters for RSA, a named curve for EC. */
static key_kind read_spki(lt_der *key, lt_der spki) {
    lt_der info, algorithm, oid, parameters;

    if (!lt_der_take_vartime(&spki, SEQUENCE, &info) || spki.left != 0 ||
        !lt_der_take_vartime(&info, SEQUENCE, &algorithm) || !lt_der_take_vartime(&info, BIT_STRING, key) ||
        info.left != 0 || key->left == 0 || key->at[0] != 0 || !lt_der_take_vartime(&algorithm, OBJECT_ID, &oid)) {
        return KEY_NONE;
    }
    key->at++; /* the number of bits left over, 0 */
    key->left--;
    if (is(oid, rsa_encryption, sizeof rsa_encryption)) {
        static const uint8_t null[] = {0x05, 0x00};

        return is(algorithm, null, sizeof null) ? KEY_RSA : KEY_NONE;
    }
    if (!is(oid, id_ec_public_key, sizeof id_ec_public_key)) {
        return KEY_OTHER;
    }
    if (!lt_der_take_vartime(&algorithm, OBJECT_ID, &parameters) || algorithm.left != 0) {
        return KEY_NONE;
    }
    if (is(parameters, secp256r1, sizeof secp256r1)) {
        return KEY_P256;
    }
    return is(parameters, secp384r1, sizeof secp384r1) ? KEY_P384 : KEY_OTHER;
}

/* What a SignatureScheme of RFC 8446 section 4.2.3 stands for; 0: none of ours. */
static int read_scheme(uint32_t *hash, uint32_t scheme) {
    switch (scheme) {
    case 0x0201:
    case 0x0401:
    case 0x0501:
    case 0x0601:
        *hash = scheme >> 8; /* RFC 5246 section 7.4.1.4.1: hash, then signature algorithm */
        return RSA_PKCS1;
    case 0x0203:
    case 0x0403:
    case 0x0503:
    case 0x0603:
        *hash = scheme >> 8;
        return ECDSA;
    case 0x0804:
    case 0x0805:
    case 0x0806:
        *hash = scheme & 0xff;
        return RSA_PSS;
    default:
        return 0;
    }
}

static size_t hash_message(uint8_t digest[LT_HASH_MAX], uint32_t hash, const uint8_t *message, size_t message_len) {
    lt_hash_state state;

    if (hash == LT_SHA1) {
        lt_sha1(digest, message, message_len);
        return LT_SHA1_LEN;
    }
    lt_hash_begin(&state, hash);
    lt_hash_update(&state, message, message_len);
    lt_hash_end(&state, digest);
    return lt_hash_len(hash);
}

/* see lighttls.h */
int lt_verify_vartime(uint32_t scheme, const uint8_t *spki, size_t spki_len, const uint8_t *signature,
                      size_t signature_len, const uint8_t *message, size_t message_len) {
    const lt_der spki_der = {spki, spki_len}, signature_der = {signature, signature_len};
    uint8_t digest[LT_HASH_MAX];
    uint32_t hash = 0;
    const int kind = read_scheme(&hash, scheme);
    lt_der key;
    const key_kind key_is = read_spki(&key, spki_der);
    size_t digest_len;

    if (kind == 0) {
        return LT_ERR_UNSUPPORTED;
    }
    if (key_is == KEY_NONE) {
        return LT_ERR_KEY;
    }
    if (key_is == KEY_OTHER || (kind == ECDSA) != (key_is != KEY_RSA)) {
        return LT_ERR_UNSUPPORTED;
    }
    digest_len = hash_message(digest, hash, message, message_len);
    if (key_is == KEY_P256) {
        return lt_ecdsa_p256_vartime(key, signature_der, digest, digest_len);
    }
    if (key_is == KEY_P384) {
        return lt_ecdsa_p384_vartime(key, signature_der, digest, digest_len);
    }
    return lt_rsa_vartime(key, signature_der, kind == RSA_PSS, hash, digest, digest_len);
}

/* see lighttls.h */
int lt_public_key_set_vartime(lt_public_key *key, const uint8_t *spki, size_t spki_len) {
    const lt_der spki_der = {spki, spki_len};
    lt_der point;
    int status = LT_ERR_UNSUPPORTED;

    switch (read_spki(&point, spki_der)) {
    case KEY_NONE:
        status = LT_ERR_KEY;
        break;
    case KEY_P256:
        status = lt_ecdsa_p256_prepare_vartime(key->opaque, point);
        break;
    case KEY_OTHER:
    case KEY_RSA:
    case KEY_P384:
        break;
    }
    key->opaque[KEY_SET] = status == LT_OK;
    return status;
}

/* see lighttls.h */
int lt_public_key_verify_vartime(const lt_public_key *key, uint32_t scheme, const uint8_t *signature,
                                 size_t signature_len, const uint8_t *message, size_t message_len) {
    const lt_der signature_der = {signature, signature_len};
    uint8_t digest[LT_HASH_MAX];
    uint32_t hash = 0;

    if (key->opaque[KEY_SET] == 0) {
        return LT_ERR_ARGUMENT;
    }
    if (read_scheme(&hash, scheme) != ECDSA) {
        return LT_ERR_UNSUPPORTED;
    }
    return lt_ecdsa_p256_prepared_vartime(key->opaque, signature_der, digest,
                                          hash_message(digest, hash, message, message_len));
}
