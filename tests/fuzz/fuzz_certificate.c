/*
 * Certificates from outside. The input is one. What must hold: it is cut if this file's own encoder makes the same
 * bytes of the parts that the numbers name, so nothing passes that has another form. That nothing is refused without a
 * reason is checked from Python, against the cutter there (tests/differential/test_certificates.py).
 *
 * -DLT_PLANTED_SECOND takes notAfter a second earlier in the last second of a minute: the fuzzer must notice.
 */
#include "der.h"

/* The numbers in the order that lighttls.h gives, and those of the first extension. */
enum {
    TBS,
    TBS_END,
    OUTER,
    SIGNATURE,
    VERSION,
    SERIAL,
    SERIAL_END,
    INNER,
    ISSUER,
    BEFORE,
    AFTER,
    DATES,
    SUBJECT,
    SPKI,
    FACTS,
    PATH_LENGTH,
    SCHEME,
    KEY_FORM,
    ALT_NAME,
    ALT_NAME_END
};
enum { OID = LT_CUT_HEAD, OID_END, CRITICAL, VALUE, VALUE_END };

static void prepend_part(encoding *out, const uint8_t *data, int64_t start, int64_t end) {
    REQUIRE(start >= 0 && start <= end);
    prepend(out, data + start, (size_t)(end - start));
}

/* An element whose tag and contents are those found at `start`. */
static void prepend_again(encoding *out, const uint8_t *data, int64_t start, int64_t end, uint8_t tag) {
    source from = {data + start, (size_t)(end - start)}, contents;

    REQUIRE(start >= 0 && start <= end && guess(&from, &contents) && from.left == 0);
    prepend(out, contents.at, contents.left);
    prepend_header(out, tag, contents.left);
}

