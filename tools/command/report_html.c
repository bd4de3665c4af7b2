/* The page: report.html as it stands in this folder, with the summary as JSON in the place that it keeps for it. The
 * build makes a string of the file, line by line. */
#include "report.h"

#include <string.h>

enum { ROWS = 300 };

static const char page[] =
#include "report_page.inc"
    ;

static const char mark[] = "@SUMMARY@";

void report_html(FILE *stream, const struct summary *summary) {
    const char *place = strstr(page, mark);
    fwrite(page, 1, (size_t)(place - page), stream);
    report_json(stream, summary, ROWS, true);
    fputs(place + strlen(mark), stream);
}
