/* A ring of bytes; see inner.h. */
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "lwip/pbuf.h"

int lw_queue_open(lw_queue *queue, size_t size) {
    queue->bytes = malloc(size);
    queue->size = queue->bytes != NULL ? size : 0;
    queue->start = queue->filled = 0;
    return queue->bytes != NULL;
}

void lw_queue_close(lw_queue *queue) {
    free(queue->bytes);
    queue->bytes = NULL;
    queue->size = queue->start = queue->filled = 0;
}

size_t lw_queue_room(const lw_queue *queue) {
    return queue->size - queue->filled;
}

/* The first free byte; free bytes from there to the end of the ring go to *straight. */
static uint8_t *end_of(const lw_queue *queue, size_t *straight) {
    size_t end = queue->start + queue->filled;
    if (end >= queue->size) {
        end -= queue->size;
    }
    *straight = queue->size - end;
    return queue->bytes + end;
}

void lw_queue_put(lw_queue *queue, const void *data, size_t length) {
    size_t straight;
    uint8_t *end = end_of(queue, &straight);
    size_t first = length < straight ? length : straight;
    memcpy(end, data, first);
    memcpy(queue->bytes, (const uint8_t *)data + first, length - first);
    queue->filled += length;
}

void lw_queue_put_packet(lw_queue *queue, const struct pbuf *packet) {
    for (; packet != NULL; packet = packet->next) {
        lw_queue_put(queue, packet->payload, packet->len);
        if (packet->len == packet->tot_len) {
            break; /* of a chain of packets, this one ends here */
        }
    }
}

size_t lw_queue_take(lw_queue *queue, void *data, size_t size) {
    size_t length = queue->filled < size ? queue->filled : size;
    size_t straight = queue->size - queue->start;
    size_t first = length < straight ? length : straight;
    if (length == 0) {
        return 0;
    }
    memcpy(data, queue->bytes + queue->start, first);
    memcpy((uint8_t *)data + first, queue->bytes, length - first);
    queue->filled -= length;
    queue->start = queue->filled == 0 ? 0 : (queue->start + length) % queue->size;
    return length;
}