static int is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* A date in the form, of two, that is found in the certificate. Counts the days one year and one month at a time. */
static void prepend_date(encoding *out, int64_t seconds, int utc_time) {
    static const int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = seconds / 86400 + (seconds % 86400 < 0 ? -1 : 0), year = 1970;
    const int64_t second = seconds - 86400 * days;
    char text[32];
    int month = 0, len;

    for (; days < 0; year--) {
        days += 365 + is_leap(year - 1);
    }
    for (; days >= 365 + is_leap(year); year++) {
        days -= 365 + is_leap(year);
    }
    for (; days >= days_of[month] + (month == 1 && is_leap(year)); month++) {
        days -= days_of[month] + (month == 1 && is_leap(year));
    }
    REQUIRE(year >= 1 && year <= 9999 && (!utc_time || (year >= 1950 && year < 2050)));
    len = snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02dZ", (int)year, month + 1, (int)days + 1,
                   (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    REQUIRE(len == 15);
    prepend(out, (const uint8_t *)text + (utc_time ? 2 : 0), utc_time ? 13 : 15);
    prepend_header(out, utc_time ? 0x17 : 0x18, utc_time ? 13 : 15);
}

static void prepend_extension(encoding *out, const uint8_t *data, const int64_t *cut) {
    static const uint8_t true_[] = {0x01, 0x01, 0xff};
    const size_t before = encoded_len(out);

    REQUIRE(cut[OID] < cut[OID_END] && (cut[CRITICAL] == 0 || cut[CRITICAL] == 1));
    prepend_part(out, data, cut[VALUE], cut[VALUE_END]);
    prepend_header(out, 0x04, (size_t)(cut[VALUE_END] - cut[VALUE]));
    prepend(out, true_, cut[CRITICAL] ? sizeof true_ : 0);
    prepend_part(out, data, cut[OID], cut[OID_END]);
    prepend_header(out, 0x06, (size_t)(cut[OID_END] - cut[OID]));
    prepend_header(out, 0x30, encoded_len(out) - before);
}

static void check_extensions_differ(const uint8_t *data, const int64_t *cut, int count) {
    for (int i = 5; i < 5 * count; i += 5) {
        for (int k = 0; k < i; k += 5) {
            const int64_t len = cut[OID_END + i] - cut[OID + i];

            REQUIRE(cut[OID_END + k] - cut[OID + k] != len ||
                    memcmp(data + cut[OID + i], data + cut[OID + k], (size_t)len) != 0);
        }
    }
}

static void prepend_signed_part(encoding *out, const uint8_t *data, const int64_t *cut, int numbers) {
    const size_t before = encoded_len(out);
    source tail = {data + cut[SPKI], (size_t)(cut[TBS_END] - cut[SPKI])}, identifier[2], dates, date;
    size_t start;
    int present[2] = {0, 0};

    for (int i = 0; i < 2; i++) {
        present[i] = tail.left > 0 && tail.at[0] == 0x81 + i;
        REQUIRE(!present[i] || (cut[VERSION] >= 2 && guess(&tail, &identifier[i])));
    }
    if (numbers > LT_CUT_HEAD) {
        REQUIRE(cut[VERSION] == 3);
        for (int i = numbers - LT_CUT_HEAD - 5; i >= 0; i -= 5) {
            prepend_extension(out, data, cut + i);
        }
        check_extensions_differ(data, cut, (numbers - LT_CUT_HEAD) / 5);
        prepend_header(out, 0x30, encoded_len(out) - before);
        prepend_header(out, 0xa3, encoded_len(out) - before);
    }
    for (int i = 1; i >= 0; i--) {
        if (present[i]) {
            prepend(out, identifier[i].at, identifier[i].left);
            prepend_header(out, (uint8_t)(0x81 + i), identifier[i].left);
        }
    }
    prepend_again(out, data, cut[SUBJECT], cut[SPKI], 0x30);
    prepend_again(out, data, cut[DATES], cut[SUBJECT], 0x30);
    start = encoded_len(out);
    dates = (source){data + cut[ISSUER], (size_t)(cut[DATES] - cut[ISSUER])};
    REQUIRE(guess(&dates, &date) && date.left > 2);
    prepend_date(out, cut[AFTER], date.at[2 + date.at[1]] == 0x17);
    prepend_date(out, cut[BEFORE], date.at[0] == 0x17);
    prepend_header(out, 0x30, encoded_len(out) - start);
    prepend_again(out, data, cut[INNER], cut[ISSUER], 0x30);
    prepend_again(out, data, cut[SERIAL_END], cut[INNER], 0x30);
    REQUIRE(cut[SERIAL] < cut[SERIAL_END]);
    if (cut[SERIAL_END] - cut[SERIAL] > 1) {
        const unsigned top = (unsigned)data[cut[SERIAL]] << 1 | data[cut[SERIAL] + 1] >> 7;

        REQUIRE(top != 0 && top != 0x1ff);
    }
    prepend_part(out, data, cut[SERIAL], cut[SERIAL_END]);
    prepend_header(out, 0x02, (size_t)(cut[SERIAL_END] - cut[SERIAL]));
    if (cut[VERSION] > 1) {
        const uint8_t version[] = {0xa0, 3, 2, 1, (uint8_t)(cut[VERSION] - 1)};

        REQUIRE(cut[VERSION] <= 3);
        prepend(out, version, sizeof version);
    }
    prepend_header(out, 0x30, encoded_len(out) - before);
}

/* No more than that they can be true; whether they are is checked from Python, as above. */
static void check_facts(const int64_t *cut, int numbers) {
    int is_value = cut[ALT_NAME_END] == 0;

    for (int i = 0; i < numbers - LT_CUT_HEAD; i += 5) {
        is_value |= cut[VALUE + i] == cut[ALT_NAME] && cut[VALUE_END + i] == cut[ALT_NAME_END];
    }
    REQUIRE(is_value && cut[PATH_LENGTH] >= -1 && cut[PATH_LENGTH] < 128);
    REQUIRE(cut[FACTS] == 0 || (cut[FACTS] & LT_FACT_ORDINARY) != 0);
    REQUIRE(cut[FACTS] != 0 || (cut[PATH_LENGTH] == -1 && cut[SCHEME] == 0 && cut[ALT_NAME_END] == 0));
    REQUIRE(cut[KEY_FORM] == 0 || cut[SPKI] - cut[SUBJECT] == (cut[KEY_FORM] == 256 ? 91 : 38 + cut[KEY_FORM] / 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    uint8_t *const certificate = copy_of(data, len);
    int64_t *const cut = (int64_t *)(void *)allocate(LT_CUT_NUMBERS * sizeof *cut);
    const int numbers = lt_certificate_cut_vartime(cut, certificate, len);

    if (numbers >= 0) {
        encoding again;

        REQUIRE(numbers >= LT_CUT_HEAD && (numbers - LT_CUT_HEAD) % 5 == 0 && numbers <= LT_CUT_NUMBERS);
        check_facts(cut, numbers);
#ifdef LT_PLANTED_SECOND
        cut[AFTER] -= cut[AFTER] % 60 == 59;
#endif
        begin(&again);
        prepend_part(&again, certificate, cut[SIGNATURE], (int64_t)len);
        prepend_byte(&again, 0);
        prepend_header(&again, 0x03, encoded_len(&again));
        prepend_again(&again, certificate, cut[TBS_END], cut[OUTER], 0x30);
        prepend_signed_part(&again, certificate, cut, numbers);
        REQUIRE(len - (size_t)cut[TBS] == encoded_len(&again));
        prepend_header(&again, 0x30, encoded_len(&again));
        REQUIRE(is_encoding(&again, certificate, len));
    } else {
        REQUIRE(numbers == LT_ERR_UNSUPPORTED);
    }
    free(cut);
    free(certificate);
    return 0;
}
