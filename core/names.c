/* Words for steps, primitives and errnos, and an error as a line of text. Static storage, no allocation, no locale:
 * usable from a signal handler. */
#include "airlock.h"

#include "text.h"

#include <errno.h>
#include <stdbool.h>

static const char *const step_names[AIRLOCK_STEP_COUNT] = {
    [AIRLOCK_STEP_NONE] = "none",
    [AIRLOCK_STEP_CHECK] = "check",
    [AIRLOCK_STEP_PREPARE] = "prepare",
    [AIRLOCK_STEP_CLONE] = "clone",
    [AIRLOCK_STEP_UNSHARE] = "unshare",
    [AIRLOCK_STEP_FETCH] = "fetch",
    [AIRLOCK_STEP_SIGNALS] = "signals",
    [AIRLOCK_STEP_SCHEDULING] = "scheduling",
    [AIRLOCK_STEP_SESSION] = "session",
    [AIRLOCK_STEP_PROCESS_GROUP] = "process group",
    [AIRLOCK_STEP_RESET_IDS] = "reset ids",
    [AIRLOCK_STEP_STDIO] = "stdio",
    [AIRLOCK_STEP_ACTION] = "action",
    [AIRLOCK_STEP_CHDIR] = "chdir",
    [AIRLOCK_STEP_UMASK] = "umask",
    [AIRLOCK_STEP_GROUPS] = "groups",
    [AIRLOCK_STEP_GID] = "gid",
    [AIRLOCK_STEP_UID] = "uid",
    [AIRLOCK_STEP_DEATH_SIGNAL] = "death signal",
    [AIRLOCK_STEP_CALLBACK] = "callback",
    [AIRLOCK_STEP_KEEP] = "keep",
    [AIRLOCK_STEP_SEAL] = "seal",
    [AIRLOCK_STEP_LIMIT] = "limit",
    [AIRLOCK_STEP_MASK] = "mask",
    [AIRLOCK_STEP_EXEC] = "exec",
};

const char *airlock_step_name(enum airlock_step step) {
    return (unsigned)step < AIRLOCK_STEP_COUNT ? step_names[step] : "?";
}

const char *airlock_primitive_name(enum airlock_primitive primitive) {
    static const char *const names[] = {"none", "clone3", "clone", "vfork", "fork"};
    return (unsigned)primitive < sizeof names / sizeof *names ? names[primitive] : "?";
}

#define NAME(code) [code] = #code

/* Two names that share a number (EAGAIN and EWOULDBLOCK, say) appear once. */
static const char *const errno_names[] = {
    NAME(EPERM),
    NAME(ENOENT),
    NAME(ESRCH),
    NAME(EINTR),
    NAME(EIO),
    NAME(ENXIO),
    NAME(E2BIG),
    NAME(ENOEXEC),
    NAME(EBADF),
    NAME(ECHILD),
    NAME(EAGAIN),
    NAME(ENOMEM),
    NAME(EACCES),
    NAME(EFAULT),
    NAME(ENOTBLK),
    NAME(EBUSY),
    NAME(EEXIST),
    NAME(EXDEV),
    NAME(ENODEV),
    NAME(ENOTDIR),
    NAME(EISDIR),
    NAME(EINVAL),
    NAME(ENFILE),
    NAME(EMFILE),
    NAME(ENOTTY),
    NAME(ETXTBSY),
    NAME(EFBIG),
    NAME(ENOSPC),
    NAME(ESPIPE),
    NAME(EROFS),
    NAME(EMLINK),
    NAME(EPIPE),
    NAME(EDOM),
    NAME(ERANGE),
    NAME(EDEADLK),
    NAME(ENAMETOOLONG),
    NAME(ENOLCK),
    NAME(ENOSYS),
    NAME(ENOTEMPTY),
    NAME(ELOOP),
    NAME(ENOMSG),
    NAME(EIDRM),
    NAME(ECHRNG),
    NAME(EL2NSYNC),
    NAME(EL3HLT),
    NAME(EL3RST),
    NAME(ELNRNG),
    NAME(EUNATCH),
    NAME(ENOCSI),
    NAME(EL2HLT),
    NAME(EBADE),
    NAME(EBADR),
    NAME(EXFULL),
    NAME(ENOANO),
    NAME(EBADRQC),
    NAME(EBADSLT),
    NAME(EBFONT),
    NAME(ENOSTR),
    NAME(ENODATA),
    NAME(ETIME),
    NAME(ENOSR),
    NAME(ENONET),
    NAME(ENOPKG),
    NAME(EREMOTE),
    NAME(ENOLINK),
    NAME(EADV),
    NAME(ESRMNT),
    NAME(ECOMM),
    NAME(EPROTO),
    NAME(EMULTIHOP),
    NAME(EDOTDOT),
    NAME(EBADMSG),
    NAME(EOVERFLOW),
    NAME(ENOTUNIQ),
    NAME(EBADFD),
    NAME(EREMCHG),
    NAME(ELIBACC),
    NAME(ELIBBAD),
    NAME(ELIBSCN),
    NAME(ELIBMAX),
    NAME(ELIBEXEC),
    NAME(EILSEQ),
    NAME(ERESTART),
    NAME(ESTRPIPE),
    NAME(EUSERS),
    NAME(ENOTSOCK),
    NAME(EDESTADDRREQ),
    NAME(EMSGSIZE),
    NAME(EPROTOTYPE),
    NAME(ENOPROTOOPT),
    NAME(EPROTONOSUPPORT),
    NAME(ESOCKTNOSUPPORT),
    NAME(EPFNOSUPPORT),
    NAME(EAFNOSUPPORT),
    NAME(EADDRINUSE),
    NAME(EADDRNOTAVAIL),
    NAME(ENETDOWN),
    NAME(ENETUNREACH),
    NAME(ENETRESET),
    NAME(ECONNABORTED),
    NAME(ECONNRESET),
    NAME(EOPNOTSUPP),
    NAME(ENOBUFS),
    NAME(EISCONN),
    NAME(ENOTCONN),
    NAME(ESHUTDOWN),
    NAME(ETOOMANYREFS),
    NAME(ETIMEDOUT),
    NAME(ECONNREFUSED),
    NAME(EHOSTDOWN),
    NAME(EHOSTUNREACH),
    NAME(EALREADY),
    NAME(EINPROGRESS),
    NAME(ESTALE),
    NAME(EUCLEAN),
    NAME(ENOTNAM),
    NAME(ENAVAIL),
    NAME(EISNAM),
    NAME(EREMOTEIO),
    NAME(EDQUOT),
    NAME(ENOMEDIUM),
    NAME(EMEDIUMTYPE),
    NAME(ECANCELED),
    NAME(ENOKEY),
    NAME(EKEYEXPIRED),
    NAME(EKEYREVOKED),
    NAME(EKEYREJECTED),
    NAME(EOWNERDEAD),
    NAME(ENOTRECOVERABLE),
    NAME(ERFKILL),
    NAME(EHWPOISON),
};

