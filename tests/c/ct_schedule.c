/*
 * The premaster secret is undefined to valgrind, and so is all that comes from it, while a whole key
 * schedule runs and a record goes through its keys. Made public are only what leaves: verify_data,
 * exported bytes, ciphertext. Runs the portable code, as valgrind does not know the SHA extensions, and the block
 * functions of SHA-2 for AVX2. Without valgrind also, on a stack of its own, that none of the schedule's functions
 * leaves a secret there.
 *
 * Build: -O2 -gdwarf-4 -DLT_VALGRIND, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: ./ct_schedule                                       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_schedule       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_schedule leak  must end with 99: skips leading zeros of the premaster
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <valgrind/memcheck.h>

#include "records.h"
#include "stack_search.h"

static void secret(void *p, size_t len) {
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void public(void *p, size_t len) {
    (void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

/* The lengths of what makes a premaster secret: of ECDH and of a pre-shared key, 0 if it has no part in it. */
typedef struct {
    size_t ecdh, psk;
} lengths;

/* The premaster secret of a handshake, unknown to valgrind but for its length. */
static void agree(lt_premaster *premaster, lengths len) {
    uint8_t bytes[66], key[128];

    fill(bytes, len.ecdh, 1);
    fill(key, len.psk, 9);
    secret(bytes, len.ecdh);
    secret(key, len.psk);
    if (len.ecdh != 0) {
        CHECK(lt_premaster_set(premaster, bytes, len.ecdh) == LT_OK);
    }
    if (len.psk != 0) {
        CHECK((len.ecdh != 0 ? lt_premaster_add_psk : lt_premaster_set_psk)(premaster, key, len.psk) == LT_OK);
    }
}

/* What TLS up to 1.2 does with finite-field Diffie-Hellman, and what the Raccoon attack measures. */
static size_t careless_length(const lt_premaster *premaster) {
    const uint8_t *bytes = lt_premaster_bytes(premaster);
    size_t len = lt_premaster_len(premaster);

    while (len > 0 && *bytes == 0) {
        bytes++;
        len--;
    }
    return len;
}

static void use_schedule(uint32_t aead, uint32_t prf, lengths secret_len, int extended) {
    uint8_t client[32], server[32], transcript[48], verify_data[12], exported[100], record[128];
    const size_t hash_len = lt_hash_len(prf);
    lt_premaster premaster;
    lt_key_schedule schedule;
    lt_record_keys client_write, server_write;
    ptrdiff_t size;

    fill(client, sizeof client, 2);
    fill(server, sizeof server, 3);
    fill(transcript, sizeof transcript, 4);
    agree(&premaster, secret_len);
    CHECK(lt_key_schedule_derive(&schedule, aead, prf, &premaster, client, server, transcript,
                                 extended ? hash_len : 0) == LT_OK);
    CHECK(lt_key_schedule_record_keys(&schedule, &client_write, &server_write) == LT_OK);
    for (int side = 0; side < 2; side++) {
        CHECK(lt_key_schedule_finished(&schedule, verify_data, side, transcript, hash_len) == LT_OK);
        public(verify_data, sizeof verify_data);
        CHECK(!all_bytes_are(verify_data, sizeof verify_data, 0));
    }
    CHECK(lt_key_schedule_check_finished(&schedule, transcript, hash_len, verify_data, sizeof verify_data) == LT_OK);
    verify_data[11] ^= 1;
    CHECK(lt_key_schedule_check_finished(&schedule, transcript, hash_len, verify_data, sizeof verify_data) ==
          LT_ERR_AUTH);
    CHECK(lt_key_schedule_finish(&schedule, verify_data, &client_write, &server_write, transcript, hash_len) == LT_OK);
    public(verify_data, sizeof verify_data);
    CHECK(lt_key_schedule_export(&schedule, exported, sizeof exported, (const uint8_t *)"EXPORTER-x", 10, client, 32) ==
          LT_OK);
    public(exported, sizeof exported);
    CHECK(!all_bytes_are(exported, sizeof exported, 0));
    size = lt_records_seal(&client_write, record, sizeof record, 22, verify_data, sizeof verify_data, 100, 1);
    CHECK(size > 0);
    lt_key_schedule_wipe(&schedule);
    lt_record_keys_wipe(&client_write);
    lt_record_keys_wipe(&server_write);
}

