/* The stack as a whole: its start, its clock, its randomness. See lw.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "inner.h"
#include "lwip/init.h"
#include "lwip/opt.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#ifndef LW_LIBRARY

static uint32_t now;

const char *lw_features(void) {
    return "clock"
#if LWIP_DNS
           " dns"
#endif
#if PPP_SUPPORT
           " ppp"
#endif
        ;
}

void lw_clock(uint32_t milliseconds) {
    now = milliseconds;
}

u32_t sys_now(void) {
    return now;
}

u32_t sys_jiffies(void) {
    return now;
}

#else /* Debian's, which looks at a clock of its own */

static uint32_t lw_random(void);
static void lw_fail(const char *what);

const char *lw_features(void) {
    return "";
}

void lw_clock(uint32_t milliseconds) {
    (void)milliseconds;
}

#endif

uint32_t lw_now(void) {
    return sys_now();
}

void lw_start(void) {
    static int started;
    if (!started) {
        started = 1;
#ifdef LW_LIBRARY
        srand(lw_random()); /* it takes its ports from rand, and never seeds that */
#endif
        lwip_init();
    }
}

uint32_t lw_run(void) {
    sys_check_timeouts();
    return sys_timeouts_sleeptime();
}

int lw_lingering(void) {
    int count = 0;
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        count +=
            pcb->callback_arg == NULL && (pcb->state == FIN_WAIT_1 || pcb->state == CLOSING || pcb->state == LAST_ACK);
    }
    return count;
}

void lw_forget(void) {
    while (tcp_active_pcbs != NULL) {
        tcp_abort(tcp_active_pcbs);
    }
    while (tcp_tw_pcbs != NULL) {
        tcp_abort(tcp_tw_pcbs);
    }
}

void *lw_allocate(size_t size) {
    char *memory = malloc(size + 1);
    if (memory != NULL) {
        memory[size] = 0;
    }
    return memory;
}

uint32_t lw_random(void) {
    uint32_t number;
    if (getentropy(&number, sizeof number) != 0) {
        lw_fail("the system has no random numbers");
    }
    return number;
}

void lw_fail(const char *what) {
    fprintf(stderr, "lwIP cannot go on: %s\n", what);
    abort();
}
