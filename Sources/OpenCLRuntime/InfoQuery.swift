import COpenCL

/// One of OpenCL's `clGet…Info` calls with its object and parameter filled in.
struct InfoQuery {
    let call: String
    /// Takes the size of the destination, the destination, and where to put the size of the value.
    let run: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int

    /// The value as an integer of the width that OpenCL documents for it.
    func integer<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type = Value.self) throws(OpenCLError) -> Value {
        var value = Value.zero
        try check(run(MemoryLayout<Value>.size, &value, nil), call)
        return value
    }

    /// The value as bytes.
    func bytes() throws(OpenCLError) -> [UInt8] {
        var size = 0
        try check(run(0, nil, &size), call)
        guard size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: size)
        try check(run(size, &bytes, nil), call)
        return bytes
    }

    /// The value as text, without the terminating zero and surrounding blanks.
    func string() throws(OpenCLError) -> String {
        let text = String(decoding: try bytes().prefix { $0 != 0 }, as: UTF8.self)
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        guard let last = text.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(text[...last].drop(while: isBlank))
    }
}

extension InfoQuery {
    /// What a driver says of a device.
    static func device(_ raw: cl_device_id, _ parameter: Int32) -> InfoQuery {
        InfoQuery(call: "clGetDeviceInfo") { clGetDeviceInfo(raw, cl_device_info(parameter), $0, $1, $2) }
    }

    /// What a driver says of itself.
    static func platform(_ raw: cl_platform_id, _ parameter: Int32) -> InfoQuery {
        InfoQuery(call: "clGetPlatformInfo") { clGetPlatformInfo(raw, cl_platform_info(parameter), $0, $1, $2) }
    }
}
