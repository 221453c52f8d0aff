/* The hashes around their block functions: buffering, padding, choice of implementation. FIPS 180-4 section 5. */
#include "inner.h"

static const uint32_t sha256_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint64_t sha384_start[8] = {
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};

static const uint64_t sha512_start[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* see inner.h */
size_t lt_hash_len(uint32_t algorithm) {
    switch (algorithm) {
    case LT_SHA256:
        return 32;
    case LT_SHA384:
        return 48;
    case LT_SHA512:
        return 64;
    default:
        return 0;
    }
}

/* see inner.h */
size_t lt_hash_block_len(uint32_t algorithm) {
    return algorithm == LT_SHA256 ? 64 : 128;
}

/* see inner.h */
void lt_hash_begin(lt_hash_state *hash, uint32_t algorithm) {
    hash->algorithm = algorithm;
    hash->length = 0;
    for (size_t i = 0; i < 8; i++) {
        if (algorithm == LT_SHA256) {
            hash->words.u32[i] = sha256_start[i];
        } else {
            hash->words.u64[i] = algorithm == LT_SHA384 ? sha384_start[i] : sha512_start[i];
        }
    }
}

static void compress(lt_hash_state *hash, const uint8_t *in, size_t blocks) {
    if (hash->algorithm != LT_SHA256) {
#if LT_X86_64
        if (lt_cpu_has(LT_CPU_AVX2 | LT_CPU_BMI2_ADX)) {
            lt_sha512_blocks_avx2(hash->words.u64, in, blocks);
            return;
        }
#endif
        lt_sha512_blocks(hash->words.u64, in, blocks);
        return;
    }
#if LT_X86_64
    if (lt_cpu_has(LT_CPU_SHANI)) {
        lt_sha256_blocks_ni(hash->words.u32, in, blocks);
        return;
    }
    if (lt_cpu_has(LT_CPU_AVX2 | LT_CPU_BMI2_ADX)) {
        lt_sha256_blocks_avx2(hash->words.u32, in, blocks);
        return;
    }
#endif
#if LT_ARM64
    if (lt_cpu_has(LT_CPU_ARM_SHA2)) {
        lt_sha256_blocks_armv8(hash->words.u32, in, blocks);
        return;
    }
#endif
    lt_sha256_blocks(hash->words.u32, in, blocks);
}

/* see inner.h */
void lt_hash_update(lt_hash_state *hash, const uint8_t *in, size_t in_len) {
    const size_t block_len = lt_hash_block_len(hash->algorithm);
    const size_t filled = (size_t)hash->length & (block_len - 1);
    size_t whole;

    if (in_len == 0) {
        return; /* `in` may be NULL */
    }
    hash->length += in_len;
    if (filled > 0) {
        const size_t room = block_len - filled;

        if (in_len < room) {
            lt_copy(hash->block + filled, in, in_len);
            return;
        }
        lt_copy(hash->block + filled, in, room);
        compress(hash, hash->block, 1);
        in += room;
        in_len -= room;
    }
    whole = in_len / block_len;
    if (whole > 0) {
        compress(hash, in, whole);
    }
    lt_copy(hash->block, in + whole * block_len, in_len - whole * block_len);
}

static void zero(uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        p[i] = 0;
    }
}

/* see inner.h */
void lt_hash_end(lt_hash_state *hash, uint8_t *digest) {
    const size_t block_len = lt_hash_block_len(hash->algorithm);
    const size_t len_at = block_len - 8; /* the upper half of SHA-512's 128-bit length is zero */
    size_t filled = (size_t)hash->length & (block_len - 1);

    hash->block[filled++] = 0x80;
    if (filled > block_len - block_len / 8) {
        zero(hash->block + filled, block_len - filled);
        compress(hash, hash->block, 1);
        filled = 0;
    }
    zero(hash->block + filled, len_at - filled);
    lt_store64_be(hash->block + len_at, hash->length << 3);
    compress(hash, hash->block, 1);
    if (hash->algorithm == LT_SHA256) {
        for (size_t i = 0; i < 8; i++) {
            lt_store32_be(digest + 4 * i, hash->words.u32[i]);
        }
    } else {
        for (size_t i = 0; i < lt_hash_len(hash->algorithm) / 8; i++) {
            lt_store64_be(digest + 8 * i, hash->words.u64[i]);
        }
    }
    lt_wipe(hash, sizeof *hash);
}

/* see lighttls.h */
int lt_hash(uint8_t *digest, uint32_t algorithm, const uint8_t *in, size_t in_len) {
    const size_t len = lt_hash_len(algorithm);
    lt_hash_state hash;

    if (len == 0) {
        return LT_ERR_ARGUMENT;
    }
    lt_hash_begin(&hash, algorithm);
    lt_hash_update(&hash, in, in_len);
    lt_hash_end(&hash, digest);
    return (int)len;
}

LT_STATIC_ASSERT(running_hash, sizeof((lt_running_hash *)0)->opaque >= sizeof(lt_hash_state));

/* see lighttls.h */
int lt_hash_on(lt_running_hash *hash, uint32_t algorithm, const uint8_t *in, size_t in_len) {
    const size_t len = lt_hash_len(algorithm);
    lt_hash_state *running = (lt_hash_state *)(void *)hash->opaque, so_far;

    if (len == 0 || (running->algorithm != algorithm && running->algorithm != 0)) {
        return LT_ERR_ARGUMENT;
    }
    if (running->algorithm == 0) {
        lt_hash_begin(running, algorithm);
    }
    lt_hash_update(running, in, in_len);
    so_far = *running;
    lt_hash_end(&so_far, hash->digest);
    return (int)len;
}
