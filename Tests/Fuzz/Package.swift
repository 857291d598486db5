// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because -sanitize=fuzzer gives every executable the fuzzer's main.

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "smdim", path: "../..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "SMDIM", package: "smdim"), .product(name: "SMDIMOpenCL", package: "smdim"),
            ],
            swiftSettings: [.unsafeFlags(["-parse-as-library"])])
    ],
    swiftLanguageModes: [.v6]
)
