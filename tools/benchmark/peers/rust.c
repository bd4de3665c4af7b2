/* Rust's std::process::Command, which rust.rs calls. */
#include "../worker.h"

#include <stddef.h>

int bench_rust_start(const char *file, int output, int *pid);

static int start(const struct request *request, pid_t *pid) {
    return bench_rust_start(request->file, request->output, pid);
}

static const struct peer peer_rust = {.name = "rust", .start = start, .closes_output = true};

const struct peer *const peers[] = {&peer_rust, NULL};
