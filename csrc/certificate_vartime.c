/* Where the parts of a certificate lie: one walk over its DER, which is public. */
#include "certificate_vartime.h"

#define BOOLEAN          0x01
#define INTEGER          0x02
#define BIT_STRING       0x03
#define OCTET_STRING     0x04
#define OBJECT_ID        0x06
#define UTC_TIME         0x17
#define GENERALIZED_TIME 0x18
#define SEQUENCE         0x30
#define VERSION          0xa0
#define ISSUER_ID        0x81
#define SUBJECT_ID       0x82
#define EXTENSIONS       0xa3

#define MOST_EXTENSIONS 32

LT_STATIC_ASSERT(cut_numbers, LT_CUT_NUMBERS == FIRST_EXTENSION + EXTENSION_NUMBERS * MOST_EXTENSIONS);

static int64_t place(const uint8_t *certificate, const uint8_t *at) {
    return (int64_t)(at - certificate);
}

/* Take an element, and say where what follows it starts. */
static int take_to(int64_t *end, lt_der *from, uint8_t tag, lt_der *contents, const uint8_t *certificate) {
    if (!lt_der_take_vartime(from, tag, contents)) {
        return 0;
    }
    *end = place(certificate, from->at);
    return 1;
}

/* What may be left out, and is of no use. */
static void pass_over(lt_der *from, uint8_t tag) {
    lt_der contents;
    const int was_there = lt_der_take_vartime(from, tag, &contents);

    (void)was_there;
}

/* X.690 section 8.3.2: there are contents, and their first nine bits are not all equal. */
static int is_integer(lt_der number) {
    return number.left == 1 || (number.left > 1 && (number.at[0] != 0 || number.at[1] >= 0x80) &&
                                (number.at[0] != 0xff || number.at[1] < 0x80));
}

/* -100: they are no two digits. */
static int two_digits(const uint8_t *text) {
    const int tens = text[0] - '0', ones = text[1] - '0';

    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : -100;
}

/* `text` is MMDDHHMMSSZ. The Gregorian calendar, also before there was one. */
static int read_date(int64_t *seconds, int year, const uint8_t *text) {
    static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    const int month = two_digits(text), day = two_digits(text + 2), hour = two_digits(text + 4);
    const int minute = two_digits(text + 6), second = two_digits(text + 8), years = year - 1;
    const int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int days;

    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > before_month[month] - before_month[month - 1] + (leap && month == 2) || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59 || text[10] != 'Z') {
        return 0;
    }
    days = 365 * years + years / 4 - years / 100 + years / 400; /* from 0001-01-01 to that year; 719162 to 1970 */
    days += before_month[month - 1] + (leap && month > 2) + day - 1;
    *seconds = ((int64_t)(days - 719162) * 24 + hour) * 3600 + minute * 60 + second;
    return 1;
}

/* RFC 5280 section 4.1.2.5; GeneralizedTime before 2050 passes: it is unambiguous, and some roots have it. */
static int take_time(int64_t *seconds, lt_der *from) {
    lt_der text;
    int year;

    if (lt_der_take_vartime(from, UTC_TIME, &text)) {
        if (text.left != 13) {
            return 0;
        }
        year = two_digits(text.at);
        return year >= 0 && read_date(seconds, year + (year < 50 ? 2000 : 1900), text.at + 2);
    }
    if (!lt_der_take_vartime(from, GENERALIZED_TIME, &text) || text.left != 15) {
        return 0;
    }
    year = two_digits(text.at + 2);
    return year >= 0 && read_date(seconds, year + 100 * two_digits(text.at), text.at + 4);
}

/* Version 1 is not written out. */
static int take_version(int64_t *version, lt_der *from) {
    lt_der field, number;

    *version = 1;
    if (from->left == 0 || from->at[0] != VERSION) {
        return 1;
    }
    if (!lt_der_take_vartime(from, VERSION, &field) || !lt_der_take_vartime(&field, INTEGER, &number) ||
        field.left != 0 || number.left != 1 || number.at[0] < 1 || number.at[0] > 2) {
        return 0;
    }
    *version = 1 + number.at[0];
    return 1;
}

