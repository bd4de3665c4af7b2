/* JSON on one line, put together in memory of fixed size: usable wherever the program happens to be.
 *
 * Strings are bytes that somebody else chose. Control characters, quotes and backslashes are escaped as JSON has it. A
 * byte that is not part of valid UTF-8, and U+001A itself, is written as U+001A followed by two hexadecimal digits, so
 * that every string can be read back byte for byte and none can end its line or its object early. */
#ifndef SHIM_JSON_H
#define SHIM_JSON_H

#include "text.h"

#include <stdbool.h>

/* A comma when something stands before, then "name":, in one piece, for a third of a record are names. They are
 * literals here and in all that follows. */
#define json_name(text, name) json_key(text, "\"" name "\":", sizeof "\"" name "\":" - 1)

/* The same for a name that has its quotes and its colon already. */
void json_key(struct text *text, const char *key, size_t length);

/* The same with a number behind it. */
void json_number(struct text *text, const char *key, size_t length, int64_t number);

/* A comma unless this is the first element after an opening bracket. */
void json_comma(struct text *text);

/* The string with its quotes, in at most budget bytes of output; when it is cut, false. */
bool json_string(struct text *text, const char *string, size_t budget);

#define json_member_string(text, name, value, budget) (json_name(text, name), json_string(text, value, budget))
#define json_member_number(text, name, value) json_number(text, "\"" name "\":", sizeof "\"" name "\":" - 1, value)
#define json_member_true(text, name) (json_name(text, name), text_string(text, "true"))

#endif
