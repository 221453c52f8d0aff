/* The secrets of one connection: master secret, Finished, traffic keys, exporter. */
#include "inner.h"

#define MASTER_LEN 48
#define RANDOM_LEN 32

/* What an lt_key_schedule holds. */
typedef struct LT_MAY_ALIAS {
    uint8_t master[MASTER_LEN];
    uint8_t randoms[2 * RANDOM_LEN]; /* the client's, the server's */
    uint32_t aead;
    uint32_t prf; /* 0: nothing derived yet, or wiped */
} schedule_state;

LT_STATIC_ASSERT(key_schedule_fits, sizeof(schedule_state) <= sizeof(lt_key_schedule));

#define KEY_BLOCK_MAX (2 * 32 + 2 * 12)

static const schedule_state *state_of(const lt_key_schedule *schedule) {
    return (const schedule_state *)(const void *)schedule;
}

/* Fill in all but the master secret. */
static int begin(lt_key_schedule *schedule, uint32_t aead, uint32_t prf, const uint8_t *client_random,
                 const uint8_t *server_random) {
    schedule_state *state = (schedule_state *)(void *)schedule;

    if (lt_aead_key_len(aead) == 0 || (prf != LT_SHA256 && prf != LT_SHA384)) {
        return LT_ERR_ARGUMENT;
    }
    lt_copy(state->randoms, client_random, RANDOM_LEN);
    lt_copy(state->randoms + RANDOM_LEN, server_random, RANDOM_LEN);
    state->aead = aead;
    state->prf = prf;
    return LT_OK;
}

/* The master secret as the PRF takes it. Wipe it after use. */
static void master_key(lt_hmac_key *key, const schedule_state *state) {
    lt_hmac_set_key(key, state->prf, state->master, MASTER_LEN);
}

/* A seed of a label (a string literal) and up to two parts. */
#define SEED(text, first, first_len, second, second_len)                                                               \
    {(const uint8_t *)(text), sizeof(text) - 1, first, first_len, second, second_len}

/* see lighttls.h */
int lt_key_schedule_derive(lt_key_schedule *schedule, uint32_t aead, uint32_t prf, lt_premaster *premaster,
                           const uint8_t *client_random, const uint8_t *server_random, const uint8_t *session_hash,
                           size_t session_hash_len) {
    const lt_prf_seed plain = SEED("master secret", client_random, RANDOM_LEN, server_random, RANDOM_LEN);
    const lt_prf_seed extended = SEED("extended master secret", session_hash, session_hash_len, session_hash, 0);
    schedule_state *state = (schedule_state *)(void *)schedule;
    const size_t secret_len = lt_premaster_len(premaster);
    lt_hmac_key key;
    int status = begin(schedule, aead, prf, client_random, server_random);

    if (status == LT_OK && (secret_len == 0 || (session_hash_len != 0 && session_hash_len != lt_hash_len(prf)))) {
        status = LT_ERR_ARGUMENT;
    }
    if (status == LT_OK) {
        lt_hmac_set_key(&key, prf, lt_premaster_bytes(premaster), secret_len);
        lt_prf(state->master, MASTER_LEN, &key, session_hash_len == 0 ? &plain : &extended);
        lt_wipe(&key, sizeof key);
    } else {
        lt_key_schedule_wipe(schedule);
    }
    lt_premaster_wipe(premaster);
    lt_wipe_stack();
    return status;
}

/* see lighttls.h */
int lt_key_schedule_resume(lt_key_schedule *schedule, uint32_t aead, uint32_t prf, const uint8_t *master_secret,
                           const uint8_t *client_random, const uint8_t *server_random) {
    schedule_state *state = (schedule_state *)(void *)schedule;
    const int status = begin(schedule, aead, prf, client_random, server_random);

    if (status == LT_OK) {
        lt_copy(state->master, master_secret, MASTER_LEN);
    } else {
        lt_key_schedule_wipe(schedule);
    }
    lt_wipe_stack();
    return status;
}

/* Whether something was derived, and a transcript hash of that length goes with it. */
static int fits(const schedule_state *state, size_t transcript_hash_len) {
    return state->prf != 0 && transcript_hash_len == lt_hash_len(state->prf);
}

/* verify_data, RFC 5246 section 7.4.9. */
static void finished(uint8_t *verify_data, const lt_hmac_key *master, int server, const uint8_t *transcript_hash,
                     size_t transcript_hash_len) {
    const lt_prf_seed clients = SEED("client finished", transcript_hash, transcript_hash_len, transcript_hash, 0);
    const lt_prf_seed servers = SEED("server finished", transcript_hash, transcript_hash_len, transcript_hash, 0);

    lt_prf(verify_data, LT_VERIFY_DATA_LEN, master, server ? &servers : &clients);
}

