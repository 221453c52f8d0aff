/*
 * PPP over a serial line (RFC 1661, 1662): a link whose bytes come from and go to a modem in data mode.
 *
 * Like all of this shim it is only ever called: bytes go in by lw_ppp_input and come out by lw_ppp_output, and what has
 * become of the link can be asked. The answering side exists for tests and simulators. It is a network in itself: every
 * address in it can be called at every port, as its owner says, and questions to its DNS are handed out.
 */
#ifndef LW_PPP_H
#define LW_PPP_H

#include <stddef.h>
#include <stdint.h>

/* cdef: begin */

typedef struct lw_ppp lw_ppp;

/* How the asking side proves who it is (RFC 1334, 1994), added up. */
#define LW_PPP_PAP  1
#define LW_PPP_CHAP 2

/* Which address lw_ppp_address tells. */
#define LW_PPP_OURS   0
#define LW_PPP_THEIRS 1
#define LW_PPP_DNS    2 /* the first of those that the peer named */

/** A link that asks, with its user, or none. The texts are copied. NULL: no memory. */
lw_ppp *lw_ppp_new(int methods, const char *user, const char *password);

/** Make it the answering side, before it is opened: our address, the one that it gives, and the DNS server it names. */
int lw_ppp_serve(lw_ppp *ppp, const char *ours, const char *theirs, const char *dns);

/** Begin; the line is there. An error if it has begun already. */
int lw_ppp_open(lw_ppp *ppp);

/** Ask the peer to end, which takes some time. */
void lw_ppp_close(lw_ppp *ppp);

/** The line is gone: end at once. The link can be opened again. */
void lw_ppp_lost(lw_ppp *ppp);

/** Take the link away, whatever it does. Connections over it fail with ERR_ABRT. */
void lw_ppp_free(lw_ppp *ppp);

/** Where it stands, as lwIP's PPP_PHASE_…: 0 not begun, or over. */
int lw_ppp_phase(const lw_ppp *ppp);

/** How far it came since it was opened, as PPP_PHASE_… up to RUNNING (10). */
int lw_ppp_furthest(const lw_ppp *ppp);

/** 1: it has an address, and carries packets. */
int lw_ppp_is_up(const lw_ppp *ppp);

/** What ended it, or is about to, as lwIP's PPPERR_…; 0: nothing did. */
int lw_ppp_error(const lw_ppp *ppp);

/** Write one of its addresses. An error if there is none, or no room (16 bytes are enough). */
int lw_ppp_address(const lw_ppp *ppp, int which, char *text, size_t size);

/** Bytes that came over the line. A frame that was altered on the way is dropped: its checksum tells (RFC 1662 C). */
void lw_ppp_input(lw_ppp *ppp, const uint8_t *data, size_t length);

/** Take bytes for the line, at most `size`. Returns how many; 0 if there are none. */
size_t lw_ppp_output(lw_ppp *ppp, uint8_t *data, size_t size);

/* --- the answering side -------------------------------------------------------------------------- */

/**
 * Somebody calls: the address and port that are meant, and the caller's port. The call waits until lw_ppp_admit.
 * Returns 0 if there is none.
 */
int lw_ppp_call(const lw_ppp *ppp, char *address, size_t size, uint16_t *port, uint16_t *from);

/** Let the waiting call go on: to whoever listens at its port, or, where nobody does, to be refused. */
void lw_ppp_admit(lw_ppp *ppp);

/** The next question to the DNS, at most `size` bytes of it. Returns its length, 0 if there is none. */
size_t lw_ppp_question(lw_ppp *ppp, uint8_t *data, size_t size);

/** Answer the question that was taken last. */
int lw_ppp_answer(lw_ppp *ppp, const uint8_t *data, size_t length);

/* cdef: end */

#endif
