// Every bound of this room, each with its reason.

package enum Limits {
    /// Messages under one root: the multi-proof verifier allows 256 hashes (9.3 of the on-chain specification).
    package static let treeLeavesMaximum = 256
    /// Leaves, and proofs, of one multi-proof (9.3).
    package static let multiProofElementsMaximum = 257
    /// Hashes of one multi-proof (9.3).
    package static let multiProofHashesMaximum = 256
    /// One byte of rawVs each, 32 bytes (10.3).
    package static let reportSignaturesMaximum = 32
    /// Largest log or report that is decoded: eight times a message of 30 kB in ABI form, times a full batch.
    package static let encodedBytesMaximum = 5 << 20
    /// Largest revert data that is looked into; the OffRamp keeps at most 260 bytes, nodes return more.
    package static let revertBytesMaximum = 64 << 10
    /// How many errors deep revert data is unwrapped: manual execution wraps a pool's wrapped token error.
    package static let revertDepthMaximum = 6
    /// A solana account list (15.6).
    package static let extraArgsAccountsMaximum = 64
    /// Largest user data of a message that FeeQuoters allow in practice (15.9).
    package static let messageDataBytesTypical = 30_000
}
