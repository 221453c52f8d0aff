/* What the files of this folder share. */
#ifndef LW_INNER_H
#define LW_INNER_H

#include "lw.h"

struct pbuf;

/** A ring of bytes with a fixed size. */
typedef struct {
    uint8_t *bytes;
    size_t size, start, filled;
} lw_queue;

/** 0: no memory. */
int lw_queue_open(lw_queue *queue, size_t size);
void lw_queue_close(lw_queue *queue);
size_t lw_queue_room(const lw_queue *queue);

/** Append bytes for which there is room. */
void lw_queue_put(lw_queue *queue, const void *data, size_t length);

/** Append what a packet has, for which there is room. */
void lw_queue_put_packet(lw_queue *queue, const struct pbuf *packet);

/** Take at most `size` bytes. Returns how many that was. */
size_t lw_queue_take(lw_queue *queue, void *data, size_t size);

#endif
