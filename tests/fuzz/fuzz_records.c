/*
 * Opening and sealing records. Input: [form] [AEAD] [mask] [other mask] [limit] [sequence] [chunk], then
 *
 *   form 0   [count], as many times [type] [length: 2 bytes], then edits of [kind] [position: 2 bytes] [value]:
 *            a stream of right records, changed
 *   form 1   any stream
 *   form 2   [type] [length: 2] [fragment: 2] [reserve] [room: 2]: sealed, and opened again
 *
 * and 4 more for the short ways: lt_records_open_data, before lt_records_open, and lt_records_seal_data; or 8 more for
 * lt_records_open_into, before lt_records_open, with room for what is there, for a byte more or less, or by the chunk.
 *
 * record_model.h says what must come out. Besides: what is opened is the next right record, bit by bit, and none of
 * these is refused. The same stream in chunks gives the same under the other mask.
 *
 * Planted errors: -DLT_PLANTED_OVERRUN makes the input of some calls one byte shorter than is said, and
 * -DLT_PLANTED_FORGERY overlooks the last byte of tags. The fuzzer must find both.
 */
#include "record_model.h"

#define CANARY      0xa5
#define TEXT_MAX    20000 /* bytes of plaintext of one input: it runs through slow code several times */
#define STREAM_MAX  24000
#define RECORDS_MAX 8

static const size_t LIMITS[] = {LT_RECORD_MAX, 1, 512, 100, 0, LT_RECORD_MAX + 1};
static const uint64_t SEQUENCES[] = {
    0, 1, 0xffffff, 0x1000000, UINT64_MAX - 1, UINT64_MAX, UINT32_MAX, ((uint64_t)1 << 48) - 1};
static const uint32_t TYPES[] = {20, 21, 22, 23, 24, 19, 0, 256 + 23};
static const uint32_t RESERVES[] = {0, 1, 2, 0xffffff, 0x1000000, 0x1000001, UINT32_MAX};

/* The bytes on the wire, and where in it the right records lay before it was edited. */
typedef struct {
    uint8_t bytes[STREAM_MAX];
    size_t len;
    uint8_t right[STREAM_MAX];
    size_t ends[RECORDS_MAX];
    size_t count;
} wire;

static uint8_t text[TEXT_MAX];
static wire stream;

/* Where a right record starts. */
static size_t start_of(size_t record) {
    return record == 0 ? 0 : stream.ends[record - 1];
}

/* ---- Opening --------------------------------------------------------------------------------------------- */

static void set_keys(lt_record_keys *keys, const setting *s, uint32_t mask) {
    lt_cpu_restrict(mask);
    memset(keys, 0, sizeof *keys);
    REQUIRE(lt_record_keys_init(keys, s->aead, s->key, s->iv) == LT_OK);
    lt_test_record_keys_sequence(keys, s->sequence);
}

typedef struct {
    size_t at;     /* bytes of the stream that are opened */
    size_t opened; /* records */
    size_t text;   /* bytes of plaintext */
    uint32_t sum;  /* of types, lengths and plaintexts */
    int status;    /* the last one: 0 or an error */
} result;

/* Bytes of room for lt_records_open_into. */
static size_t room_into(const setting *s) {
    const size_t there = stream.count == 0 ? 0 : stream.ends[stream.count - 1] - stream.count * (5 + overhead(s));

    return s->chunk % 2 == 0 || there == 0 ? s->chunk : there - 1 + s->chunk / 2 % 3;
}

/* The same for lt_records_open_data: usually enough. */
static size_t room_for_data(const setting *s) {
    const size_t room = room_into(s);

    return s->chunk % 4 == 0 || room > LT_OPENED_DATA ? LT_OPENED_DATA : room;
}

/* The next `len` bytes of the stream to the core. */
static int open_records(lt_record_keys *keys, lt_opened *out, const setting *s, const result *r, size_t len,
                        int data_only) {
    size_t room = len;
    uint8_t *in;
    int status;

#ifdef LT_PLANTED_OVERRUN
    room -= s->sequence == UINT32_MAX && len > 0;
#endif
    in = copy_of(stream.bytes + r->at, room);
#ifdef LT_PLANTED_FORGERY
    if (r->opened < stream.count) {
        const size_t start = start_of(r->opened), size = stream.ends[r->opened] - start;

        if (len >= size && memcmp(in, stream.right + start, size - 1) == 0) {
            in[size - 1] = stream.right[start + size - 1];
        }
    }
#endif
    status = data_only ? lt_records_open_data(keys, out->data, room_for_data(s), in, len)
                       : lt_records_open(keys, out, in, len, s->limit);
    free(in);
    return status;
}

