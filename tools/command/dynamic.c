/* Reads an ELF object through its program headers, as a loader does: section headers are for linkers and debuggers, may
 * be missing, and may say anything. Addresses are those of memory; a file that lies about them ends in a NULL. */
#include "dynamic.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct dynamic {
    Elf *elf;
    int class;
    int machine;
    const Elf_Data *entries;
    const Elf_Data *strings;
    GElf_Addr tags[DT_NUM]; /* of the numbered tags: 0 when missing */
    GElf_Addr gnu_hash;
    struct object *object;
    size_t needed_size;
};

/* The place in the file of what lies at an address, and how much of the file follows there in the same segment. */
static bool locate(Elf *elf, GElf_Addr address, GElf_Off *offset, size_t *room) {
    size_t count = 0;
    GElf_Phdr segment;
    if (elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count && gelf_getphdr(elf, (int)i, &segment) != NULL; i++) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
            *offset = segment.p_offset + (address - segment.p_vaddr);
            *room = segment.p_filesz - (address - segment.p_vaddr);
            return true;
        }
    }
    return false;
}

/* So many whole items at an address, or as many as there can be. NULL when there is none. */
static Elf_Data *read_items(const struct dynamic *dynamic, GElf_Addr address, size_t count, Elf_Type type) {
    GElf_Off offset;
    size_t room;
    size_t size = gelf_fsize(dynamic->elf, type, 1, EV_CURRENT);
    if (address == 0 || size == 0 || !locate(dynamic->elf, address, &offset, &room))
        return NULL;
    if (count > room / size)
        count = room / size;
    return count == 0 ? NULL : elf_getdata_rawchunk(dynamic->elf, (int64_t)offset, count * size, type);
}

static uint32_t word_at(const Elf_Data *data, size_t index) {
    return data != NULL && index < data->d_size / sizeof(uint32_t) ? ((const uint32_t *)data->d_buf)[index] : 0;
}

static const char *string_at(const struct dynamic *dynamic, GElf_Xword offset) {
    const Elf_Data *strings = dynamic->strings;
    if (strings == NULL || offset >= strings->d_size ||
        memchr((const char *)strings->d_buf + offset, '\0', strings->d_size - offset) == NULL)
        return NULL;
    return (const char *)strings->d_buf + offset;
}

/* Adds a name and its NUL to a list that ends with an empty name. */
static void add_needed(struct dynamic *dynamic, const char *name) {
    if (name == NULL || *name == '\0')
        return;
    size_t more = strlen(name) + 1;
    char *grown = realloc(dynamic->object->needed, dynamic->needed_size + more + 1);
    if (grown == NULL)
        return;
    memcpy(grown + dynamic->needed_size, name, more);
    dynamic->needed_size += more;
    grown[dynamic->needed_size] = '\0';
    dynamic->object->needed = grown;
}

static void set_runpath(struct object *object, const char *path, bool is_rpath) {
    /* DT_RUNPATH wins over DT_RPATH, whichever comes first (ld.so(8)). */
    if (path == NULL || (is_rpath && object->runpath != NULL))
        return;
    free(object->runpath);
    object->runpath = strdup(path);
    object->runpath_is_rpath = is_rpath;
}

static void read_entry(struct dynamic *dynamic, const GElf_Dyn *entry) {
    struct object *object = dynamic->object;
    switch (entry->d_tag) {
    case DT_NEEDED:
        add_needed(dynamic, string_at(dynamic, entry->d_un.d_val));
        break;
    case DT_RPATH:
    case DT_RUNPATH:
        set_runpath(object, string_at(dynamic, entry->d_un.d_val), entry->d_tag == DT_RPATH);
        break;
    case DT_SYMBOLIC:
        object->binds_itself = true;
        break;
    case DT_FLAGS:
        object->binds_itself |= (entry->d_un.d_val & DF_SYMBOLIC) != 0;
        break;
    case DT_FLAGS_1:
        object->skips_standard = (entry->d_un.d_val & DF_1_NODEFLIB) != 0;
        break;
    default:
        break;
    }
}

static bool next_entry(const struct dynamic *dynamic, int *index, GElf_Dyn *entry) {
    return gelf_getdyn((Elf_Data *)dynamic->entries, (*index)++, entry) != NULL && entry->d_tag != DT_NULL;
}

