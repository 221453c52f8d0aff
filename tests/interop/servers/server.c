#define _POSIX_C_SOURCE 200809L

#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 20 /* with a client that says nothing */

struct named {
    const char *name;
    uint16_t code;
};

static const struct named CERTIFICATE_SUITES[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xC02B},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xC02C},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xC02F},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xC030},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CCM", 0xC0AC},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CCM", 0xC0AD},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", 0xC0AE},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", 0xC0AF},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCA8},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCA9},
    {NULL, 0},
};
static const struct named PSK_SUITES[] = {
    {"TLS_PSK_WITH_AES_128_GCM_SHA256", 0x00A8},
    {"TLS_PSK_WITH_AES_256_GCM_SHA384", 0x00A9},
    {"TLS_PSK_WITH_AES_128_CCM", 0xC0A4},
    {"TLS_PSK_WITH_AES_256_CCM", 0xC0A5},
    {"TLS_PSK_WITH_AES_128_CCM_8", 0xC0A8},
    {"TLS_PSK_WITH_AES_256_CCM_8", 0xC0A9},
    {"TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", 0xCCAB},
    {"TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", 0xCCAC},
    {"TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", 0xD001},
    {"TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384", 0xD002},
    {"TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256", 0xD003},
    {"TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256", 0xD005},
    {NULL, 0},
};
static const struct named GROUPS[] = {{"x25519", 29}, {"secp256r1", 23}, {"secp384r1", 24}, {NULL, 0}};

void give_up(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

void cannot(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(64);
}

static const char *name_of(const struct named *list, uint16_t code) {
    while (list->name != NULL && list->code != code) {
        list++;
    }
    return list->name;
}

void say_connected(uint16_t suite, int resumed, const char *client) {
    const char *name = name_of(CERTIFICATE_SUITES, suite);
    if (name == NULL) {
        name = name_of(PSK_SUITES, suite);
    }
    printf("connected suite=%s resumed=%s", name == NULL ? "unknown" : name, resumed ? "yes" : "no");
    if (client == NULL) {
        printf(" client=-");
    } else if (*client) {
        printf(" client=%s", client);
    }
    putchar('\n');
    fflush(stdout);
}

void say_closed(void) {
    puts("closed");
    fflush(stdout);
}

void say_failed(const char *why) {
    printf("failed %s\n", why);
    fflush(stdout);
}

uint8_t *file_content(const char *path, size_t *len) {
    const size_t room = 1 << 16;
    FILE *file = fopen(path, "rb");
    uint8_t *content = malloc(room);
    if (file == NULL || content == NULL) {
        give_up(path);
    }
    *len = fread(content, 1, room - 1, file);
    if (ferror(file) || !feof(file)) {
        give_up(path);
    }
    fclose(file);
    content[*len] = 0;
    return content;
}

static void read_psk(const char *hex, struct settings *settings) {
    unsigned byte;
    for (; *hex && settings->psk_len < sizeof settings->psk && sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        settings->psk[settings->psk_len++] = (uint8_t)byte;
    }
    if (*hex || settings->psk_len == 0) {
        give_up("--psk needs a key of 1 to 64 bytes in hexadecimal");
    }
}

/* All suites of a list, or the one that is wanted. */
static void choose_suites(const struct named *list, struct settings *settings) {
    for (; list->name != NULL; list++) {
        if (settings->suite == NULL || strcmp(list->name, settings->suite) == 0) {
            settings->suites[settings->suite_count++] = list->code;
        }
    }
}

/* The number that a list gives this name. */
static uint16_t code_of(const struct named *list, const char *name) {
    while (list->name != NULL && strcmp(list->name, name) != 0) {
        list++;
    }
    if (list->name == NULL) {
        give_up(name);
    }
    return list->code;
}

static void read_option(const char *name, const char *value, struct settings *settings) {
    if (strcmp(name, "--chain") == 0) {
        settings->chain = value;
    } else if (strcmp(name, "--key") == 0) {
        settings->key = value;
    } else if (strcmp(name, "--clients") == 0) {
        settings->clients = value;
    } else if (strcmp(name, "--suite") == 0) {
        settings->suite = value;
    } else if (strcmp(name, "--group") == 0) {
        settings->group = code_of(GROUPS, value);
    } else if (strcmp(name, "--psk") == 0) {
        read_psk(value, settings);
    } else if (strcmp(name, "--identity") == 0) {
        settings->identity = value;
    } else if (strcmp(name, "--hint") == 0) {
        settings->hint = value;
    } else if (strcmp(name, "--renegotiate") == 0) {
        settings->renegotiate = strcmp(value, "yes") == 0;
    } else if (strcmp(name, "--seconds") == 0) {
        alarm((unsigned)strtoul(value, NULL, 10)); /* SIGALRM ends the program */
    } else {
        give_up(name);
    }
}

static int listen_anywhere(void) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        give_up(strerror(errno));
    }
    printf("ready %u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* The next connection; -1 when stdin has ended. */
static int next_connection(int listener) {
    struct pollfd waiting[2] = {{listener, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    char byte;
    for (;;) {
        if (poll(waiting, 2, -1) < 0) {
            give_up(strerror(errno));
        }
        if (waiting[1].revents && read(STDIN_FILENO, &byte, 1) <= 0) {
            return -1;
        }
        if (waiting[0].revents) {
            return accept(listener, NULL, NULL);
        }
    }
}

/* Close without a reset, which would take back an alert that the client has not read yet. */
static void part(int fd) {
    const struct timeval brief = {2, 0};
    char rest[4096];
    shutdown(fd, SHUT_WR);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
    while (read(fd, rest, sizeof rest) > 0) {
    }
    close(fd);
}

int main(int argc, char **argv) {
    struct settings settings = {0};
    const struct timeval patience = {PATIENCE_SECONDS, 0};
    const int at_once = 1;
    int fd;
    alarm(900);
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) {
            give_up("the last option lacks its value");
        }
        read_option(argv[i], argv[i + 1], &settings);
    }
    choose_suites(settings.psk_len > 0 ? PSK_SUITES : CERTIFICATE_SUITES, &settings);
    if (settings.suite_count == 0 || (settings.chain == NULL) != (settings.key == NULL) ||
        (settings.psk_len == 0) != (settings.identity == NULL) || (settings.chain == NULL) == (settings.psk_len == 0)) {
        give_up("wanted are --chain with --key or --psk with --identity, and a --suite that goes with it");
    }
    signal(SIGPIPE, SIG_IGN);
    server_start(&settings);
    int listener = listen_anywhere();
    while ((fd = next_connection(listener)) >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        server_talk(fd);
        part(fd);
    }
    return 0;
}