/* One record was opened: only the next right one may be, and only as it was. */
static void note(result *r, const setting *s, uint32_t type, const uint8_t *bytes, size_t len) {
    const size_t size = len + 5 + overhead(s);

    REQUIRE(r->opened < stream.count && size == stream.ends[r->opened] - start_of(r->opened));
    REQUIRE(memcmp(stream.bytes + r->at, stream.right + start_of(r->opened), size) == 0);
    r->sum = (r->sum * 31 + type) * 31 + (uint32_t)len;
    for (size_t i = 0; i < len; i++) {
        r->sum = r->sum * 31 + bytes[i];
    }
    r->at += size;
    r->text += len;
    r->opened++;
}

static void note_all(result *r, const setting *s, const lt_opened *out) {
    const size_t before = r->at;

    for (uint32_t i = 0; i < out->count; i++) {
        note(r, s, out->spans[3 * i], out->data + out->spans[3 * i + 1], out->spans[3 * i + 2]);
    }
    REQUIRE(r->at == before + out->consumed);
}

/* No record was opened here: it must not be the next right one. */
static void check_is_wrong(const setting *s, const result *r) {
    if (r->opened < stream.count && s->limit > 0 && s->limit <= LT_RECORD_MAX &&
        s->sequence + r->opened != UINT64_MAX) {
        const uint8_t *const right = stream.right + start_of(r->opened);
        const size_t size = stream.ends[r->opened] - start_of(r->opened);

        REQUIRE(size > s->limit + 5 + overhead(s) || right[0] < 20 || right[0] > 23 || stream.len - r->at < size ||
                memcmp(stream.bytes + r->at, right, size) != 0);
    }
}

static void open_into(lt_record_keys *keys, const setting *s, result *r) {
    const size_t room = room_into(s);
    uint8_t *const in = copy_of(stream.bytes, stream.len), *const out = allocate(room),
                   *const expected = allocate(room);
    lt_opened *const one = malloc(sizeof *one);
    size_t consumed = SIZE_MAX, expected_consumed, done = 0;
    ptrdiff_t written;

    REQUIRE(one != NULL);
    memset(out, CANARY, room);
    memset(expected, CANARY, room);
    written = lt_records_open_into(keys, out, room, &consumed, in, stream.len);
    REQUIRE(written >= 0);
    REQUIRE((size_t)written == model_open_into(expected, room, &expected_consumed, one, s, in, stream.len));
    REQUIRE(consumed == expected_consumed && memcmp(out, expected, room) == 0);
    while (r->at < consumed) {
        const size_t len = ((size_t)in[r->at + 3] << 8 | in[r->at + 4]) - overhead(s);

        note(r, s, 23, out + done, len);
        done += len;
    }
    REQUIRE(r->at == consumed && done == (size_t)written);
    free(in);
    free(out);
    free(expected);
    free(one);
}

static result open_at_once(const setting *s) {
    lt_opened *const out = malloc(sizeof *out), *const expected = malloc(sizeof *expected);
    lt_record_keys keys;
    result r = {0, 0, 0, 0, 0};
    int data_only = s->short_way == DATA;

    REQUIRE(out != NULL && expected != NULL);
    set_keys(&keys, s, s->mask);
    if (s->short_way == INTO) {
        open_into(&keys, s, &r);
    }
    do {
        const size_t len = stream.len - r.at;
        const uint8_t *const in = stream.bytes + r.at;
        const uint64_t sequence = s->sequence + r.opened;
        int status;

        memset(out, CANARY, sizeof *out);
        memset(expected, CANARY, sizeof *expected);
        r.status = open_records(&keys, out, s, &r, len, data_only);
        status = data_only ? model_open_data(expected, room_for_data(s), s, sequence, in, len)
                           : model_open(expected, s, sequence, in, len);
        REQUIRE(r.status == status);
        REQUIRE(memcmp(out, expected, sizeof *out) == 0);
        if (data_only) {
            data_only = 0;
            if (r.status > 0) {
                note(&r, s, 23, out->data, (size_t)r.status);
            } else if (r.status == 0 || r.status == LT_ERR_SPACE) {
                r.status = 1; /* not for the short way */
            }
        } else if (r.status > 0) {
            note_all(&r, s, out);
        }
    } while (r.status > 0);
    if (!s->short_way) {
        check_is_wrong(s, &r);
    }
    free(out);
    free(expected);
    return r;
}

