/*
 * TCP connections over lwIP's raw API. See lw.h.
 *
 * lwIP frees a pcb in three moments, and each leaves `pcb` NULL here: when it fails (the error callback tells), when we
 * close or abort it, and some time after both sides have sent their end. Of the last nobody is told, so we let go of
 * the pcb as soon as the second end is there; lwIP still confirms what has to be confirmed.
 */
#include <stdlib.h>

#include "inner.h"
#include "lwip/ip4.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

struct lw_conn {
    struct tcp_pcb *pcb;
    lw_queue in; /* what arrived and nobody took: at most the window that the peer was told */
    int established, ended, shut;
    int error;             /* what lwIP said when it freed the pcb */
    lw_listener *listener; /* where it waits to be taken */
    lw_conn *next;         /* who came there after it */
};

struct lw_listener {
    struct tcp_pcb *pcb;
    lw_conn *first, **last;
};

/* Leave the pcb to lwIP: no callback of it can reach the connection any more. */
static void let_go(lw_conn *conn) {
    struct tcp_pcb *pcb = conn->pcb;
    conn->pcb = NULL;
    if (pcb != NULL) {
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
    }
}

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *packet, err_t status) {
    lw_conn *conn = argument;
    (void)status;
    if (packet == NULL) {
        conn->ended = 1;
        if (conn->shut) {
            let_go(conn);
        }
        return ERR_OK;
    }
    if (lw_queue_room(&conn->in) < packet->tot_len) {
        return ERR_MEM; /* more than the window allowed: lwIP keeps it and tries again */
    }
    (void)pcb;
    lw_queue_put_packet(&conn->in, packet);
    pbuf_free(packet);
    return ERR_OK;
}

/* Take a caller out of its listener's queue. */
static void unqueue(lw_conn *conn) {
    lw_listener *listener = conn->listener;
    lw_conn **place = &listener->first;
    while (*place != conn) {
        place = &(*place)->next;
    }
    *place = conn->next;
    if (listener->last == &conn->next) {
        listener->last = place;
    }
    conn->listener = NULL;
    conn->next = NULL;
}

static void on_failed(void *argument, err_t error) {
    lw_conn *conn = argument;
    conn->pcb = NULL; /* lwIP has freed it */
    conn->error = error;
    if (conn->listener != NULL) { /* who called and is gone no longer counts as backlog, so nothing would bound them */
        unqueue(conn);
        lw_conn_free(conn);
    }
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t status) {
    lw_conn *conn = argument;
    (void)pcb;
    (void)status;
    conn->established = 1;
    return ERR_OK;
}

/* A handle for a pcb; NULL: no memory. */
static lw_conn *new_conn(struct tcp_pcb *pcb) {
    lw_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return NULL;
    }
    if (!lw_queue_open(&conn->in, TCP_WND)) {
        free(conn);
        return NULL;
    }
    conn->pcb = pcb;
    tcp_nagle_disable(pcb); /* flights are whole: waiting gains nothing */
    tcp_arg(pcb, conn);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_failed);
    return conn;
}

/* Whether packets to it can leave: lwIP looks for each of them, and when there is no router tells nobody. */
static int has_way(const ip_addr_t *peer) {
    if (IP_IS_V6(peer)) {
        return 1; /* its routers advertise themselves, perhaps in a moment */
    }
    const ip4_addr_t *target = ip_2_ip4(peer);
    const struct netif *netif = ip4_route(target);
    return netif != NULL && (!(netif->flags & NETIF_FLAG_ETHARP) || !ip4_addr_isany(netif_ip4_gw(netif)) ||
                             ip4_addr_netcmp(target, netif_ip4_addr(netif), netif_ip4_netmask(netif)));
}

lw_conn *lw_connect(const char *address, uint16_t port, int *error) {
    ip_addr_t peer;
    struct tcp_pcb *pcb;
    lw_conn *conn;
    *error = ERR_ARG;
    if (!ipaddr_aton(address, &peer)) {
        return NULL;
    }
    *error = ERR_RTE;
    if (!has_way(&peer)) {
        return NULL;
    }
    *error = ERR_MEM;
    pcb = tcp_new_ip_type(IP_GET_TYPE(&peer));
    if (pcb == NULL) {
        return NULL;
    }
    conn = new_conn(pcb);
    if (conn == NULL) {
        tcp_abort(pcb);
        return NULL;
    }
    *error = tcp_connect(pcb, &peer, port, on_connected);
    if (*error != ERR_OK) {
        lw_conn_free(conn);
        return NULL;
    }
    return conn;
}

int lw_conn_status(const lw_conn *conn) {
    return (conn->established ? LW_ESTABLISHED : 0) | (conn->ended ? LW_END : 0);
}

int lw_conn_error(const lw_conn *conn) {
    return conn->error;
}

