// Every bound of this room, each with its reason.

package enum Limits {
    /// Deepest nesting of RLP lists that is decoded; blocks and transactions need five, the public test suite more.
    package static let rlpDepthMaximum = 64
    /// Deepest nesting of an ABI type; CCIP's reports need six.
    package static let abiDepthMaximum = 16
    /// Most elements of one decoded ABI array: a longer one is refused before memory is taken for it.
    package static let abiElementsMaximum = 1 << 20
    /// Deepest nesting of JSON: geth's own limit is 10,000, no Ethereum method needs more than ten.
    package static let jsonDepthMaximum = 128
    /// Largest scrypt memory in bytes that a key file may ask for (n * r * 128): four times geth's default.
    package static let scryptMemoryMaximum = 1 << 30
    /// Most PBKDF2 rounds that a key file may ask for: forty times geth's default.
    package static let pbkdf2RoundsMaximum = 10_000_000
    /// Largest key file in bytes; real ones have about 500.
    package static let keyFileBytesMaximum = 64 * 1024
    /// Most parallel lanes (`p`) that a scrypt key file may ask for: geth's light setting asks for 6.
    package static let scryptParallelismMaximum = 16
    /// Largest secret that a key file may hold; ours have 32 bytes.
    package static let secretBytesMaximum = 4096
    /// Largest salt of a key file in bytes; real ones have 16 or 32.
    package static let saltBytesMaximum = 256
    /// Longest mnemonic text in bytes: 24 words of BIP-39 have at most 215.
    package static let mnemonicBytesMaximum = 1024
    /// Longest BIP-32 path in levels; BIP-44 has five.
    package static let derivationDepthMaximum = 16
    /// Largest raw transaction that is decoded: eight times what a node's pool takes, and more than a block's gas buys.
    package static let transactionBytesMaximum = 1 << 20
    /// Largest init code of a creation (EIP-3860).
    package static let initCodeBytesMaximum = 49_152
    /// Deepest nesting of EIP-712 structs and arrays.
    package static let typedDataDepthMaximum = 32
    /// Most struct types of one EIP-712 document.
    package static let typedDataTypesMaximum = 256
    /// Longest key of a trie in bytes; Ethereum's have 32, those of ordered lists at most 9.
    package static let trieKeyBytesMaximum = 1024
    /// Most nodes of a trie proof: a 32-byte key has 64 nibbles, so at most 65.
    package static let proofNodesMaximum = 65
}
