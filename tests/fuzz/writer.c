/* Feeds bytes to the writer of records' strings, and what it writes to their reader (libFuzzer; tools/fuzz builds and
 * runs it): every string comes back byte for byte, and one that the budget cuts is a beginning. The first byte of an
 * input chooses the budget; the rest is the string up to a NUL. */
#include "fuzz.h"

#include "json.h"
#include "record.h"
#include "words.h"

/* What the record's string stands for, compared with the first of the bytes. Returns how many there are. */
static size_t same_bytes(const char *read, const char *bytes) {
    size_t count = 0, length;
    for (; *read != '\0'; read += length, count++) {
        length = 1;
        int byte = escaped_byte(read, &length);
        must((unsigned char)bytes[count] == (byte < 0 ? (unsigned char)*read : byte));
    }
    return count;
}

static void check_line(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        must((unsigned char)line[i] >= ' ' && line[i] != 127);
}

static void write_and_read(const char *string, size_t budget) {
    static struct record_reader *reader;
    static char line[65536];
    struct text text = {.to = line, .size = sizeof line};
    struct record record;
    if (reader == NULL)
        reader = record_reader_new();
    must(reader != NULL);
    text_char(&text, '{');
    json_member_number(&text, "v", 1);
    json_member_string(&text, "type", "exit", 16);
    json_member_number(&text, "mono_us", 1);
    json_member_number(&text, "pid", 1);
    json_member_string(&text, "call", "system", 16);
    json_name(&text, "program");
    size_t before = text.length;
    bool whole = json_string(&text, string, budget);
    must(text.length - before <= (budget < 2 ? 2 : budget));
    json_member_string(&text, "status", "exited 0", 16);
    text_char(&text, '}');
    must(text.length < sizeof line);
    check_line(line, text.length);
    must(record_read(reader, line, text.length, &record) == RECORD_GOOD);
    size_t count = same_bytes(record.program, string);
    must(whole ? string[count] == '\0' : count < strlen(string));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return -1;
    char *string = copy_of(data + 1, size - 1);
    write_and_read(string, 16384);
    write_and_read(string, data[0]);
    free(string);
    return 0;
}
