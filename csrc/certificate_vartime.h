/* The numbers that a certificate is cut into, for the two files that make them; lighttls.h says what they mean. */
#ifndef LT_CERTIFICATE_VARTIME_H
#define LT_CERTIFICATE_VARTIME_H

#include "vartime.h"

/* Their order in the row. */
enum {
    TBS,
    TBS_END,
    OUTER_END,
    SIGNATURE,
    VERSION_NUMBER,
    SERIAL,
    SERIAL_END,
    INNER_END,
    ISSUER_END,
    NOT_BEFORE,
    NOT_AFTER,
    VALIDITY_END,
    SUBJECT_END,
    SPKI_END,
    FACTS,
    PATH_LENGTH,
    SCHEME,
    KEY_FORM,
    ALT_NAME,
    ALT_NAME_END,
    FIRST_EXTENSION
};

/* And those of each extension. */
enum { OID, OID_END, CRITICAL, VALUE, VALUE_END, EXTENSION_NUMBERS };

LT_STATIC_ASSERT(cut_head, LT_CUT_HEAD == FIRST_EXTENSION);

/** Fill in the numbers from FACTS to ALT_NAME_END, from those around them; `extensions` is how many there are. */
void lt_certificate_facts_vartime(int64_t *cut, int extensions, const uint8_t *certificate);

#endif
