/* The summary for people: one screen for a small log, lists of the same few columns for a large one. */
#include "report.h"

#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct page {
    FILE *stream;
    size_t top;
    const char *bold, *dim, *red, *yellow, *plain;
};

enum { CELL_BYTES = 1024, BAR_COLUMNS = 48 };

static void heading(const struct page *page, const char *format, const char *detail) {
    fprintf(page->stream, "\n%s", page->bold);
    fprintf(page->stream, "%s", format);
    fprintf(page->stream, "%s%s%s%s\n", page->plain, page->dim, detail, page->plain);
}

/* One cell of a row: padded, or cut, to its columns. */
static void cell(const struct page *page, const char *string, size_t columns) {
    char text[CELL_BYTES] = "";
    struct words words = WORDS(text);
    words_add_plain(&words, string);
    words_fit(&words, columns);
    fprintf(page->stream, "%s%*s", text, (int)(columns - columns_of(text)), "");
}

static void cell_count(const struct page *page, uint64_t count) {
    char text[32] = "";
    struct words words = WORDS(text);
    words_add_count(&words, count);
    fprintf(page->stream, "  %10s  ", text);
}

static void cell_duration(const struct page *page, double nanoseconds) {
    char text[32] = "";
    struct words words = WORDS(text);
    words_add_duration(&words, nanoseconds);
    fprintf(page->stream, "%9s", text);
}

/* What a list leaves out is said: rows that did not fit, and what a full tally forgot. */
static void rest_of(const struct page *page, const struct tally *tally, const struct tally_entry **sorted,
                    size_t shown) {
    uint64_t counted = tally->forgotten;
    for (size_t i = shown; i < tally->count; i++)
        counted += sorted[i]->count;
    if (counted == 0)
        return;
    cell_count(page, counted);
    fprintf(page->stream, "%sin %zu%s more%s\n", page->dim, tally->count - shown, tally->forgotten > 0 ? " or" : "",
            page->plain);
}

typedef void row_writer(const struct page *page, const struct tally_entry *entry);

static void list(const struct page *page, const char *title, const char *detail, const struct tally *tally,
                 row_writer *write_row) {
    const struct tally_entry **sorted = tally_sorted(tally);
    if (sorted == NULL)
        return;
    size_t shown = tally->count < page->top ? tally->count : page->top;
    heading(page, title, detail);
    for (size_t i = 0; i < shown; i++) {
        cell_count(page, sorted[i]->count);
        write_row(page, sorted[i]);
        putc('\n', page->stream);
    }
    rest_of(page, tally, sorted, shown);
    free(sorted);
}

static void put_plain(const struct page *page, const char *string) {
    char text[CELL_BYTES] = "";
    struct words words = WORDS(text);
    words_add_plain(&words, string);
    fputs(text, page->stream);
}

static void failure_row(const struct page *page, const struct tally_entry *entry) {
    fputs(page->red, page->stream);
    cell(page, tally_part(entry, 0), 12);
    cell(page, tally_part(entry, 1), 16);
    fprintf(page->stream, "%s%se.g. ", page->plain, page->dim);
    put_plain(page, entry->example == NULL ? "" : entry->example);
    fputs(page->plain, page->stream);
}

static void leak_row(const struct page *page, const struct tally_entry *entry) {
    put_plain(page, tally_part(entry, 0));
    fprintf(page->stream, " %s ", marks()->arrow);
    put_plain(page, tally_part(entry, 1));
    fprintf(page->stream, "  %s", page->yellow);
    put_plain(page, tally_part(entry, 2));
    fputs(page->plain, page->stream);
    if (entry->example != NULL)
        fprintf(page->stream, "%s as %s%s", page->dim, entry->example, page->plain);
}

static void keep_row(const struct page *page, const struct tally_entry *entry) {
    put_plain(page, tally_part(entry, 0));
    fprintf(page->stream, " %s ", marks()->arrow);
    put_plain(page, tally_part(entry, 1));
    fputs("  ", page->stream);
    put_plain(page, tally_part(entry, 2));
    fprintf(page->stream, "  %s", page->dim);
    put_plain(page, tally_part(entry, 3));
    fputs(page->plain, page->stream);
}

static void program_row(const struct page *page, const struct tally_entry *entry) {
    cell(page, tally_part(entry, 0), BAR_COLUMNS);
    fprintf(page->stream, " %smean%s", page->dim, page->plain);
    cell_duration(page, (double)entry->amount / (double)entry->count);
}

static void caller_row(const struct page *page, const struct tally_entry *entry) {
    const char *program = tally_part(entry, 0);
    const char *object = tally_part(entry, 1);
    cell(page, tally_part(entry, 3), 13);
    put_plain(page, program);
    fputs(page->dim, page->stream);
    if (*object != '\0' && strcmp(object, program) != 0) {
        fputs(" in ", page->stream);
        put_plain(page, object);
    }
    fputs(" at ", page->stream);
    put_plain(page, tally_part(entry, 2));
    fputs(page->plain, page->stream);
}

static void plain_row(const struct page *page, const struct tally_entry *entry) {
    put_plain(page, tally_part(entry, 0));
}

