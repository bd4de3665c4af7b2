/* Puts what records hold into words. Arguments, paths and names were chosen by somebody else: no byte of them may move
 * a cursor, set a colour or begin a line of its own. */
#include "words.h"

#include <ctype.h>
#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* From here on Linux gives a connection its own end (ip_local_port_range). */
enum { FIRST_OWN_PORT = 32768 };

/* The characters of a record are valid: the bytes in front tell how far the last one goes. */
size_t whole_length(const char *text, size_t length) {
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    unsigned char first = start > 0 ? (unsigned char)text[start - 1] : 0;
    size_t needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (needed > length - start + 1)
        return start - 1;
    for (size_t back = 1; back <= 2 && back <= length; back++) {
        if (text[length - back] == '\x1a')
            return length - back;
    }
    return length;
}

void words_add(struct words *words, const char *format, ...) {
    va_list arguments;
    if (words->length + 1 >= words->size)
        return;
    va_start(arguments, format);
    int length = vsnprintf(words->text + words->length, words->size - words->length, format, arguments);
    va_end(arguments);
    if (length > 0)
        words->length += (size_t)length;
    if (words->length >= words->size) {
        words->length = whole_length(words->text, words->size - 1);
        words->text[words->length] = '\0';
    }
}

static void add_bytes(struct words *words, const char *bytes, size_t length) {
    if (words->length + length >= words->size)
        return;
    memcpy(words->text + words->length, bytes, length);
    words->length += length;
    words->text[words->length] = '\0';
}

static int digit_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int escaped_byte(const char *string, size_t *length) {
    int high = string[0] == '\x1a' ? digit_value(string[1]) : -1;
    int low = high < 0 ? -1 : digit_value(string[2]);
    if (low < 0)
        return -1;
    *length = 3;
    return high * 16 + low;
}

/* The length of the printable character at string, 0 when it is none; *columns is its width. */
static size_t character_length(const char *string, size_t *columns) {
    wchar_t character;
    mbstate_t state = {0};
    *columns = 1;
    if (isascii((unsigned char)*string))
        return isprint((unsigned char)*string) ? 1 : 0;
    size_t length = mbrtowc(&character, string, MB_LEN_MAX, &state);
    if (length == (size_t)-1 || length == (size_t)-2 || length == 0)
        return 0;
    int width = wcwidth(character);
    *columns = width < 0 ? 1 : (size_t)width;
    return width < 0 ? 0 : length;
}

static void add_escaped(struct words *words, unsigned char byte) {
    static const char *const names[] = {['\t'] = "\\t", ['\n'] = "\\n", ['\r'] = "\\r"};
    if (byte < sizeof names / sizeof names[0] && names[byte] != NULL) {
        words_add(words, "%s", names[byte]);
    } else {
        words_add(words, "\\x%02x", byte);
    }
}

/* Adds one character or escape; returns the bytes of the string that it took. */
static size_t add_character(struct words *words, const char *string) {
    size_t length, columns;
    int byte = escaped_byte(string, &length);
    if (byte >= 0) {
        add_escaped(words, (unsigned char)byte);
        return length;
    }
    length = character_length(string, &columns);
    if (length > 0) {
        add_bytes(words, string, length);
        return length;
    }
    add_escaped(words, (unsigned char)*string);
    return 1;
}

void words_add_plain(struct words *words, const char *string) {
    while (*string != '\0')
        string += add_character(words, string);
}

static bool is_bare(const char *string) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_^";
    return *string != '\0' && string[strspn(string, safe)] == '\0';
}

/* Whether every character can be printed, so that plain quotes do. */
static bool is_printable(const char *string) {
    size_t length, columns;
    for (; *string != '\0'; string += length) {
        length = character_length(string, &columns);
        if (length == 0)
            return false;
    }
    return true;
}

void words_add_quoted(struct words *words, const char *string) {
    if (is_bare(string)) {
        words_add_plain(words, string);
        return;
    }
    bool printable = is_printable(string);
    words_add(words, printable ? "'" : "$'");
    while (*string != '\0') {
        if (*string == '\'') {
            words_add(words, printable ? "'\\''" : "\\'");
            string++;
        } else if (*string == '\\' && !printable) {
            words_add(words, "\\\\");
            string++;
        } else {
            string += add_character(words, string);
        }
    }
    words_add(words, "'");
}

