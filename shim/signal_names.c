/* Signals by their names, without libc's tables, which may be translated. */
#include "signal_names.h"

#include "text.h"

#include <signal.h>

#define NAME(signal) [signal] = #signal

static const char *const names[32] = {
    NAME(SIGHUP),  NAME(SIGINT),    NAME(SIGQUIT), NAME(SIGILL),  NAME(SIGTRAP),   NAME(SIGABRT), NAME(SIGBUS),
    NAME(SIGFPE),  NAME(SIGKILL),   NAME(SIGUSR1), NAME(SIGSEGV), NAME(SIGUSR2),   NAME(SIGPIPE), NAME(SIGALRM),
    NAME(SIGTERM), NAME(SIGSTKFLT), NAME(SIGCHLD), NAME(SIGCONT), NAME(SIGSTOP),   NAME(SIGTSTP), NAME(SIGTTIN),
    NAME(SIGTTOU), NAME(SIGURG),    NAME(SIGXCPU), NAME(SIGXFSZ), NAME(SIGVTALRM), NAME(SIGPROF), NAME(SIGWINCH),
    NAME(SIGIO),   NAME(SIGPWR),    NAME(SIGSYS),
};

const char *signal_name(int signal, char room[SIGNAL_NAME_SIZE]) {
    const int first_real_time = 34; /* libc keeps 32 and 33 for itself */
    if (signal > 0 && signal < 32 && names[signal] != NULL)
        return names[signal];
    struct text text = {.to = room, .size = SIGNAL_NAME_SIZE};
    text_string(&text, signal >= first_real_time ? "SIGRTMIN+" : "signal ");
    text_signed(&text, signal >= first_real_time ? signal - first_real_time : signal);
    text_end(&text);
    return room;
}
