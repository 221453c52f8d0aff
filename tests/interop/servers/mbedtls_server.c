/* A TLS 1.2 server by mbedTLS 2.28; server.h says what it does. */

#include "server.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <string.h>

#define TICKET_LIFETIME_SECONDS 86400

static const struct settings *wanted;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_x509_crt chain, authority;
static mbedtls_pk_context key;
static mbedtls_ssl_config config;
static mbedtls_ssl_cache_context cache;
static mbedtls_ssl_ticket_context tickets;
static int suites[MOST_SUITES + 1];
static mbedtls_ecp_group_id groups[3];

/* Of the present connection. */
static int resumed;
static int to_renegotiate;

static void need(int status, const char *what) {
    if (status != 0) {
        give_up(what);
    }
}

static int cached(void *data, mbedtls_ssl_session *session) {
    int status = mbedtls_ssl_cache_get(data, session);
    resumed = status == 0;
    return status;
}

static int opened(void *data, mbedtls_ssl_session *session, unsigned char *ticket, size_t len) {
    int status = mbedtls_ssl_ticket_parse(data, session, ticket, len);
    resumed = status == 0;
    return status;
}

static mbedtls_ecp_group_id group_id(uint16_t code) {
    const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_tls_id(code);
    if (info == NULL) {
        cannot("mbedTLS does not know this group");
    }
    return info->grp_id;
}

void server_start(const struct settings *settings) {
    wanted = settings;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ssl_config_init(&config);
    need(mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0), "no entropy");
    need(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT),
         "no defaults");
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &drbg);
    mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);

    size_t known = 0;
    for (size_t i = 0; i < settings->suite_count; i++) {
        if (mbedtls_ssl_ciphersuite_from_id(settings->suites[i]) != NULL) {
            suites[known++] = settings->suites[i];
        }
    }
    if (known == 0) {
        cannot("mbedTLS does not know this suite");
    }
    mbedtls_ssl_conf_ciphersuites(&config, suites);
    if (settings->group != 0) {
        groups[0] = group_id(settings->group);
        groups[1] = MBEDTLS_ECP_DP_SECP256R1; /* the curve of certificates may not be missing */
        mbedtls_ssl_conf_curves(&config, groups);
    }
    if (settings->chain != NULL) {
        mbedtls_x509_crt_init(&chain);
        mbedtls_pk_init(&key);
        need(mbedtls_x509_crt_parse_file(&chain, settings->chain), "the certificate cannot be read");
        need(mbedtls_pk_parse_keyfile(&key, settings->key, NULL), "the key cannot be read");
        need(mbedtls_ssl_conf_own_cert(&config, &chain, &key), "the certificate is refused");
    }
    if (settings->clients != NULL) {
        mbedtls_x509_crt_init(&authority);
        need(mbedtls_x509_crt_parse_file(&authority, settings->clients), "the clients' authority cannot be read");
        mbedtls_ssl_conf_ca_chain(&config, &authority, NULL);
        mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
    }
    if (settings->psk_len > 0) {
        need(mbedtls_ssl_conf_psk(&config, settings->psk, settings->psk_len, (const unsigned char *)settings->identity,
                                  strlen(settings->identity)),
             "the PSK is refused");
    }
    if (settings->renegotiate) {
        mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
        mbedtls_ssl_conf_renegotiation_enforced(&config, MBEDTLS_SSL_RENEGOTIATION_NOT_ENFORCED);
    }
    if (settings->hint != NULL) {
        cannot("mbedTLS sends no identity hint");
    }
    mbedtls_ssl_cache_init(&cache);
    mbedtls_ssl_conf_session_cache(&config, &cache, cached, mbedtls_ssl_cache_set);
    mbedtls_ssl_ticket_init(&tickets);
    need(mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &drbg, MBEDTLS_CIPHER_AES_256_GCM,
                                  TICKET_LIFETIME_SECONDS),
         "no tickets");
    mbedtls_ssl_conf_session_tickets_cb(&config, mbedtls_ssl_ticket_write, opened, &tickets);
}

static const char *client_name(const mbedtls_ssl_context *tls) {
    const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(tls);
    static char name[100];
    if (certificate == NULL) {
        return resumed ? "" : NULL;
    }
    return mbedtls_x509_dn_gets(name, sizeof name, &certificate->subject) > 3 ? name + 3 : ""; /* without "CN=" */
}

/* The handshake, then every byte back; the status that ended it. */
static int talk(mbedtls_ssl_context *tls) {
    unsigned char data[16384];
    int status = mbedtls_ssl_handshake(tls);
    if (status != 0) {
        return status;
    }
    say_connected((uint16_t)mbedtls_ssl_get_ciphersuite_id(mbedtls_ssl_get_ciphersuite(tls)), resumed,
                  client_name(tls));
    for (;;) {
        int len = mbedtls_ssl_read(tls, data, sizeof data);
        if (len == MBEDTLS_ERR_SSL_WANT_READ) { /* there was an alert to be ignored */
            continue;
        }
        if (len <= 0) {
            return len;
        }
        if (to_renegotiate) {
            to_renegotiate = 0;
            status = mbedtls_ssl_renegotiate(tls);
            if (status != 0) {
                return status;
            }
        }
        for (int sent = 0; sent < len; sent += status) {
            status = mbedtls_ssl_write(tls, data + sent, (size_t)(len - sent));
            if (status <= 0) {
                return status;
            }
        }
    }
}

void server_talk(int fd) {
    mbedtls_ssl_context tls;
    mbedtls_net_context connection;
    connection.fd = fd;
    resumed = 0;
    to_renegotiate = wanted->renegotiate;
    mbedtls_ssl_init(&tls);
    need(mbedtls_ssl_setup(&tls, &config), "no connection could be made");
    mbedtls_ssl_set_bio(&tls, &connection, mbedtls_net_send, mbedtls_net_recv, NULL);
    int status = talk(&tls);
    if (status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        mbedtls_ssl_close_notify(&tls);
        say_closed();
    } else {
        char why[200];
        mbedtls_strerror(status, why, sizeof why);
        say_failed(status == 0 ? "end of stream without close_notify" : why);
    }
    mbedtls_ssl_free(&tls);
}
