/*
 * What RSA signatures encode, apart from the arithmetic that leads there, which no mutation gets through. Input:
 * [PSS?] [hash] [bits of the modulus: two bytes, less 1024] [form] digest, then
 *
 *   form 0   an encoded message, as long as the modulus
 *   form 1   PSS: a salt, then edits of [position: two bytes] [exclusive or] to what it encodes to
 *
 * What must hold: accepted is exactly what this file's own encoder makes of the digest (and, PSS, of the salt that is
 * found inside).
 *
 * -DLT_PLANTED_PADDING overlooks one byte of the padding: the fuzzer must notice.
 */
#define lt_rsa_vartime lt_rsa_vartime_here /* the library has it too */
#include "rsa_vartime.c"
#undef lt_rsa_vartime

#include "fuzz.h"

#define LEN_MAX 300

/* RFC 8017 section 9.2 notes 1: the DER in front of the digest, with NULL. */
static const uint8_t SHA1_INFO[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                    0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
static const uint8_t SHA2_INFO[] = {0x30, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                    0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00, 0x04, 0x00};

static size_t hash_len(uint32_t hash) {
    return hash == LT_SHA1 ? 20 : hash == 4 ? 32 : hash == 5 ? 48 : 64;
}

/* Returns 0 if the modulus is too short. */
static int model_pkcs1(uint8_t *out, size_t len, uint32_t hash, const uint8_t *digest, int with_null) {
    uint8_t info[sizeof SHA2_INFO];
    size_t info_len = hash == LT_SHA1 ? sizeof SHA1_INFO : sizeof SHA2_INFO;

    memcpy(info, hash == LT_SHA1 ? SHA1_INFO : SHA2_INFO, info_len);
    info[info_len - 1] = (uint8_t)hash_len(hash);
    if (hash != LT_SHA1) {
        info[1] = (uint8_t)(0x11 + hash_len(hash));
        info[14] = (uint8_t)(hash - 3);
    }
    if (!with_null) {
        memmove(info + info_len - 4, info + info_len - 2, 2);
        info_len -= 2;
        info[1] = (uint8_t)(info[1] - 2);
        info[3] = (uint8_t)(info[3] - 2);
    }
    if (len < 11 + info_len + hash_len(hash)) {
        return 0;
    }
    memset(out, 0xff, len);
    out[0] = 0;
    out[1] = 1;
    out[len - hash_len(hash) - info_len - 1] = 0;
    memcpy(out + len - hash_len(hash) - info_len, info, info_len);
    memcpy(out + len - hash_len(hash), digest, hash_len(hash));
    return 1;
}

/* out = MGF1(seed), `seed` being one digest. */
static void model_mask(uint8_t *out, size_t len, uint32_t hash, const uint8_t *seed) {
    uint8_t block[LT_HASH_MAX], input[LT_HASH_MAX + 4] = {0};
    const size_t size = hash_len(hash);

    memcpy(input, seed, size);
    for (size_t at = 0; at < len; at += size, input[size + 3]++) {
        REQUIRE(lt_hash(block, hash, input, size + 4) == (int)size);
        memcpy(out + at, block, len - at < size ? len - at : size);
    }
}

/* RFC 8017 section 9.1.1, right-aligned in `len` bytes. Returns 0 if the modulus is too short. */
static int model_pss(uint8_t *out, size_t len, size_t bits, uint32_t hash, const uint8_t *digest, const uint8_t *salt) {
    uint8_t input[8 + 2 * LT_HASH_MAX] = {0}, mask[LEN_MAX];
    const size_t size = hash_len(hash), em_len = (bits + 6) / 8;
    uint8_t *const em = out + len - em_len;
    const size_t db_len = em_len - size - 1;

    if (em_len < 2 * size + 2) {
        return 0;
    }
    memset(out, 0, len);
    memcpy(input + 8, digest, size);
    memcpy(input + 8 + size, salt, size);
    REQUIRE(lt_hash(em + db_len, hash, input, 8 + 2 * size) == (int)size);
    em[em_len - 1] = 0xbc;
    em[db_len - size - 1] = 1;
    memcpy(em + db_len - size, salt, size);
    model_mask(mask, db_len, hash, em + db_len);
    for (size_t i = 0; i < db_len; i++) {
        em[i] ^= mask[i];
    }
    em[0] &= (uint8_t)(0xffu >> (8 * em_len - (bits - 1)));
    return 1;
}

static int model_accepts(int pss, const uint8_t *encoded, size_t len, size_t bits, uint32_t hash,
                         const uint8_t *digest) {
    const size_t size = hash_len(hash), em_len = (bits + 6) / 8;
    uint8_t expected[LEN_MAX], mask[LEN_MAX], salt[LT_HASH_MAX];

    if (!pss) {
        return (model_pkcs1(expected, len, hash, digest, 1) && memcmp(expected, encoded, len) == 0) ||
               (model_pkcs1(expected, len, hash, digest, 0) && memcmp(expected, encoded, len) == 0);
    }
    if (em_len < 2 * size + 2) {
        return 0;
    }
    model_mask(mask, em_len - size - 1, hash, encoded + len - 1 - size);
    for (size_t i = 0; i < size; i++) {
        salt[i] = encoded[len - 1 - 2 * size + i] ^ mask[em_len - size - 1 - size + i];
    }
    return model_pss(expected, len, bits, hash, digest, salt) && memcmp(expected, encoded, len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    source in = {data, len};
    const int pss = take(&in) % 2;
    const uint32_t hash = (const uint32_t[]){4, 5, 6, LT_SHA1}[take(&in) % (pss ? 3 : 4)];
    const size_t bits = 1024 + take16(&in) % 1200, bytes = (bits + 7) / 8;
    const int form = take(&in) % 2;
    uint8_t digest[LT_HASH_MAX], salt[LT_HASH_MAX];
    uint8_t *const encoded = allocate(bytes);
    int expected, accepted;

    memset(encoded, 0, bytes);
    take_bytes(&in, digest, hash_len(hash));
    if (form == 0) {
        take_bytes(&in, encoded, bytes);
    } else {
        take_bytes(&in, salt, hash_len(hash));
        if (pss) {
            (void)model_pss(encoded, bytes, bits, hash, digest, salt);
        } else {
            (void)model_pkcs1(encoded, bytes, hash, digest, salt[0] & 1);
        }
        while (in.left > 0) {
            const size_t position = take16(&in) % bytes;

            encoded[position] ^= take(&in);
        }
    }
    expected = model_accepts(pss, encoded, bytes, bits, hash, digest);
#ifdef LT_PLANTED_PADDING
    encoded[9] = pss ? encoded[9] : 0xff;
#endif
    if (pss) {
        accepted = is_pss(encoded, bytes, bits, hash, digest, hash_len(hash));
    } else {
        accepted = is_pkcs1(encoded, bytes, hash, digest, hash_len(hash));
    }
    REQUIRE(!accepted == !expected);
    free(encoded);
    return 0;
}
