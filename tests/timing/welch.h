/*
 * Does the time of a call depend on a secret? After Reparaz, Balasch and Verbauwhede, «Dude, is my code constant time?»
 * (DATE 2017): time the call on inputs of two classes in random order and compare the means by Welch's t.
 *
 * Under the null hypothesis t is nearly normal, and |t| > 10 has a chance below 10^-22; but that holds for independent
 * samples, and a busy machine's are not: an interrupt or a neighbour slows a run of calls down. The order of the
 * classes is random, so such a run hits both; still a heavy tail makes single means jump. Hence
 *
 *   - the slowest samples are cut off, at the same time for both classes, at several percentiles: a tail of noise then
 *     counts in one of these tests only, and a leak that shows in the slow samples only still counts in the others;
 *   - a leak is reported only if, in each of three repetitions with fresh inputs, |t| > 10 at the same percentile with
 *     the same class the slower one. A leak repeats itself; chance would have to do so, sign included.
 *
 * What this does not show: leaks below the resolution that the number of samples gives (the programs print it), leaks
 * for inputs of neither class, and anything but time: caches and power seen by others.
 */
#ifndef LT_WELCH_H
#define LT_WELCH_H

#include <stddef.h>
#include <stdint.h>

#define WELCH_CUTS        6
#define WELCH_THRESHOLD   10.0
#define WELCH_REPETITIONS 3

static const unsigned welch_cuts[WELCH_CUTS] = {100, 98, 90, 75, 50, 25}; /* per cent of the samples that are kept */

/* One comparison: how often the classes came, their means, t (positive: class 1 is slower), the standard error of the
 * difference of means. */
typedef struct {
    double count[2], mean[2], t, error;
} welch;

/* A clock that counts within tens of nanoseconds, and does not start before what precedes it has ended. */
static inline uint64_t welch_clock(void) {
#if defined(__x86_64__)
    uint32_t low, high;

    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
    uint64_t count;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(count) : : "memory");
    return count;
#else
#error "no clock for this processor"
#endif
}

static inline double welch_sqrt(double x) {
    double root = x < 1 ? 1 : x;

    if (x <= 0) {
        return 0;
    }
    for (int i = 0; i < 200; i++) {
        root = (root + x / root) / 2;
    }
    return root;
}

/* Compare the samples that took at most `limit`. */
static inline welch welch_compare(const uint64_t *times, const uint8_t *classes, size_t len, uint64_t limit) {
    welch result = {{0, 0}, {0, 0}, 0, 0};
    double squares[2] = {0, 0}, difference;

    for (size_t i = 0; i < len; i++) {
        if (times[i] <= limit) {
            const int c = classes[i];
            const double delta = (double)times[i] - result.mean[c];

            result.count[c] += 1;
            result.mean[c] += delta / result.count[c];
            squares[c] += delta * ((double)times[i] - result.mean[c]);
        }
    }
    for (int c = 0; c < 2; c++) {
        if (result.count[c] < 10) {
            return result;
        }
        result.error += squares[c] / (result.count[c] - 1) / result.count[c];
    }
    result.error = welch_sqrt(result.error);
    difference = result.mean[1] - result.mean[0];
    if (result.error > 0) {
        result.t = difference / result.error;
    } else if (difference != 0) { /* a clock so coarse that each class has one time */
        result.t = difference > 0 ? 1000 : -1000;
    }
    return result;
}

static inline void welch_sift(uint64_t *heap, size_t i, size_t len) {
    for (;;) {
        size_t child = 2 * i + 1;
        uint64_t moved;

        if (child >= len) {
            return;
        }
        child += child + 1 < len && heap[child + 1] > heap[child];
        if (heap[i] >= heap[child]) {
            return;
        }
        moved = heap[i];
        heap[i] = heap[child];
        heap[child] = moved;
        i = child;
    }
}

static inline void welch_sort(uint64_t *values, size_t len) {
    for (size_t i = len / 2; i > 0; i--) {
        welch_sift(values, i - 1, len);
    }
    for (size_t i = len; i > 1; i--) {
        const uint64_t greatest = values[0];

        values[0] = values[i - 1];
        values[i - 1] = greatest;
        welch_sift(values, 0, i - 1);
    }
}

/* All percentiles. `sorted` is room for len times. */
static inline void welch_test(welch results[WELCH_CUTS], const uint64_t *times, const uint8_t *classes, size_t len,
                              uint64_t *sorted) {
    for (size_t i = 0; i < len; i++) {
        sorted[i] = times[i];
    }
    welch_sort(sorted, len);
    for (int i = 0; i < WELCH_CUTS; i++) {
        results[i] = welch_compare(times, classes, len, sorted[(len - 1) * welch_cuts[i] / 100]);
    }
}

#endif
