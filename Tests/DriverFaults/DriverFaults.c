#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120

#include "DriverFaults.h"

#include <dlfcn.h>
#include <string.h>

#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

static enum driver_fault provoked;
static char broken_platform, broken_device;

void provoke(enum driver_fault fault) { provoked = fault; }

// The loader's own function.
#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

// MARK: - Platforms and devices

// Lists `broken`, if any, before what `count` and `list` hold; `room` is the list's.
static void prepend(void *broken, cl_uint room, void **list, cl_uint *count) {
    if (!broken) return;
    if (list && room > 0) {
        memmove(list + 1, list, (room - 1) * sizeof *list);
        *list = broken;
    }
    if (count) *count += 1;
}

cl_int clGetPlatformIDs(cl_uint room, cl_platform_id *platforms, cl_uint *count) {
    cl_int status = NEXT(clGetPlatformIDs)(room, platforms, count);
    prepend(provoked == DRIVER_FAULT_SILENT_PLATFORM ? &broken_platform : 0, room, (void **)platforms, count);
    return status;
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info name, size_t room, void *value, size_t *size) {
    if ((void *)platform == &broken_platform) return CL_INVALID_PLATFORM;
    return NEXT(clGetPlatformInfo)(platform, name, room, value, size);
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices, cl_uint *count) {
    if ((void *)platform == &broken_platform || provoked == DRIVER_FAULT_SILENT_PLATFORMS) return CL_OUT_OF_HOST_MEMORY;
    if (provoked == DRIVER_FAULT_EMPTY_PLATFORMS) return CL_DEVICE_NOT_FOUND;
    cl_int status = NEXT(clGetDeviceIDs)(platform, type, room, devices, count);
    int has_broken = provoked >= DRIVER_FAULT_SILENT_DEVICE && provoked <= DRIVER_FAULT_NO_COMPILER;
    prepend(has_broken ? &broken_device : 0, room, (void **)devices, count);
    return status;
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info name, size_t room, void *value, size_t *size) {
    if ((void *)device != &broken_device) return NEXT(clGetDeviceInfo)(device, name, room, value, size);
    if (provoked == DRIVER_FAULT_SILENT_DEVICE) return CL_INVALID_DEVICE;
    cl_bool answer = !(provoked == DRIVER_FAULT_ABSENT_DEVICE && name == CL_DEVICE_AVAILABLE)
        && !(provoked == DRIVER_FAULT_NO_COMPILER && name == CL_DEVICE_COMPILER_AVAILABLE);
    const char *version = provoked == DRIVER_FAULT_OLD_DEVICE ? "OpenCL 1.1 beads" : "OpenCL 1.2 beads";
    const char *text = name == CL_DEVICE_NAME ? "abacus" : name == CL_DEVICE_VERSION ? version : 0;
    if (text) {
        if (size) *size = strlen(text) + 1;
        if (value && room > strlen(text)) strcpy(value, text);
    } else if (value && room == sizeof answer) {
        memcpy(value, &answer, sizeof answer);
    }
    return CL_SUCCESS;
}

// MARK: - Programs

static cl_program refused_program, created_kernels_of;

cl_program clCreateProgramWithBinary(
    cl_context context, cl_uint count, const cl_device_id *devices, const size_t *sizes, const unsigned char **binaries,
    cl_int *loaded, cl_int *status) {
    cl_program program = NEXT(clCreateProgramWithBinary)(context, count, devices, sizes, binaries, loaded, status);
    if (provoked == DRIVER_FAULT_REFUSED_BINARY && program) {
        clRetainProgram(program);
        refused_program = program;
        *loaded = CL_INVALID_BINARY;
    }
    return program;
}

int references_of_refused_program(void) {
    cl_uint count = 0;
    if (refused_program) NEXT(clGetProgramInfo)(refused_program, CL_PROGRAM_REFERENCE_COUNT, sizeof count, &count, 0);
    return (int)count - 1;
}

// A program from a binary has no source.
static int is_stale(cl_program program) {
    size_t size = 0;
    NEXT(clGetProgramInfo)(program, CL_PROGRAM_SOURCE, 0, 0, &size);
    return provoked == DRIVER_FAULT_STALE_BINARY && size <= 1;
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *status) {
    if (!is_stale(program)) return NEXT(clCreateKernel)(program, name, status);
    *status = CL_INVALID_KERNEL_DEFINITION;
    return 0;
}

cl_int clCreateKernelsInProgram(cl_program program, cl_uint room, cl_kernel *kernels, cl_uint *count) {
    if (is_stale(program)) return CL_INVALID_KERNEL_DEFINITION;
    if (kernels) created_kernels_of = program;
    return NEXT(clCreateKernelsInProgram)(program, room, kernels, count);
}

cl_int clGetProgramInfo(cl_program program, cl_program_info name, size_t room, void *value, size_t *size) {
    int is_uncompiled = provoked == DRIVER_FAULT_LAZY_COMPILER && created_kernels_of != program;
    if (is_uncompiled && name == CL_PROGRAM_BINARY_SIZES) return CL_INVALID_PROGRAM_EXECUTABLE;
    return NEXT(clGetProgramInfo)(program, name, room, value, size);
}

// MARK: - Memory

cl_int clEnqueueMigrateMemObjects(
    cl_command_queue queue, cl_uint count, const cl_mem *buffers, cl_mem_migration_flags flags, cl_uint waits,
    const cl_event *before, cl_event *event) {
    if (provoked == DRIVER_FAULT_NO_MEMORY) return CL_MEM_OBJECT_ALLOCATION_FAILURE;
    return NEXT(clEnqueueMigrateMemObjects)(queue, count, buffers, flags, waits, before, event);
}

// MARK: - Results

cl_int clEnqueueReadBuffer(
    cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t offset, size_t size, void *target, cl_uint waits,
    const cl_event *before, cl_event *event) {
    cl_int status = NEXT(clEnqueueReadBuffer)(queue, buffer, blocks, offset, size, target, waits, before, event);
    static int reads;
    if (provoked == DRIVER_FAULT_RACE && ++reads == 2) *(unsigned char *)target ^= 1;
    return status;
}

cl_int clEnqueueNDRangeKernel(
    cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global,
    const size_t *local, cl_uint waits, const cl_event *before, cl_event *event) {
    char name[64] = "";
    if (provoked == DRIVER_FAULT_MISCOMPILED_PRODUCT) clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, 0);
    if (!strcmp(name, "Xgemm")) return clEnqueueMarkerWithWaitList(queue, waits, before, event);
    return NEXT(clEnqueueNDRangeKernel)(queue, kernel, dimensions, offset, global, local, waits, before, event);
}
