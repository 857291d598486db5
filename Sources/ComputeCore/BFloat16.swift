extension Float {
    /// The value of a bfloat16, the upper half of a float.
    package init(bfloat16Bits bits: UInt16) { self.init(bitPattern: UInt32(bits) << 16) }
}
