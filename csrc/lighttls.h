/**
 * lighttls: the C core. This header is its manual.
 *
 * Concept. The caller owns every context; their sizes are public, their fields are not. Nothing
 * here allocates, prints, blocks or keeps global state (but constants and the mask of processor
 * features). A status >= 0 is success, LT_ERR_* is negative. Lengths are bytes. Running time
 * depends on lengths only, unless a function's name ends in _vartime.
 *
 * Pointers. A pointer with length 0 may be NULL, no other; buffers of bytes may lie at any address. What
 * a function reads and what it writes must not overlap, in part or as a whole: functions on records answer
 * LT_ERR_ARGUMENT to that, and have done nothing. A context starts as zeros, which say that it holds
 * nothing; lt_*_wipe brings it back there. It may be moved in memory as it is, but a copy of an
 * lt_record_keys that seals repeats nonces.
 *
 * Secrets. Private keys, premaster and master secrets and traffic keys live in these contexts
 * and are wiped by the *_wipe functions. They leave by lt_key_schedule_master_secret and
 * lt_key_schedule_export alone. Functions named lt_test_* take nonces or keys from outside; they
 * exist for published test vectors and benchmarks, and are used by nothing else.
 *
 * What compilers spill to the stack is overwritten before key exchange, key schedule, HMAC, signing,
 * sealing and opening return. Not overwritten are registers, and the stack below AES-GCM on AES-NI when it
 * is given less than 128 bytes: a compiler that spills there may leave a few words of the hash key
 * or the key stream, no more than the lt_record_keys beside it gives away. Nor do lt_test_* overwrite
 * theirs.
 *
 * The part between the cdef marks is also the declaration that cffi compiles.
 */
#ifndef LIGHTTLS_H
#define LIGHTTLS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define LT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LT_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* cdef: begin */

/* ---- Status ------------------------------------------------------------------------------ */

#define LT_OK              0
#define LT_ERR_ARGUMENT    -1  /* a length or an algorithm number that cannot be */
#define LT_ERR_SPACE       -2  /* the output buffer is too small; nothing was written */
#define LT_ERR_AUTH        -3  /* a record, tag or signature is wrong; what was opened is wiped */
#define LT_ERR_OVERFLOW    -4  /* a record is longer than its limit */
#define LT_ERR_VERSION     -5  /* a record does not carry version 3.3 */
#define LT_ERR_SEQUENCE    -6  /* the key has protected as many records as it may */
#define LT_ERR_POINT       -7  /* not a point of the group, or the shared secret is zero */
#define LT_ERR_SCALAR      -8  /* the random bytes are no private key; draw again */
#define LT_ERR_KEY         -9  /* a public key is none, such as a point that is not on its curve */
#define LT_ERR_UNSUPPORTED -10 /* an algorithm, curve or size that is not in C */
#define LT_ERR_BUSY        -11 /* another thread uses these record keys; nothing was done */

/* ---- Algorithms -------------------------------------------------------------------------- */

#define LT_SHA256 4 /* hashes by their TLS numbers, RFC 5246 section 7.4.1.4.1 */
#define LT_SHA384 5
#define LT_SHA512 6

#define LT_AES_128_GCM       1
#define LT_AES_256_GCM       2
#define LT_CHACHA20_POLY1305 3
#define LT_AES_128_CCM       4
#define LT_AES_256_CCM       5
#define LT_AES_128_CCM_8     6 /* a tag of 8 bytes */
#define LT_AES_256_CCM_8     7

#define LT_SECP256R1 23 /* groups by their IANA numbers */
#define LT_SECP384R1 24
#define LT_X25519    29

/* ---- Processor --------------------------------------------------------------------------- */

