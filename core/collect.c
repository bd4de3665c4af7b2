/* All that a child prints, read to the end from both pipes at once while its input is fed: whichever pipe is full, the
 * other side of it is being served, so nobody waits for anybody.
 *
 * The one file of the core that allocates: the caller's buffers. */
#include "plan.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { FIRST_CAPACITY = 4096, INPUT = 0, OUT = 1, ERR = 2, STREAMS = 3 };

struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

struct exchange {
    struct airlock_process *process;
    const char *input;
    size_t input_left;
    size_t limit; /* of each buffer */
    struct buffer buffers[STREAMS];
};

static int *descriptor(struct exchange *exchange, int stream) {
    struct airlock_process *process = exchange->process;
    return stream == INPUT ? &process->in : stream == OUT ? &process->out : &process->err;
}

static void shut(struct exchange *exchange, int stream) {
    int *fd = descriptor(exchange, stream);
    raw_close(*fd);
    *fd = -1;
}

/* Room for at least one byte and a NUL behind it. Each step doubles, so that the copying stays in proportion. */
static int grow(struct buffer *buffer) {
    if (buffer->capacity >= buffer->length + 2)
        return 0;
    size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity * 2;
    int saved = errno; /* realloc may change it even when it succeeds */
    char *data = capacity > buffer->capacity ? realloc(buffer->data, capacity) : NULL;
    errno = saved;
    if (data == NULL)
        return ENOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

/* One read, up to one byte more than the limit allows: only that tells a full buffer from too much. */
static int receive(struct exchange *exchange, int stream) {
    struct buffer *buffer = &exchange->buffers[stream];
    int code = grow(buffer);
    if (code != 0)
        return code;
    size_t room = buffer->capacity - buffer->length - 1;
    size_t allowed = exchange->limit - buffer->length;
    if (room > allowed)
        room = allowed + 1;
    long received = raw3(SYS_read, *descriptor(exchange, stream), buffer->data + buffer->length, room);
    if (received == -EINTR || received == -EAGAIN)
        return 0;
    if (received < 0)
        return (int)-received;
    if (received == 0)
        shut(exchange, stream);
    buffer->length += (size_t)received;
    if (buffer->length <= exchange->limit)
        return 0;
    buffer->length = exchange->limit;
    return ENOBUFS;
}

/* A pipe that polls as writable has room for PIPE_BUF bytes: so much is written without waiting, whatever the flags of
 * the descriptor. A child that does not want its input is no error (CPython, Rust). */
static int feed(struct exchange *exchange) {
    size_t size = exchange->input_left < PIPE_BUF ? exchange->input_left : PIPE_BUF;
    long sent = size == 0 ? 0 : raw3(SYS_write, exchange->process->in, exchange->input, size);
    if (sent == -EINTR || sent == -EAGAIN)
        return 0;
    if (sent < 0 && sent != -EPIPE)
        return (int)-sent;
    if (sent > 0) {
        exchange->input += sent;
        exchange->input_left -= (size_t)sent;
    }
    if (sent == -EPIPE || exchange->input_left == 0)
        shut(exchange, INPUT);
    return 0;
}

static int serve(struct exchange *exchange, const struct pollfd *ready) {
    int code = 0;
    for (int stream = INPUT; stream < STREAMS && code == 0; stream++)
        if (ready[stream].fd >= 0 && ready[stream].revents != 0)
            code = stream == INPUT ? feed(exchange) : receive(exchange, stream);
    return code;
}

/* Until every pipe is at its end. */
static int exchange_all(struct exchange *exchange) {
    struct pollfd ready[STREAMS];
    int code = 0;
    while (code == 0) {
        bool open = false;
        for (int stream = INPUT; stream < STREAMS; stream++) {
            int fd = *descriptor(exchange, stream);
            ready[stream] = (struct pollfd){.fd = fd, .events = stream == INPUT ? POLLOUT : POLLIN};
            open = open || fd >= 0;
        }
        if (!open)
            break;
        long result = raw5(SYS_ppoll, ready, STREAMS, 0, 0, 0);
        if (result < 0 && result != -EINTR)
            code = (int)-result;
        else if (result > 0)
            code = serve(exchange, ready);
    }
    return code;
}

/* While input is written SIGPIPE is blocked; one that our own write caused is taken away again, one that was there
 * before stays. */
static int exchange_without_sigpipe(struct exchange *exchange) {
    const airlock_signals pipe_signal = AIRLOCK_SIGNAL(SIGPIPE);
    airlock_signals old_mask = 0, pending = 0;
    struct {
        long seconds, nanoseconds;
    } no_time = {0, 0};
    long refused = raw4(SYS_rt_sigprocmask, SIG_BLOCK, &pipe_signal, &old_mask, sizeof pipe_signal);
    if (refused < 0)
        return (int)-refused;
    refused = raw2(SYS_rt_sigpending, &pending, sizeof pending);
    int code = refused < 0 ? (int)-refused : exchange_all(exchange);
    if (refused >= 0 && !(pending & pipe_signal))
        while (raw4(SYS_rt_sigtimedwait, &pipe_signal, 0, &no_time, sizeof pipe_signal) == -EINTR)
            continue;
    /* Once more when it is refused: the program must not be left deaf to a signal. */
    for (int i = 0; i < 2 && raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask, 0, sizeof old_mask) < 0; i++)
        continue;
    return code;
}

