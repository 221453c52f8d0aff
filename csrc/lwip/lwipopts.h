/*
 * lwIP as we need it: one thread, no operating system below it, clients over Ethernet, IP and PPP.
 *
 * Memory comes from malloc, so nothing here sets aside any; what a peer can make us hold is bounded by the window, by
 * the limits on segments out of order, and by the backlog of a listener.
 */
#ifndef LW_LWIPOPTS_H
#define LW_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS          1
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_STATS           0
#define LWIP_HOOK_FILENAME   "hooks.h"

#define MEM_LIBC_MALLOC 1
#define mem_clib_malloc lw_allocate
#define MEMP_MEM_MALLOC 1
/* PPP moves what it rejects to the front of the packet that it came in */
#define MEMCPY(to, from, length) memmove(to, from, length)
#define MEM_ALIGNMENT            8

#define LWIP_IPV4            1
#define LWIP_IPV6            1
#define LWIP_ETHERNET        1
#define LWIP_ARP             1
#define ARP_QUEUEING         1
#define LWIP_ND6_QUEUEING    0 /* else any number of packets may wait for a neighbour */
#define LWIP_ICMP            1
#define LWIP_RAW             0
#define LWIP_UDP             1
#define LWIP_DNS             1
#define DNS_MAX_TTL          3600 /* seconds that an answer is kept at most */
#define LWIP_DHCP            0
#define IP_FORWARD           0
#define LWIP_IPV6_FORWARD    0
#define IPV6_FRAG_COPYHEADER 1 /* pointers of 64 bits do not fit into a fragment's header */

#define LWIP_TCP            1
#define TCP_MSS             1460
#define TCP_WND             (44 * TCP_MSS) /* the most that 16 bits can say: four TLS records, and no window scaling */
#define TCP_SND_BUF         (44 * TCP_MSS)
#define TCP_SND_QUEUELEN    128
#define TCP_OVERSIZE        128 /* bytes that a short write sets aside for the next one: by default it is TCP_MSS */
#define TCP_OOSEQ_MAX_BYTES TCP_WND
#define TCP_OOSEQ_MAX_PBUFS 64
#define TCP_LISTEN_BACKLOG  1
#define LWIP_TCP_SACK_OUT   1
#define LWIP_TCP_KEEPALIVE  1
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS 1

#define PPP_SUPPORT      1
#define PPPOS_SUPPORT    1
#define PPP_SERVER       1
#define PPP_IPV4_SUPPORT 1
#define PPP_IPV6_SUPPORT 1
#define PAP_SUPPORT      1
#define CHAP_SUPPORT     1
#define MSCHAP_SUPPORT   0
#define EAP_SUPPORT      0
#define MPPE_SUPPORT     0
#define CCP_SUPPORT      0
#define VJ_SUPPORT       0
#define PPPOE_SUPPORT    0
#define PPP_NOTIFY_PHASE 1
#define PPPOL2TP_SUPPORT 0
#define LCP_ECHOINTERVAL 30 /* seconds; four unanswered ones say that the link is dead */
#define LCP_MAXECHOFAILS 4

#endif
