/*
 * lwIP for Python: a TCP/IP stack that is only ever called, and never calls back.
 *
 * Frames go in by lw_link_input and come out by lw_link_output, time comes by lw_clock, and lw_run does what is due.
 * What happened in between is kept here and can be asked for: each connection has a buffer of what arrived, as large as
 * its TCP window, and remembers what ended it. The window opens again as the application takes bytes out.
 *
 * lwIP keeps everything in globals, so one copy of this library is one stack, for one thread at a time. The code is C99
 * over lwIP's raw API (NO_SYS).
 */
#ifndef LW_H
#define LW_H

#include <stddef.h>
#include <stdint.h>

/* cdef: begin */

typedef struct lw_link lw_link;
typedef struct lw_conn lw_conn;
typedef struct lw_listener lw_listener;
typedef struct lw_lookup lw_lookup;

/* Failures are lwIP's err_t, which are negative. */

/** What was built in: "dns", "ppp", "clock" (time is told by lw_clock), separated by blanks. */
const char *lw_features(void);

/** Start the stack, once; later calls do nothing. */
void lw_start(void);

/** Tell the time in milliseconds. It wraps around, and must never go back. */
void lw_clock(uint32_t milliseconds);

/** The time last told. */
uint32_t lw_now(void);

/** Do what is due. Returns the milliseconds until something is due again; UINT32_MAX if nothing will be. */
uint32_t lw_run(void);

/** Connections that were closed here while the peer has not yet confirmed all that was sent. */
int lw_lingering(void);

/** Forget all connections, those that linger too; each that has a handle fails with ERR_ABRT. Links stay. */
void lw_forget(void);

/* --- links --------------------------------------------------------------------------------------- */

/**
 * Add a link that carries Ethernet frames (mac: our six bytes) or IP packets (mac: NULL). Packets that our side sends
 * wait in a queue; when that is full, further ones are dropped, as any network does. NULL: no memory.
 */
lw_link *lw_link_new(const uint8_t *mac, uint16_t mtu);
void lw_link_free(lw_link *link);

/** Give it an address, with the length of its network's prefix: one for IPv4, and two for IPv6. */
int lw_link_add_address(lw_link *link, const char *address, int prefix);

/** Name the router for everything outside the link's own networks; the IPv4 address must have been added before. */
int lw_link_set_gateway(lw_link *link, const char *address);

/** One frame or packet from the link. What is wrong with it is its sender's business: it is dropped. */
void lw_link_input(lw_link *link, const uint8_t *frame, size_t length);

/** The next frame or packet for the link. Returns its length, 0 if there is none. `size` is at least 65549. */
size_t lw_link_output(lw_link *link, uint8_t *frame, size_t size);

/* --- TCP ----------------------------------------------------------------------------------------- */

/* What lw_conn_status returns, added up. */
#define LW_ESTABLISHED 1 /* the peer answered */
#define LW_END         2 /* the peer sends no more; what it sent before can be taken */

/** Call a peer. NULL: see *error. How it goes on, lw_conn_status and lw_conn_error say. */
lw_conn *lw_connect(const char *address, uint16_t port, int *error);

/** How far it has come, as flags. */
int lw_conn_status(const lw_conn *conn);

/** The error that ended it, 0 if none did. */
int lw_conn_error(const lw_conn *conn);

/** Bytes that lw_conn_send would take now; 0 as well if it is over. */
size_t lw_conn_room(const lw_conn *conn);

/** Bytes that can be taken by lw_conn_receive. */
size_t lw_conn_waiting(const lw_conn *conn);

/** Take as much of data as there is room for, and send it. Returns how much that was, or an error. */
int lw_conn_send(lw_conn *conn, const uint8_t *data, size_t length);

/** Take what arrived, at most `size` bytes, and open the window again by as much. */
size_t lw_conn_receive(lw_conn *conn, uint8_t *data, size_t size);

/** Send our end of the stream; the peer's may go on. */
int lw_conn_shutdown(lw_conn *conn);

/** Close: what was sent is still delivered, the peer is told. If it sent what nobody took, that is a reset. */
void lw_conn_close(lw_conn *conn);

/** End it with a reset. */
void lw_conn_abort(lw_conn *conn);

/** Free the handle; a connection that is still there is aborted. */
void lw_conn_free(lw_conn *conn);

/** Our own port, and the peer's; 0 once it is over. */
uint16_t lw_conn_port(const lw_conn *conn);
uint16_t lw_conn_peer_port(const lw_conn *conn);

/** Wait for callers at a port (0: any free one), at most `backlog` of whom nobody has taken. NULL: see *error. */
lw_listener *lw_listen(uint16_t port, uint8_t backlog, int *error);
uint16_t lw_listener_port(const lw_listener *listener);

/** The next caller, or NULL. Who called and was reset before it was taken is forgotten. */
lw_conn *lw_accept(lw_listener *listener);
void lw_listener_free(lw_listener *listener);

/* --- DNS ----------------------------------------------------------------------------------------- */

/** Name the server with that number (from 0). An error: no address, or no room for so many. */
int lw_dns_server(uint8_t number, const char *address);

/** Forget what was answered, and end what is still asked. */
void lw_dns_forget(void);

/** Ask for a name's address, of IPv4 rather than IPv6. NULL: no memory. */
lw_lookup *lw_lookup_new(const char *name);

/** 1: found, and address (of at least 46 bytes) says what; 0: not yet; negative: there is none, or nobody answered. */
int lw_lookup_result(const lw_lookup *lookup, char *address, size_t size);
void lw_lookup_free(lw_lookup *lookup);

/* cdef: end */

#endif
