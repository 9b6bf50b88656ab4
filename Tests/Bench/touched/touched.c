/* touched: what a run of a program touches of it, for Tests/Bench/order.
 *
 *   touched FILE PROGRAM [ARGUMENT…]
 *
 * Appends addresses to FILE, a line of 16 digits each: of the code in the order in which it first
 * runs, to 16 bytes, and then of each word of its variables that is not at the end what it was at
 * the start. The program must be linked statically, to the addresses that its file says. */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { grain = 16, most_segments = 16 };

static struct segment {
  uint64_t first, size;
  unsigned char *seen;    /* of code: one for each grain */
  uint64_t *before;       /* of variables: what was there at the start */
} segments[most_segments];
static int count;

static void fail(const char *what) {
  perror(what);
  exit(125);
}

static void read_segments(const char *program) {
  int file = open(program, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file == -1 || fstat(file, &status) == -1) fail(program);
  const char *bytes = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) fail(program);
  const Elf64_Ehdr *head = (const void *)bytes;
  if (memcmp(head->e_ident, ELFMAG, SELFMAG) || head->e_type != ET_EXEC) {
    fprintf(stderr, "%s is no program that is linked to fixed addresses\n", program);
    exit(125);
  }
  const Elf64_Phdr *entry = (const void *)(bytes + head->e_phoff);
  for (int index = 0; index < head->e_phnum && count < most_segments; index++, entry++) {
    if (entry->p_type != PT_LOAD || !(entry->p_flags & (PF_X | PF_W))) continue;
    struct segment *segment = &segments[count++];
    segment->first = entry->p_vaddr & ~(uint64_t)(sizeof(uint64_t) - 1);
    segment->size = entry->p_vaddr + entry->p_memsz - segment->first;
    if (entry->p_flags & PF_X) segment->seen = calloc(segment->size / grain + 1, 1);
    if (entry->p_flags & PF_W) segment->before = calloc(segment->size + sizeof(uint64_t), 1);
  }
  close(file);
}

static void ran(uint64_t address, FILE *out) {
  for (struct segment *segment = segments; segment < segments + count; segment++) {
    if (!segment->seen || address - segment->first >= segment->size) continue;
    unsigned char *seen = &segment->seen[(address - segment->first) / grain];
    if (!*seen) fprintf(out, "%016lx\n", (unsigned long)address);
    *seen = 1;
  }
}

static void remember(int memory) {
  for (struct segment *segment = segments; segment < segments + count; segment++)
    if (segment->before && pread(memory, segment->before, segment->size, segment->first) == -1)
      fail("reading its memory");
}

static void changed(int memory, FILE *out) {
  for (struct segment *segment = segments; segment < segments + count; segment++) {
    if (!segment->before) continue;
    uint64_t *now = calloc(segment->size + sizeof(uint64_t), 1);
    if (pread(memory, now, segment->size, segment->first) == -1) fail("reading its memory");
    for (uint64_t word = 0; word * sizeof *now < segment->size; word++)
      if (now[word] != segment->before[word])
        fprintf(out, "%016lx\n", (unsigned long)(segment->first + word * sizeof *now));
    free(now);
  }
}

int main(int argc, char **arguments) {
  if (argc < 3) {
    fputs("usage: touched FILE PROGRAM [ARGUMENT...]\n", stderr);
    return 125;
  }
  read_segments(arguments[2]);
  FILE *out = fopen(arguments[1], "ae");
  if (!out) fail(arguments[1]);
  pid_t process = fork();
  if (process == -1) fail("fork");
  if (process == 0) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(arguments[2], arguments + 2);
    fail(arguments[2]);
  }
  int status;
  if (waitpid(process, &status, 0) == -1 || !WIFSTOPPED(status)) return 125;
  if (ptrace(PTRACE_SETOPTIONS, process, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT) == -1)
    fail("ptrace");
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", process);
  int memory = open(path, O_RDONLY | O_CLOEXEC);
  if (memory == -1) fail(path);
  remember(memory);
  for (long signal = 0;;) {
    struct __ptrace_syscall_info at;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, process, sizeof at, &at) > 0)
      ran(at.instruction_pointer, out);
    if (ptrace(PTRACE_SINGLESTEP, process, NULL, signal) == -1) fail("ptrace");
    if (waitpid(process, &status, 0) == -1) fail("waitpid");
    if (!WIFSTOPPED(status)) break;
    if (status >> 16 == PTRACE_EVENT_EXIT) changed(memory, out);
    /* Its own signals are its own business. */
    signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
  }
  if (fclose(out) == EOF) fail(arguments[1]);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 124;
}
