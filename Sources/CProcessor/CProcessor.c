#define _GNU_SOURCE
#include "CProcessor.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>

// Of Linux's Documentation/arch/x86/xstate.rst; not every libc has them.
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILE_DATA 18

bool cprocessor_request_amx(void) {
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA) == 0;
}
#else
bool cprocessor_request_amx(void) { return false; }
#endif
