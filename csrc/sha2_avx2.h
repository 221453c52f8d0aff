/*
 * SHA-2 with the message schedule in vectors, four words at a time, and the rounds on scalar registers with RORX. Each
 * uses units of the processor that the other leaves idle, so they alternate: after four rounds come the words that
 * these rounds will use next time round. The file that includes this defines
 *
 *   word, vector      a word of the state, and four of them
 *   SHA2_ROUNDS       how many
 *   SUM0, SUM1        of a word, FIPS 180-4 section 4.1
 *   hide              a word of which the compiler knows nothing
 *   load_be           four words of a block
 *   schedule          w[t..t+4) of the message schedule from w[t-16..t-12), w[t-12..t-8), w[t-8..t-4), w[t-4..t)
 *   put               wk[0..4) = w + the constants of the rounds from t on
 */
#define CH(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))

/*
 * One round, FIPS 180-4 section 6.2.2 step 3. The majority of a, b and c is b ^ ((a ^ b) & (b ^ c)), where b ^ c is a ^
 * b of the round before. e came last, so what hangs on it is added last: compilers would order the sum otherwise if
 * they saw it whole.
 */
#define ROUND(a, b, c, d, e, f, g, h, wk)                                                                              \
    do {                                                                                                               \
        const word a_b = a ^ b;                                                                                        \
                                                                                                                       \
        h = hide(h + (wk));                                                                                            \
        h = hide(h + hide(CH(e, f, g)));                                                                               \
        h += SUM1(e);                                                                                                  \
        d += h;                                                                                                        \
        h += b ^ (a_b & b_c);                                                                                          \
        h += SUM0(a);                                                                                                  \
        b_c = a_b;                                                                                                     \
    } while (0)

/* Rounds t to t + 3; the next four have the names turned by four, and after eight all are back. */
#define FOUR_ROUNDS(a, b, c, d, e, f, g, h, t)                                                                         \
    ROUND(a, b, c, d, e, f, g, h, wk[(t)]);                                                                            \
    ROUND(h, a, b, c, d, e, f, g, wk[(t) + 1]);                                                                        \
    ROUND(g, h, a, b, c, d, e, f, wk[(t) + 2]);                                                                        \
    ROUND(f, g, h, a, b, c, d, e, wk[(t) + 3])

LT_AVX2_BMI2 LT_INLINE void compress(word state[8], word wk[16], const uint8_t *block) {
    word a = state[0], b = state[1], c = state[2], d = state[3];
    word e = state[4], f = state[5], g = state[6], h = state[7];
    word b_c = b ^ c;
    vector w0 = load_be(block);
    vector w1 = load_be(block + sizeof(vector));
    vector w2 = load_be(block + 2 * sizeof(vector));
    vector w3 = load_be(block + 3 * sizeof(vector));

    put(wk, w0, 0);
    put(wk + 4, w1, 4);
    put(wk + 8, w2, 8);
    put(wk + 12, w3, 12);
    for (size_t t = 16; t < SHA2_ROUNDS; t += 16) {
        FOUR_ROUNDS(a, b, c, d, e, f, g, h, 0);
        w0 = schedule(w0, w1, w2, w3);
        put(wk, w0, t);
        FOUR_ROUNDS(e, f, g, h, a, b, c, d, 4);
        w1 = schedule(w1, w2, w3, w0);
        put(wk + 4, w1, t + 4);
        FOUR_ROUNDS(a, b, c, d, e, f, g, h, 8);
        w2 = schedule(w2, w3, w0, w1);
        put(wk + 8, w2, t + 8);
        FOUR_ROUNDS(e, f, g, h, a, b, c, d, 12);
        w3 = schedule(w3, w0, w1, w2);
        put(wk + 12, w3, t + 12);
    }
    FOUR_ROUNDS(a, b, c, d, e, f, g, h, 0);
    FOUR_ROUNDS(e, f, g, h, a, b, c, d, 4);
    FOUR_ROUNDS(a, b, c, d, e, f, g, h, 8);
    FOUR_ROUNDS(e, f, g, h, a, b, c, d, 12);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}
