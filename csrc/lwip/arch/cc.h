/* What lwIP asks of a compiler and a system: see its arch.h. */
#ifndef LW_ARCH_CC_H
#define LW_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>

/** Four bytes from the system's random source; ends the process if there are none. */
uint32_t lw_random(void);

/** malloc, with a zero behind what it gives: lwIP's CHAP measures a peer's name by strlen, which has no end of its own.
 */
void *lw_allocate(size_t size);

/** An assertion of lwIP failed: says which, and ends the process, since its memory can no longer be trusted. */
void lw_fail(const char *what);

#define LWIP_RAND()                 lw_random()
#define LWIP_PLATFORM_ASSERT(what)  lw_fail(what)
#define LWIP_PLATFORM_DIAG(message) ((void)0)
#define LWIP_ERRNO_STDINCLUDE       1

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BYTE_ORDER BIG_ENDIAN
#endif

#endif
