/*
 * What a certificate says, if it says what nearly all say: RFC 5280 section 4.2, 3279, 5480, 5758. Whatever is unusual
 * is no fact here, however good it may be: Python reads it anew, and says what is wrong if something is. So these
 * readers may be stricter than those in Python (x509/extensions.py), and never laxer.
 */
#include "certificate_vartime.h"

#define BOOLEAN      0x01
#define INTEGER      0x02
#define BIT_STRING   0x03
#define OCTET_STRING 0x04
#define OBJECT_ID    0x06
#define SEQUENCE     0x30

/* In keyUsage, of sixteen bits with the first one on top. */
#define DIGITAL_SIGNATURE 0x8000u
#define KEY_CERT_SIGN     0x0400u

#define MOST_POLICIES 8

/* What the extensions come to. */
typedef struct {
    unsigned usage; /* all bits where there is no keyUsage */
    int usage_given, server_auth, client_auth, ca;
    int64_t path_length;
} meaning;

static int is_text(const uint8_t *at, size_t len, const uint8_t *expected, size_t expected_len) {
    return len == expected_len && lt_equal(at, expected, len);
}

/* The contents of a value that is one element. */
static int take_whole(lt_der value, uint8_t tag, lt_der *contents) {
    return lt_der_take_vartime(&value, tag, contents) && value.left == 0;
}

/* ---- Extensions, each as its value ----------------------------------------------------------- */

/* Section 4.2.1.3. At least one byte of bits; those that are not in use are zero. */
static int read_key_usage(meaning *said, lt_der value) {
    lt_der bits;

    if (!take_whole(value, BIT_STRING, &bits) || bits.left < 2 || bits.left > 3 || bits.at[0] > 7 ||
        (bits.at[bits.left - 1] & ((1u << bits.at[0]) - 1)) != 0) {
        return 0;
    }
    said->usage = (unsigned)bits.at[1] << 8 | (bits.left == 3 ? bits.at[2] : 0);
    said->usage_given = 1;
    return 1;
}

/* Section 4.2.1.9. */
static int read_basic_constraints(meaning *said, lt_der value) {
    lt_der fields, flag, number;

    if (!take_whole(value, SEQUENCE, &fields)) {
        return 0;
    }
    if (fields.left > 0 && fields.at[0] == BOOLEAN) {
        if (!lt_der_take_vartime(&fields, BOOLEAN, &flag) || flag.left != 1 || flag.at[0] != 0xff) {
            return 0;
        }
        said->ca = 1;
    }
    if (fields.left > 0) {
        if (!lt_der_take_vartime(&fields, INTEGER, &number) || number.left != 1 || number.at[0] >= 0x80) {
            return 0;
        }
        said->path_length = number.at[0];
    }
    return fields.left == 0;
}

/* Section 4.2.1.12. */
static int read_extended_key_usage(meaning *said, lt_der value) {
    static const uint8_t purpose[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03}; /* 1.3.6.1.5.5.7.3 */
    lt_der purposes, oid;

    if (!take_whole(value, SEQUENCE, &purposes) || purposes.left == 0) {
        return 0;
    }
    said->server_auth = said->client_auth = 0;
    while (purposes.left > 0) {
        if (!lt_der_take_vartime(&purposes, OBJECT_ID, &oid) || oid.left == 0) {
            return 0;
        }
        if (oid.left == sizeof purpose + 1 && lt_equal(oid.at, purpose, sizeof purpose)) {
            said->server_auth |= oid.at[sizeof purpose] == 1;
            said->client_auth |= oid.at[sizeof purpose] == 2;
        }
    }
    return 1;
}

/* Section 4.2.1.6: rfc822Name, dNSName, URI and iPAddress alone. What they say is read when they are compared. */
static int is_alt_name(lt_der value) {
    lt_der names, name;

    if (!take_whole(value, SEQUENCE, &names) || names.left == 0) {
        return 0;
    }
    while (names.left > 0) {
        const uint8_t tag = names.at[0];

        if ((tag != 0x81 && tag != 0x82 && tag != 0x86 && tag != 0x87) || !lt_der_take_vartime(&names, tag, &name) ||
            (tag == 0x87 && name.left != 4 && name.left != 16)) {
            return 0;
        }
    }
    return 1;
}

/* Section 4.2.1.1: keyIdentifier, authorityCertIssuer and authorityCertSerialNumber, each or none, in this order. */
static int is_authority_key_identifier(lt_der value) {
    static const uint8_t tags[] = {0x80, 0xa1, 0x82};
    lt_der fields, field;

    if (!take_whole(value, SEQUENCE, &fields)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof tags; i++) {
        if (fields.left > 0 && fields.at[0] == tags[i] && !lt_der_take_vartime(&fields, tags[i], &field)) {
            return 0;
        }
    }
    return fields.left == 0;
}

/* Section 4.2.2.1: URIs alone. */
static int is_authority_information(lt_der value) {
    lt_der list, entry, method, place;

    if (!take_whole(value, SEQUENCE, &list) || list.left == 0) {
        return 0;
    }
    while (list.left > 0) {
        if (!lt_der_take_vartime(&list, SEQUENCE, &entry) || !lt_der_take_vartime(&entry, OBJECT_ID, &method) ||
            !lt_der_take_vartime(&entry, 0x86, &place) || entry.left != 0) {
            return 0;
        }
    }
    return 1;
}

