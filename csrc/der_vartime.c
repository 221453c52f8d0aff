/* The few elements of DER that keys and signatures are made of. */
#include "vartime.h"

#define INTEGER 0x02

/* see vartime.h; lengths above 65535 are refused like wrong ones: no key or signature needs them. */
int lt_der_take_vartime(lt_der *from, uint8_t tag, lt_der *contents) {
    size_t header = 2, len;

    if (from->left < 2 || from->at[0] != tag) {
        return 0;
    }
    len = from->at[1];
    if (len >= 0x80) {
        const size_t more = len - 0x80;

        if (more < 1 || more > 2 || from->left < 2 + more) {
            return 0;
        }
        len = more == 1 ? from->at[2] : (size_t)from->at[2] << 8 | from->at[3];
        if (len < (more == 1 ? 0x80u : 0x100u)) {
            return 0; /* a shorter form would do */
        }
        header += more;
    }
    if (from->left - header < len) {
        return 0;
    }
    contents->at = from->at + header;
    contents->left = len;
    from->at += header + len;
    from->left -= header + len;
    return 1;
}

/* see vartime.h */
int lt_der_take_positive_vartime(lt_der *from, lt_der *magnitude) {
    if (!lt_der_take_vartime(from, INTEGER, magnitude) || magnitude->left == 0 || magnitude->at[0] >= 0x80) {
        return 0;
    }
    if (magnitude->at[0] != 0) {
        return 1;
    }
    magnitude->at++;
    magnitude->left--;
    return magnitude->left > 0 && magnitude->at[0] >= 0x80; /* else: zero, or a zero too many */
}
