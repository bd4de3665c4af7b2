/* The airlock command: what every subcommand shares.
 *
 * A subcommand is one file that defines one `struct subcommand NAME_subcommand`, and one row of the table in main.c.
 * Nothing else has to know it: the usage, the help and the list of accepted names are made from the table. */
#ifndef AIRLOCK_COMMAND_H
#define AIRLOCK_COMMAND_H

/* The exit codes of env(1), so that scripts can tell the command's own errors from those of the program. */
enum exit_code {
    EXIT_OWN_ERROR = 125,
    EXIT_CANNOT_EXECUTE = 126,
    EXIT_NOT_FOUND = 127,
};

struct subcommand {
    const char *name;
    const char *synopsis; /* what may follow the name, on one line */
    const char *help;     /* what it does, its options and examples: whole lines, indented like those of run.c */
    int (*main)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
};

/* Prints usage and help of one subcommand on stdout, as `airlock NAME --help` does. Returns the exit code. */
int answer_help(const struct subcommand *subcommand);

/* Prints "airlock: " and the message on stderr as one line, in one write, whatever bytes the arguments hold. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends an answer on stdout. Returns the exit code: an answer that could not be written is an error, not a success. */
int finish_answer(void);

/* Becomes the program argv[0], searched like execvp(3), with the library first in LD_PRELOAD. Says before it does so
 * when the library cannot reach the program. Returns only on failure, with the exit code; it has been complained. */
int launch(char **argv);

#endif
