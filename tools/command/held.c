/* Looks at the descriptors of another process from outside: what /proc tells, and of a socket its ends, for which a
 * copy of the descriptor is taken for a moment where that is allowed. */
#include "held.h"

#include "words.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

typedef int address_call(int, struct sockaddr *, socklen_t *);

static void add_address(struct words *words, address_call *call, int fd, const char *before) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[INET6_ADDRSTRLEN];
    const struct sockaddr_in *four = (const void *)&address;
    const struct sockaddr_in6 *six = (const void *)&address;
    const struct sockaddr_un *local = (const void *)&address;
    if (call(fd, (struct sockaddr *)&address, &length) != 0)
        return;
    if (address.ss_family == AF_INET && inet_ntop(AF_INET, &four->sin_addr, text, sizeof text) != NULL) {
        words_add(words, "%s%s:%u", before, text, ntohs(four->sin_port));
    } else if (address.ss_family == AF_INET6 && inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text) != NULL) {
        words_add(words, "%s[%s]:%u", before, text, ntohs(six->sin6_port));
    } else if (address.ss_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
        /* An abstract name begins with a NUL. */
        int abstract = local->sun_path[0] == '\0';
        int size = (int)(length - offsetof(struct sockaddr_un, sun_path)) - abstract;
        words_add(words, "%s%s%.*s", before, abstract ? "@" : "", size, local->sun_path + abstract);
    }
}

static const char *kind_of(int family, int type) {
    if (family == AF_UNIX)
        return type == SOCK_STREAM ? "unix stream" : type == SOCK_DGRAM ? "unix datagram" : "unix";
    if (family == AF_INET || family == AF_INET6)
        return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "ip";
    return NULL;
}

static void add_ends(struct held *held, long process) {
    int type = 0, family = 0;
    socklen_t type_size = sizeof type, family_size = sizeof family;
    struct words words = {.text = held->what, .length = strlen(held->what), .size = sizeof held->what};
    int fd = (int)syscall(SYS_pidfd_getfd, process, held->number, 0);
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &family_size) == 0 && kind_of(family, type) != NULL) {
        words_add(&words, " %s", kind_of(family, type));
        add_address(&words, getsockname, fd, " ");
        add_address(&words, getpeername, fd, " <- ");
    }
    close(fd);
}

/* Whether exec closes the descriptor, by the flags that the kernel prints in octal. */
static bool is_close_on_exec(int process, int number) {
    char name[64], line[256];
    unsigned flags = 0;
    snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", process, number);
    FILE *info = fopen(name, "re");
    if (info == NULL)
        return true;
    while (fgets(line, sizeof line, info) != NULL && sscanf(line, "flags: %o", &flags) != 1)
        continue;
    fclose(info);
    return (flags & O_CLOEXEC) != 0;
}

static bool add(struct held_list *list, int folder, long process, int number) {
    char name[16];
    struct held *grown = realloc(list->items, (list->count + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    list->items = grown;
    struct held *held = &list->items[list->count];
    snprintf(name, sizeof name, "%d", number);
    ssize_t length = readlinkat(folder, name, held->what, sizeof held->what - 1);
    held->what[length > 0 ? length : 0] = '\0';
    held->number = number;
    if (strncmp(held->what, "socket:", 7) == 0)
        add_ends(held, process);
    list->count += length > 0; /* it may be gone by now */
    return true;
}

static int compare(const void *one, const void *other) {
    const struct held *first = one, *second = other;
    return (first->number > second->number) - (first->number < second->number);
}

int held_read(int process, struct held_list *list) {
    char name[64];
    int error = 0;
    snprintf(name, sizeof name, "/proc/%d/fd", process);
    DIR *folder = opendir(name);
    if (folder == NULL)
        return errno;
    long pidfd = syscall(SYS_pidfd_open, process, 0);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        int number = atoi(entry->d_name);
        if (number > 2 && !is_close_on_exec(process, number) && !add(list, dirfd(folder), pidfd, number))
            error = ENOMEM;
    }
    if (pidfd >= 0)
        close((int)pidfd);
    closedir(folder);
    if (list->count > 0)
        qsort(list->items, list->count, sizeof list->items[0], compare);
    return error;
}

void held_release(struct held_list *list) {
    free(list->items);
    *list = (struct held_list){NULL, 0};
}