/* RFC 5280 section 4.2. FALSE is the default of `critical`, which DER does not write out. */
static int take_extension(int64_t *cut, lt_der *from, const uint8_t *certificate) {
    lt_der extension, oid, critical, value;

    if (!lt_der_take_vartime(from, SEQUENCE, &extension) ||
        !take_to(&cut[OID_END], &extension, OBJECT_ID, &oid, certificate) || oid.left == 0) {
        return 0;
    }
    cut[OID] = place(certificate, oid.at);
    cut[CRITICAL] = lt_der_take_vartime(&extension, BOOLEAN, &critical);
    if (cut[CRITICAL] && (critical.left != 1 || critical.at[0] != 0xff)) {
        return 0;
    }
    if (!take_to(&cut[VALUE_END], &extension, OCTET_STRING, &value, certificate) || extension.left != 0) {
        return 0;
    }
    cut[VALUE] = place(certificate, value.at);
    return 1;
}

static int is_same_oid(const int64_t *one, const int64_t *other, const uint8_t *certificate) {
    const size_t len = (size_t)(one[OID_END] - one[OID]);

    return other[OID_END] - other[OID] == one[OID_END] - one[OID] &&
           lt_equal(certificate + one[OID], certificate + other[OID], len);
}

/* The end of the signed part: unique identifiers, which nobody uses, and extensions, each once. */
static int take_tail(int64_t *cut, int *count, lt_der tbs, int64_t version, const uint8_t *certificate) {
    lt_der field, list;
    int i;

    *count = 0;
    if (version >= 2) {
        pass_over(&tbs, ISSUER_ID);
        pass_over(&tbs, SUBJECT_ID);
    }
    if (tbs.left == 0) {
        return 1;
    }
    if (version < 3 || !lt_der_take_vartime(&tbs, EXTENSIONS, &field) || tbs.left != 0 ||
        !lt_der_take_vartime(&field, SEQUENCE, &list) || field.left != 0 || list.left == 0) {
        return 0;
    }
    for (; list.left > 0; ++*count) {
        int64_t *last = cut + EXTENSION_NUMBERS * *count;

        if (*count == MOST_EXTENSIONS || !take_extension(last, &list, certificate)) {
            return 0;
        }
        for (i = 0; i < *count; i++) {
            if (is_same_oid(last, cut + EXTENSION_NUMBERS * i, certificate)) {
                return 0;
            }
        }
    }
    return 1;
}

/* see lighttls.h */
int lt_certificate_cut_vartime(int64_t *cut, const uint8_t *certificate, size_t certificate_len) {
    const uint8_t *start = certificate;
    lt_der all = {certificate, certificate_len}, outer, tbs, serial, dates, part;
    int extensions;

    if (!lt_der_take_vartime(&all, SEQUENCE, &outer) || all.left != 0) {
        return LT_ERR_UNSUPPORTED;
    }
    cut[TBS] = place(start, outer.at);
    if (!take_to(&cut[TBS_END], &outer, SEQUENCE, &tbs, start) ||
        !take_to(&cut[OUTER_END], &outer, SEQUENCE, &part, start) || !lt_der_take_vartime(&outer, BIT_STRING, &part) ||
        outer.left != 0 || part.left == 0 || part.at[0] != 0) {
        return LT_ERR_UNSUPPORTED;
    }
    cut[SIGNATURE] = place(start, part.at + 1);
    if (!take_version(&cut[VERSION_NUMBER], &tbs) || !take_to(&cut[SERIAL_END], &tbs, INTEGER, &serial, start) ||
        !is_integer(serial) || !take_to(&cut[INNER_END], &tbs, SEQUENCE, &part, start) ||
        !take_to(&cut[ISSUER_END], &tbs, SEQUENCE, &part, start) ||
        !take_to(&cut[VALIDITY_END], &tbs, SEQUENCE, &dates, start) || !take_time(&cut[NOT_BEFORE], &dates) ||
        !take_time(&cut[NOT_AFTER], &dates) || dates.left != 0 ||
        !take_to(&cut[SUBJECT_END], &tbs, SEQUENCE, &part, start) ||
        !take_to(&cut[SPKI_END], &tbs, SEQUENCE, &part, start) ||
        !take_tail(cut + FIRST_EXTENSION, &extensions, tbs, cut[VERSION_NUMBER], start)) {
        return LT_ERR_UNSUPPORTED;
    }
    cut[SERIAL] = place(start, serial.at);
    lt_certificate_facts_vartime(cut, extensions, start);
    return FIRST_EXTENSION + EXTENSION_NUMBERS * extensions;
}
