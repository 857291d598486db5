import COpenCL

/// A parameter as the kernel declares it.
struct KernelParameter: Sendable {
    let name: String
    private let space: Space
    private let typeName: String

    private enum Space: String {
        case memory = "global buffer"
        case local = "local memory"
        case value
    }

    /// `nil` if the driver does not keep what the kernel declares, as many do not for programs from binaries.
    init?(index: cl_uint, of kernel: cl_kernel) {
        func query(_ parameter: Int32) -> InfoQuery {
            InfoQuery(call: "clGetKernelArgInfo") {
                clGetKernelArgInfo(kernel, index, cl_kernel_arg_info(parameter), $0, $1, $2)
            }
        }
        guard let address = try? query(CL_KERNEL_ARG_ADDRESS_QUALIFIER).integer(cl_uint.self),
            let name = try? query(CL_KERNEL_ARG_NAME).string(),
            let typeName = try? query(CL_KERNEL_ARG_TYPE_NAME).string()
        else { return nil }
        self.name = name
        self.typeName = Self.longNames[typeName] ?? typeName
        switch Int32(bitPattern: address) {
        case CL_KERNEL_ARG_ADDRESS_GLOBAL, CL_KERNEL_ARG_ADDRESS_CONSTANT: space = .memory
        case CL_KERNEL_ARG_ADDRESS_LOCAL: space = .local
        default: space = .value
        }
    }

    /// The type for messages.
    var declaration: String { space == .value ? typeName : space.rawValue }

    /// Whether the argument fits; of a value whose type is a `typedef` only the driver knows more.
    func accepts(_ argument: KernelArgument) -> Bool {
        switch argument {
        case .buffer: space == .memory
        case .int32, .uint32, .float32:
            space == .value && (argument.typeName == typeName || !Self.builtinTypes.contains(typeName))
        }
    }

    private static let longNames = ["unsigned int": "uint", "unsigned long": "ulong"]
    private static let builtinTypes: Set<String> = [
        "bool", "char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "half", "float", "double",
    ]
}
