public import OpenCLRuntime

/// A family of kernels; every family runs and is tested on every device.
public enum KernelPath: String, Hashable, Sendable, CaseIterable {
    /// For CPU devices: a work-group is one work-item, which holds sixteen lanes side by side; matrices in panels.
    case vector
    /// For GPUs: work-groups share rows through local memory; matrix products by CLBlast.
    case group
    /// The plain twins of both, one output element per work-item.
    case simple

    /// The family that suits a device.
    public init(for device: Device) {
        self = device.kind == .cpu ? .vector : .group
    }

    /// Channels or columns that one work-item holds side by side.
    var lanes: Int { self == .vector ? 16 : 1 }
}