static result open_in_chunks(const setting *s) {
    lt_opened *const out = malloc(sizeof *out);
    lt_record_keys keys;
    result r = {0, 0, 0, 0, 0};
    size_t fed = 0;

    REQUIRE(out != NULL);
    set_keys(&keys, s, s->other_mask);
    for (;;) {
        r.status = open_records(&keys, out, s, &r, fed - r.at, 0);
        if (r.status > 0) {
            note_all(&r, s, out);
        } else if (r.status < 0 || fed == stream.len) {
            break;
        } else {
            fed = stream.len - fed < s->chunk ? stream.len : fed + s->chunk;
        }
    }
    free(out);
    return r;
}

static void check_opening(const setting *s) {
    const result once = open_at_once(s);

    if (!s->short_way || s->limit == LT_RECORD_MAX) { /* the short way knows no other limit */
        const result chunks = open_in_chunks(s);

        REQUIRE(once.at == chunks.at && once.opened == chunks.opened && once.text == chunks.text);
        REQUIRE(once.sum == chunks.sum && once.status == chunks.status);
    }
}

/* ---- Streams ---------------------------------------------------------------------------------------------- */

static void make_right_records(const setting *s, source *in) {
    const size_t count = take(in) % (RECORDS_MAX + 1);
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        const uint32_t type = TYPES[take(in) % COUNT(TYPES)];
        size_t len = take16(in) % (LT_RECORD_MAX + 1);

        len = used + len > TEXT_MAX ? 0 : len;
        stream.len += model_seal(stream.right + stream.len, s, s->sequence + i, type, text + used, len);
        used += len;
        stream.ends[i] = stream.len;
    }
    stream.count = count;
    memcpy(stream.bytes, stream.right, stream.len);
}

/* From the start, or with the top bit from the end, where the tag of the last record is. */
static size_t edited_position(size_t distance) {
    if (stream.len == 0) {
        return 0;
    }
    return distance < 0x8000 ? distance % stream.len : stream.len - 1 - distance % 0x8000 % stream.len;
}

static void edit(source *in) {
    const unsigned kind = take(in) % 5;
    const size_t position = edited_position(take16(in));
    const uint8_t value = take(in);
    uint8_t *const at = stream.bytes + position;
    const size_t behind = stream.len - position;

    if (kind == 1) { /* cut */
        stream.len = position;
    } else if (behind == 0 || kind == 0) {
        *at ^= behind == 0 ? 0 : value;
    } else if (kind == 2) { /* leave out */
        memmove(at, at + 1, behind - 1);
        stream.len--;
    } else if (kind == 3 && stream.len < STREAM_MAX) { /* put between */
        memmove(at + 1, at, behind);
        *at = value;
        stream.len++;
    } else if (kind == 4 && value < behind && stream.len + value <= STREAM_MAX) { /* repeat */
        memmove(at + value, at, behind);
        stream.len += value;
    }
}

/* ---- Sealing ---------------------------------------------------------------------------------------------- */

/* What lt_records_seal must return. */
static ptrdiff_t model_status(const setting *s, uint32_t type, size_t len, size_t fragment, uint64_t reserve,
                              size_t room) {
    const uint64_t budget = s->aead == LT_CHACHA20_POLY1305 ? (uint64_t)1 << 48 : (uint64_t)1 << 24;
    size_t records;

    if (type < 20 || type > 23 || fragment == 0 || fragment > LT_RECORD_MAX) {
        return LT_ERR_ARGUMENT;
    }
    records = len == 0 ? 1 : (len + fragment - 1) / fragment;
    if (len + records * (5 + overhead(s)) > room) {
        return LT_ERR_SPACE;
    }
    if (reserve > budget || s->sequence > budget || s->sequence + records + reserve > budget) {
        return LT_ERR_SEQUENCE;
    }
    return (ptrdiff_t)(len + records * (5 + overhead(s)));
}

/* What was sealed opens under the other mask. `len` bytes of text in records of `fragment`. */
static void check_opens(const setting *s, uint32_t type, const uint8_t *sealed, size_t sealed_len, size_t len) {
    lt_opened *const out = malloc(sizeof *out);
    lt_record_keys keys;
    size_t at = 0, done = 0;

    REQUIRE(out != NULL);
    set_keys(&keys, s, s->other_mask);
    while (at < sealed_len) {
        const int status = lt_records_open(&keys, out, sealed + at, sealed_len - at, LT_RECORD_MAX);
        size_t opened = 0;

        REQUIRE(status > 0 && out->count == (uint32_t)status && out->consumed <= sealed_len - at);
        for (uint32_t i = 0; i < out->count; i++) {
            REQUIRE(out->spans[3 * i] == type && out->spans[3 * i + 1] == opened);
            opened += out->spans[3 * i + 2];
        }
        at += out->consumed;
        REQUIRE(opened <= len - done && memcmp(out->data, text + done, opened) == 0);
        done += opened;
    }
    REQUIRE(done == len);
    free(out);
}

