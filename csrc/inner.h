/*
 * Shared internals of the C core: loads and stores, constant-time primitives, targets, and the
 * functions that the files here offer each other. Nothing in it is public.
 */
#ifndef LT_INNER_H
#define LT_INNER_H

#include "lighttls.h"

#if defined(LT_VALGRIND)
#include <valgrind/memcheck.h>
#endif

/* ---- Compilers and targets ------------------------------------------------------------------ */

/* GNU C: gcc, and clang also where it poses as Microsoft's compiler and does not define __GNUC__. */
#if defined(__GNUC__) || defined(__clang__)
#define LT_GNUC 1
#else
#define LT_GNUC 0
#endif

#if LT_GNUC
#define LT_INLINE           static inline __attribute__((always_inline, unused))
#define LT_TARGET(features) __attribute__((target(features)))
#define LT_MAY_ALIAS        __attribute__((may_alias))
#elif defined(_MSC_VER)
#define LT_INLINE static __forceinline
#define LT_TARGET(features)
#define LT_MAY_ALIAS
#else
#define LT_INLINE static inline
#define LT_TARGET(features)
#define LT_MAY_ALIAS
#endif

/* For code that many places call, where inlined copies cost stack and flash, and for frames of their own. */
#if LT_GNUC
#define LT_NOINLINE __attribute__((noinline, unused))
#elif defined(_MSC_VER)
#define LT_NOINLINE __declspec(noinline)
#else
#define LT_NOINLINE
#endif

/* For larger pieces used in several places: copies where speed counts, one function under -Os, for small processors. */
#if defined(__OPTIMIZE_SIZE__)
#define LT_PIECE LT_NOINLINE static
#else
#define LT_PIECE LT_INLINE
#endif

/*
 * Optional instructions exist for 64-bit x86 only; elsewhere those files are empty. So they are where clang poses as
 * Microsoft's compiler: its headers then hide what the command line did not enable, whatever a function's target.
 */
#if (LT_GNUC && defined(__x86_64__) && !defined(_MSC_VER)) || (!LT_GNUC && defined(_MSC_VER) && defined(_M_X64))
#define LT_X86_64 1
#else
#define LT_X86_64 0
#endif

/*
 * ARMv8 in 64-bit mode, little-endian; elsewhere on ARM the portable code runs. Not where clang poses as Microsoft's
 * compiler, whose headers know other intrinsics.
 */
#if LT_GNUC && defined(__AARCH64EL__) && defined(__ARM_NEON) && !defined(_MSC_VER)
#define LT_ARM64 1
#else
#define LT_ARM64 0
#endif

/* 64 x 64 -> 128 bit products; `__extension__` keeps -Wpedantic quiet. */
#if defined(__SIZEOF_INT128__)
#define LT_INT128 1
__extension__ typedef unsigned __int128 lt_u128;
#else
#define LT_INT128 0
#endif

/* Field arithmetic on 64-bit limbs. LT_FORCE_32BIT is for tests: it builds what small processors run. */
#if LT_INT128 && !defined(LT_FORCE_32BIT)
#define LT_LIMB64 1
#else
#define LT_LIMB64 0
#endif

/* A machine word that may overlay any other type. */
typedef size_t LT_MAY_ALIAS lt_word;

/* Fails to compile if `condition` is false (C99 has no static_assert). */
#define LT_STATIC_ASSERT(name, condition) typedef char lt_static_assert_##name[(condition) ? 1 : -1]

/** All features of `mask` are present and allowed. */
LT_INLINE int lt_cpu_has(uint32_t mask) {
    return (lt_cpu_features() & mask) == mask;
}

/* ---- Loads, stores, rotations: any alignment, recognised by compilers as single instructions --- */

