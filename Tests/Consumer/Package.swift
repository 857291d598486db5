// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Consumer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "smdim", path: "../..")],
    targets: [
        .executableTarget(
            name: "Consumer",
            dependencies: [
                .product(name: "SMDIM", package: "smdim"),
                .product(name: "SMDIMOpenCL", package: "smdim"),
                .product(name: "SMDIMReference", package: "smdim"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
