// OpenCL 1.2 is the newest version that every device we run on offers (Apple's framework stops there).
#pragma once

#define CL_TARGET_OPENCL_VERSION 120

#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif
