/* A TLS 1.2 server by wolfSSL; server.h says what it does. */

#include "server.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <stdio.h>
#include <string.h>

#define SECP384R1 24

static const struct settings *wanted;
static WOLFSSL_CTX *context;

static void need(int status, const char *what) {
    if (status != WOLFSSL_SUCCESS) {
        give_up(what);
    }
}

static unsigned find_psk(WOLFSSL *tls, const char *identity, unsigned char *key, unsigned room) {
    (void)tls;
    if (strcmp(identity, wanted->identity) != 0 || wanted->psk_len > room) {
        return 0;
    }
    memcpy(key, wanted->psk, wanted->psk_len);
    return (unsigned)wanted->psk_len;
}

void server_start(const struct settings *settings) {
    unsigned char suites[2 * MOST_SUITES];
    wanted = settings;
    need(wolfSSL_Init(), "wolfSSL does not start");
    /* TLS 1.3 too, which the client does not offer: then the server's random ends in the downgrade mark. */
    context = wolfSSL_CTX_new(wolfSSLv23_server_method());
    if (context == NULL) {
        give_up("no context");
    }
    for (size_t i = 0; i < settings->suite_count; i++) {
        suites[2 * i] = (unsigned char)(settings->suites[i] >> 8);
        suites[2 * i + 1] = (unsigned char)settings->suites[i];
    }
    if (wolfSSL_CTX_set_cipher_list_bytes(context, suites, (int)(2 * settings->suite_count)) != WOLFSSL_SUCCESS) {
        cannot("wolfSSL does not know this suite");
    }
    if (settings->group == SECP384R1) { /* in TLS 1.2 it is the size that decides, then the client's order */
        need(wolfSSL_CTX_SetTmpEC_DHE_Sz(context, 48), "the group is refused");
    }
    if (settings->chain != NULL) {
        need(wolfSSL_CTX_use_certificate_chain_file(context, settings->chain), "the certificate cannot be read");
        need(wolfSSL_CTX_use_PrivateKey_file(context, settings->key, WOLFSSL_FILETYPE_PEM), "the key cannot be read");
    }
    if (settings->clients != NULL) {
        need(wolfSSL_CTX_load_verify_locations(context, settings->clients, NULL), "the authority cannot be read");
        wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (settings->psk_len > 0) {
        wolfSSL_CTX_set_psk_server_callback(context, find_psk);
    }
    if (settings->renegotiate) {
        cannot("this build of wolfSSL cannot renegotiate");
    }
    if (settings->hint != NULL) {
        need(wolfSSL_CTX_use_psk_identity_hint(context, settings->hint), "the hint is refused");
    }
}

static const char *client_name(WOLFSSL *tls) {
    static char name[100];
    WOLFSSL_X509 *certificate = wolfSSL_get_peer_certificate(tls);
    const char *found;
    if (certificate == NULL) {
        return wolfSSL_session_reused(tls) ? "" : NULL;
    }
    found = wolfSSL_X509_get_subjectCN(certificate);
    snprintf(name, sizeof name, "%s", found == NULL ? "" : found);
    wolfSSL_X509_free(certificate);
    return name;
}

static void say_why(WOLFSSL *tls, int status) {
    char why[WOLFSSL_MAX_ERROR_SZ];
    wolfSSL_ERR_error_string((unsigned long)wolfSSL_get_error(tls, status), why);
    say_failed(why);
}

/* The handshake, then every byte back. */
static void talk(WOLFSSL *tls) {
    unsigned char data[16384];
    int status = wolfSSL_accept(tls);
    if (status != WOLFSSL_SUCCESS) {
        say_why(tls, status);
        return;
    }
    say_connected((uint16_t)wolfSSL_get_current_cipher_suite(tls), wolfSSL_session_reused(tls), client_name(tls));
    for (;;) {
        int len = wolfSSL_read(tls, data, sizeof data);
        if (len <= 0 && wolfSSL_get_error(tls, len) == WOLFSSL_ERROR_ZERO_RETURN) {
            wolfSSL_shutdown(tls);
            say_closed();
            return;
        }
        if (len <= 0) {
            say_why(tls, len);
            return;
        }
        status = wolfSSL_write(tls, data, len);
        if (status != len) {
            say_why(tls, status);
            return;
        }
    }
}

void server_talk(int fd) {
    WOLFSSL *tls = wolfSSL_new(context);
    if (tls == NULL || wolfSSL_set_fd(tls, fd) != WOLFSSL_SUCCESS) {
        give_up("no connection could be made");
    }
    talk(tls);
    wolfSSL_free(tls);
}
