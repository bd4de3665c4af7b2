/* What a worker holds while it spawns: open descriptors and touched memory. Nothing is given back; a case that needs
 * less starts a new worker. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of this process alone, and no further than the user may. */
static int raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return errno;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : errno;
}

/* Each is an open file of its own, and inheritable, as in the programs that leak. */
int hold_descriptors(int count) {
    int code = raise_descriptor_limit();
    for (int fd = 0; code == 0 && fd < count; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            code = errno;
    return code;
}

static uint64_t resident_bytes(void) {
    unsigned long size;
    unsigned long resident = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm == NULL)
        return 0;
    if (fscanf(statm, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(statm);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* In small pages, which is what a heap that has grown for long consists of. */
int hold_memory(uint64_t bytes) {
    uint64_t resident = resident_bytes();
    if (bytes <= resident)
        return 0;
    size_t size = (size_t)(bytes - resident);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return errno;
    madvise(memory, size, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < size; at += (size_t)sysconf(_SC_PAGESIZE))
        memory[at] = 1;
    return 0;
}
