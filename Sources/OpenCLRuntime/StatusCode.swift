import COpenCL

/// Names and advice for the status codes of OpenCL 1.2.
enum StatusCode {
    /// The symbolic name of `code`, such as `CL_OUT_OF_RESOURCES`.
    static func name(of code: cl_int) -> String {
        switch -Int(code) {
        case 1...failures.count: "CL_" + failures[-Int(code) - 1]
        case 30..<30 + invalid.count: "CL_INVALID_" + invalid[-Int(code) - 30]
        default: "an unknown code"
        }
    }

    /// What usually lies behind `code` where its name alone misleads.
    static func hint(for code: cl_int) -> String? {
        switch code {
        case CL_OUT_OF_RESOURCES:
            "too many registers or too much local memory for the device, or its watchdog stopped a long kernel "
                + "(as on GPUs that also drive a display)"
        case CL_MEM_OBJECT_ALLOCATION_FAILURE:
            "the device has less free memory than it reports; other programs may hold the rest"
        case CL_INVALID_COMMAND_QUEUE:
            "an earlier kernel may have crashed on the device"
        default: nil
        }
    }

    /// The codes −1, −2, … without `CL_`.
    private static let failures = [
        "DEVICE_NOT_FOUND", "DEVICE_NOT_AVAILABLE", "COMPILER_NOT_AVAILABLE", "MEM_OBJECT_ALLOCATION_FAILURE",
        "OUT_OF_RESOURCES", "OUT_OF_HOST_MEMORY", "PROFILING_INFO_NOT_AVAILABLE", "MEM_COPY_OVERLAP",
        "IMAGE_FORMAT_MISMATCH",
        "IMAGE_FORMAT_NOT_SUPPORTED", "BUILD_PROGRAM_FAILURE", "MAP_FAILURE", "MISALIGNED_SUB_BUFFER_OFFSET",
        "EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", "COMPILE_PROGRAM_FAILURE", "LINKER_NOT_AVAILABLE",
        "LINK_PROGRAM_FAILURE", "DEVICE_PARTITION_FAILED", "KERNEL_ARG_INFO_NOT_AVAILABLE",
    ]

    /// The codes −30, −31, … without `CL_INVALID_`.
    private static let invalid = [
        "VALUE", "DEVICE_TYPE", "PLATFORM", "DEVICE", "CONTEXT", "QUEUE_PROPERTIES", "COMMAND_QUEUE", "HOST_PTR",
        "MEM_OBJECT", "IMAGE_FORMAT_DESCRIPTOR", "IMAGE_SIZE", "SAMPLER", "BINARY", "BUILD_OPTIONS", "PROGRAM",
        "PROGRAM_EXECUTABLE", "KERNEL_NAME", "KERNEL_DEFINITION", "KERNEL", "ARG_INDEX", "ARG_VALUE", "ARG_SIZE",
        "KERNEL_ARGS", "WORK_DIMENSION", "WORK_GROUP_SIZE", "WORK_ITEM_SIZE", "GLOBAL_OFFSET", "EVENT_WAIT_LIST",
        "EVENT", "OPERATION", "GL_OBJECT", "BUFFER_SIZE", "MIP_LEVEL", "GLOBAL_WORK_SIZE", "PROPERTY",
        "IMAGE_DESCRIPTOR", "COMPILER_OPTIONS", "LINKER_OPTIONS", "DEVICE_PARTITION_COUNT",
    ]
}