LT_INLINE uint32_t lt_load32_le(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

LT_INLINE uint32_t lt_load32_be(const uint8_t *p) {
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

LT_INLINE uint64_t lt_load64_le(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

LT_INLINE uint64_t lt_load64_be(const uint8_t *p) {
    return (uint64_t)p[7] | (uint64_t)p[6] << 8 | (uint64_t)p[5] << 16 | (uint64_t)p[4] << 24 | (uint64_t)p[3] << 32 |
           (uint64_t)p[2] << 40 | (uint64_t)p[1] << 48 | (uint64_t)p[0] << 56;
}

LT_INLINE void lt_store32_le(uint8_t *p, uint32_t x) {
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
}

LT_INLINE void lt_store32_be(uint8_t *p, uint32_t x) {
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

LT_INLINE void lt_store64_le(uint8_t *p, uint64_t x) {
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
    p[4] = (uint8_t)(x >> 32);
    p[5] = (uint8_t)(x >> 40);
    p[6] = (uint8_t)(x >> 48);
    p[7] = (uint8_t)(x >> 56);
}

LT_INLINE void lt_store64_be(uint8_t *p, uint64_t x) {
    p[0] = (uint8_t)(x >> 56);
    p[1] = (uint8_t)(x >> 48);
    p[2] = (uint8_t)(x >> 40);
    p[3] = (uint8_t)(x >> 32);
    p[4] = (uint8_t)(x >> 24);
    p[5] = (uint8_t)(x >> 16);
    p[6] = (uint8_t)(x >> 8);
    p[7] = (uint8_t)x;
}

/* 0 < n < width. */
LT_INLINE uint32_t lt_rotl32(uint32_t x, unsigned n) {
    return x << n | x >> (32 - n);
}

LT_INLINE uint32_t lt_rotr32(uint32_t x, unsigned n) {
    return x >> n | x << (32 - n);
}

LT_INLINE uint64_t lt_rotr64(uint64_t x, unsigned n) {
    return x >> n | x << (64 - n);
}

/** Copy without the C library; for short runs of known length compilers make it a move. */
LT_INLINE void lt_copy(uint8_t *out, const uint8_t *in, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out[i] = in[i];
    }
}

/** Whether two ranges of memory have a byte in common. */
LT_INLINE int lt_overlap(const void *a, size_t a_len, const void *b, size_t b_len) {
    const uintptr_t from_a = (uintptr_t)a, from_b = (uintptr_t)b;

    return a_len > 0 && b_len > 0 && from_a < from_b + b_len && from_b < from_a + a_len;
}

/* ---- Constant time: masks are all ones for true, 0 for false -------------------------------- */

/** The same value, of which the compiler knows nothing: it cannot turn masks back into branches. */
LT_INLINE uint64_t lt_ct_hide(uint64_t x) {
#if LT_GNUC
    __asm__("" : "+r"(x));
    return x;
#else
    volatile uint64_t hidden = x;

    return hidden;
#endif
}

LT_INLINE uint64_t lt_ct_is_zero(uint64_t x) {
    return lt_ct_hide(0 - ((~x & (x - 1)) >> 63));
}

LT_INLINE uint64_t lt_ct_eq(uint64_t a, uint64_t b) {
    return lt_ct_is_zero(a ^ b);
}

/** a < b, unsigned. */
LT_INLINE uint64_t lt_ct_lt(uint64_t a, uint64_t b) {
    return lt_ct_hide(0 - ((a ^ ((a ^ b) | ((a - b) ^ b))) >> 63));
}

/** `mask` all ones: a; 0: b. */
LT_INLINE uint64_t lt_ct_select(uint64_t mask, uint64_t a, uint64_t b) {
    return b ^ (lt_ct_hide(mask) & (a ^ b));
}

/**
 * A verdict that is public from here on, such as whether a tag was right: the caller may branch on it.
 * LT_VALGRIND is for the constant-time programs of tests/c, where valgrind must be told.
 */
LT_INLINE int lt_ct_declassify(int verdict) {
#if defined(LT_VALGRIND)
    (void)VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof verdict);
#endif
    return verdict;
}

/** The same for what a call gives away, such as a signature. */
LT_INLINE void lt_ct_publish(const void *memory, size_t len) {
#if defined(LT_VALGRIND)
    (void)VALGRIND_MAKE_MEM_DEFINED(memory, len);
#else
    (void)memory;
    (void)len;
#endif
}

/* ---- The stack (wipe.c) --------------------------------------------------------------------- */

/**
 * Overwrite the stack below the caller's frame. Functions wipe what they name; compilers also spill secrets to places
 * without a name. Called from the frame that called those functions, this covers theirs: all of them, or those that go
 * no deeper than so many bytes. tests/c/stack_search.h sees to it that they do not.
 */
void lt_wipe_stack(void);
void lt_wipe_stack_2048(void);
void lt_wipe_stack_512(void);

/* ---- AEAD (aead.c): these live inside lt_record_keys, which to its owner are words ------------ */

#define LT_NONCE_LEN 12
#define LT_TAG_LEN   16 /* of all but the CCM_8 AEADs */

/* An AES key. */
typedef struct {
    uint8_t round_keys[15 * 16]; /* in the order of FIPS 197 */
    uint32_t rounds;             /* 10 or 14 */
} LT_MAY_ALIAS lt_aes_key;

/* AES-GCM under one key. Which fields are set and how depends on the implementation. */
typedef struct {
    uint8_t round_keys[15 * 16]; /* in the order of FIPS 197 */
    uint8_t powers[24 * 16];     /* portable: H; else its powers, see ghash_clmul.h and ghash_armv8.h */
    uint32_t rounds;             /* 10 or 14 */
    /* 1 if messages of LT_VAES_CHUNK bytes and more go to gcm_vaes.c; with PCLMULQDQ only */
    int vaes;
} LT_MAY_ALIAS lt_gcm;

/* An AEAD under one key, bound to the implementation it was made for, whatever lt_cpu_restrict does later. */
typedef struct {
    uint32_t algorithm; /* LT_AES_128_GCM and so on; 0: no key */
    uint32_t features;  /* those in use when the key was set */
    union {
        lt_gcm gcm;
        lt_aes_key aes; /* CCM */
        uint8_t chacha20[32];
    } key;
} LT_MAY_ALIAS lt_aead;

/** Key length of an AEAD in bytes, 0 if there is no such AEAD. */
size_t lt_aead_key_len(uint32_t algorithm);

/** Its tag's length: 8 or 16, 0 if there is no such AEAD. */
size_t lt_aead_tag_len(uint32_t algorithm);

/** Set the key. LT_ERR_ARGUMENT: no such AEAD, or not its key length; `aead` is unchanged then. */
LT_MUST_CHECK int lt_aead_init(lt_aead *aead, uint32_t algorithm, const uint8_t *key, size_t key_len);

/** out gets in_len (below 2^24) bytes of ciphertext and the tag. A nonce must never repeat under one key. */
void lt_aead_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                  const uint8_t *in, size_t in_len);

/** `in` is text_len bytes of ciphertext and the tag. LT_OK, or LT_ERR_AUTH and text_len zeros in out. */
LT_MUST_CHECK int lt_aead_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                               uint8_t *out, const uint8_t *in, size_t text_len);

