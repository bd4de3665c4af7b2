/* What exec(2) would see in a file: a script, an ELF image, or neither. */
#ifndef AIRLOCK_COMMAND_IMAGE_H
#define AIRLOCK_COMMAND_IMAGE_H

#include <limits.h>

enum image_kind {
    IMAGE_OTHER, /* nothing that the kernel knows by itself: execvp(3) gives it to /bin/sh */
    IMAGE_SCRIPT,
    IMAGE_ELF,
};

struct image {
    enum image_kind kind;
    char interpreter[PATH_MAX]; /* a script's #! program, or an ELF image's loader; empty: none */

    /* Of an ELF image, in the values of elf.h. */
    int class;    /* ELFCLASS32 or ELFCLASS64 */
    int encoding; /* ELFDATA2LSB or ELFDATA2MSB */
    int type;     /* ET_EXEC, ET_DYN… */
    int machine;  /* EM_… */
};

/* Reads file into *image. Returns 0 or an errno value: EACCES for what is no regular file, as exec does. */
int image_read(const char *file, struct image *image);

/* The machine's name in words, or "unknown". */
const char *image_machine_name(const struct image *image);

/* The word size in bits. */
int image_bits(const struct image *image);

#endif
