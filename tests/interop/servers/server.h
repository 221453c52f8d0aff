/*
 * What the test servers of ours have in common: command line, listening socket, and what they print.
 * server.c has main(); each library's file gives server_start() and server_talk().
 *
 *   --chain FILE --key FILE    our certificates in PEM, leaf first, and the key in PKCS #8; not needed with --psk
 *   --suite NAME               the only one, by IANA's name; default: all that lighttls has
 *   --group NAME               x25519, secp256r1 or secp384r1, for the key exchange: the only one or, where the
 *                              library cannot tell it from the curves of certificates, the preferred one
 *   --clients FILE             insist on a client certificate of this authority
 *   --psk HEX --identity TEXT  one client's key and name; suites with PSK take the place of those with certificates
 *   --hint TEXT                the PSK identity hint
 *   --renegotiate yes          ask for another handshake after the first data, without insisting on it
 *   --seconds N                the longest life of the process, default 900
 *
 * One connection at a time; all data go back until the client parts. Sessions are resumed by ticket and by ID,
 * fragments kept as short as the client asks, where the library can. Lines on stdout:
 *
 *   ready 40123
 *   connected suite=TLS_… resumed=yes client=…    after each handshake
 *   closed                                        after a client's close_notify
 *   failed WHY                                    after a handshake or a connection that went wrong
 *
 * The end of stdin ends the program. What a library cannot do at all ends it with status 64 and the reason on stderr.
 */
#ifndef INTEROP_SERVER_H
#define INTEROP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MOST_SUITES 32

struct settings {
    const char *chain;
    const char *key;
    const char *clients; /* NULL: ask for no certificate */
    const char *suite;   /* NULL: all */
    const char *identity;
    const char *hint;
    uint8_t psk[64];
    size_t psk_len;
    uint16_t suites[MOST_SUITES];
    size_t suite_count;
    uint16_t group; /* IANA's number; 0: any */
    int renegotiate;
};

/* Given by each library. */
void server_start(const struct settings *settings);
void server_talk(int fd);

/* After a handshake. `client` is the name in the client's certificate; NULL: there is none; "": it cannot be told. */
void say_connected(uint16_t suite, int resumed, const char *client);
void say_closed(void);
void say_failed(const char *why);

/* End the program: something is wrong with its files or the library. */
#ifdef __GNUC__
__attribute__((noreturn))
#endif
void give_up(const char *what);

/* End the program: the library has nothing for an option. */
#ifdef __GNUC__
__attribute__((noreturn))
#endif
void cannot(const char *why);

/* A whole file and a zero after it, kept for ever; *len is without the zero. */
uint8_t *file_content(const char *path, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
