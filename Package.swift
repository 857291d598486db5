// swift-tools-version: 6.2
import PackageDescription

// MARK: - Products

let package = Package(
    name: "smdim",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SMDIM", targets: ["SMDIM", "Diffusion", "Music", "Pipeline"]),
        .library(name: "SMDIMOpenCL", targets: ["OpenCLRuntime", "OpenCLBackend"]),
        .library(name: "SMDIMReference", targets: ["ReferenceBackend"]),
        .executable(name: "smdim", targets: ["Tool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // MARK: - System libraries, kernel text and the processor
        .systemLibrary(
            name: "COpenCL", pkgConfig: "OpenCL",
            providers: [.apt(["ocl-icd-opencl-dev", "opencl-headers"])]),
        .systemLibrary(
            name: "CCLBlast", pkgConfig: "clblast", providers: [.apt(["libclblast-dev"]), .brew(["clblast"])]),
        .target(
            name: "CKernels", path: "Kernels",
            exclude: ["Common", "Scan", "Attention", "Matmul", "Norm", "Pointwise", "Noise", "Convolution", "Training"]),
        .target(name: "CProcessor"),

        // MARK: - Compute
        .target(name: "ComputeCore"),
        .target(name: "ReferenceBackend", dependencies: ["ComputeCore"]),
        .target(name: "OpenCLRuntime", dependencies: ["COpenCL", "CProcessor"]),
        .target(
            name: "OpenCLBackend",
            dependencies: ["OpenCLRuntime", "CKernels", "CCLBlast", "COpenCL", "ComputeCore"]),

        // MARK: - Model and music
        .target(name: "SMDIM", dependencies: ["ComputeCore"]),
        .target(name: "Diffusion", dependencies: ["ComputeCore"]),
        .target(name: "Music", dependencies: ["ComputeCore"]),
        .target(name: "Pipeline", dependencies: ["SMDIM", "Diffusion", "Music", "ComputeCore"]),

        // MARK: - Tool
        .executableTarget(
            name: "Tool",
            dependencies: [
                "Pipeline", "SMDIM", "Music", "Diffusion", "OpenCLBackend", "OpenCLRuntime", "ReferenceBackend",
                "ComputeCore", "CProcessor", "_ParityKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // MARK: - Tests
        .target(
            name: "_ParityKit", dependencies: ["ComputeCore", "ReferenceBackend", "OpenCLBackend", "OpenCLRuntime"]),
        .target(name: "_TestSupport", dependencies: ["Music"], path: "Tests/Support"),
        .target(name: "_DriverFaults", dependencies: ["COpenCL"], path: "Tests/DriverFaults"),
        .testTarget(name: "ComputeCoreTests", dependencies: ["ComputeCore", "SMDIM"]),
        .testTarget(name: "ReferenceBackendTests", dependencies: ["ReferenceBackend", "ComputeCore"]),
        .testTarget(name: "SMDIMTests", dependencies: ["SMDIM", "ReferenceBackend", "ComputeCore", "_TestSupport"]),
        .testTarget(name: "ToolTests", dependencies: ["SMDIM", "ComputeCore", "_TestSupport"]),
        .testTarget(
            name: "DeviceTests",
            dependencies: [
                "OpenCLBackend", "OpenCLRuntime", "COpenCL", "CKernels", "ReferenceBackend", "SMDIM", "Diffusion",
                "Music", "Pipeline", "ComputeCore", "_ParityKit", "_TestSupport", "_DriverFaults",
            ]),
        .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "ComputeCore", "ReferenceBackend"]),
        .testTarget(
            name: "PipelineTests",
            dependencies: [
                "Pipeline", "SMDIM", "Music", "Diffusion", "ReferenceBackend", "ComputeCore", "_TestSupport",
            ]),
        .testTarget(
            name: "MusicTests", dependencies: ["Music", "ComputeCore", "_TestSupport"], resources: [.copy("Fixtures")]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x
)

// MARK: - Settings of every Swift target of ours

let targetsOfC = ["CKernels", "CProcessor", "_DriverFaults"]
for target in package.targets where target.type != .system && !targetsOfC.contains(target.name) {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
    // To optimise the tests took as long as everything else, and what they test is optimised.
    if target.type == .test { target.swiftSettings?.append(.unsafeFlags(["-Onone"])) }
}
