/* Where lwIP lets us answer instead of it. */
#ifndef LW_HOOKS_H
#define LW_HOOKS_H

#include "lwip/ip_addr.h"

struct netif;
struct pbuf;

/** The router that our owner named for `netif`, or NULL: lwIP itself knows only those that advertise themselves. */
const ip6_addr_t *lw_ipv6_gateway(struct netif *netif, const ip6_addr_t *target);

/** Whether a packet of IPv4 was taken by PPP's answering side: see ppp.c. */
int lw_ppp_hook(struct pbuf *packet, struct netif *netif);

#define LWIP_HOOK_IP4_INPUT(packet, netif)  lw_ppp_hook(packet, netif)
#define LWIP_HOOK_ND6_GET_GW(netif, target) lw_ipv6_gateway(netif, target)

/* RFC 6528 asks for sequence numbers that nobody can guess; those of lwIP 2.1 count up from a constant. */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) lw_random()

#endif