#define LT_CPU_AESNI    1    /* AES-NI */
#define LT_CPU_CLMUL    2    /* PCLMULQDQ with SSSE3 */
#define LT_CPU_SHANI    4    /* SHA-NI with SSE4.1 */
#define LT_CPU_AVX2     8    /* AVX2, enabled by the system */
#define LT_CPU_BMI2_ADX 16   /* MULX, ADCX, ADOX */
#define LT_CPU_VAES     32   /* VAES and VPCLMULQDQ on 256 bits, with AVX2 */
#define LT_CPU_AVX512   64   /* AVX-512 F, BW, DQ and VL, enabled by the system, with AVX2 */
#define LT_CPU_IFMA     128  /* AVX-512 IFMA, with the former */
#define LT_CPU_NEON     256  /* Advanced SIMD of AArch64 */
#define LT_CPU_ARM_AES  512  /* AESE, AESD and PMULL of ARMv8 */
#define LT_CPU_ARM_SHA2 1024 /* SHA-256 of ARMv8 */

/** Features in use: found on this machine and not masked out. The first call reads cpuid. */
uint32_t lt_cpu_features(void);

/** Use only the features in `allowed` from here on (0: portable C everywhere). For tests and benchmarks. */
void lt_cpu_restrict(uint32_t allowed);

/* ---- Memory ------------------------------------------------------------------------------ */

/** Overwrite with zeros in a way that compilers keep. */
void lt_wipe(void *memory, size_t len);

/** 1 if equal, else 0. Time depends on `len` only. */
int lt_equal(const uint8_t *left, const uint8_t *right, size_t len);

/* ---- Hashes, HMAC, PRF ------------------------------------------------------------------- */

/** Hash `in` with LT_SHA256, LT_SHA384 or LT_SHA512; returns the digest's length (32, 48, 64). FIPS 180-4. */
LT_MUST_CHECK int lt_hash(uint8_t *digest, uint32_t algorithm, const uint8_t *in, size_t in_len);

/** A hash of public bytes that goes on. It is all zero at the start. */
typedef struct {
    uint8_t digest[64]; /* of all that it has taken so far */
    uint64_t opaque[26];
} lt_running_hash;

/**
 * Take more bytes, and write hash->digest, whose length is returned.
 * LT_ERR_ARGUMENT: there is no such algorithm, or it was another one before.
 */
LT_MUST_CHECK int lt_hash_on(lt_running_hash *hash, uint32_t algorithm, const uint8_t *in, size_t in_len);

/** HMAC, RFC 2104; returns the tag's length. */
LT_MUST_CHECK int lt_hmac(uint8_t *tag, uint32_t algorithm, const uint8_t *key, size_t key_len, const uint8_t *in,
                          size_t in_len);

/** The TLS 1.2 PRF, RFC 5246 section 5, with LT_SHA256 or LT_SHA384. */
LT_MUST_CHECK int lt_test_prf(uint8_t *out, size_t out_len, uint32_t algorithm, const uint8_t *secret,
                              size_t secret_len, const uint8_t *label, size_t label_len, const uint8_t *seed,
                              size_t seed_len);

/* ---- AEAD -------------------------------------------------------------------------------- */

/** Seal with a 12-byte nonce: out gets in_len (below 2^24) bytes and the tag. For test vectors only. */
LT_MUST_CHECK int lt_test_aead_seal(uint32_t aead, const uint8_t *key, size_t key_len, const uint8_t *nonce,
                                    const uint8_t *aad, size_t aad_len, uint8_t *out, const uint8_t *in, size_t in_len);

/** Open what the former sealed: out gets in_len less the tag's bytes, wiped if it fails. For test vectors only. */
LT_MUST_CHECK int lt_test_aead_open(uint32_t aead, const uint8_t *key, size_t key_len, const uint8_t *nonce,
                                    const uint8_t *aad, size_t aad_len, uint8_t *out, const uint8_t *in, size_t in_len);

/* ---- Key exchange ------------------------------------------------------------------------ */

/** Our ephemeral private key. */
typedef struct {
    uint64_t opaque[8];
} lt_key_share;

/** A premaster secret: of at most 66 bytes from ECDH, of at most 260 with a pre-shared key in it. */
typedef struct {
    uint64_t opaque[34];
} lt_premaster;

/**
 * Make a key pair on LT_X25519 or LT_SECP256R1 from 32 random bytes, or on LT_SECP384R1 from 48, which are wiped.
 * Writes the public key in wire form (32, 65 or 97 bytes) and returns its length.
 * LT_ERR_SCALAR: the bytes are 0 or not below the order of the curve; draw again (x25519 takes any).
 */
