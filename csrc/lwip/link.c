/* Links that carry Ethernet frames or IP packets. See lw.h. */
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "netif/ethernet.h"

/* Room for what one connection may have under way, several times over. */
#define QUEUE_SIZE 262144

/* lwIP reads the fixed part of a header before it looks whether the frame was long enough. */
#define ROOM_FOR_HEADERS 128

struct lw_link {
    struct netif netif;
    lw_queue out; /* each frame after its length */
    uint8_t mac[6];
    int ethernet;
    uint16_t mtu;
    ip6_addr_t gateway;
    int has_gateway;
};

static err_t queue_frame(struct netif *netif, struct pbuf *frame) {
    lw_link *link = netif->state;
    uint32_t length = frame->tot_len;
    if (lw_queue_room(&link->out) >= sizeof length + length) {
        lw_queue_put(&link->out, &length, sizeof length);
        lw_queue_put_packet(&link->out, frame);
    }
    return ERR_OK;
}

static err_t queue_ipv4(struct netif *netif, struct pbuf *packet, const ip4_addr_t *next) {
    (void)next;
    return queue_frame(netif, packet);
}

static err_t queue_ipv6(struct netif *netif, struct pbuf *packet, const ip6_addr_t *next) {
    (void)next;
    return queue_frame(netif, packet);
}

static err_t set_up(struct netif *netif) {
    const lw_link *link = netif->state;
    netif->name[0] = 'l';
    netif->name[1] = 'w';
    netif->mtu = link->mtu;
    netif->flags = NETIF_FLAG_LINK_UP;
    if (link->ethernet) {
        netif->hwaddr_len = sizeof link->mac;
        memcpy(netif->hwaddr, link->mac, sizeof link->mac);
        netif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
        netif->output = etharp_output;
        netif->output_ip6 = ethip6_output;
        netif->linkoutput = queue_frame;
    } else {
        netif->output = queue_ipv4;
        netif->output_ip6 = queue_ipv6;
    }
    return ERR_OK;
}

lw_link *lw_link_new(const uint8_t *mac, uint16_t mtu) {
    lw_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return NULL;
    }
    link->mtu = mtu;
    link->ethernet = mac != NULL;
    if (mac != NULL) {
        memcpy(link->mac, mac, sizeof link->mac);
    }
    if (!lw_queue_open(&link->out, QUEUE_SIZE) ||
        netif_add(&link->netif, NULL, NULL, NULL, link, set_up, link->ethernet ? ethernet_input : ip_input) == NULL) {
        lw_queue_close(&link->out);
        free(link);
        return NULL;
    }
    netif_create_ip6_linklocal_address(&link->netif, link->ethernet ? 1 : 0);
    if (netif_default == NULL) {
        netif_set_default(&link->netif);
    }
    netif_set_up(&link->netif);
    return link;
}

void lw_link_free(lw_link *link) {
    if (link != NULL) {
        netif_remove(&link->netif);
        lw_queue_close(&link->out);
        free(link);
    }
}

int lw_link_add_address(lw_link *link, const char *text, int prefix) {
    ip_addr_t address;
    if (!ipaddr_aton(text, &address)) {
        return ERR_ARG;
    }
    if (IP_IS_V4(&address)) {
        ip4_addr_t mask;
        if (prefix < 0 || prefix > 32 || !ip4_addr_isany(netif_ip4_addr(&link->netif))) {
            return ERR_ARG;
        }
        ip4_addr_set_u32(&mask, prefix == 0 ? 0 : lwip_htonl(UINT32_MAX << (32 - prefix)));
        netif_set_addr(&link->netif, ip_2_ip4(&address), &mask, netif_ip4_gw(&link->netif));
        return ERR_OK;
    }
    s8_t number = -1;
    if (prefix != 64) {
        return ERR_ARG; /* lwIP takes all others of the same /64 to be neighbours, and nobody else */
    }
    err_t status = netif_add_ip6_address(&link->netif, ip_2_ip6(&address), &number);
    if (status == ERR_OK) {
        /* whoever gives out the address sees to it that it is given out once */
        netif_ip6_addr_set_state(&link->netif, number, IP6_ADDR_PREFERRED);
    }
    return status;
}

int lw_link_set_gateway(lw_link *link, const char *text) {
    ip_addr_t address;
    if (!ipaddr_aton(text, &address)) {
        return ERR_ARG;
    }
    if (IP_IS_V4(&address)) {
        netif_set_gw(&link->netif, ip_2_ip4(&address));
        return ERR_OK;
    }
#ifdef LW_LIBRARY
    return ERR_VAL; /* it asks nobody: a router of IPv6 has to advertise itself */
#else
    link->gateway = *ip_2_ip6(&address);
    ip6_addr_assign_zone(&link->gateway, IP6_UNICAST, &link->netif);
    link->has_gateway = 1;
    return ERR_OK;
#endif
}

#ifndef LW_LIBRARY

const ip6_addr_t *lw_ipv6_gateway(struct netif *netif, const ip6_addr_t *target) {
    (void)target;
    if (netif->output_ip6 != queue_ipv6 && netif->linkoutput != queue_frame) {
        return NULL; /* a link of another kind */
    }
    const lw_link *link = netif->state;
    return link->has_gateway ? &link->gateway : NULL;
}
#endif

void lw_link_input(lw_link *link, const uint8_t *frame, size_t length) {
    struct pbuf *packet;
    if (length == 0 || length > UINT16_MAX) {
        return;
    }
    packet = pbuf_alloc(PBUF_RAW, (u16_t)(length < ROOM_FOR_HEADERS ? ROOM_FOR_HEADERS : length), PBUF_RAM);
    if (packet == NULL) {
        return;
    }
    memset(packet->payload, 0, length < ROOM_FOR_HEADERS ? ROOM_FOR_HEADERS : 0);
    memcpy(packet->payload, frame, length); /* a PBUF_RAM is in one piece */
    pbuf_realloc(packet, (u16_t)length);
    if (link->netif.input(packet, &link->netif) != ERR_OK) {
        pbuf_free(packet);
    }
}

size_t lw_link_output(lw_link *link, uint8_t *frame, size_t size) {
    uint32_t length;
    if (lw_queue_take(&link->out, &length, sizeof length) == 0) {
        return 0;
    }
    if (length > size) { /* the caller broke the contract: frames are lost, as on any network */
        link->out.filled = link->out.start = 0;
        return 0;
    }
    return lw_queue_take(&link->out, frame, length);
}
