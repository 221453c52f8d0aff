/* A TLS 1.2 server by BearSSL; server.h says what it does. */

#include "server.h"

#include <bearssl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_CERTIFICATES 4

/* What PEM is decoded into: the objects of all files, one after another. */
static unsigned char store[1 << 15];
static size_t stored;

static br_x509_certificate chain[MOST_CERTIFICATES];
static size_t chain_len;
static br_skey_decoder_context key;
static br_x509_decoder_context authority;
static br_x509_trust_anchor anchor;
static br_ec_impl exchange;

static br_ssl_server_context tls;
static unsigned char buffer[BR_SSL_BUFSIZE_BIDI];
static br_x509_minimal_context verifier;
static br_ssl_session_cache_lru cache;
static unsigned char cache_store[100 * 100];
static br_ssl_session_cache_class watched_cache;
static const struct settings *wanted;

/* Of the present connection. */
static int resumed;

static void append(void *context, const void *data, size_t len) {
    (void)context;
    if (len > sizeof store - stored) {
        give_up("certificates are too long");
    }
    memcpy(store + stored, data, len);
    stored += len;
}

/* The DER objects of a PEM file; returns how many. */
static size_t read_pem(const char *path, br_x509_certificate *objects) {
    br_pem_decoder_context decoder;
    size_t len, used = 0, count = 0;
    const uint8_t *text = file_content(path, &len);
    br_pem_decoder_init(&decoder);
    while (used < len) {
        used += br_pem_decoder_push(&decoder, text + used, len - used);
        switch (br_pem_decoder_event(&decoder)) {
        case BR_PEM_BEGIN_OBJ:
            if (count == MOST_CERTIFICATES) {
                give_up(path);
            }
            objects[count].data = store + stored;
            br_pem_decoder_setdest(&decoder, append, NULL);
            break;
        case BR_PEM_END_OBJ:
            objects[count].data_len = (size_t)(store + stored - objects[count].data);
            count++;
            break;
        case BR_PEM_ERROR:
            give_up(path);
        default:
            break;
        }
    }
    return count;
}

static void read_authority(const char *path) {
    br_x509_certificate certificate[MOST_CERTIFICATES];
    if (read_pem(path, certificate) != 1) {
        give_up(path);
    }
    anchor.dn.data = store + stored;
    br_x509_decoder_init(&authority, append, NULL);
    br_x509_decoder_push(&authority, certificate[0].data, certificate[0].data_len);
    if (br_x509_decoder_get_pkey(&authority) == NULL) {
        give_up(path);
    }
    anchor.dn.len = (size_t)(store + stored - anchor.dn.data);
    anchor.flags = BR_X509_TA_CA;
    anchor.pkey = *br_x509_decoder_get_pkey(&authority);
}

/* CertificateVerify with all curves: the engine would take those of the key exchange. */
static uint32_t verify(const br_ec_impl *curves, const void *hash, size_t hash_len, const br_ec_public_key *public_key,
                       const void *signature, size_t len) {
    (void)curves;
    return br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), hash, hash_len, public_key, signature, len);
}

static int watched_load(const br_ssl_session_cache_class **context, br_ssl_server_context *server,
                        br_ssl_session_parameters *parameters) {
    (void)context;
    resumed = cache.vtable->load(&cache.vtable, server, parameters);
    return resumed;
}

static void watched_save(const br_ssl_session_cache_class **context, br_ssl_server_context *server,
                         const br_ssl_session_parameters *parameters) {
    (void)context;
    cache.vtable->save(&cache.vtable, server, parameters);
}