LT_MUST_CHECK int lt_key_share_generate(lt_key_share *share, uint8_t *public_key, size_t public_key_cap, uint32_t group,
                                        uint8_t *random, size_t random_len);

/**
 * ECDH with the peer's public key in wire form; the private key is wiped whatever the outcome, and a
 * share that holds none (any more) is LT_ERR_ARGUMENT. LT_ERR_POINT: the peer's key is refused.
 * P-256 and P-384: RFC 8422 section 5.11 (length, 04, coordinates below p, on the curve). x25519: RFC 7748,
 * top bit masked, non-canonical u accepted, an all-zero result refused. The secret has 32 bytes, or 48 on P-384.
 */
LT_MUST_CHECK int lt_key_share_derive(lt_key_share *share, lt_premaster *premaster, const uint8_t *peer,
                                      size_t peer_len);

/**
 * Both at once, for who knows the peer's public key first, and no private key outlives the call: returns the length of
 * the public key or what either refuses, having wiped `random` and, in the latter case, `premaster`. `public_key` and
 * `premaster` are written before `peer` is read: neither may overlap it, `random` or each other.
 */
LT_MUST_CHECK int lt_key_agree(uint8_t *public_key, size_t public_key_cap, lt_premaster *premaster, uint32_t group,
                               uint8_t *random, size_t random_len, const uint8_t *peer, size_t peer_len);

/** Take a premaster secret (1 to 66 bytes) from outside; `secret` is wiped. */
LT_MUST_CHECK int lt_premaster_set(lt_premaster *premaster, uint8_t *secret, size_t secret_len);

/** The premaster secret of plain PSK, RFC 4279 section 2: zeros in the place of ECDH, and the key (1 to 128 bytes). */
LT_MUST_CHECK int lt_premaster_set_psk(lt_premaster *premaster, const uint8_t *key, size_t key_len);

/**
 * The premaster secret of ECDHE_PSK, RFC 5489 section 2: the ECDH secret that is there, and the key (1 to 128 bytes).
 * LT_ERR_ARGUMENT, and the premaster is wiped: it held none, or one with a key in it.
 */
LT_MUST_CHECK int lt_premaster_add_psk(lt_premaster *premaster, const uint8_t *key, size_t key_len);

/** Copy the secret out: returns its length (out needs 260 bytes). For test vectors only. */
LT_MUST_CHECK int lt_test_premaster_get(const lt_premaster *premaster, uint8_t *out);

void lt_key_share_wipe(lt_key_share *share);
void lt_premaster_wipe(lt_premaster *premaster);

/* ---- Signatures -------------------------------------------------------------------------- */

/**
 * Check a signature under a SubjectPublicKeyInfo (DER); `scheme` as TLS numbers them, RFC 8446 section 4.2.3. ECDSA
 * schemes bind the hash only, the curve is the key's. All inputs are public: the time depends on them.
 * LT_ERR_AUTH: the signature is wrong. LT_ERR_KEY: the key is none, or not in its one form (rsaEncryption with NULL,
 * or 04 x y on a named curve). LT_ERR_UNSUPPORTED: the scheme is none of ours or does not go with the key, or the key
 * is neither on P-256, on P-384 nor RSA with 1024 to 8192 bits and an exponent below 2^32.
 * Needs up to 9 KiB of stack for RSA, 7 KiB for ECDSA.
 */
LT_MUST_CHECK int lt_verify_vartime(uint32_t scheme, const uint8_t *spki, size_t spki_len, const uint8_t *signature,
                                    size_t signature_len, const uint8_t *message, size_t message_len);

/** A public key prepared for many verifications: multiples of its point. Nothing in it is secret. */
typedef struct {
    uint64_t opaque[2049];
} lt_public_key;

/**
 * Prepare a SubjectPublicKeyInfo (DER) that returns; takes as long as three verifications or four.
 * LT_ERR_UNSUPPORTED: there is nothing to gain, since the key is not on P-256, or this processor is without AVX-512
 * IFMA. LT_ERR_KEY: as below. `key` then holds nothing. Needs up to 11 KiB of stack.
 */
