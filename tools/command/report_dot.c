/* Who spawned whom, as a graph. A solid edge is a spawn, as often as its label says; a dashed one leads from the path
 * that was executed to the program that then spawned in its place: a symbolic link, a script's interpreter, or what a
 * shell line became. */
#include "report.h"

#include "words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EDGES = 300 };

/* Graphviz knows two escapes in a quoted string; the rest of a name stays as people read it. */
static void quoted(FILE *stream, const char *string) {
    char text[2048] = "";
    struct words words = WORDS(text);
    words_add_plain(&words, string);
    putc('"', stream);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            putc('\\', stream);
        putc(*at, stream);
    }
    putc('"', stream);
}

static void node(FILE *stream, const char *path) {
    fputs("  ", stream);
    quoted(stream, path);
    fputs(" [label=", stream);
    quoted(stream, base_name(path));
    fputs(", tooltip=", stream);
    quoted(stream, path);
    fputs("];\n", stream);
}

static void edge(FILE *stream, const struct tally_entry *entry, bool is_spawn) {
    const char *from = tally_part(entry, 0), *to = tally_part(entry, 1);
    node(stream, from);
    node(stream, to);
    fputs("  ", stream);
    quoted(stream, from);
    fputs(" -> ", stream);
    quoted(stream, to);
    if (is_spawn) {
        fprintf(stream, " [label=\"%llu\", penwidth=%.2f];\n", (unsigned long long)entry->count,
                1 + log10((double)entry->count));
    } else {
        fputs(" [style=dashed, color=\"#888888\"];\n", stream);
    }
}

static void edges(FILE *stream, const struct tally *tally, bool is_spawn) {
    const struct tally_entry **sorted = tally_sorted(tally);
    for (size_t i = 0; sorted != NULL && i < tally->count && i < EDGES; i++)
        edge(stream, sorted[i], is_spawn);
    if (sorted != NULL && tally->count > EDGES)
        fprintf(stream, "  // %zu rarer edges are left out\n", tally->count - EDGES);
    free(sorted);
}

void report_dot(FILE *stream, const struct summary *summary) {
    fputs("digraph spawns {\n"
          "  rankdir=LR;\n"
          "  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n"
          "  edge [fontname=\"sans-serif\", fontsize=9];\n",
          stream);
    edges(stream, &summary->edges, true);
    edges(stream, &summary->becomings, false);
    fputs("}\n", stream);
}
