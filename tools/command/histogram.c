/* Buckets: one for each value below 16, then 16 for each power of two. */
#include "histogram.h"

static size_t bucket_of(uint64_t value) {
    if (value < HISTOGRAM_PARTS)
        return (size_t)value;
    unsigned power = 63U - (unsigned)__builtin_clzll(value);
    size_t bucket = (size_t)(power - 3) * HISTOGRAM_PARTS + ((value >> (power - 4)) & (HISTOGRAM_PARTS - 1));
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_bucket_start(size_t bucket) {
    if (bucket < HISTOGRAM_PARTS)
        return bucket;
    unsigned power = (unsigned)(bucket / HISTOGRAM_PARTS) + 3;
    if (power > 63)
        return UINT64_MAX;
    return (HISTOGRAM_PARTS + (uint64_t)(bucket % HISTOGRAM_PARTS)) << (power - 4);
}

void histogram_add(struct histogram *histogram, uint64_t value) {
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->sum += value;
    histogram->buckets[bucket_of(value)]++;
}

uint64_t histogram_percentile(const struct histogram *histogram, double fraction) {
    uint64_t rank = (uint64_t)(fraction * (double)histogram->count);
    uint64_t seen = 0;
    if (histogram->count == 0)
        return 0;
    if (rank >= histogram->count)
        rank = histogram->count - 1;
    size_t bucket = 0;
    while (seen + histogram->buckets[bucket] <= rank)
        seen += histogram->buckets[bucket++];
    uint64_t middle = histogram_bucket_start(bucket) / 2 + histogram_bucket_start(bucket + 1) / 2;
    if (middle < histogram->min)
        middle = histogram->min;
    return middle > histogram->max ? histogram->max : middle;
}

double histogram_mean(const struct histogram *histogram) {
    return histogram->count == 0 ? 0 : (double)histogram->sum / (double)histogram->count;
}

uint64_t histogram_at_most(const struct histogram *histogram, uint64_t limit) {
    uint64_t total = 0;
    for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS && histogram_bucket_start(bucket + 1) - 1 <= limit; bucket++)
        total += histogram->buckets[bucket];
    return total;
}
