/* airlock report: what its answers share. Each is one file, and one function here. */
#ifndef AIRLOCK_COMMAND_REPORT_H
#define AIRLOCK_COMMAND_REPORT_H

#include "summary.h"

#include <stdio.h>

/* For people, on a terminal or in a file. top: rows of each list. */
void report_text(FILE *stream, const struct summary *summary, size_t top, bool colours);

/* One JSON object. top: rows of each list at most; with_spans adds the sample of single spawns. */
void report_json(FILE *stream, const struct summary *summary, size_t top, bool with_spans);

/* One page that needs nothing else. */
void report_html(FILE *stream, const struct summary *summary);

/* OpenMetrics, in the subset that node_exporter's textfile collector reads, too. */
void report_metrics(FILE *stream, const struct summary *summary);

/* Graphviz: who spawned whom. */
void report_dot(FILE *stream, const struct summary *summary);

/* Trace events as Chrome and Perfetto read them. They are written while the log is read: report_trace_add once for
 * each record, between begin and end. */
struct trace_events;
struct trace_events *trace_events_begin(FILE *stream); /* NULL when memory is out */
void trace_events_add(struct trace_events *events, const struct record *record);
void trace_events_end(struct trace_events *events);

#endif