/* A NUL behind the last byte, for those who expect text: a buffer that there is has room for it, even when there was no
 * memory for a larger one. */
static int finish_buffer(struct buffer *buffer) {
    int code = buffer->data == NULL ? grow(buffer) : 0;
    if (buffer->data != NULL)
        buffer->data[buffer->length] = '\0';
    return code;
}

int airlock_process_communicate(struct airlock_process *process, const void *input, size_t input_length, size_t limit,
                                struct airlock_output *output) {
    if (output == NULL)
        return EINVAL;
    *output = (struct airlock_output){0};
    if (process->pid <= 0 || (input == NULL && input_length > 0))
        return EINVAL;
    struct exchange exchange = {.process = process, .input = input, .input_left = input_length};
    exchange.limit = limit == 0 ? (size_t)SSIZE_MAX : limit;
    int code = exchange_without_sigpipe(&exchange);
    for (int stream = OUT; stream < STREAMS; stream++) {
        int failed = finish_buffer(&exchange.buffers[stream]);
        code = code == 0 ? failed : code;
    }
    if (code != 0)
        airlock_process_kill(process, SIGKILL);
    int waited = airlock_process_wait(process, &output->status);
    output->out = exchange.buffers[OUT].data;
    output->out_length = exchange.buffers[OUT].length;
    output->err = exchange.buffers[ERR].data;
    output->err_length = exchange.buffers[ERR].length;
    return code == 0 ? waited : code;
}

void airlock_output_free(struct airlock_output *output) {
    free(output->out);
    free(output->err);
    *output = (struct airlock_output){0};
}

int airlock_collect(const struct airlock_command *command, size_t limit, struct airlock_output *output,
                    struct airlock_error *error) {
    const struct airlock_stream streams[STREAMS] = {
        {AIRLOCK_STREAM_NULL, -1}, {AIRLOCK_STREAM_PIPE, -1}, {AIRLOCK_STREAM_PIPE, -1}};
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    if (output == NULL) {
        if (error != NULL)
            *error = (struct airlock_error){.step = AIRLOCK_STEP_CHECK, .index = -1, .code = EINVAL};
        return EINVAL;
    }
    *output = (struct airlock_output){0};
    int code = airlock_process_start(command, streams, &process, error, NULL);
    if (code == 0)
        code = airlock_process_communicate(&process, NULL, 0, limit, output);
    airlock_process_close(&process);
    return code;
}

int airlock_run(const struct airlock_command *command, int *status, struct airlock_error *error) {
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    int code = airlock_process_start(command, NULL, &process, error, NULL);
    if (code == 0)
        code = airlock_process_wait(&process, status);
    airlock_process_close(&process);
    return code;
}