/* `out` has `room` canaries before the call, of which the records took the first. */
static void check_sealed(const setting *s, uint32_t type, size_t len, size_t fragment, const uint8_t *out,
                         size_t room) {
    uint8_t *const expected = allocate(fragment + 5 + overhead(s));
    size_t at = 0, done = 0, count = 0;

    do {
        const size_t part = len - done < fragment ? len - done : fragment;
        const size_t size = model_seal(expected, s, s->sequence + count, type, text + done, part);

        REQUIRE(size <= room - at && memcmp(out + at, expected, size) == 0);
        at += size;
        done += part;
        count++;
    } while (done < len);
    REQUIRE(all_are(out + at, room - at, CANARY));
    free(expected);
    check_opens(s, type, out, at, len);
}

static void check_sealing(const setting *s, source *in) {
    uint32_t type = TYPES[take(in) % COUNT(TYPES)];
    const size_t len = take16(in) % (TEXT_MAX + 1);
    size_t fragment = take16(in);
    uint32_t reserve = RESERVES[take(in) % COUNT(RESERVES)];
    size_t room = take16(in);
    uint8_t *const held = copy_of(text, len);
    lt_record_keys keys, before;
    ptrdiff_t expected, written;
    uint8_t *out;

    if (s->short_way) {
        type = 23;
        fragment = LT_RECORD_MAX;
        reserve = 1;
    } else {
        fragment = fragment != 0 && fragment < len / 64 ? len / 64 : fragment; /* not too many records */
    }
    if (fragment != 0) { /* room is what is needed, a little more or a little less */
        const size_t records = len == 0 ? 1 : (len + fragment - 1) / fragment;
        const size_t needed = len + records * (5 + overhead(s));

        room = room % 8 > needed + 4 ? 0 : needed + 4 - room % 8;
    }
    expected = model_status(s, type, len, fragment, reserve, room);
    out = allocate(room);
    memset(out, CANARY, room);
    set_keys(&keys, s, s->mask);
    before = keys;
    if (s->short_way) {
        written = lt_records_seal_data(&keys, out, room, held, len);
    } else {
        written = lt_records_seal(&keys, out, room, type, held, len, fragment, reserve);
    }
    REQUIRE(written == expected);
    if (written < 0) {
        REQUIRE(memcmp(&keys, &before, sizeof keys) == 0);
        REQUIRE(all_are(out, room, CANARY));
    } else {
        check_sealed(s, type, len, fragment, out, room);
    }
    free(out);
    free(held);
}

/* Text, key and salt: any, but always the same. */
static void fill_once(setting *s) {
    static int ready;
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof text && !ready; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (uint8_t)(x >> 24);
    }
    ready = 1;
    memcpy(s->key, text + 100, sizeof s->key);
    memcpy(s->iv, text + 200, sizeof s->iv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    source in = {data, len};
    const unsigned first = take(&in), form = first % 4 % 3;
    setting s;

    fill_once(&s);
    s.short_way = (first & 8) != 0 ? INTO : (first & 4) != 0 ? DATA : NO_SHORT_WAY;
    s.aead = LT_AES_128_GCM + take(&in) % 7u;
    s.mask = take_mask(&in);
    s.other_mask = take_mask(&in);
    s.limit = LIMITS[take(&in) % COUNT(LIMITS)];
    s.sequence = SEQUENCES[take(&in) % COUNT(SEQUENCES)];
    s.chunk = 1u + take(&in);
    if (form >= 2) {
        check_sealing(&s, &in);
        return 0;
    }
    stream.len = stream.count = 0;
    if (form == 0) {
        make_right_records(&s, &in);
        while (in.left > 0) {
            edit(&in);
        }
    } else {
        stream.len = in.left < STREAM_MAX ? in.left : STREAM_MAX;
        memcpy(stream.bytes, in.at, stream.len);
    }
    if (stream.len > 2000) { /* a call a byte would be slow */
        s.chunk *= 50;
    }
    check_opening(&s);
    return 0;
}
