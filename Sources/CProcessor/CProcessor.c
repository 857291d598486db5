#define _GNU_SOURCE
#include "CProcessor.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>

// Of Linux's Documentation/arch/x86/xstate.rst; not every libc has them.
enum { requestPermission = 0x1023, tileData = 18 };

bool cprocessor_request_matrix_tiles(void) {
    return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}
#else
bool cprocessor_request_matrix_tiles(void) { return false; }
#endif