/** Overwrite what sealing or opening messages of up to `len` bytes may have left on the stack: once per public call. */
void lt_aead_wipe_stack(const lt_aead *aead, size_t len);

/* ---- Records (record_keys.c) ---------------------------------------------------------------- */

/** Bytes of the key block's fixed IV: 4 for GCM (RFC 5288) and CCM (RFC 6655), 12 for ChaCha20 (RFC 7905), else 0. */
size_t lt_record_fixed_iv_len(uint32_t aead);

/** Traffic keys of one direction at sequence number 0; key and fixed_iv have the lengths of the AEAD. */
LT_MUST_CHECK int lt_record_keys_init(lt_record_keys *keys, uint32_t aead, const uint8_t *key, const uint8_t *fixed_iv);

/* ---- Hashes, HMAC, PRF ---------------------------------------------------------------------- */

#define LT_HASH_MAX       64
#define LT_HASH_BLOCK_MAX 128

/* A running hash. A copy of it is a second one that goes on from the same point. */
typedef struct {
    uint32_t algorithm; /* LT_SHA256, LT_SHA384 or LT_SHA512 */
    uint64_t length;    /* bytes so far, below 2^61 */
    union {
        uint32_t u32[8];
        uint64_t u64[8];
    } words;
    uint8_t block[LT_HASH_BLOCK_MAX]; /* holds length modulo the block length */
} lt_hash_state;

/** Digest length, 0 if there is no such hash. The functions below take only algorithms that exist. */
size_t lt_hash_len(uint32_t algorithm);

/** Bytes that the block function takes at a time: 64 or 128. */
size_t lt_hash_block_len(uint32_t algorithm);

void lt_hash_begin(lt_hash_state *hash, uint32_t algorithm);
void lt_hash_update(lt_hash_state *hash, const uint8_t *in, size_t in_len);

/** Write the digest and wipe `hash`. */
void lt_hash_end(lt_hash_state *hash, uint8_t *digest);

/*
 * Block functions of FIPS 180-4: absorb whole blocks into the state. The _ni form needs LT_CPU_SHANI, the _armv8 form
 * LT_CPU_ARM_SHA2, the _avx2 forms LT_CPU_AVX2 and LT_CPU_BMI2_ADX.
 */
extern const uint32_t lt_sha256_constants[64];
void lt_sha256_blocks(uint32_t state[8], const uint8_t *in, size_t blocks);
#if LT_X86_64
void lt_sha256_blocks_ni(uint32_t state[8], const uint8_t *in, size_t blocks);
void lt_sha256_blocks_avx2(uint32_t state[8], const uint8_t *in, size_t blocks);
#endif
#if LT_ARM64
void lt_sha256_blocks_armv8(uint32_t state[8], const uint8_t *in, size_t blocks);
#endif
extern const uint64_t lt_sha512_constants[80];
void lt_sha512_blocks(uint64_t state[8], const uint8_t *in, size_t blocks);
#if LT_X86_64
void lt_sha512_blocks_avx2(uint64_t state[8], const uint8_t *in, size_t blocks);
#endif

