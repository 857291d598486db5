// clblast_c.h includes the OpenCL headers itself, so the version must be chosen before it.
#pragma once

#define CL_TARGET_OPENCL_VERSION 120

#include <clblast_c.h>
