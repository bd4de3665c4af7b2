/* Stacks for children that run in their parent's memory, kept from one spawn to the next: a fresh mapping for each
 * would be a third of the cost of a spawn. */
#include "stack.h"

#include "syscall.h"

#include <stdatomic.h>

enum {
    POOL_SIZE = 32,
    GUARD_SIZE = 64 * 1024, /* a whole number of pages wherever Linux runs */
    STACK_SIZE = 64 * 1024, /* the child's deepest use is a PATH candidate of 4.4 KiB and a listing of 1 KiB */
};

static _Atomic(void *) pool[POOL_SIZE];

static void *map_new(void) {
    char *mapping = raw_map(GUARD_SIZE + STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_STACK);
    if (mapping != NULL && raw3(SYS_mprotect, mapping + GUARD_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) < 0) {
        raw2(SYS_munmap, mapping, GUARD_SIZE + STACK_SIZE);
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
        stack.lowest = (char *)stack.mapping + GUARD_SIZE;
        stack.size = STACK_SIZE;
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
    raw2(SYS_munmap, stack.mapping, GUARD_SIZE + STACK_SIZE);
}
