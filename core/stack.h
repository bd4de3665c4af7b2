/* Stacks for children that run in their parent's memory. */
#ifndef AIRLOCK_STACK_H
#define AIRLOCK_STACK_H

#include <stddef.h>

struct stack {
    void *mapping; /* NULL: none could be had */
    void *lowest;  /* above the guard page */
    size_t size;
};

/* A stack with a guard page below it: one that an earlier spawn gave back, or a new mapping. Takes no lock, so any
 * number of threads may ask at once, and a fork in the middle harms nobody. */
struct stack stack_acquire(void);

/* Gives it back for the next spawn. */
void stack_release(struct stack stack);

#endif