void words_add_command(struct words *words, const struct record *record) {
    bool is_shell_line = strcmp(record->call, "system") == 0 || strcmp(record->call, "popen") == 0;
    if (is_shell_line && record->argv.count > 0) {
        words_add_plain(words, record->argv.items[record->argv.count - 1]);
    } else {
        words_add_quoted(words, record->path);
        for (size_t i = 1; i < record->argv.count; i++) {
            words_add(words, " ");
            words_add_quoted(words, record->argv.items[i]);
        }
    }
    if (record->argv_cut)
        words_add(words, " %s", marks()->ellipsis);
}

void words_add_duration(struct words *words, double nanoseconds) {
    static const struct {
        double size;
        const char *unit;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    if (nanoseconds >= 120e9) {
        long seconds = (long)(nanoseconds / 1e9);
        words_add(words, "%ld min %ld s", seconds / 60, seconds % 60);
        return;
    }
    size_t i = 0;
    while (i < 3 && nanoseconds < units[i].size)
        i++;
    double value = nanoseconds / units[i].size;
    words_add(words, "%.*f %s", value >= 99.95 || i == 3 ? 0 : value >= 9.995 ? 1 : 2, value, units[i].unit);
}

void words_add_count(struct words *words, uint64_t count) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < length; i++)
        words_add(words, i > 0 && (length - i) % 3 == 0 ? ",%c" : "%c", digits[i]);
}

/* What stands behind the number of "pipe:[123]" and "socket:[123] tcp …"; NULL: there is no such number. */
static const char *behind_number(const char *what, size_t *beginning) {
    const char *bracket = strstr(what, ":[");
    const char *end = bracket == NULL ? NULL : bracket + 2 + strspn(bracket + 2, "0123456789");
    if (end == NULL || end == bracket + 2 || *end != ']')
        return NULL;
    *beginning = (size_t)(bracket - what);
    return end + 1;
}

void words_add_descriptor(struct words *words, const char *what) {
    size_t beginning;
    const char *rest = behind_number(what, &beginning);
    if (rest == NULL)
        words_add(words, "%s", what);
    else
        words_add(words, "%.*s%s", (int)beginning, what, rest);
}

/* The port at the end of an address of so many bytes; 0: it has none. */
static long port_of(const char *address, size_t length) {
    size_t start = length;
    while (start > 0 && isdigit((unsigned char)address[start - 1]))
        start--;
    return start > 0 && start < length && address[start - 1] == ':' ? strtol(address + start, NULL, 10) : 0;
}

void words_add_kind(struct words *words, const char *what) {
    static const char arrow[] = " <- ";
    size_t beginning;
    const char *rest = behind_number(what, &beginning);
    const char *peer = rest == NULL ? NULL : strstr(rest, arrow);
    if (peer == NULL) {
        words_add_descriptor(words, what);
        return;
    }
    size_t local = (size_t)(peer - rest);
    const char *far = peer + sizeof arrow - 1;
    long near_port = port_of(rest, local), far_port = port_of(far, strlen(far));
    bool called = near_port >= FIRST_OWN_PORT && far_port != 0 && far_port < FIRST_OWN_PORT;
    if (near_port == 0 || far_port == 0)
        words_add(words, "%.*s%s", (int)beginning, what, rest); /* not of the internet: nothing there differs */
    else if (called)
        words_add(words, "%.*s%.*s *%s", (int)beginning, what, (int)strcspn(rest + 1, " ") + 1, rest, peer);
    else
        words_add(words, "%.*s%.*s%s*", (int)beginning, what, (int)local, rest, arrow);
}

size_t columns_of(const char *text) {
    size_t total = 0;
    while (*text != '\0') {
        size_t columns;
        size_t length = character_length(text, &columns);
        total += columns;
        text += length == 0 ? 1 : length;
    }
    return total;
}

void words_fit(struct words *words, size_t columns) {
    if (columns_of(words->text) <= columns)
        return;
    size_t room = columns - columns_of(marks()->ellipsis);
    size_t used = 0, at = 0;
    for (;;) {
        size_t width;
        size_t length = character_length(words->text + at, &width);
        if (used + width > room)
            break;
        used += width;
        at += length == 0 ? 1 : length;
    }
    words->length = at;
    words->text[at] = '\0';
    words_add(words, "%s", marks()->ellipsis);
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

const struct marks *marks(void) {
    static const struct marks unicode = {"→", "…", "✗", {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
    static const struct marks ascii = {"->", "...", "failed:", {".", ":", "-", "=", "+", "*", "#", "@"}};
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? &unicode : &ascii;
}
