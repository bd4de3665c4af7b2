/* A preload that does nothing: what any preloaded library costs. */
int airlock_bench_trivial(void);

int airlock_bench_trivial(void) {
    return 0;
}
