/* A safe popen with both pipes: sends standard input through a program and prints what comes back.
 *
 *     example-filter PROGRAM [ARG…] <input >output */
#include <airlock.h>

#include <stdio.h>
#include <stdlib.h>

/* All of standard input; the length in *length. */
static char *read_all(size_t *length) {
    size_t capacity = 4096;
    char *data = malloc(capacity);
    *length = 0;
    while (data != NULL && !feof(stdin) && !ferror(stdin)) {
        *length += fread(data + *length, 1, capacity - *length, stdin);
        if (*length == capacity) {
            char *larger = realloc(data, capacity *= 2);
            if (larger == NULL)
                free(data);
            data = larger;
        }
    }
    return data;
}

int main(int argc, char **argv) {
    const struct airlock_stream streams[3] = {
        {.kind = AIRLOCK_STREAM_PIPE}, {.kind = AIRLOCK_STREAM_PIPE}, {.kind = AIRLOCK_STREAM_INHERIT}};
    struct airlock_command filter = {.argv = argv + 1, .search = AIRLOCK_SEARCH_PARENT_PATH, .seal = AIRLOCK_SEAL};
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    struct airlock_output output = {0};
    struct airlock_error error;
    char text[256];
    size_t length;
    char *input = argc < 2 ? NULL : read_all(&length);
    if (input == NULL)
        return 2;

    if (airlock_process_start(&filter, streams, &process, &error, NULL) != 0) {
        airlock_error_text(&error, &filter, text, sizeof text);
        fprintf(stderr, "example-filter: %s\n", text);
        free(input);
        return 127;
    }
    int code = airlock_process_communicate(&process, input, length, 0, &output);
    airlock_process_close(&process);
    if (code == 0) {
        fwrite(output.out, 1, output.out_length, stdout);
        airlock_status_text(output.status, text, sizeof text);
        fprintf(stderr, "%s %s\n", argv[1], text);
    }
    airlock_output_free(&output);
    free(input);
    return code == 0 ? 0 : 1;
}