size_t lw_conn_room(const lw_conn *conn) {
    const struct tcp_pcb *pcb = conn->pcb;
    if (pcb == NULL || conn->shut || !conn->established || tcp_sndqueuelen(pcb) >= TCP_SND_QUEUELEN) {
        return 0;
    }
    return tcp_sndbuf(pcb);
}

size_t lw_conn_waiting(const lw_conn *conn) {
    return conn->in.filled;
}

int lw_conn_send(lw_conn *conn, const uint8_t *data, size_t length) {
    size_t room = lw_conn_room(conn);
    if (conn->error != 0) {
        return conn->error;
    }
    if (length > room) {
        length = room;
    }
    if (length > UINT16_MAX) {
        length = UINT16_MAX;
    }
    if (length == 0) {
        return 0;
    }
    err_t status = tcp_write(conn->pcb, data, (u16_t)length, TCP_WRITE_FLAG_COPY);
    if (status != ERR_OK) {
        return status == ERR_MEM ? 0 : status; /* the queue of segments is full: later */
    }
    tcp_output(conn->pcb); /* what it cannot send now, its timers will */
    return (int)length;
}

size_t lw_conn_receive(lw_conn *conn, uint8_t *data, size_t size) {
    size_t length = lw_queue_take(&conn->in, data, size);
    for (size_t left = conn->pcb != NULL ? length : 0; left > 0;) {
        u16_t step = left > UINT16_MAX ? UINT16_MAX : (u16_t)left;
        tcp_recved(conn->pcb, step);
        left -= step;
    }
    return length;
}

int lw_conn_shutdown(lw_conn *conn) {
    struct tcp_pcb *pcb = conn->pcb;
    if (pcb == NULL || conn->shut) {
        return conn->error;
    }
    err_t status = tcp_shutdown(pcb, 0, 1);
    if (status == ERR_OK) {
        conn->shut = 1;
        if (conn->ended) {
            let_go(conn);
        }
    }
    return status;
}

void lw_conn_close(lw_conn *conn) {
    struct tcp_pcb *pcb = conn->pcb;
    if (pcb != NULL) {
        let_go(conn);
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
}

void lw_conn_abort(lw_conn *conn) {
    struct tcp_pcb *pcb = conn->pcb;
    if (pcb != NULL) {
        let_go(conn);
        tcp_abort(pcb);
    }
}

void lw_conn_free(lw_conn *conn) {
    if (conn != NULL) {
        lw_conn_abort(conn);
        lw_queue_close(&conn->in);
        free(conn);
    }
}

uint16_t lw_conn_port(const lw_conn *conn) {
    return conn->pcb != NULL ? conn->pcb->local_port : 0;
}

uint16_t lw_conn_peer_port(const lw_conn *conn) {
    return conn->pcb != NULL ? conn->pcb->remote_port : 0;
}

/* --- listeners ------------------------------------------------------------------------------------ */

static err_t on_accepted(void *argument, struct tcp_pcb *pcb, err_t status) {
    lw_listener *listener = argument;
    lw_conn *conn;
    if (status != ERR_OK || pcb == NULL || (conn = new_conn(pcb)) == NULL) {
        return ERR_MEM; /* lwIP aborts it */
    }
    conn->established = 1;
    tcp_backlog_delayed(pcb); /* until somebody takes it */
    conn->listener = listener;
    *listener->last = conn;
    listener->last = &conn->next;
    return ERR_OK;
}

lw_listener *lw_listen(uint16_t port, uint8_t backlog, int *error) {
    lw_listener *listener = calloc(1, sizeof *listener);
    struct tcp_pcb *pcb = listener != NULL ? tcp_new_ip_type(IPADDR_TYPE_ANY) : NULL;
    *error = ERR_MEM;
    if (pcb != NULL) {
        err_t status = tcp_bind(pcb, IP_ANY_TYPE, port);
        if (status == ERR_OK) {
            listener->pcb = tcp_listen_with_backlog_and_err(pcb, backlog, &status);
        }
        *error = status;
        if (listener->pcb == NULL) {
            tcp_abort(pcb);
        }
    }
    if (*error != ERR_OK) {
        free(listener);
        return NULL;
    }
    listener->last = &listener->first;
    tcp_arg(listener->pcb, listener);
    tcp_accept(listener->pcb, on_accepted);
    return listener;
}

uint16_t lw_listener_port(const lw_listener *listener) {
    return listener->pcb->local_port;
}

lw_conn *lw_accept(lw_listener *listener) {
    lw_conn *conn = listener->first;
    if (conn != NULL) {
        unqueue(conn);
        tcp_backlog_accepted(conn->pcb);
    }
    return conn;
}

void lw_listener_free(lw_listener *listener) {
    if (listener != NULL) {
        lw_conn *conn;
        while ((conn = lw_accept(listener)) != NULL) {
            lw_conn_free(conn);
        }
        tcp_close(listener->pcb);
        free(listener);
    }
}
