/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of functions, from the symbol tables of ELF files, static functions
 * included: .symtab where the file has it, else .dynsym. (dladdr knows only the
 * latter, and takes a lock that who is being reported may hold.)
 */
#include "debug/code.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTIONS_MAX = 1000, TABLE_MAX = 64 << 20 };

/* size bytes of the file, to free; NULL. */
static void *part(int fd, size_t at, size_t size) {
  void *p = size > 0 && size <= TABLE_MAX ? malloc(size) : NULL;
  if (p && pread(fd, p, size, (off_t)at) != (ssize_t)size) {
    free(p);
    p = NULL;
  }
  return p;
}

static const ElfW(Shdr) * find_table(const ElfW(Shdr) * sections, size_t n) {
  const ElfW(Shdr) *found = NULL;
  for (size_t i = 0; i < n; i++)
    if (sections[i].sh_type == SHT_SYMTAB ||
        (sections[i].sh_type == SHT_DYNSYM && !found))
      found = &sections[i];
  return found && found->sh_link < n ? found : NULL;
}

static void read_tables(struct gch_object *o, int fd,
                        const ElfW(Shdr) * sections, size_t n) {
  const ElfW(Shdr) *table = find_table(sections, n);
  if (!table)
    return;
  const ElfW(Shdr) *strings = &sections[table->sh_link];
  o->symbols = part(fd, table->sh_offset, table->sh_size);
  o->strings = part(fd, strings->sh_offset, strings->sh_size);
  if (!o->symbols || !o->strings)
    return;
  o->strings_size = strings->sh_size;
  o->strings[o->strings_size - 1] = '\0';
  o->num_symbols = table->sh_size / sizeof(ElfW(Sym));
}

static void read_file(struct gch_object *o, int fd) {
  ElfW(Ehdr) head;
  if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
      memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_shentsize != sizeof(ElfW(Shdr)) || head.e_shnum > SECTIONS_MAX)
    return;
  ElfW(Shdr) *sections =
      part(fd, head.e_shoff, head.e_shnum * sizeof(ElfW(Shdr)));
  if (sections)
    read_tables(o, fd, sections, head.e_shnum);
  free(sections);
}

static void look(struct gch_object *o) {
  o->looked = true;
  int fd = open(o->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  read_file(o, fd);
  close(fd);
}

static bool is_function_at(const struct gch_object *o, const ElfW(Sym) * s,
                           uintptr_t offset) {
  return (s->st_info & 0xf) == STT_FUNC && s->st_shndx != SHN_UNDEF &&
         offset - s->st_value < s->st_size && s->st_name < o->strings_size;
}

bool gch__symbol(struct gch_object *o, uintptr_t offset,
                 char name[GCH_SYMBOL_MAX], uintptr_t *inside) {
  if (!o->looked)
    look(o);
  const ElfW(Sym) *s = o->symbols, *end = s + o->num_symbols;
  while (s < end && !is_function_at(o, s, offset))
    s++;
  if (o->num_symbols == 0 || s == end)
    return false;
  const char *full = o->strings + s->st_name;
  bool is_main = strcmp(full, "gch__main_body") == 0; /* see GCH_MAIN */
  snprintf(name, GCH_SYMBOL_MAX, "%s", is_main ? "main" : full);
  *inside = offset - s->st_value;
  return true;
}

/* Not what GCH_MAIN and inline functions make in the program. */
static bool is_library(const struct gch_object *o, const ElfW(Sym) * s) {
  const char *name = o->strings + s->st_name;
  return s->st_info >> 4 == STB_GLOBAL && strncmp(name, "gch_", 4) == 0 &&
         strncmp(name, "gch__main_", 10) != 0;
}

void gch__symbols_of_library(struct gch_object *o, uintptr_t *start,
                             uintptr_t *end) {
  if (!o->looked)
    look(o);
  *start = *end = 0;
  const ElfW(Sym) *all = o->symbols;
  for (size_t i = 0; i < o->num_symbols; i++) {
    const ElfW(Sym) *s = &all[i];
    if (!is_function_at(o, s, s->st_value) || !is_library(o, s))
      continue;
    if (*end == 0 || s->st_value < *start)
      *start = s->st_value;
    if (s->st_value + s->st_size > *end)
      *end = s->st_value + s->st_size;
  }
}

void gch__symbols_free(struct gch_object *o) {
  free(o->symbols);
  free(o->strings);
}