LT_MUST_CHECK int lt_public_key_set_vartime(lt_public_key *key, const uint8_t *spki, size_t spki_len);

/**
 * lt_verify_vartime under a prepared key: the same answers, in a third of the time. Several threads may use one key.
 * LT_ERR_ARGUMENT: it holds nothing.
 */
LT_MUST_CHECK int lt_public_key_verify_vartime(const lt_public_key *key, uint32_t scheme, const uint8_t *signature,
                                               size_t signature_len, const uint8_t *message, size_t message_len);

#define LT_SIGNATURE_MAX 72 /* two INTEGERs of up to 33 bytes */

/** A private key on P-256 to sign with. Signing only reads it: several threads may, at the same time. */
typedef struct {
    uint64_t opaque[5];
} lt_signing_key;

/** Take a private key: 32 bytes, big endian, which are wiped. LT_ERR_SCALAR: it is 0 or not below the curve's order. */
LT_MUST_CHECK int lt_signing_key_set(lt_signing_key *key, uint8_t *scalar, size_t scalar_len);

/**
 * Sign a digest of 32, 48 or 64 bytes (SHA-256, SHA-384, SHA-512) by ECDSA: a DER Ecdsa-Sig-Value of at most
 * LT_SIGNATURE_MAX bytes, whose length is returned; LT_ERR_SPACE if there is less room. FIPS 186-5 section 6.4.1.
 * The nonce comes from key, digest and `extra` (any length, may be empty, no secret), RFC 6979 section 3.6. Random
 * bytes there let two signatures of one digest differ, which is what a fault attack on deterministic nonces cannot
 * bear.
 */
LT_MUST_CHECK int lt_signing_key_sign(const lt_signing_key *key, uint8_t *signature, size_t signature_cap,
                                      const uint8_t *digest, size_t digest_len, const uint8_t *extra, size_t extra_len);

void lt_signing_key_wipe(lt_signing_key *key);

/* ---- Certificates ------------------------------------------------------------------------ */

#define LT_CUT_HEAD    20  /* the numbers below, without extensions */
#define LT_CUT_NUMBERS 180 /* and with 5 for each of 32 extensions */

#define LT_FACT_ORDINARY          1  /* its extensions are about nothing but this certificate; see below */
#define LT_FACT_AUTHORITY         2  /* it may sign certificates */
#define LT_FACT_CERT_SIGN         4  /* keyUsage says that its key may sign them */
#define LT_FACT_DIGITAL_SIGNATURE 8  /* its key may sign handshakes */
#define LT_FACT_SERVER_AUTH       16 /* it may be a server's, */
#define LT_FACT_CLIENT_AUTH       32 /* a client's */
#define LT_FACT_KEY               64 /* its key has a form that has a number below */

/**
 * Cut a certificate (DER, public) into its parts, as strictly as RFC 5280 section 4.1 and X.690 section 10 say. Writes,
 * as bytes from its start: start and end of the signed part; end of the outer algorithm; start of the signature; (the
 * version, 1 to 3;) start and end of the serial number; end of the inner algorithm; of the issuer; (notBefore and
 * notAfter, in seconds since 1970 UTC;) end of the validity; of the subject; of the public key. What follows another
 * part starts at its end.
 *
 * Then what it says: facts, LT_FACT_ and so on, or none if anything is unusual; the path length it allows, or -1; by
 * which TLS SignatureScheme it is signed, or 0; the form of its key: 256 for P-256, 2048, 3072 or 4096 for RSA with as
 * many bits and the exponent 65537, or 0; start and end of the value of subjectAltName, or 0 and 0. Ordinary: its two
 * signature algorithms are the same, issuer and subject are not empty, and its extensions are critical only if that is
 * usual, and well-formed where their contents play a part in the path.
 *
 * Then for each extension: start and end of its OID, 1 if it is critical, else 0, start and end of its value. Returns
 * how many numbers these are.
 * LT_ERR_UNSUPPORTED: it is malformed, or has over 32 extensions, or over 65535 bytes; which of them is not said.
 */