#define LT_SHA1_LEN 20

/** SHA-1 in one go, for the verification of old certificates only. */
void lt_sha1(uint8_t digest[LT_SHA1_LEN], const uint8_t *in, size_t in_len);

/* An HMAC key, RFC 2104: the hash after the inner and after the outer pad. Wipe it after use. */
typedef struct {
    lt_hash_state inner;
    lt_hash_state outer;
} lt_hmac_key;

/** Prepare a key of any length. To make a tag: copy `inner`, update the copy, end it with lt_hmac_end. */
void lt_hmac_set_key(lt_hmac_key *hmac, uint32_t algorithm, const uint8_t *key, size_t key_len);

/** The tag of what `hash` (begun as a copy of hmac->inner) has absorbed; `hash` is wiped. */
void lt_hmac_end(const lt_hmac_key *hmac, lt_hash_state *hash, uint8_t *tag);

/* The seed of a PRF call in the pieces in which it lies about. */
typedef struct {
    const uint8_t *label;
    size_t label_len;
    const uint8_t *first;
    size_t first_len;
    const uint8_t *second;
    size_t second_len;
} lt_prf_seed;

/** The TLS 1.2 PRF, RFC 5246 section 5, of the secret that `key` was made from. Time depends on lengths only. */
void lt_prf(uint8_t *out, size_t out_len, const lt_hmac_key *key, const lt_prf_seed *seed);

/* ---- Key exchange --------------------------------------------------------------------------- */

#define LT_ECDH_MAX      66  /* an x coordinate on P-521 */
#define LT_PSK_MAX       128 /* RFC 4279 section 5.3 wants 64, and more where it is easy */
#define LT_PREMASTER_MAX (2 * (2 + LT_PSK_MAX))
#define LT_PREMASTER_LEN 33 /* the word of an lt_premaster that says how long its secret is */

/** The secret inside a premaster, and its length; 0 when there is none. */
LT_INLINE const uint8_t *lt_premaster_bytes(const lt_premaster *premaster) {
    return (const uint8_t *)premaster->opaque;
}

LT_INLINE size_t lt_premaster_len(const lt_premaster *premaster) {
    return (size_t)premaster->opaque[LT_PREMASTER_LEN];
}

/** scalar * base point, RFC 7748 section 5: the public key. Any 32 bytes are a scalar. */
void lt_x25519_base(uint8_t out[32], const uint8_t scalar[32]);

/** scalar * u. LT_OK, or LT_ERR_POINT if the result is zero, in time that does not tell which. */
LT_MUST_CHECK int lt_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);

/** Both. If the status is not LT_OK, `public` says nothing. */
LT_MUST_CHECK int lt_x25519_agree(uint8_t public[32], uint8_t secret[32], const uint8_t scalar[32],
                                  const uint8_t u[32]);

/** LT_OK if 0 < scalar < n (big endian), else LT_ERR_SCALAR; only the verdict shows in the time. */
LT_MUST_CHECK int lt_p256_check_scalar(const uint8_t scalar[32]);

/** scalar * G as 04 x y; the scalar has passed lt_p256_check_scalar. */
void lt_p256_base(uint8_t out[65], const uint8_t scalar[32]);

/** The x coordinate of scalar * peer. LT_ERR_POINT: `peer` (public) is no 04 x y of the curve; out is unchanged. */
LT_MUST_CHECK int lt_p256(uint8_t out[32], const uint8_t scalar[32], const uint8_t peer[65]);

/* The same three on P-384. */
LT_MUST_CHECK int lt_p384_check_scalar(const uint8_t scalar[48]);
void lt_p384_base(uint8_t out[97], const uint8_t scalar[48]);
LT_MUST_CHECK int lt_p384(uint8_t out[48], const uint8_t scalar[48], const uint8_t peer[97]);

/* P-384 with instructions that not every processor has: only where this is 1, and needs LT_CPU_BMI2_ADX. */
#if LT_X86_64 && LT_GNUC && LT_LIMB64
#define LT_P384_ADX 1
#else
#define LT_P384_ADX 0
#endif
void lt_p384_base_adx(uint8_t out[97], const uint8_t scalar[48]);
LT_MUST_CHECK int lt_p384_adx(uint8_t out[48], const uint8_t scalar[48], const uint8_t peer[97]);

#endif
