/* The descriptors that a child would hold right before exec, worked out from the parent's table and the actions, and
 * each of them in words. */
#include "inventory.h"

#include "libc.h"
#include "syscall.h"
#include "text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static size_t find(const struct inventory *inventory, int fd) {
    size_t at = 0;
    while (at < inventory->count && inventory->held[at].fd < fd)
        at++;
    return at;
}

static bool is_held(const struct inventory *inventory, size_t at, int fd) {
    return at < inventory->count && inventory->held[at].fd == fd;
}

static void put(struct inventory *inventory, const struct held *held) {
    size_t at = find(inventory, held->fd);
    if (!is_held(inventory, at, held->fd)) {
        if (inventory->count == INVENTORY_MAX) {
            inventory->cut = true;
            return;
        }
        memmove(&inventory->held[at + 1], &inventory->held[at], (inventory->count - at) * sizeof *held);
        inventory->count++;
    }
    inventory->held[at] = *held;
}

static void drop(struct inventory *inventory, int fd) {
    size_t at = find(inventory, fd);
    if (!is_held(inventory, at, fd))
        return;
    inventory->count--;
    memmove(&inventory->held[at], &inventory->held[at + 1], (inventory->count - at) * sizeof *inventory->held);
}

static void add_own(struct inventory *inventory, int fd) {
    long flags = raw2(SYS_fcntl, fd, F_GETFD);
    if (flags < 0)
        return;
    put(inventory, &(struct held){.fd = fd, .origin = fd, .close_on_exec = flags & FD_CLOEXEC});
}

struct directory_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int number_of(const char *name) {
    int number = 0;
    for (const char *digit = name; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || number > 100000000)
            return -1;
        number = number * 10 + (*digit - '0');
    }
    return *name == '\0' ? -1 : number;
}

static void list_own(struct inventory *inventory) {
    _Alignas(struct directory_entry) char buffer[2048];
    long listing = raw4(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long filled;
    if (listing < 0) { /* no /proc, or no number left: the usual range */
        for (int fd = 0; fd < 1024; fd++)
            add_own(inventory, fd);
        return;
    }
    while (!inventory->cut && (filled = raw3(SYS_getdents64, listing, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < filled;) {
            const struct directory_entry *entry = (const void *)(buffer + at);
            int fd = number_of(entry->name);
            if (fd >= 0 && fd != listing)
                add_own(inventory, fd);
            at += entry->length;
        }
    }
    raw_close((int)listing);
}

static void apply(struct inventory *inventory, const struct airlock_action *action) {
    size_t at;
    switch (action->kind) {
    case AIRLOCK_ACTION_CLOSE:
        drop(inventory, action->fd);
        break;
    case AIRLOCK_ACTION_DUP2:
        at = find(inventory, action->source);
        if (!is_held(inventory, at, action->source))
            break;
        struct held copy = inventory->held[at];
        copy.fd = action->fd;
        copy.close_on_exec = false;
        copy.by_action = true;
        put(inventory, &copy);
        break;
    case AIRLOCK_ACTION_OPEN:
        put(inventory, &(struct held){.fd = action->fd, .origin = -1, .opened = action->path, .by_action = true});
        break;
    case AIRLOCK_ACTION_CLOSEFROM:
        while (inventory->count > 0 && inventory->held[inventory->count - 1].fd >= action->fd)
            inventory->count--;
        break;
    default:
        break;
    }
}

void inventory_take(struct inventory *inventory, const struct airlock_command *command) {
    inventory->count = 0;
    inventory->cut = false;
    list_own(inventory);
    for (size_t i = 0; i < command->action_count; i++)
        apply(inventory, &command->actions[i]);
}

static void put_internet_address(struct text *text, const struct sockaddr_storage *address) {
    char words[INET6_ADDRSTRLEN];
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    bool is_six = address->ss_family == AF_INET6;
    const void *raw = is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr;
    __typeof__(&inet_ntop) to_text = (__typeof__(&inet_ntop))libc_optional("inet_ntop");
    if (to_text == NULL || to_text(address->ss_family, raw, words, sizeof words) == NULL)
        return;
    text_string(text, is_six ? "[" : "");
    text_string(text, words);
    text_string(text, is_six ? "]:" : ":");
    text_unsigned(text, ntohs(is_six ? six->sin6_port : four->sin_port));
}

static void put_unix_address(struct text *text, const struct sockaddr_storage *address, unsigned length) {
    const struct sockaddr_un *local = (const void *)address;
    size_t path_length = length - offsetof(struct sockaddr_un, sun_path);
    for (size_t i = 0; i < path_length && (i == 0 || local->sun_path[i] != '\0'); i++)
        text_char(text, local->sun_path[i] == '\0' ? '@' : local->sun_path[i]); /* abstract */
}

static void put_address(struct text *text, long call, int fd, const char *before) {
    struct sockaddr_storage address;
    unsigned length = sizeof address;
    if (raw3(call, fd, &address, &length) < 0)
        return;
    if (address.ss_family == AF_UNIX && length <= offsetof(struct sockaddr_un, sun_path))
        return; /* an end without a name */
    text_string(text, before);
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
        put_internet_address(text, &address);
    else if (address.ss_family == AF_UNIX)
        put_unix_address(text, &address, length);
}

/* "tcp 127.0.0.1:80 <- 127.0.0.1:5555" */
static void put_socket(struct text *text, int fd) {
    int type = 0, family = 0;
    unsigned length = sizeof type;
    if (raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
        return;
    length = sizeof family;
    raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
    if (family == AF_UNIX)
        text_string(text, type == SOCK_STREAM ? " unix stream" : type == SOCK_DGRAM ? " unix datagram" : " unix");
    else if (family == AF_INET || family == AF_INET6)
        text_string(text, type == SOCK_STREAM ? " tcp" : type == SOCK_DGRAM ? " udp" : " ip");
    else
        return;
    put_address(text, SYS_getsockname, fd, " ");
    put_address(text, SYS_getpeername, fd, " <- ");
}

void inventory_describe(const struct held *held, char *words, size_t size) {
    struct text text = {.to = words, .size = size};
    if (held->origin < 0) {
        text_string(&text, held->opened);
    } else {
        char link[40];
        struct text name = {.to = link, .size = sizeof link};
        text_string(&name, "/proc/self/fd/");
        text_signed(&name, held->origin);
        text_end(&name);
        long length = raw4(SYS_readlinkat, AT_FDCWD, link, words, size - 1);
        text.length = length > 0 ? (size_t)length : 0;
        if (length > 7 && memcmp(words, "socket:", 7) == 0)
            put_socket(&text, held->origin);
        if (text.length == 0)
            text_char(&text, '?');
    }
    text_end(&text);
}