/* Qualifiers of a policy: each a kind and one element of any type whose tag is a single byte. */
static int are_qualifiers(lt_der list) {
    lt_der qualifier, part;

    if (list.left == 0) {
        return 0;
    }
    while (list.left > 0) {
        if (!lt_der_take_vartime(&list, SEQUENCE, &qualifier) || !lt_der_take_vartime(&qualifier, OBJECT_ID, &part) ||
            qualifier.left == 0 || (qualifier.at[0] & 0x1f) == 0x1f ||
            !lt_der_take_vartime(&qualifier, qualifier.at[0], &part) || qualifier.left != 0) {
            return 0;
        }
    }
    return 1;
}

/* Section 4.2.1.4: each policy once. */
static int are_policies(lt_der value) {
    lt_der list, entry, qualifiers, policies[MOST_POLICIES];
    size_t count = 0;

    if (!take_whole(value, SEQUENCE, &list) || list.left == 0) {
        return 0;
    }
    for (; list.left > 0; count++) {
        if (count == MOST_POLICIES || !lt_der_take_vartime(&list, SEQUENCE, &entry) ||
            !lt_der_take_vartime(&entry, OBJECT_ID, &policies[count])) {
            return 0;
        }
        for (size_t i = 0; i < count; i++) {
            if (is_text(policies[i].at, policies[i].left, policies[count].at, policies[count].left)) {
                return 0;
            }
        }
        if (entry.left > 0 &&
            (!lt_der_take_vartime(&entry, SEQUENCE, &qualifiers) || entry.left != 0 || !are_qualifiers(qualifiers))) {
            return 0;
        }
    }
    return 1;
}

/* Those below 2.5.29, by the last number of their OID. */
static int read_standard(meaning *said, int64_t *alt_name, unsigned number, const int64_t *extension, lt_der value) {
    const int critical = extension[CRITICAL] != 0;
    lt_der contents;

    switch (number) {
    case 14: /* subjectKeyIdentifier */
        return !critical && take_whole(value, OCTET_STRING, &contents);
    case 15:
        return read_key_usage(said, value);
    case 17:
        alt_name[0] = extension[VALUE];
        alt_name[1] = extension[VALUE_END];
        return is_alt_name(value);
    case 19:
        return read_basic_constraints(said, value);
    case 32:
        return !critical && are_policies(value);
    case 35:
        return !critical && is_authority_key_identifier(value);
    case 37:
        return read_extended_key_usage(said, value);
    case 30: /* what follows is about other certificates: nameConstraints, */
    case 33: /* policyMappings, */
    case 36: /* policyConstraints, */
    case 54: /* inhibitAnyPolicy */
        return 0;
    default:
        return !critical;
    }
}

static int read_extension(meaning *said, int64_t *alt_name, const int64_t *extension, const uint8_t *certificate) {
    static const uint8_t pkix[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01}; /* 1.3.6.1.5.5.7.1 */
    const uint8_t *oid = certificate + extension[OID];
    const size_t len = (size_t)(extension[OID_END] - extension[OID]);
    const lt_der value = {certificate + extension[VALUE], (size_t)(extension[VALUE_END] - extension[VALUE])};

    if (len == 3 && oid[0] == 0x55 && oid[1] == 0x1d) { /* 2.5.29 */
        return read_standard(said, alt_name, oid[2], extension, value);
    }
    if (len == sizeof pkix + 1 && lt_equal(oid, pkix, sizeof pkix)) {
        if (oid[sizeof pkix] == 24) { /* tlsFeature, RFC 7633, which is about the handshake */
            return 0;
        }
        if (oid[sizeof pkix] == 1 && !is_authority_information(value)) {
            return 0;
        }
    }
    return extension[CRITICAL] == 0;
}

/* ---- Algorithm and key ----------------------------------------------------------------------- */

/* The TLS number (SignatureScheme) of an AlgorithmIdentifier; 0 for all but PKCS#1 and ECDSA with SHA-2. */
static int64_t scheme_of(const uint8_t *at, size_t len) {
    static const uint8_t rsa[] = {SEQUENCE, 13,   OBJECT_ID, 9,    0x2a, 0x86, 0x48, 0x86,
                                  0xf7,     0x0d, 0x01,      0x01, 0x00, 0x05, 0x00}; /* 1.2.840.113549.1.1.x, NULL */
    static const uint8_t ecdsa[] = {SEQUENCE, 10,   OBJECT_ID, 8,    0x2a, 0x86,
                                    0x48,     0xce, 0x3d,      0x04, 0x03, 0x00}; /* 1.2.840.10045.4.3.x */

    if (len == sizeof rsa && lt_equal(at, rsa, 12) && lt_equal(at + 13, rsa + 13, 2) && at[12] >= 11 && at[12] <= 13) {
        return (at[12] - 7) << 8 | 1;
    }
    if (len == sizeof rsa - 2 && at[0] == SEQUENCE && at[1] == 11 && lt_equal(at + 2, rsa + 2, 10) && at[12] >= 11 &&
        at[12] <= 13) {
        return (at[12] - 7) << 8 | 1;
    }
    if (len == sizeof ecdsa && lt_equal(at, ecdsa, 11) && at[11] >= 2 && at[11] <= 4) {
        return (at[11] + 2) << 8 | 3;
    }
    return 0;
}