LT_MUST_CHECK int lt_certificate_cut_vartime(int64_t *cut, const uint8_t *certificate, size_t certificate_len);

/* ---- Key schedule ------------------------------------------------------------------------ */

/** Master secret, randoms, PRF hash and AEAD of one connection. */
typedef struct {
    uint64_t opaque[16];
} lt_key_schedule;

/** One direction's traffic key, fixed nonce part and sequence number. */
typedef struct {
    uint64_t opaque[85]; /* most of it AES-GCM's: 240 bytes of round keys, 384 of powers of the hash key */
} lt_record_keys;

/**
 * Derive the master secret (RFC 5246 section 8.1; with a session hash RFC 7627 section 4).
 * `prf` LT_SHA256 or LT_SHA384; both randoms are 32 bytes; session_hash_len 0: the plain derivation.
 * Wipes `premaster`.
 */
LT_MUST_CHECK int lt_key_schedule_derive(lt_key_schedule *schedule, uint32_t aead, uint32_t prf,
                                         lt_premaster *premaster, const uint8_t *client_random,
                                         const uint8_t *server_random, const uint8_t *session_hash,
                                         size_t session_hash_len);

/** Start from a stored master secret of 48 bytes; both randoms are 32 bytes. */
LT_MUST_CHECK int lt_key_schedule_resume(lt_key_schedule *schedule, uint32_t aead, uint32_t prf,
                                         const uint8_t *master_secret, const uint8_t *client_random,
                                         const uint8_t *server_random);

#define LT_VERIFY_DATA_LEN 12

/** verify_data (LT_VERIFY_DATA_LEN bytes) of the client's or the server's Finished, RFC 5246 section 7.4.9. */
LT_MUST_CHECK int lt_key_schedule_finished(const lt_key_schedule *schedule, uint8_t *verify_data, int server,
                                           const uint8_t *transcript_hash, size_t transcript_hash_len);

/** Compare what the server's Finished holds with what it must; LT_ERR_AUTH: it is wrong, also in its length. */
LT_MUST_CHECK int lt_key_schedule_check_finished(const lt_key_schedule *schedule, const uint8_t *transcript_hash,
                                                 size_t transcript_hash_len, const uint8_t *verify_data,
                                                 size_t verify_data_len);

/** Traffic keys of both directions, sequence numbers 0, RFC 5246 section 6.3. */
LT_MUST_CHECK int lt_key_schedule_record_keys(const lt_key_schedule *schedule, lt_record_keys *client_write,
                                              lt_record_keys *server_write);

/** What a client needs to finish first, in one call: the client's verify_data, and the traffic keys. */
LT_MUST_CHECK int lt_key_schedule_finish(const lt_key_schedule *schedule, uint8_t *verify_data,
                                         lt_record_keys *client_write, lt_record_keys *server_write,
                                         const uint8_t *transcript_hash, size_t transcript_hash_len);

/**
 * Keying material, RFC 5705. `context` is what follows the randoms in the seed: nothing, or two
 * bytes of length and the context itself.
 */
LT_MUST_CHECK int lt_key_schedule_export(const lt_key_schedule *schedule, uint8_t *out, size_t out_len,
                                         const uint8_t *label, size_t label_len, const uint8_t *context,
                                         size_t context_len);

/** Copy the master secret (48 bytes) out: for the key log and for sessions. */
LT_MUST_CHECK int lt_key_schedule_master_secret(const lt_key_schedule *schedule, uint8_t *out);

void lt_key_schedule_wipe(lt_key_schedule *schedule);
void lt_record_keys_wipe(lt_record_keys *keys);

/* ---- Records ----------------------------------------------------------------------------- */

#define LT_RECORD_MAX       16384 /* plaintext bytes of a record, RFC 5246 section 6.2.1 */
#define LT_RECORD_EXPANSION 29    /* at most: header, explicit nonce, tag */
#define LT_SPANS            32
#define LT_OPENED_DATA      65536
#define LT_SEALED_DATA      65652 /* four records of LT_RECORD_MAX and their expansion */

