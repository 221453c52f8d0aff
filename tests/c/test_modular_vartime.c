/* Numbers of any length are read and written as words: every length, and whether bytes beside are left alone. */
#include "check.h"

#include "vartime.h"

#define MOST_BYTES 40
#define LIMBS      (MOST_BYTES / sizeof(lt_limb) + 1)

/* The byte of 256^i. */
static unsigned byte_of(const lt_limb *a, size_t i) {
    return (unsigned)(a[i / sizeof *a] >> i % sizeof *a * 8) & 0xff;
}

int main(void) {
    for (size_t len = 0; len <= MOST_BYTES; len++) {
        const size_t least = (len + sizeof(lt_limb) - 1) / sizeof(lt_limb);

        for (size_t n = least; n <= LIMBS; n++) {
            uint8_t in[MOST_BYTES], out[MOST_BYTES + 2];
            lt_limb a[LIMBS + 1];

            WHERE("%u bytes, %u limbs", (unsigned)len, (unsigned)n);
            fill(in, len, (uint32_t)len);
            memset(a, 0x55, sizeof a);
            memset(out, 0x55, sizeof out);
            lt_limbs_read_vartime(a, n, in, len);
            for (size_t i = 0; i < n * sizeof *a; i++) {
                CHECK(byte_of(a, i) == (i < len ? in[len - 1 - i] : 0));
            }
            CHECK(all_bytes_are((const uint8_t *)(a + n), (LIMBS + 1 - n) * sizeof *a, 0x55));
            lt_limbs_write_vartime(out + 1, len, a, n);
            CHECK(memcmp(out + 1, in, len) == 0);
            CHECK(out[0] == 0x55 && all_bytes_are(out + 1 + len, sizeof out - 1 - len, 0x55));
            lt_limbs_write_vartime(out + 1, MOST_BYTES, a, n);
            CHECK(memcmp(out + 1 + MOST_BYTES - len, in, len) == 0);
            CHECK(all_bytes_are(out + 1, MOST_BYTES - len, 0));
        }
    }
    return check_result();
}
