/* A wait status in words, and signals by name. Static storage, no allocation, no locale: usable from a signal
 * handler. */
#include "airlock.h"

#include "text.h"

#include <signal.h>
#include <sys/wait.h>

enum { FIRST_REAL_TIME = 34, LAST_REAL_TIME = 64 }; /* glibc's SIGRTMIN; 32 and 33 are its own */

#define NAME(signal) [signal] = #signal

static const char *const names[] = {
    NAME(SIGHUP),  NAME(SIGINT),    NAME(SIGQUIT), NAME(SIGILL),  NAME(SIGTRAP),   NAME(SIGABRT), NAME(SIGBUS),
    NAME(SIGFPE),  NAME(SIGKILL),   NAME(SIGUSR1), NAME(SIGSEGV), NAME(SIGUSR2),   NAME(SIGPIPE), NAME(SIGALRM),
    NAME(SIGTERM), NAME(SIGSTKFLT), NAME(SIGCHLD), NAME(SIGCONT), NAME(SIGSTOP),   NAME(SIGTSTP), NAME(SIGTTIN),
    NAME(SIGTTOU), NAME(SIGURG),    NAME(SIGXCPU), NAME(SIGXFSZ), NAME(SIGVTALRM), NAME(SIGPROF), NAME(SIGWINCH),
    NAME(SIGIO),   NAME(SIGPWR),    NAME(SIGSYS),
};

static const char *const real_time_names[] = {
    "SIGRTMIN",    "SIGRTMIN+1",  "SIGRTMIN+2",  "SIGRTMIN+3",  "SIGRTMIN+4",  "SIGRTMIN+5",  "SIGRTMIN+6",
    "SIGRTMIN+7",  "SIGRTMIN+8",  "SIGRTMIN+9",  "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13",
    "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMAX-14", "SIGRTMAX-13", "SIGRTMAX-12", "SIGRTMAX-11", "SIGRTMAX-10",
    "SIGRTMAX-9",  "SIGRTMAX-8",  "SIGRTMAX-7",  "SIGRTMAX-6",  "SIGRTMAX-5",  "SIGRTMAX-4",  "SIGRTMAX-3",
    "SIGRTMAX-2",  "SIGRTMAX-1",  "SIGRTMAX",
};

const char *airlock_signal_name(int signal) {
    if (signal >= FIRST_REAL_TIME && signal <= LAST_REAL_TIME)
        return real_time_names[signal - FIRST_REAL_TIME];
    if (signal > 0 && signal < (int)(sizeof names / sizeof *names) && names[signal] != NULL)
        return names[signal];
    return "SIG?";
}

static void text_signal(struct text *text, const char *what, int signal) {
    text_string(text, what);
    text_string(text, airlock_signal_name(signal));
    text_string(text, " (");
    text_signed(text, signal);
    text_char(text, ')');
}

/* In hexadecimal, as such a number is looked up bit by bit. */
static void text_unknown(struct text *text, unsigned status) {
    text_string(text, "unknown wait status 0x");
    int shift = 28;
    while (shift > 0 && status >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        text_char(text, "0123456789abcdef"[status >> shift & 0xf]);
}

size_t airlock_status_text(int status, char *to, size_t size) {
    struct text text = {.to = to, .size = size};
    if (WIFCONTINUED(status)) {
        text_string(&text, "continued");
    } else if (WIFSTOPPED(status)) {
        text_signal(&text, "stopped by ", WSTOPSIG(status));
    } else if (WIFEXITED(status)) {
        text_string(&text, "exited with ");
        text_signed(&text, WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        text_signal(&text, "killed by ", WTERMSIG(status));
        if (WCOREDUMP(status))
            text_string(&text, ", core dumped");
    } else {
        text_unknown(&text, (unsigned)status);
    }
    text_end(&text);
    return text.length;
}