/** Where lt_records_open puts what it opened. */
typedef struct {
    uint32_t consumed;      /* bytes of the input that were opened */
    uint32_t count;         /* records */
    uint32_t spans[3 * 32]; /* per record: content type, offset in data, length */
    uint8_t data[65536];
} lt_opened;

/**
 * Protect in[0..in_len) as records of at most `fragment` (1 to LT_RECORD_MAX) plaintext bytes, headers included;
 * in_len 0 makes one empty record. Returns the bytes written: in_len plus at most LT_RECORD_EXPANSION per record.
 * LT_ERR_ARGUMENT (also: `keys` hold no key), LT_ERR_SPACE, LT_ERR_SEQUENCE: nothing was written, the key is as before.
 * `reserve` records are kept back from the key's budget (2^24 for GCM and CCM, 2^48 for ChaCha20). RFC 5246
 * section 6.2.3.3, RFC 5288, RFC 6655, RFC 7905.
 * LT_ERR_BUSY: another thread is in a call with these keys; the same holds for lt_records_open.
 */
LT_MUST_CHECK ptrdiff_t lt_records_seal(lt_record_keys *keys, uint8_t *out, size_t out_cap, uint32_t content_type,
                                        const uint8_t *in, size_t in_len, size_t fragment, uint32_t reserve);

/**
 * The short way for application data, with few arguments because each costs a caller from Python time: lt_records_seal
 * with records of LT_RECORD_MAX bytes and a reserve of one, which is left for close_notify.
 */
LT_MUST_CHECK ptrdiff_t lt_records_seal_data(lt_record_keys *keys, uint8_t *out, size_t out_cap, const uint8_t *in,
                                             size_t in_len);

/**
 * Open the complete records at the start of in[0..in_len). Stops after a record that is not application_data (it may
 * change keys or end the stream), before one that fails, and when `out` is full. `limit`: largest plaintext allowed.
 * Returns the number of records opened.
 * If the first record fails: LT_ERR_ARGUMENT (its type is none of 20 to 23), LT_ERR_VERSION, LT_ERR_OVERFLOW,
 * LT_ERR_AUTH (also: too short for nonce and tag) or LT_ERR_SEQUENCE; what was written is wiped and the key must not
 * be used again. All but a wrong tag are judged on the 5 bytes of the header, however much of the body is there.
 * LT_ERR_ARGUMENT also if `keys` hold no key or `limit` is not 1 to LT_RECORD_MAX: nothing was looked at.
 */
LT_MUST_CHECK int lt_records_open(lt_record_keys *keys, lt_opened *out, const uint8_t *in, size_t in_len, size_t limit);

/**
 * The short way for application data: if the input is exactly one record of it, complete, not empty, and of at most
 * LT_RECORD_MAX bytes, opens it to `out` and returns the length of its plaintext. 0: it is something else, and nothing
 * was done. Errors: LT_ERR_SPACE, and those of lt_records_open.
 */
LT_MUST_CHECK int lt_records_open_data(lt_record_keys *keys, uint8_t *out, size_t out_cap, const uint8_t *in,
                                       size_t in_len);

/** Bytes of the records that lt_records_seal_data or lt_records_open_data has made or opened with these keys. */
uint64_t lt_record_keys_short_bytes(const lt_record_keys *keys);

/**
 * Open to a buffer of the caller's: the application_data records at the start of in[0..in_len), as many as are
 * complete, not empty and fit into out[0..out_cap), one behind the other. Returns the bytes written and sets
 * *consumed; 0 and 0 if the first record is something else. Stops before a record that fails, having wiped what it
 * wrote of it: lt_records_open then says how it fails. LT_ERR_ARGUMENT (no key), LT_ERR_BUSY: nothing was done.
 */
LT_MUST_CHECK ptrdiff_t lt_records_open_into(lt_record_keys *keys, uint8_t *out, size_t out_cap, size_t *consumed,
                                             const uint8_t *in, size_t in_len);

/** Set the next sequence number. For tests near the end of the range only. */
void lt_test_record_keys_sequence(lt_record_keys *keys, uint64_t sequence);

/* cdef: end */

#ifdef __cplusplus
}
#endif

#endif