void server_start(const struct settings *settings) {
    br_x509_certificate encoded[MOST_CERTIFICATES];
    wanted = settings;
    if (settings->psk_len > 0) {
        cannot("BearSSL has no PSK key exchange");
    }
    if (settings->renegotiate) {
        cannot("BearSSL ends the connection if the client declines");
    }
    chain_len = read_pem(settings->chain, chain);
    br_skey_decoder_init(&key);
    if (read_pem(settings->key, encoded) != 1) {
        give_up(settings->key);
    }
    br_skey_decoder_push(&key, encoded[0].data, encoded[0].data_len);
    if (br_skey_decoder_key_type(&key) == 0) {
        give_up(settings->key);
    }
    if (settings->clients != NULL) {
        read_authority(settings->clients);
    }
    exchange = *br_ec_get_default();
    if (settings->group != 0) {
        exchange.supported_curves &= (uint32_t)1 << settings->group; /* BearSSL's curves have IANA's numbers */
    }
    br_ssl_session_cache_lru_init(&cache, cache_store, sizeof cache_store);
    watched_cache = (br_ssl_session_cache_class){sizeof cache, watched_save, watched_load};
}

static int receive(void *context, unsigned char *data, size_t len) {
    ssize_t got;
    do {
        got = read(*(int *)context, data, len);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? (int)got : -1;
}

static int transmit(void *context, const unsigned char *data, size_t len) {
    ssize_t sent;
    do {
        sent = write(*(int *)context, data, len);
    } while (sent < 0 && errno == EINTR);
    return sent > 0 ? (int)sent : -1;
}

static void prepare(br_name_element *name) {
    static const br_ssl_session_cache_class *watched = &watched_cache;
    if (br_skey_decoder_key_type(&key) == BR_KEYTYPE_RSA) {
        br_ssl_server_init_full_rsa(&tls, chain, chain_len, br_skey_decoder_get_rsa(&key));
    } else {
        br_ssl_server_init_full_ec(&tls, chain, chain_len, BR_KEYTYPE_RSA, br_skey_decoder_get_ec(&key));
    }
    br_ssl_engine_set_versions(&tls.eng, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(&tls.eng, wanted->suites, wanted->suite_count);
    br_ssl_engine_set_ec(&tls.eng, &exchange);
    br_ssl_engine_set_buffer(&tls.eng, buffer, sizeof buffer, 1);
    br_ssl_server_set_cache(&tls, &watched);
    if (wanted->clients != NULL) {
        br_x509_minimal_init_full(&verifier, &anchor, 1);
        br_x509_minimal_set_name_elements(&verifier, name, 1);
        br_ssl_engine_set_x509(&tls.eng, &verifier.vtable);
        br_ssl_server_set_trust_anchor_names_alt(&tls, &anchor, 1);
        br_ssl_engine_set_default_rsavrfy(&tls.eng);
        br_ssl_engine_set_ecdsa(&tls.eng, verify);
    }
}

void server_talk(int fd) {
    static const unsigned char common_name[] = {3, 0x55, 0x04, 0x03};
    char client[100] = "";
    br_name_element name = {common_name, client, sizeof client, 0};
    br_sslio_context stream;
    br_ssl_session_parameters session;
    unsigned char data[16384];
    char why[40];
    int got = -1;

    prepare(&name);
    resumed = 0;
    if (!br_ssl_server_reset(&tls)) {
        give_up("no connection could be made");
    }
    br_sslio_init(&stream, &tls.eng, receive, &fd, transmit, &fd);
    if (br_sslio_flush(&stream) == 0) { /* that is, after the handshake */
        br_ssl_engine_get_session_parameters(&tls.eng, &session);
        say_connected(session.cipher_suite, resumed, wanted->clients == NULL ? NULL : client);
        while ((got = br_sslio_read(&stream, data, sizeof data)) > 0 &&
               br_sslio_write_all(&stream, data, (size_t)got) == 0 && br_sslio_flush(&stream) == 0) {
        }
    }
    if (br_ssl_engine_current_state(&tls.eng) == BR_SSL_CLOSED && br_ssl_engine_last_error(&tls.eng) == BR_ERR_OK) {
        say_closed(); /* it has sent its close_notify */
    } else {
        snprintf(why, sizeof why, "BearSSL error %d", br_ssl_engine_last_error(&tls.eng));
        say_failed(why);
    }
}