/* ---- What is left on the stack -------------------------------------------------------------------- */

enum { DERIVE, RESUME, FINISHED, CHECK_FINISHED, RECORD_KEYS, FINISH, EXPORT, HMAC, SET_PSK, ADD_PSK, CALLS };

/* Outside the stack that is searched. */
static struct {
    int call;
    int lose; /* leave the master secret on the stack, to see that the search finds it */
    uint32_t prf;
    uint8_t secret[32], client[32], server[32], transcript[48], out[64];
    uint8_t master[48];
    lt_premaster premaster;
    lt_key_schedule schedule;
    lt_record_keys client_write, server_write;
} job;

static void *run_job(void *unused) {
    const size_t hash_len = lt_hash_len(job.prf);
    int status = LT_ERR_ARGUMENT;

    switch (job.call) {
    case DERIVE:
        status = lt_key_schedule_derive(&job.schedule, LT_AES_256_GCM, job.prf, &job.premaster, job.client, job.server,
                                        job.transcript, hash_len);
        break;
    case RESUME:
        status = lt_key_schedule_resume(&job.schedule, LT_AES_256_GCM, job.prf, job.master, job.client, job.server);
        break;
    case FINISHED:
        status = lt_key_schedule_finished(&job.schedule, job.out, 0, job.transcript, hash_len);
        break;
    case CHECK_FINISHED:
        status = lt_key_schedule_check_finished(&job.schedule, job.transcript, hash_len, job.out, 12);
        status = status == LT_ERR_AUTH ? LT_OK : LT_ERR_ARGUMENT;
        break;
    case RECORD_KEYS:
        status = lt_key_schedule_record_keys(&job.schedule, &job.client_write, &job.server_write);
        break;
    case FINISH:
        status = lt_key_schedule_finish(&job.schedule, job.out, &job.client_write, &job.server_write, job.transcript,
                                        hash_len);
        break;
    case EXPORT:
        status = lt_key_schedule_export(&job.schedule, job.out, sizeof job.out, (const uint8_t *)"x", 1, NULL, 0);
        break;
    case HMAC:
        status = lt_hmac(job.out, job.prf, job.master, sizeof job.master, job.client, sizeof job.client);
        break;
    case SET_PSK:
        status = lt_premaster_set_psk(&job.premaster, job.secret, sizeof job.secret);
        break;
    case ADD_PSK:
        status = lt_premaster_add_psk(&job.premaster, job.master, sizeof job.master);
        break;
    default:
        break;
    }
    CHECK(status >= 0);
    if (job.lose) {
        lose_secret(job.master, sizeof job.master);
    }
    return unused;
}

/* Both halves of an HMAC key are as good as the key. */
static int hmac_key_is_on_stack(const uint8_t *key, size_t key_len) {
    lt_hmac_key hmac;

    lt_hmac_set_key(&hmac, job.prf, key, key_len);
    return is_on_stack((const uint8_t *)&hmac.inner.words, lt_hash_block_len(job.prf) / 2) ||
           is_on_stack((const uint8_t *)&hmac.outer.words, lt_hash_block_len(job.prf) / 2);
}

static int traffic_key_is_on_stack(lt_record_keys *keys) {
    return is_on_stack(lt_record_keys_inside(keys)->aead.key.gcm.round_keys, 32) ||
           is_on_stack(lt_record_keys_inside(keys)->aead.key.gcm.powers, 16);
}