static bool find_entries(struct dynamic *dynamic) {
    size_t count = 0;
    GElf_Phdr segment;
    if (elf_getphdrnum(dynamic->elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count && gelf_getphdr(dynamic->elf, (int)i, &segment) != NULL; i++) {
        size_t size = gelf_fsize(dynamic->elf, ELF_T_DYN, 1, EV_CURRENT);
        size_t whole = size == 0 ? 0 : segment.p_filesz / size * size;
        if (segment.p_type == PT_DYNAMIC && whole > 0)
            dynamic->entries = elf_getdata_rawchunk(dynamic->elf, (int64_t)segment.p_offset, whole, ELF_T_DYN);
    }
    return dynamic->entries != NULL;
}

static void read_tags(struct dynamic *dynamic) {
    GElf_Dyn entry;
    for (int i = 0; next_entry(dynamic, &i, &entry);) {
        if (entry.d_tag >= 0 && entry.d_tag < DT_NUM)
            dynamic->tags[entry.d_tag] = entry.d_un.d_val;
        else if (entry.d_tag == DT_GNU_HASH)
            dynamic->gnu_hash = entry.d_un.d_val;
    }
    dynamic->strings = read_items(dynamic, dynamic->tags[DT_STRTAB], dynamic->tags[DT_STRSZ], ELF_T_BYTE);
    for (int i = 0; next_entry(dynamic, &i, &entry);)
        read_entry(dynamic, &entry);
}

/* The table of symbols tells nobody how long it is. The old hash table has an item for each of them; on two machines
 * its items are of another size. */
static size_t symbols_of_hash(const struct dynamic *dynamic) {
    bool wide = dynamic->class == ELFCLASS64 && (dynamic->machine == EM_S390 || dynamic->machine == EM_ALPHA);
    return wide ? 0 : word_at(read_items(dynamic, dynamic->tags[DT_HASH], 2, ELF_T_WORD), 1);
}

/* The new hash table begins with the first symbol that is defined; the chain of its last bucket ends with the last. */
static size_t symbols_of_gnu_hash(const struct dynamic *dynamic) {
    enum { BUCKETS, FIRST, BLOOM, HEADER = 4 };
    const Elf_Data *header = read_items(dynamic, dynamic->gnu_hash, HEADER, ELF_T_WORD);
    size_t buckets = word_at(header, BUCKETS), first = word_at(header, FIRST), last = 0;
    size_t bloom = (size_t)word_at(header, BLOOM) * (dynamic->class == ELFCLASS64 ? 2 : 1);
    const GElf_Addr table = dynamic->gnu_hash + (HEADER + bloom) * sizeof(uint32_t);
    const Elf_Data *heads = header == NULL ? NULL : read_items(dynamic, table, buckets, ELF_T_WORD);
    for (size_t i = 0; heads != NULL && i < heads->d_size / sizeof(uint32_t); i++)
        last = word_at(heads, i) > last ? word_at(heads, i) : last;
    if (last < first)
        return first;
    const Elf_Data *chain =
        read_items(dynamic, table + (buckets + last - first) * sizeof(uint32_t), SIZE_MAX, ELF_T_WORD);
    size_t length = 0;
    while (chain != NULL && length < chain->d_size / sizeof(uint32_t) && (word_at(chain, length) & 1) == 0)
        length++;
    return last + length + 1;
}

/* A program that defines nothing for others has an empty hash table; what it imports is what its relocations name. */
static size_t symbols_of_relocations(const struct dynamic *dynamic, int table, int size_tag, Elf_Type type) {
    size_t size = gelf_fsize(dynamic->elf, type, 1, EV_CURRENT), highest = 0;
    size_t count = size == 0 ? 0 : dynamic->tags[size_tag] / size;
    Elf_Data *data = read_items(dynamic, dynamic->tags[table], count, type);
    GElf_Rela addend;
    GElf_Rel plain;
    for (int i = 0; data != NULL; i++) {
        GElf_Xword info;
        if (type == ELF_T_RELA && gelf_getrela(data, i, &addend) != NULL)
            info = addend.r_info;
        else if (type == ELF_T_REL && gelf_getrel(data, i, &plain) != NULL)
            info = plain.r_info;
        else
            break;
        highest = GELF_R_SYM(info) > highest ? GELF_R_SYM(info) : highest;
    }
    return highest + 1;
}

static size_t count_symbols(const struct dynamic *dynamic) {
    const size_t counts[] = {
        symbols_of_hash(dynamic),
        symbols_of_gnu_hash(dynamic),
        symbols_of_relocations(dynamic, DT_RELA, DT_RELASZ, ELF_T_RELA),
        symbols_of_relocations(dynamic, DT_REL, DT_RELSZ, ELF_T_REL),
        symbols_of_relocations(dynamic, DT_JMPREL, DT_PLTRELSZ,
                               dynamic->tags[DT_PLTREL] == DT_REL ? ELF_T_REL : ELF_T_RELA),
    };
    size_t most = 0;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        most = counts[i] > most ? counts[i] : most;
    return most;
}

static const char *read_symbols(const struct dynamic *dynamic) {
    Elf_Data *data = read_items(dynamic, dynamic->tags[DT_SYMTAB], count_symbols(dynamic), ELF_T_SYM);
    GElf_Sym symbol;
    if (data == NULL)
        return "has no table of dynamic symbols";
    for (int i = 0; gelf_getsym(data, i, &symbol) != NULL; i++) {
        const char *name = string_at(dynamic, symbol.st_name);
        uint64_t call = name == NULL ? 0 : call_named(name);
        if (symbol.st_shndx == SHN_UNDEF)
            dynamic->object->imports |= call;
        else if (GELF_ST_BIND(symbol.st_info) != STB_LOCAL)
            dynamic->object->defines |= call;
    }
    return NULL;
}

const char *dynamic_read(Elf *elf, struct object *object) {
    struct dynamic dynamic = {.elf = elf, .object = object};
    GElf_Ehdr header;
    if (gelf_getehdr(elf, &header) == NULL || !find_entries(&dynamic))
        return "has no dynamic section";
    dynamic.class = header.e_ident[EI_CLASS];
    dynamic.machine = header.e_machine;
    read_tags(&dynamic);
    return read_symbols(&dynamic);
}
