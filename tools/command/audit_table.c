/* The audit as a table: one row for each descriptor that goes from one program to another, most frequent first. */
#include "audit.h"

#include "words.h"

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
    text[0] = '\0';
    words_add_plain(&words, tally_part(entry, column));
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

static void section(FILE *stream, const struct tally *tally, const char *title, const char *nothing, bool with_rule) {
    struct table table = {.stream = stream, .tally = tally, .sorted = tally_sorted(tally), .with_rule = with_rule};
    table.rows = tally->count < ROWS ? tally->count : ROWS;
    fprintf(stream, "\n%s\n", table.sorted == NULL ? nothing : title);
    if (table.sorted != NULL)
        put_table(&table);
    free(table.sorted);
}

void audit_table(FILE *stream, const struct audit *audit) {
    fprintf(stream, "# audit: %llu spawns, %llu failed, %llu with descriptors that enforce would close\n",
            (unsigned long long)audit->spawns, (unsigned long long)audit->failed, (unsigned long long)audit->leaking);
    if (audit->passed_through > 0)
        fprintf(stream, "# %llu calls went to libc without hardening, and would in enforce mode, too\n",
                (unsigned long long)audit->passed_through);
    section(stream, &audit->sealed, "Would be closed:", "Nothing would be closed.", false);
    section(stream, &audit->kept, "Would be let through:", "Nothing would be let through.", true);
}
