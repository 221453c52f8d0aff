/* Names, by lwIP's resolver. See lw.h. */
#include <stdlib.h>

#include "inner.h"
#include "lwip/dns.h"
#include "lwip/err.h"
#include "lwip/ip_addr.h"

/* lwIP cannot be told to forget a question, so one that nobody waits for any more lives until its answer. */
struct lw_lookup {
    int asking, abandoned;
    int result;
    ip_addr_t address;
};

#if LWIP_DNS

static void on_found(const char *name, const ip_addr_t *address, void *argument) {
    lw_lookup *lookup = argument;
    (void)name;
    lookup->asking = 0;
    if (lookup->abandoned) {
        free(lookup);
        return;
    }
    if (address == NULL) {
        lookup->result = ERR_VAL;
    } else {
        lookup->address = *address;
        lookup->result = 1;
    }
}

int lw_dns_server(uint8_t number, const char *text) {
    ip_addr_t address;
    if (number >= DNS_MAX_SERVERS) {
        return ERR_MEM;
    }
    if (!ipaddr_aton(text, &address)) {
        return ERR_ARG;
    }
    dns_setserver(number, &address);
    return ERR_OK;
}

void lw_dns_forget(void) {
    /* lwIP has no call for it, but its timer, called once for each second that an answer can be kept, does it */
    for (int second = 0; second <= DNS_MAX_TTL; second++) {
        dns_tmr();
    }
}

lw_lookup *lw_lookup_new(const char *name) {
    lw_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup != NULL) {
        lookup->asking = 1;
        err_t status =
            dns_gethostbyname_addrtype(name, &lookup->address, on_found, lookup, LWIP_DNS_ADDRTYPE_IPV4_IPV6);
        if (status != ERR_INPROGRESS) {
            lookup->asking = 0;
            lookup->result = status == ERR_OK ? 1 : status;
        }
    }
    return lookup;
}

#else

int lw_dns_server(uint8_t number, const char *text) {
    (void)number;
    (void)text;
    return ERR_VAL;
}

void lw_dns_forget(void) {
}

lw_lookup *lw_lookup_new(const char *name) {
    lw_lookup *lookup = calloc(1, sizeof *lookup);
    (void)name;
    if (lookup != NULL) {
        lookup->result = ERR_VAL;
    }
    return lookup;
}

#endif

int lw_lookup_result(const lw_lookup *lookup, char *address, size_t size) {
    if (lookup->result == 1 && ipaddr_ntoa_r(&lookup->address, address, (int)size) == NULL) {
        return ERR_BUF;
    }
    return lookup->result;
}

void lw_lookup_free(lw_lookup *lookup) {
    if (lookup != NULL && lookup->asking) {
        lookup->abandoned = 1;
    } else {
        free(lookup);
    }
}