/* Forty columns, one for each stretch of equal ratio between the fastest and the slowest. */
static void bars(const struct page *page, const struct histogram *histogram) {
    enum { COLUMNS = 24 };
    uint64_t counts[COLUMNS] = {0}, most = 1;
    for (size_t i = 0; i < COLUMNS; i++) {
        /* From 1 us to 16.8 s, a doubling for each column. */
        uint64_t limit = (uint64_t)1000 << i;
        counts[i] = histogram_at_most(histogram, i == COLUMNS - 1 ? UINT64_MAX : limit) -
                    (i == 0 ? 0 : histogram_at_most(histogram, (uint64_t)1000 << (i - 1)));
        most = counts[i] > most ? counts[i] : most;
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t level = (size_t)((counts[i] * 7 + most - 1) / most);
        fputs(counts[i] == 0 ? " " : marks()->levels[level], page->stream);
    }
}

static void phase_row(const struct page *page, const char *name, const struct histogram *histogram) {
    if (histogram->count == 0)
        return;
    fprintf(page->stream, "  %-9s", name);
    cell_duration(page, (double)histogram_percentile(histogram, .5));
    cell_duration(page, (double)histogram_percentile(histogram, .95));
    cell_duration(page, (double)histogram_percentile(histogram, .99));
    cell_duration(page, (double)histogram->max);
    fputs("  |", page->stream);
    bars(page, histogram);
    fputs("|\n", page->stream);
}

static void phases(const struct page *page, const struct summary *summary) {
    if (summary->phases[PHASE_TOTAL].count == 0)
        return;
    heading(page, "Where the time goes", "");
    fprintf(page->stream, "  %s         %9s%9s%9s%9s  |1us       1ms       1s  |%s\n", page->dim, "p50", "p95", "p99",
            "max", page->plain);
    for (size_t i = 0; i < PHASE_COUNT; i++)
        phase_row(page, phase_names[i], &summary->phases[i]);
    phase_row(page, "command", &summary->commands);
}

static void slowest(const struct page *page, const struct summary *summary) {
    size_t shown = summary->slowest_count < page->top ? summary->slowest_count : page->top;
    if (shown == 0)
        return;
    heading(page, "Slowest spawns", "");
    for (size_t i = 0; i < shown; i++) {
        const struct span *span = summary->slowest[i];
        char text[CELL_BYTES] = "";
        struct words words = WORDS(text);
        fputs("    ", page->stream);
        cell_duration(page, (double)span->ns[PHASE_TOTAL]);
        words_add(&words, "  ");
        words_add_plain(&words, base_name(span->program));
        words_add(&words, "[%lld] ", (long long)span->pid);
        words_add_plain(&words, span->call);
        words_add(&words, "  %s", span->command);
        words_fit(&words, 100);
        fprintf(page->stream, "%s%s%s\n", text, span->failed ? page->red : "", span->failed ? "  failed" : "");
        fputs(page->plain, page->stream);
    }
}

static void number(const struct page *page, uint64_t count, const char *what, const char *colour) {
    if (count == 0)
        return;
    cell_count(page, count);
    fprintf(page->stream, "%s%s%s\n", colour, what, page->plain);
}

static void period(const struct page *page, const struct summary *summary) {
    char first[64] = "", length[64] = "";
    time_t seconds = (time_t)(summary->first_wall_us / 1000000);
    struct tm local;
    struct words words = WORDS(length);
    if (summary->good == 0)
        return;
    localtime_r(&seconds, &local);
    strftime(first, sizeof first, "%Y-%m-%d %H:%M:%S", &local);
    words_add_duration(&words, 1e3 * (double)(summary->last_mono_us - summary->first_mono_us));
    fprintf(page->stream, "%s%s, %s%s\n", page->dim, first, length, page->plain);
}

static void totals(const struct page *page, const struct summary *summary) {
    fprintf(page->stream, "%sSpawns%s ", page->bold, page->plain);
    period(page, summary);
    if (summary->good == 0)
        fputs("no records\n", page->stream);
    number(page, summary->spawns, "spawns", "");
    number(page, summary->failed, "failed", page->red);
    number(page, summary->leaking,
           summary->audited > 0 ? "with descriptors that would be sealed" : "with descriptors that were sealed",
           page->yellow);
    number(page, summary->sealed, "descriptors in them", page->yellow);
    number(page, summary->kept, "descriptors kept by a rule", "");
    number(page, summary->passed, "calls passed through to libc, not hardened", page->yellow);
    number(page, summary->copied, "children with a copy of memory (slow path)", "");
    number(page, summary->exits, "commands of system and popen that ended", "");
    number(page, summary->dropped, "records lost: the library could not write them", page->red);
    number(page, summary->bad, "lines that are no records, or cut off", page->red);
    number(page, summary->unknown, "records of a version or type that is unknown here", page->red);
}

void report_text(FILE *stream, const struct summary *summary, size_t top, bool colours) {
    struct page page = {stream, top, "", "", "", "", ""};
    if (colours) {
        page.bold = "\033[1m";
        page.dim = "\033[2m";
        page.red = "\033[31m";
        page.yellow = "\033[33m";
        page.plain = "\033[0m";
    }
    totals(&page, summary);
    list(&page, "Failures", "  step, errno", &summary->failures, failure_row);
    phases(&page, summary);
    slowest(&page, summary);
    list(&page, "Most spawned", "", &summary->programs, program_row);
    list(&page, "Who calls", "", &summary->callers, caller_row);
    list(&page, summary->audited > 0 ? "Leaks, not held back" : "Leaks, sealed", "  who hands what to whom",
         &summary->leaks, leak_row);
    list(&page, "Kept", "  by which rule", &summary->keeps, keep_row);
    list(&page, "Passed through", "  why", &summary->reasons, plain_row);
    list(&page, "How commands ended", "", &summary->statuses, plain_row);
}
