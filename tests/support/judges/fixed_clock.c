/* A clock that stands still: loaded before the C library, it says what FIXED_CLOCK says, in seconds since 1970. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *fixed = getenv("FIXED_CLOCK");
    if (clock != CLOCK_REALTIME || fixed == NULL) return (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec = (time_t)strtoll(fixed, NULL, 10);
    now->tv_nsec = 0;
    return 0;
}
