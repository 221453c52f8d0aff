/* PPP over a serial line. See ppp.h. */
#include "ppp.h"

#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "lwip/ip4.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ppp/ppp_impl.h"
#include "netif/ppp/pppos.h"

/* Room for what one connection may have under way, each byte escaped, several times over. */
#define QUEUE_SIZE 262144

/*
 * Milliseconds after which none of a pcb's timers is still due. lwIP leaves some behind, such as that of PAP, which
 * look into the pcb to see that there is nothing to do.
 */
#define LONGEST_TIMER 60000

#define QUESTION_SIZE 512
#define DNS_PORT      53

struct lw_ppp {
    struct netif netif;
    ppp_pcb *pcb;
    lw_queue out;
    char *user, *password;
    int error; /* the last PPPERR_…; 0 while it is open */
    int furthest, was_up;
    int serving;
    struct udp_pcb *dns;
    lw_queue questions; /* each after its `struct question` */
    struct pbuf *call;  /* a SYN that waits */
    int admitting;
};

struct question {
    ip_addr_t from, to;
    uint16_t port;
    uint16_t length;
};

static lw_ppp *serving; /* the hook is told a netif only; one answering side is all that a stack needs */
static struct question asked;

static u32_t queue_bytes(ppp_pcb *pcb, u8_t *data, u32_t length, void *context) {
    lw_ppp *ppp = context;
    (void)pcb;
    if (lw_queue_room(&ppp->out) < length) {
        return 0; /* lwIP gives the frame up; what went of it ends in a wrong checksum */
    }
    lw_queue_put(&ppp->out, data, length);
    return length;
}

static void on_status(ppp_pcb *pcb, int error, void *context) {
    lw_ppp *ppp = context;
    ppp->error = error;
    ppp->was_up = ppp->was_up || pcb->if4_up;
}

static void on_phase(ppp_pcb *pcb, u8_t phase, void *context) {
    lw_ppp *ppp = context;
    (void)pcb;
    if (phase > ppp->furthest && phase <= PPP_PHASE_RUNNING) {
        ppp->furthest = phase;
    }
}

