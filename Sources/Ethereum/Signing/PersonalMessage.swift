// EIP-191: digests of messages that people sign, which can be no transaction.

package enum PersonalMessage {
    /// keccak("\x19Ethereum Signed Message:\n" || length || message), as `personal_sign` has it.
    package static func digest(_ message: Bytes) -> Hash32 {
        keccak256([0x19] + Bytes("Ethereum Signed Message:\n\(message.count)".utf8) + message)
    }

    package static func digest(text: String) -> Hash32 { digest(Bytes(text.utf8)) }
}
