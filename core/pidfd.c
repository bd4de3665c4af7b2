/* A pidfd for a child that was made by vfork or fork, which give none. The parent cannot open one by number without a
 * doubt: with SIGCHLD ignored, or another thread that waits for any child, the number may already be another's. So the
 * child opens its own and passes it back through a socket, as Rust does.
 *
 * child_send_pidfd runs in the child, in its parent's memory: raw system calls alone in this whole file. */
#include "plan.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for one descriptor in a control message. */
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

long child_send_pidfd(const int sockets[2]) {
    long pidfd = raw0(SYS_getpid);
    if (pidfd > 0)
        pidfd = raw2(SYS_pidfd_open, pidfd, 0);
    if (pidfd < 0)
        return pidfd;
    char byte = 0;
    struct iovec payload = {.iov_base = &byte, .iov_len = 1};
    union control control = {
        .header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    *(int *)(void *)CMSG_DATA(&control.header) = (int)pidfd;
    struct msghdr message = {
        .msg_iov = &payload, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    long sent = raw3(SYS_sendmsg, sockets[1], &message, MSG_NOSIGNAL);
    raw1(SYS_close, pidfd);
    raw1(SYS_close, sockets[0]);
    raw1(SYS_close, sockets[1]);
    return sent < 0 ? sent : 0;
}

/* The pidfd, or -1 when the child ended before it could send one. */
static int receive(int socket) {
    char byte = 0;
    struct iovec payload = {.iov_base = &byte, .iov_len = 1};
    union control control;
    struct msghdr message = {
        .msg_iov = &payload, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    long received;
    do
        received = raw3(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC);
    while (received == -EINTR);
    if (received != 1 || message.msg_controllen < CMSG_LEN(sizeof(int)) || control.header.cmsg_type != SCM_RIGHTS)
        return -1;
    return *(int *)(void *)CMSG_DATA(&control.header);
}

/* Without sockets to spare the number has to do. */
void open_pidfd_sockets(struct plan *plan) {
    if (raw4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plan->pidfd_sockets) < 0)
        plan->pidfd_sockets[0] = plan->pidfd_sockets[1] = -1;
}

void close_pidfd_sockets(struct plan *plan) {
    for (int i = 0; i < 2; i++) {
        if (plan->pidfd_sockets[i] >= 0)
            raw_close(plan->pidfd_sockets[i]);
        plan->pidfd_sockets[i] = -1;
    }
}

long receive_pidfd(struct plan *plan, long pid) {
    long pidfd = -1;
    if (plan->pidfd_sockets[1] >= 0) {
        raw_close(plan->pidfd_sockets[1]); /* so that a child that died is an end of file */
        plan->pidfd_sockets[1] = -1;
        pidfd = receive(plan->pidfd_sockets[0]);
    }
    if (pidfd < 0)
        pidfd = raw2(SYS_pidfd_open, pid, 0);
    if (pidfd >= 0)
        return pidfd;
    raw2(SYS_kill, pid, SIGKILL);
    while (raw4(SYS_wait4, pid, 0, 0, 0) == -EINTR)
        continue;
    return pidfd;
}