static char *copy_of(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

/* The password is a secret; nobody reads this memory again, so the writes must not be left out. */
static void forget(char *text) {
    if (text != NULL) {
        for (volatile char *byte = text; *byte != 0; byte++) {
            *byte = 0;
        }
        free(text);
    }
}

lw_ppp *lw_ppp_new(int methods, const char *user, const char *password) {
    lw_ppp *ppp = calloc(1, sizeof *ppp);
    if (ppp == NULL) {
        return NULL;
    }
    ppp->user = copy_of(user);
    ppp->password = copy_of(password);
    if (ppp->user == NULL || ppp->password == NULL || !lw_queue_open(&ppp->out, QUEUE_SIZE)) {
        lw_ppp_free(ppp);
        return NULL;
    }
    ppp->pcb = pppos_create(&ppp->netif, queue_bytes, on_status, ppp);
    if (ppp->pcb == NULL) {
        lw_ppp_free(ppp);
        return NULL;
    }
    if (methods != 0) {
        u8_t allowed = 0;
        allowed |= (methods & LW_PPP_PAP) ? PPPAUTHTYPE_PAP : 0;
        allowed |= (methods & LW_PPP_CHAP) ? PPPAUTHTYPE_CHAP : 0;
        ppp_set_auth(ppp->pcb, allowed, ppp->user, ppp->password);
    }
    ppp_set_notify_phase_callback(ppp->pcb, on_phase);
    ppp_set_usepeerdns(ppp->pcb, 1);
    ppp_set_default(ppp->pcb);
    return ppp;
}

static void take_question(void *context, struct udp_pcb *pcb, struct pbuf *data, const ip_addr_t *from, u16_t port) {
    lw_ppp *ppp = context;
    struct question head = {*from, *ip_current_dest_addr(), port, data->tot_len};
    (void)pcb;
    if (data->tot_len <= QUESTION_SIZE && lw_queue_room(&ppp->questions) >= sizeof head + data->tot_len) {
        lw_queue_put(&ppp->questions, &head, sizeof head);
        lw_queue_put_packet(&ppp->questions, data);
    }
    pbuf_free(data);
}

int lw_ppp_serve(lw_ppp *ppp, const char *ours, const char *theirs, const char *dns) {
    ip4_addr_t our_address, their_address, dns_address;
    if (!ip4addr_aton(ours, &our_address) || !ip4addr_aton(theirs, &their_address) ||
        !ip4addr_aton(dns, &dns_address) || serving != NULL || ppp->pcb->phase != PPP_PHASE_DEAD) {
        return ERR_ARG;
    }
    ppp->dns = udp_new_ip_type(IPADDR_TYPE_V4);
    if (ppp->dns == NULL || !lw_queue_open(&ppp->questions, 8 * (sizeof(struct question) + QUESTION_SIZE)) ||
        udp_bind(ppp->dns, IP4_ADDR_ANY, DNS_PORT) != ERR_OK) {
        return ERR_MEM;
    }
    udp_recv(ppp->dns, take_question, ppp);
    ppp_set_ipcp_ouraddr(ppp->pcb, &our_address);
    ppp_set_ipcp_hisaddr(ppp->pcb, &their_address);
    ppp_set_ipcp_dnsaddr(ppp->pcb, 0, &dns_address);
    ppp_set_usepeerdns(ppp->pcb, 0);
    ppp_set_auth_required(ppp->pcb, ppp->pcb->settings.user != NULL);
    ppp_set_silent(ppp->pcb, 1);
    ppp->serving = 1;
    serving = ppp;
    return ERR_OK;
}

int lw_ppp_open(lw_ppp *ppp) {
    ppp->error = ppp->furthest = ppp->was_up = 0;
    ppp->out.start = ppp->out.filled = 0; /* of an earlier line */
    return ppp->serving ? ppp_listen(ppp->pcb) : ppp_connect(ppp->pcb, 0);
}

void lw_ppp_close(lw_ppp *ppp) {
    ppp_close(ppp->pcb, 0);
}

void lw_ppp_lost(lw_ppp *ppp) {
    if (ppp->pcb->phase == PPP_PHASE_DEAD) {
        return;
    }
    /* ppp_close may wait for answers that cannot come, unless the link is up */
    lcp_close(ppp->pcb, "line lost");
    link_terminated(ppp->pcb);
}

static void reap(void *argument) {
    lw_ppp *ppp = argument;
    ppp_free(ppp->pcb);
    free(ppp);
}

void lw_ppp_free(lw_ppp *ppp) {
    if (ppp == NULL) {
        return;
    }
    if (ppp->pcb != NULL) {
        lw_ppp_lost(ppp);
        netif_remove(&ppp->netif);
        ppp->pcb->settings.user = ppp->pcb->settings.passwd = NULL;
    }
    if (ppp->dns != NULL) {
        udp_remove(ppp->dns);
    }
    if (ppp->call != NULL) {
        pbuf_free(ppp->call);
    }
    if (serving == ppp) {
        serving = NULL;
    }
    lw_queue_close(&ppp->out);
    lw_queue_close(&ppp->questions);
    forget(ppp->user);
    forget(ppp->password);
    if (ppp->pcb != NULL) {
        sys_timeout(LONGEST_TIMER, reap, ppp);
    } else {
        free(ppp);
    }
}

int lw_ppp_phase(const lw_ppp *ppp) {
    return ppp->pcb->phase;
}

int lw_ppp_furthest(const lw_ppp *ppp) {
    return ppp->furthest;
}

int lw_ppp_is_up(const lw_ppp *ppp) {
    return ppp->pcb->if4_up;
}

int lw_ppp_error(const lw_ppp *ppp) {
    if (ppp->error == 0 && ppp->was_up && !ppp->pcb->if4_up) {
        /* its connections are gone already, and lwIP only waits for the peer's farewell */
        return ppp->pcb->err_code != PPPERR_NONE ? ppp->pcb->err_code : PPPERR_CONNECT;
    }
    return ppp->error;
}

int lw_ppp_address(const lw_ppp *ppp, int which, char *text, size_t size) {
    ip4_addr_t address;
    const ipcp_options *got = &ppp->pcb->ipcp_gotoptions;
    if (!ppp->pcb->if4_up || size > INT16_MAX) {
        return ERR_CONN;
    }
    ip4_addr_set_u32(&address, which == LW_PPP_OURS     ? got->ouraddr
                               : which == LW_PPP_THEIRS ? ip4_addr_get_u32(netif_ip4_gw(&ppp->netif))
                                                        : got->dnsaddr[0]);
    if (ip4_addr_isany_val(address)) {
        return ERR_VAL;
    }
    return ip4addr_ntoa_r(&address, text, (int)size) == NULL ? ERR_BUF : ERR_OK;
}

void lw_ppp_input(lw_ppp *ppp, const uint8_t *data, size_t length) {
    if (length <= INT16_MAX) {
        pppos_input(ppp->pcb, (u8_t *)(uintptr_t)data, (int)length); /* it only reads them */
    }
}

size_t lw_ppp_output(lw_ppp *ppp, uint8_t *data, size_t size) {
    return lw_queue_take(&ppp->out, data, size);
}

/* --- the answering side ---------------------------------------------------------------------------- */

/* Reads the addresses of a packet that opens a connection; 0: it is another packet. */
static int is_call(const struct pbuf *packet, struct ip_hdr *ip, struct tcp_hdr *tcp) {
    if (pbuf_copy_partial(packet, ip, sizeof *ip, 0) != sizeof *ip || IPH_PROTO(ip) != IP_PROTO_TCP ||
        (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK)) != 0 ||
        pbuf_copy_partial(packet, tcp, sizeof *tcp, (u16_t)IPH_HL_BYTES(ip)) != sizeof *tcp) {
        return 0;
    }
    return (TCPH_FLAGS(tcp) & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

int lw_ppp_hook(struct pbuf *packet, struct netif *netif) {
    struct ip_hdr ip;
    struct tcp_hdr tcp;
    if (serving == NULL || netif != &serving->netif || pbuf_copy_partial(packet, &ip, sizeof ip, 0) != sizeof ip) {
        return 0;
    }
    /* lwIP takes what is for the netif's address, and routes answers by the peer's: so each packet may name its own */
    ip4_addr_copy(*ip_2_ip4(&netif->ip_addr), ip.dest);
    if (serving->admitting || !is_call(packet, &ip, &tcp)) {
        return 0;
    }
    if (serving->call == NULL) {
        serving->call = packet;
    } else {
        pbuf_free(packet); /* it will be sent again */
    }
    return 1;
}

int lw_ppp_call(const lw_ppp *ppp, char *address, size_t size, uint16_t *port, uint16_t *from) {
    struct ip_hdr ip;
    struct tcp_hdr tcp;
    ip4_addr_t target;
    if (ppp->call == NULL || !is_call(ppp->call, &ip, &tcp) || size > INT16_MAX) {
        return 0;
    }
    ip4_addr_copy(target, ip.dest);
    *port = lwip_ntohs(tcp.dest);
    *from = lwip_ntohs(tcp.src);
    return ip4addr_ntoa_r(&target, address, (int)size) != NULL;
}

void lw_ppp_admit(lw_ppp *ppp) {
    struct pbuf *packet = ppp->call;
    if (packet == NULL) {
        return;
    }
    ppp->call = NULL;
    ppp->admitting = 1;
    if (ip4_input(packet, &ppp->netif) != ERR_OK) {
        pbuf_free(packet);
    }
    ppp->admitting = 0;
}

size_t lw_ppp_question(lw_ppp *ppp, uint8_t *data, size_t size) {
    uint8_t question[QUESTION_SIZE];
    size_t length;
    if (lw_queue_take(&ppp->questions, &asked, sizeof asked) == 0) {
        return 0;
    }
    lw_queue_take(&ppp->questions, question, asked.length);
    length = asked.length < size ? asked.length : size;
    memcpy(data, question, length);
    return length;
}

int lw_ppp_answer(lw_ppp *ppp, const uint8_t *data, size_t length) {
    struct pbuf *packet;
    err_t status;
    if (length > UINT16_MAX) {
        return ERR_ARG;
    }
    packet = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
    if (packet == NULL) {
        return ERR_MEM;
    }
    pbuf_take(packet, data, (u16_t)length);
    status = udp_sendto_if_src(ppp->dns, packet, &asked.from, asked.port, &ppp->netif, &asked.to);
    pbuf_free(packet);
    return status;
}
