/* Two things that Swift's runtime does before main, and that a plugin pays for at every start: it reads
 * /proc/self/maps to find the arguments on the stack, and it looks in eight places for a program that it
 * could start if this one crashed. Both stand in objects of libswiftCore.a of which nothing else is used,
 * so a static program that has these functions is linked without those, and makes 26 system calls to answer
 * VERSION instead of 40. A program that is linked dynamically keeps the runtime's own.
 *
 * Should a later runtime divide its work otherwise, the linker refuses a name that is there twice. */
#include <stddef.h>

#define OURS __attribute__((visibility("hidden")))

static int count;
static char **values;

/* The C library hands the arguments to whatever runs before main. */
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
  count = argc;
  values = argv;
}

/* Swift's CommandLine reads the arguments here. */
OURS char **_swift_stdlib_getUnsafeArgvArgc(int *length) {
  *length = count;
  return values;
}

/* Named beside the former; for programs that have other arguments than their process. */
OURS void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) {
  values = argv;
  count = argc;
}

/* No program is started that happens to lie beside this one: `swift-backtrace` is not there. */
OURS const char *swift_copyAuxiliaryExecutablePath(const char *name) {
  (void)name;
  return NULL;
}
