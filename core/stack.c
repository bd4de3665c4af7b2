/* Stacks for children that run in their parent's memory, kept from one spawn to the next: a fresh mapping for each
 * would be a third of the cost of a spawn. */
#include "stack.h"

#include "syscall.h"

#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

enum {
    POOL_SIZE = 32,
    STACK_SIZE = 48 * 1024, /* the child's deepest use is a PATH candidate of 4.4 KiB and a listing of 1 KiB */
};

static _Atomic(void *) pool[POOL_SIZE];

static size_t page_size(void) {
    static _Atomic size_t size;
    size_t known = atomic_load_explicit(&size, memory_order_relaxed);
    if (known == 0) {
        known = getauxval(AT_PAGESZ);
        atomic_store_explicit(&size, known, memory_order_relaxed);
    }
    return known;
}

static size_t stack_size(void) {
    return (STACK_SIZE + page_size() - 1) / page_size() * page_size();
}

static void *map(size_t size, int protection) {
#ifdef SYS_mmap2
    long result = raw6(SYS_mmap2, 0, (long)size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
#else
    long result = raw6(SYS_mmap, 0, (long)size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
#endif
    return result < 0 && result >= -4095 ? NULL : (void *)result;
}

static void *map_new(void) {
    size_t guard = page_size();
    char *mapping = map(guard + stack_size(), PROT_NONE);
    if (mapping != NULL && raw3(SYS_mprotect, mapping + guard, stack_size(), PROT_READ | PROT_WRITE) < 0) {
        raw2(SYS_munmap, mapping, guard + stack_size());
        return NULL;
    }
    return mapping;
}

static void *take_from_pool(void) {
    for (int i = 0; i < POOL_SIZE; i++) {
        if (atomic_load_explicit(&pool[i], memory_order_relaxed) == NULL)
            continue;
        void *mapping = atomic_exchange_explicit(&pool[i], NULL, memory_order_acquire);
        if (mapping != NULL)
            return mapping;
    }
    return NULL;
}

struct stack stack_acquire(void) {
    struct stack stack = {.mapping = take_from_pool()};
    if (stack.mapping == NULL)
        stack.mapping = map_new();
    if (stack.mapping != NULL) {
        stack.lowest = (char *)stack.mapping + page_size();
        stack.size = stack_size();
    }
    return stack;
}

void stack_release(struct stack stack) {
    if (stack.mapping == NULL)
        return;
    for (int i = 0; i < POOL_SIZE; i++) {
        void *expected = NULL;
        if (atomic_compare_exchange_strong_explicit(&pool[i], &expected, stack.mapping, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    raw2(SYS_munmap, stack.mapping, page_size() + stack.size);
}
