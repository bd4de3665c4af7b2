/* Reads the head of a program file as the kernel does. ELF is libelf's work, so that a file made by an enemy or cut
 * short is somebody's well-tested problem. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the kernel reads of a file to learn what it is (BINPRM_BUF_SIZE since Linux 5.1). */
enum { HEAD_SIZE = 256 };

/* The kernel's rules: blanks may stand before the interpreter, a blank or the line's end stands after it, and a name
 * that the head cuts off is no name (Linux 5.0). */
static bool parse_script(const char *head, size_t length, char interpreter[PATH_MAX]) {
    if (strncmp(head, "#!", 2) != 0)
        return false;
    const char *name = head + 2 + strspn(head + 2, " \t");
    size_t name_length = strcspn(name, " \t\n");
    bool cut_off = (size_t)(name - head) + name_length == length && length == HEAD_SIZE;
    if (name_length == 0 || cut_off)
        return false;
    memcpy(interpreter, name, name_length);
    interpreter[name_length] = '\0';
    return true;
}

static void read_loader(int fd, const GElf_Phdr *segment, char loader[PATH_MAX]) {
    size_t length = segment->p_filesz < PATH_MAX ? (size_t)segment->p_filesz : PATH_MAX - 1;
    ssize_t got = pread(fd, loader, length, (off_t)segment->p_offset);
    loader[got > 0 ? got : 0] = '\0';
}

static bool read_elf(int fd, struct image *image) {
    bool known = false;
    size_t segment_count = 0;
    GElf_Ehdr header;
    GElf_Phdr segment;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL ||
        elf_getphdrnum(elf, &segment_count) != 0) {
        goto out;
    }
    image->class = header.e_ident[EI_CLASS];
    image->encoding = header.e_ident[EI_DATA];
    image->type = header.e_type;
    image->machine = header.e_machine;
    for (size_t i = 0; i < segment_count; i++) {
        if (gelf_getphdr(elf, (int)i, &segment) != NULL && segment.p_type == PT_INTERP)
            read_loader(fd, &segment, image->interpreter);
    }
    known = true;
out:
    elf_end(elf);
    return known;
}

int image_read(const char *file, struct image *image) {
    int error = 0;
    struct stat status;
    char head[HEAD_SIZE + 1];
    *image = (struct image){.kind = IMAGE_OTHER};
    /* Without O_NONBLOCK, a FIFO in place of a program would hold the command up before it can be refused. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        error = errno;
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        error = EACCES;
        goto out;
    }
    ssize_t length = pread(fd, head, HEAD_SIZE, 0);
    if (length < 0) {
        error = errno;
        goto out;
    }
    head[length] = '\0';
    if (parse_script(head, (size_t)length, image->interpreter)) {
        image->kind = IMAGE_SCRIPT;
    } else if (read_elf(fd, image)) {
        image->kind = IMAGE_ELF;
    }
out:
    if (fd >= 0)
        close(fd);
    return error;
}

const char *image_machine_name(const struct image *image) {
    switch (image->machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "arm";
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv";
    case EM_PPC64:
        return "ppc64";
    case EM_S390:
        return "s390";
    case EM_MIPS:
        return "mips";
    default:
        return "unknown";
    }
}

int image_bits(const struct image *image) {
    return image->class == ELFCLASS64 ? 64 : 32;
}
