public import Foundation
public import OpenCLBackend
public import OpenCLRuntime

/// The device that tests and `verify` use, opened once per process: building kernels costs more than running them.
public enum TestDevice {
    /// The context on the chosen device, or why there is none.
    public static let context = Result {
        let device = try Device.select()
        return try Context(device: device, binaryCache: .driversOwn(on: device))
    }

    /// A backend on that device.
    ///
    /// - Throws: ``OpenCLError`` if there is no device; a test that needs one fails with it.
    public static func backend(_ path: KernelPath? = nil, isolation: Isolation = .none) throws -> OpenCLBackend {
        OpenCLBackend(try context.get(), path: path, isolation: isolation)
    }
}

/// The folders `Tests/Golden/g1` … with a model and the tensors that PyTorch computed from it in float64.
public enum Golden {
    /// The names of the models.
    public static let names = ["g1", "g2", "g3"]

    /// The folder of one model.
    public static func folder(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Tests/Golden/\(name)")
    }
}