const char *airlock_errno_name(int code) {
    bool has_name = code > 0 && code < (int)(sizeof errno_names / sizeof *errno_names) && errno_names[code] != NULL;
    return has_name ? errno_names[code] : "E?";
}

static void text_action(struct text *text, const struct airlock_action *action) {
    static const char *const kinds[] = {"close", "dup2", "open", "chdir", "fchdir", "closefrom", "tcsetpgrp"};
    text_string(text, (unsigned)action->kind < sizeof kinds / sizeof *kinds ? kinds[action->kind] : "?");
    text_char(text, ' ');
    if (action->kind == AIRLOCK_ACTION_DUP2) {
        text_signed(text, action->source);
        text_string(text, " → ");
    }
    if (action->kind != AIRLOCK_ACTION_CHDIR)
        text_signed(text, action->fd);
    if (action->kind == AIRLOCK_ACTION_OPEN)
        text_char(text, ' ');
    if (action->path != NULL)
        text_string(text, action->path);
}

static void text_file(struct text *text, const struct airlock_command *command, int index) {
    const char *file = command->path;
    if (command->candidates != NULL)
        file = command->candidates[index < 0 ? 0 : index];
    else if (file == NULL && command->argv != NULL)
        file = command->argv[0];
    if (file == NULL)
        return;
    text_char(text, ' ');
    text_string(text, file);
}

/* A negative index is about all of them. */
static void text_index(struct text *text, int index) {
    if (index < 0)
        return;
    text_char(text, ' ');
    text_signed(text, index);
}

/* What the step was about: "action 2 (dup2 7 -> 1)", "exec /bin/nothing", "signals 13". */
static void text_subject(struct text *text, const struct airlock_error *error, const struct airlock_command *command) {
    text_string(text, airlock_step_name(error->step));
    switch (error->step) {
    case AIRLOCK_STEP_ACTION:
        text_index(text, error->index);
        if (command != NULL && (size_t)error->index < command->action_count) {
            text_string(text, " (");
            text_action(text, &command->actions[error->index]);
            text_char(text, ')');
        }
        break;
    case AIRLOCK_STEP_EXEC:
        if (command != NULL)
            text_file(text, command, error->index);
        break;
    case AIRLOCK_STEP_CHDIR:
        if (command != NULL && command->cwd != NULL) {
            text_char(text, ' ');
            text_string(text, command->cwd);
        }
        break;
    case AIRLOCK_STEP_FETCH:
    case AIRLOCK_STEP_SIGNALS:
    case AIRLOCK_STEP_STDIO:
    case AIRLOCK_STEP_KEEP:
    case AIRLOCK_STEP_LIMIT:
    case AIRLOCK_STEP_GROUPS:
        text_index(text, error->index);
        break;
    default:
        break;
    }
}

size_t airlock_error_text(const struct airlock_error *error, const struct airlock_command *command, char *to,
                          size_t size) {
    struct text text = {.to = to, .size = size};
    text_subject(&text, error, command);
    text_string(&text, ": ");
    text_string(&text, airlock_errno_name(error->code));
    text_end(&text);
    return text.length;
}
