/// How the tensors of an executable are kept apart; for tests of the kernels.
public enum Isolation: Sendable {
    /// They share memory as densely as their lives allow.
    case none
    /// Unused bytes lie behind every tensor, where stray writes show: ``MarginCheck``.
    case margins
    /// Every tensor has a buffer of exactly its size, so that a device that checks accesses sees every stray one.
    case buffers
}
