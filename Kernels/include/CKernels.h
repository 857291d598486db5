#pragma once

/// A file of OpenCL C text that is built into the library.
typedef struct {
    /// Path below Kernels/, as build logs show it.
    const char *name;
    /// The whole text, terminated by a zero.
    const char *text;
} CKernelFile;

/// The files, by base name. The list of kernels of the project is in CKernels.c and nowhere else.
///
/// Returns null if there is no file of that base name.
const CKernelFile *ckernels_file(const char *base_name);