static void set_premaster(void) {
    uint8_t taken[sizeof job.secret];

    memcpy(taken, job.secret, sizeof taken);
    CHECK(lt_premaster_set(&job.premaster, taken, sizeof taken) == LT_OK);
}

static void search_stack(int call, uint32_t prf, int lose) {
    WHERE("stack, call %d, PRF hash %u", call, (unsigned)prf);
    job.prf = prf;
    job.lose = 0;
    fill(job.secret, sizeof job.secret, 5);
    fill(job.client, sizeof job.client, 6);
    fill(job.server, sizeof job.server, 7);
    fill(job.transcript, sizeof job.transcript, 8);
    job.call = DERIVE; /* once outside, for the schedule and its master secret */
    set_premaster();
    run_job(NULL);
    CHECK(lt_key_schedule_master_secret(&job.schedule, job.master) == 48);
    job.call = call;
    job.lose = lose;
    set_premaster();
    run_on_searched_stack(run_job);
    CHECK(is_on_stack(job.master, sizeof job.master) == lose);
    CHECK(!is_on_stack(job.secret, sizeof job.secret));
    CHECK(!hmac_key_is_on_stack(job.secret, sizeof job.secret));
    CHECK(!hmac_key_is_on_stack(job.master, sizeof job.master));
    if (call == RECORD_KEYS || call == FINISH) {
        CHECK(!traffic_key_is_on_stack(&job.client_write));
        CHECK(!traffic_key_is_on_stack(&job.server_write));
    }
    check_wipe_went_deepest();
}

static void search_stacks(void) {
    for (uint32_t prf = LT_SHA256; prf <= LT_SHA384; prf++) {
        for (int call = DERIVE; call < CALLS; call++) {
            search_stack(call, prf, 0);
            search_stack(call, prf, 1);
        }
    }
}

/* valgrind runs these instructions, but hides ADX and with it the choice of these functions. */
static void use_sha2_avx2(void) {
#if LT_X86_64
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        lt_hash_state hash, expected;
        uint8_t blocks[256];

        WHERE("SHA-2 with AVX2");
        fill((uint8_t *)&hash, sizeof hash, 1);
        fill(blocks, sizeof blocks, 2);
        expected = hash;
        lt_sha256_blocks(expected.words.u32, blocks, 4);
        lt_sha512_blocks(expected.words.u64, blocks, 2);
        secret(&hash.words, sizeof hash.words);
        secret(blocks, sizeof blocks);
        lt_sha256_blocks_avx2(hash.words.u32, blocks, 4);
        lt_sha512_blocks_avx2(hash.words.u64, blocks, 2);
        public(&hash.words, sizeof hash.words);
        CHECK(memcmp(&hash.words, &expected.words, sizeof hash.words) == 0);
    }
#endif
}

int main(int argc, char **argv) {
    static const lengths LENGTHS[] = {{1, 0},  {32, 0},  {48, 0},  {66, 0},  {0, 1},
                                      {0, 16}, {0, 128}, {32, 16}, {66, 128}};

    lt_cpu_restrict(0);
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        lt_premaster premaster;

        agree(&premaster, (lengths){32, 0});
        return careless_length(&premaster) == 32 ? 0 : 1;
    }
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        for (int extended = 0; extended < 2; extended++) {
            WHERE("ECDH of %u bytes, PSK of %u, extended %d", (unsigned)LENGTHS[i].ecdh, (unsigned)LENGTHS[i].psk,
                  extended);
            use_schedule(LT_AES_128_GCM, LT_SHA256, LENGTHS[i], extended);
            use_schedule(LT_AES_256_GCM, LT_SHA384, LENGTHS[i], extended);
            use_schedule(LT_CHACHA20_POLY1305, LT_SHA256, LENGTHS[i], extended);
        }
    }
    use_sha2_avx2();
    if (!RUNNING_ON_VALGRIND) {
        search_stacks();
        lt_cpu_restrict(UINT32_MAX);
        search_stacks();
    }
    return check_result();
}
