/*
 * The premaster secret is undefined to valgrind, and so is all that comes from it, while a whole key
 * schedule runs and a record goes through its keys. Made public are only what leaves: verify_data,
 * exported bytes, ciphertext. Runs the portable code; valgrind does not know the SHA extensions.
 *
 * Build: -O2 -g, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: valgrind -q --error-exitcode=99 ./ct_schedule       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_schedule leak  must end with 99: skips leading zeros of the premaster
 */
#include "check.h"

#include <valgrind/memcheck.h>

#include "inner.h"

static void secret(void *p, size_t len) {
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void public(void *p, size_t len) {
    (void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

/* The premaster secret of a handshake, unknown to valgrind but for its length. */
static void agree(lt_premaster *premaster, size_t len) {
    uint8_t bytes[66];

    fill(bytes, len, 1);
    secret(bytes, len);
    CHECK(lt_premaster_set(premaster, bytes, len) >= 0);
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

static void use_schedule(uint32_t aead, uint32_t prf, size_t secret_len, int extended) {
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

int main(int argc, char **argv) {
    static const size_t LENGTHS[] = {1, 32, 48, 66};

    lt_cpu_restrict(0);
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        lt_premaster premaster;

        agree(&premaster, 32);
        return careless_length(&premaster) == 32 ? 0 : 1;
    }
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        for (int extended = 0; extended < 2; extended++) {
            WHERE("secret of %u bytes, extended %d", (unsigned)LENGTHS[i], extended);
            use_schedule(LT_AES_128_GCM, LT_SHA256, LENGTHS[i], extended);
            use_schedule(LT_AES_256_GCM, LT_SHA384, LENGTHS[i], extended);
            use_schedule(LT_CHACHA20_POLY1305, LT_SHA256, LENGTHS[i], extended);
        }
    }
    return check_result();
}
