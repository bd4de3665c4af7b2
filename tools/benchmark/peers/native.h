/* The peers that need nothing but libc and airlock; they share one program. */
#ifndef AIRLOCK_BENCH_NATIVE_H
#define AIRLOCK_BENCH_NATIVE_H

#include "../worker.h"

extern const struct peer peer_airlock;
extern const struct peer peer_airlock_all;
extern const struct peer peer_append;
extern const struct peer peer_cut;
extern const struct peer peer_cut_calls;
extern const struct peer peer_fork;
extern const struct peer peer_glibc;
extern const struct peer peer_hardened;
extern const struct peer peer_popen;
extern const struct peer peer_system;
extern const struct peer peer_vfork;

#endif
