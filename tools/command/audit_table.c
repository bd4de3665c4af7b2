/* The audit as a table: one row for each descriptor that goes from one program to another, most frequent first. */
#include "audit.h"

#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 200, CELL_BYTES = 1024, COLUMNS = 6, WIDEST = 48 };

struct table {
    FILE *stream;
    const struct tally *tally;
    const struct tally_entry **sorted;
    size_t rows;
    bool with_rule;
    size_t widths[COLUMNS];
};

static const char *const titles[COLUMNS] = {"fd", "what", "held by", "going to", "through", "rule"};

static size_t columns_of_table(const struct table *table) {
    return table->with_rule ? COLUMNS : COLUMNS - 1;
}

static void text_of(const struct tally_entry *entry, size_t column, char text[CELL_BYTES]) {
    struct words words = {.text = text, .size = CELL_BYTES};
    bool has_example = column == AUDIT_WHAT && entry->example != NULL;
    text[0] = '\0';
    words_add_plain(&words, has_example ? entry->example : tally_part(entry, column));
}

/* Most frequent first, and where that is the same, by the number. */
static int compare(const void *left, const void *right) {
    const struct tally_entry *one = *(const struct tally_entry *const *)left;
    const struct tally_entry *other = *(const struct tally_entry *const *)right;
    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    int order = strcmp(tally_part(one, AUDIT_PROGRAM), tally_part(other, AUDIT_PROGRAM));
    if (order == 0)
        order = strcmp(tally_part(one, AUDIT_PATH), tally_part(other, AUDIT_PATH));
    return order != 0 ? order : atoi(tally_part(one, AUDIT_FD)) - atoi(tally_part(other, AUDIT_FD));
}

static void measure(struct table *table) {
    char text[CELL_BYTES];
    for (size_t column = 0; column < columns_of_table(table); column++) {
        table->widths[column] = strlen(titles[column]);
        for (size_t row = 0; row < table->rows; row++) {
            text_of(table->sorted[row], column, text);
            size_t width = columns_of(text);
            if (width > table->widths[column])
                table->widths[column] = width < WIDEST ? width : WIDEST;
        }
    }
}

/* Wide cells push the rest of their row to the right: a path is shown whole, since somebody will want to copy it. */
static void put_cell(const struct table *table, size_t column, const char *text) {
    size_t width = columns_of(text);
    size_t padding = width < table->widths[column] ? table->widths[column] - width : 0;
    bool last = column == columns_of_table(table) - 1;
    fprintf(table->stream, "%s%*s%s", text, last ? 0 : (int)padding, "", last ? "\n" : "  ");
}

static void put_table(struct table *table) {
    char text[CELL_BYTES];
    measure(table);
    fputs("   times  ", table->stream);
    for (size_t column = 0; column < columns_of_table(table); column++)
        put_cell(table, column, titles[column]);
    for (size_t row = 0; row < table->rows; row++) {
        fprintf(table->stream, "%8llu  ", (unsigned long long)table->sorted[row]->count);
        for (size_t column = 0; column < columns_of_table(table); column++) {
            text_of(table->sorted[row], column, text);
            put_cell(table, column, text);
        }
    }
    if (table->tally->count > table->rows || table->tally->forgotten > 0)
        fprintf(table->stream, "%8s  and %zu rarer ones\n", "", table->tally->count - table->rows);
}

static void section(FILE *stream, const struct tally *tally, const char *verb, const char *what, bool with_rule) {
    struct table table = {.stream = stream, .tally = tally, .sorted = tally_sorted(tally), .with_rule = with_rule};
    table.rows = tally->count < ROWS ? tally->count : ROWS;
    if (table.sorted == NULL) {
        fprintf(stream, "\nNothing %s %s.\n", verb, what);
        return;
    }
    qsort(table.sorted, tally->count, sizeof table.sorted[0], compare);
    fprintf(stream, "\n%c%s %s:\n", toupper((unsigned char)verb[0]), verb + 1, what);
    put_table(&table);
    free(table.sorted);
}

static void remark(FILE *stream, uint64_t count, const char *text) {
    if (count > 0)
        fprintf(stream, "# %llu %s\n", (unsigned long long)count, text);
}

void audit_table(FILE *stream, const struct audit *audit) {
    bool enforced = audit->enforced > 0 && audit->enforced + audit->silent == audit->spawns;
    const char *verb = enforced ? "was" : "would be";
    fprintf(stream, "# audit: %llu spawns, %llu failed, %llu with descriptors that enforce %s\n",
            (unsigned long long)audit->spawns, (unsigned long long)audit->failed, (unsigned long long)audit->leaking,
            enforced ? "closed" : "would close");
    remark(stream, audit->passed_through, "calls went to libc without hardening, and would in enforce mode, too");
    if (!enforced)
        remark(stream, audit->enforced, "spawns were enforced: what is told of them was closed indeed");
    remark(stream, audit->silent,
           "spawns are recorded without their descriptors: mode audit or AIRLOCK_LOG_FDS=1 "
           "would have told of them");
    remark(stream, audit->cut, "spawns had more descriptors than a record has room for: some are missing here");
    section(stream, &audit->sealed, verb, "closed", false);
    section(stream, &audit->kept, verb, "let through", true);
}
