/* Durations, counted in buckets that grow with the value: any number of them in a few kilobytes, and each percentile
 * within 1/32 of the true one. */
#ifndef AIRLOCK_COMMAND_HISTOGRAM_H
#define AIRLOCK_COMMAND_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_PARTS = 16, HISTOGRAM_BUCKETS = 61 * HISTOGRAM_PARTS };

struct histogram {
    uint64_t count, sum, min, max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that the fraction (0 to 1) of all values does not exceed; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double fraction);

double histogram_mean(const struct histogram *histogram);

/* The smallest value of a bucket; that of the next one is its end. */
uint64_t histogram_bucket_start(size_t bucket);

/* How many values are at most limit: those of buckets that end by then. */
uint64_t histogram_at_most(const struct histogram *histogram, uint64_t limit);

#endif