/* Traffic keys, RFC 5246 section 6.3. */
static int record_keys(const schedule_state *state, const lt_hmac_key *master, lt_record_keys *client_write,
                       lt_record_keys *server_write) {
    const lt_prf_seed seed = SEED("key expansion", state->randoms + RANDOM_LEN, RANDOM_LEN, state->randoms, RANDOM_LEN);
    const size_t key_len = lt_aead_key_len(state->aead);
    const size_t iv_len = lt_record_fixed_iv_len(state->aead);
    uint8_t block[KEY_BLOCK_MAX]; /* client key, server key, client IV, server IV: RFC 5246 section 6.3 */
    const uint8_t *ivs = block + 2 * key_len;
    int status;

    lt_prf(block, 2 * (key_len + iv_len), master, &seed);
    status = lt_record_keys_init(client_write, state->aead, block, ivs);
    if (status == LT_OK) {
        status = lt_record_keys_init(server_write, state->aead, block + key_len, ivs + iv_len);
    }
    lt_wipe(block, sizeof block);
    return status;
}

/* see lighttls.h */
int lt_key_schedule_finished(const lt_key_schedule *schedule, uint8_t *verify_data, int server,
                             const uint8_t *transcript_hash, size_t transcript_hash_len) {
    const schedule_state *state = state_of(schedule);
    lt_hmac_key master;

    if (!fits(state, transcript_hash_len)) {
        return LT_ERR_ARGUMENT;
    }
    master_key(&master, state);
    finished(verify_data, &master, server, transcript_hash, transcript_hash_len);
    lt_wipe(&master, sizeof master);
    lt_wipe_stack();
    return LT_OK;
}

/* see lighttls.h */
int lt_key_schedule_check_finished(const lt_key_schedule *schedule, const uint8_t *transcript_hash,
                                   size_t transcript_hash_len, const uint8_t *verify_data, size_t verify_data_len) {
    uint8_t expected[LT_VERIFY_DATA_LEN];
    int status = lt_key_schedule_finished(schedule, expected, 1, transcript_hash, transcript_hash_len);

    if (status == LT_OK &&
        (verify_data_len != sizeof expected || !lt_ct_declassify(lt_equal(expected, verify_data, sizeof expected)))) {
        status = LT_ERR_AUTH;
    }
    lt_wipe(expected, sizeof expected);
    return status;
}

/* see lighttls.h */
int lt_key_schedule_record_keys(const lt_key_schedule *schedule, lt_record_keys *client_write,
                                lt_record_keys *server_write) {
    const schedule_state *state = state_of(schedule);
    lt_hmac_key master;
    int status;

    if (state->prf == 0) {
        return LT_ERR_ARGUMENT;
    }
    master_key(&master, state);
    status = record_keys(state, &master, client_write, server_write);
    lt_wipe(&master, sizeof master);
    lt_wipe_stack();
    return status;
}

/* see lighttls.h */
int lt_key_schedule_finish(const lt_key_schedule *schedule, uint8_t *verify_data, lt_record_keys *client_write,
                           lt_record_keys *server_write, const uint8_t *transcript_hash, size_t transcript_hash_len) {
    const schedule_state *state = state_of(schedule);
    lt_hmac_key master;
    int status;

    if (!fits(state, transcript_hash_len)) {
        return LT_ERR_ARGUMENT;
    }
    master_key(&master, state);
    finished(verify_data, &master, 0, transcript_hash, transcript_hash_len);
    status = record_keys(state, &master, client_write, server_write);
    lt_wipe(&master, sizeof master);
    lt_wipe_stack();
    return status;
}

/* see lighttls.h */
int lt_key_schedule_export(const lt_key_schedule *schedule, uint8_t *out, size_t out_len, const uint8_t *label,
                           size_t label_len, const uint8_t *context, size_t context_len) {
    const schedule_state *state = state_of(schedule);
    const lt_prf_seed seed = {label, label_len, state->randoms, 2 * RANDOM_LEN, context, context_len};
    lt_hmac_key master;

    if (state->prf == 0) {
        return LT_ERR_ARGUMENT;
    }
    master_key(&master, state);
    lt_prf(out, out_len, &master, &seed);
    lt_wipe(&master, sizeof master);
    lt_wipe_stack();
    return LT_OK;
}

/* see lighttls.h */
int lt_key_schedule_master_secret(const lt_key_schedule *schedule, uint8_t *out) {
    const schedule_state *state = state_of(schedule);

    if (state->prf == 0) {
        return LT_ERR_ARGUMENT;
    }
    lt_copy(out, state->master, MASTER_LEN);
    return MASTER_LEN;
}

/* see lighttls.h */
void lt_key_schedule_wipe(lt_key_schedule *schedule) {
    lt_wipe(schedule, sizeof *schedule);
}
