import CKernels
import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import Testing
import _ParityKit

/// The root of all suites that use a device: one test at a time, because they count what lives on it.
///
/// A missing device fails them.
@Suite(.serialized, .timeLimit(.minutes(5))) enum OnDevice {}

extension OnDevice {
    /// The headers of `Kernels/`, for a program that calls what they define.
    static func headers(_ names: String...) throws -> [Specialisation.Source] {
        try names.map { name in
            let file = try #require(ckernels_file(name)).pointee
            return Specialisation.Source(fileName: name, text: String(cString: file.text))
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Where bfloat16 factors are multiplied.
    static var needsBFloat16: Self {
        .enabled(if: (try? TestDevice.backend(.vector).supports(.bfloat16)) == true, "needs the vector kernels")
    }

    /// Where kernels may hold the instructions of AVX512-BF16.
    static var needsBFloat16Instructions: Self {
        .enabled(if: (try? TestDevice.context.get().device.hasBFloat16Products) == true, "needs AVX512-BF16")
    }
}
