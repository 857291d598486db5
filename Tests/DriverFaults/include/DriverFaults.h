// What drivers do wrong, between the tests and OpenCL: these definitions of OpenCL's functions come before the loader's in
// the tests' binary and pass every call on, but for the fault that was provoked. It stays for the process.
#pragma once

enum driver_fault {
    DRIVER_FAULT_NONE,
    // One more platform, the first, which refuses to list its devices.
    DRIVER_FAULT_SILENT_PLATFORM,
    // The platforms there are refuse to list their devices.
    DRIVER_FAULT_SILENT_PLATFORMS,
    // The platforms there are have no devices.
    DRIVER_FAULT_EMPTY_PLATFORMS,
    // One more device of each platform, the first: it tells nothing, is not available, has OpenCL 1.1, or no compiler.
    DRIVER_FAULT_SILENT_DEVICE,
    DRIVER_FAULT_ABSENT_DEVICE,
    DRIVER_FAULT_OLD_DEVICE,
    DRIVER_FAULT_NO_COMPILER,
    // Programs from binaries build, but have no kernels.
    DRIVER_FAULT_STALE_BINARY,
    // Kernels are compiled when they are created: a program has no binary before that.
    DRIVER_FAULT_LAZY_COMPILER,
    // A binary is refused, and yet there is a program.
    DRIVER_FAULT_REFUSED_BINARY,
    // There is no memory behind buffers.
    DRIVER_FAULT_NO_MEMORY,
    // The second time that a buffer is read, its first word has another last bit.
    DRIVER_FAULT_RACE,
    // CLBlast's tiled product does nothing.
    DRIVER_FAULT_MISCOMPILED_PRODUCT,
};

void provoke(enum driver_fault fault);

// The references to the program of a binary that was refused, but for one that is kept here; negative: none was refused.
int references_of_refused_program(void);
