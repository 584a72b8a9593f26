// Every bound of this room, each with its reason.

package enum Limits {
    /// Words on the stack of one frame (Yellow Paper 9.1).
    package static let stackWordsMaximum = 1024
    /// Deepest frame below the first one (Yellow Paper 9.4, the depth of e).
    package static let callDepthMaximum = 1024
    /// Bytes of memory of all frames of one transaction together. Gas prices a block's memory at a few megabytes; this
    /// one guards a host whose callers may name any gas limit. Beyond it a frame halts as if it had run out of gas.
    package static let memoryBytesMaximum = 1 << 30
    /// An offset in memory beyond this cannot be paid for, and its price would not fit 64 bits.
    package static let memoryOffsetMaximum: UInt64 = 1 << 35
    /// Memory that is kept between transactions; what is beyond is given back.
    package static let memoryBytesKept = 16 << 20
    /// Bytes of analysed code that a cache holds before it starts anew.
    package static let codeCacheBytesMaximum = 64 << 20
    /// Largest gas of one transaction: gas is counted in a signed 64-bit number.
    package static let gasMaximum = UInt64(Int64.max)
    /// Block hashes that BLOCKHASH can name.
    package static let blockHashesKept: UInt64 = 256
    /// Longest base, exponent head or modulus of MODEXP: gas for a longer one is beyond every block.
    package static let modularBytesMaximum = 1 << 20
    /// Longest exponent of MODEXP whose price is worked out: with a longer one the sum of lengths would not be safe.
    package static let modularExponentBytesMaximum = 1 << 48
    /// Longest base, exponent or modulus of MODEXP in Osaka (EIP-7823).
    package static let modularBytesMaximumOsaka = 1_024
    /// Longest call list that a `CallTracer` keeps.
    package static let tracedCallsMaximum = 100_000
    /// Bytes of text that one trace may come to: what a client would still want to read.
    package static let tracedBytesMaximum = 64 << 20
    /// Accounts and slots that a `PrestateTracer` keeps.
    package static let tracedStateMaximum = 200_000
    /// Init code that a tracer looks at; since EIP-3860 none longer is ever run.
    static let initCodeBytesTraced = 49_152
}