static int is_number(const uint8_t *at, size_t number) {
    return ((size_t)at[0] << 8 | at[1]) == number;
}

/*
 * 256 for a key on P-256 with an uncompressed point; 2048, 3072 or 4096 for RSA with as many bits, an odd modulus and
 * the exponent 65537; 0 for any other. Bytes and lengths around the numbers are the same in all keys of one form.
 */
static int64_t key_form_of(const uint8_t *at, size_t len) {
    static const uint8_t p256[] = {SEQUENCE, 0x59, SEQUENCE, 0x13, OBJECT_ID, 0x07,       0x2a, 0x86, 0x48,
                                   0xce,     0x3d, 0x02,     0x01, OBJECT_ID, 0x08,       0x2a, 0x86, 0x48,
                                   0xce,     0x3d, 0x03,     0x01, 0x07,      BIT_STRING, 0x42, 0x00, 0x04};
    static const uint8_t rsa[] = {SEQUENCE, 0x0d, OBJECT_ID, 0x09, 0x2a, 0x86, 0x48,       0x86, 0xf7,
                                  0x0d,     0x01, 0x01,      0x01, 0x05, 0x00, BIT_STRING, 0x82};
    static const uint8_t exponent[] = {INTEGER, 3, 1, 0, 1};
    size_t bytes;

    if (len == sizeof p256 + 64) {
        return lt_equal(at, p256, sizeof p256) ? 256 : 0;
    }
    if (len != 294 && len != 422 && len != 550) {
        return 0;
    }
    bytes = len - 38; /* of the modulus, which has its highest bit: a zero byte comes before it */
    if (at[0] != SEQUENCE || at[1] != 0x82 || !is_number(at + 2, bytes + 34) || !lt_equal(at + 4, rsa, sizeof rsa) ||
        !is_number(at + 21, bytes + 15) || at[23] != 0 || at[24] != SEQUENCE || at[25] != 0x82 ||
        !is_number(at + 26, bytes + 10) || at[28] != INTEGER || at[29] != 0x82 || !is_number(at + 30, bytes + 1) ||
        at[32] != 0 || at[33] < 0x80 || (at[len - 6] & 1) == 0 || !lt_equal(at + len - 5, exponent, sizeof exponent)) {
        return 0;
    }
    return (int64_t)(8 * bytes);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* see certificate_vartime.h */
void lt_certificate_facts_vartime(int64_t *cut, int extensions, const uint8_t *certificate) {
    const uint8_t *outer = certificate + cut[TBS_END], *inner = certificate + cut[SERIAL_END];
    const size_t outer_len = (size_t)(cut[OUTER_END] - cut[TBS_END]);
    meaning said = {0xffff, 0, 1, 1, 0, -1};

    cut[FACTS] = cut[SCHEME] = cut[ALT_NAME] = cut[ALT_NAME_END] = 0;
    cut[PATH_LENGTH] = -1;
    cut[KEY_FORM] = key_form_of(certificate + cut[SUBJECT_END], (size_t)(cut[SPKI_END] - cut[SUBJECT_END]));
    if (cut[ISSUER_END] - cut[INNER_END] <= 2 || cut[SUBJECT_END] - cut[VALIDITY_END] <= 2 ||
        !is_text(inner, (size_t)(cut[INNER_END] - cut[SERIAL_END]), outer, outer_len)) {
        return; /* nobody issued it, or for nobody, or nobody knows by which algorithm */
    }
    for (int i = 0; i < extensions; i++) {
        if (!read_extension(&said, cut + ALT_NAME, cut + FIRST_EXTENSION + EXTENSION_NUMBERS * i, certificate)) {
            cut[ALT_NAME] = cut[ALT_NAME_END] = 0;
            return;
        }
    }
    cut[PATH_LENGTH] = said.path_length;
    cut[SCHEME] = scheme_of(outer, outer_len);
    cut[FACTS] = LT_FACT_ORDINARY;
    cut[FACTS] |= said.ca && (said.usage & KEY_CERT_SIGN) != 0 ? LT_FACT_AUTHORITY : 0;
    cut[FACTS] |= said.usage_given && (said.usage & KEY_CERT_SIGN) != 0 ? LT_FACT_CERT_SIGN : 0;
    cut[FACTS] |= (said.usage & DIGITAL_SIGNATURE) != 0 ? LT_FACT_DIGITAL_SIGNATURE : 0;
    cut[FACTS] |= said.server_auth ? LT_FACT_SERVER_AUTH : 0;
    cut[FACTS] |= said.client_auth ? LT_FACT_CLIENT_AUTH : 0;
    cut[FACTS] |= cut[KEY_FORM] != 0 ? LT_FACT_KEY : 0;
}
