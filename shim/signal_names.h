/* Signals by their names. */
#ifndef SHIM_SIGNAL_NAMES_H
#define SHIM_SIGNAL_NAMES_H

enum { SIGNAL_NAME_SIZE = 16 };

/* "SIGPIPE", "SIGRTMIN+3", "signal 32". Written to room where it is not a constant. */
const char *signal_name(int signal, char room[SIGNAL_NAME_SIZE]);

#endif
