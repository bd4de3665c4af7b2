/* The list of the peers that share one program. */
#include "native.h"

#include <stddef.h>

const struct peer *const peers[] = {
    &peer_vfork,  &peer_airlock, &peer_airlock_all, &peer_glibc,     &peer_hardened, &peer_fork,
    &peer_system, &peer_popen,   &peer_cut,         &peer_cut_calls, &peer_append,   NULL,
};
