// A message of Circle's transfer protocol as an attester sees it: what the transmitter logged, and what is added before it
// is signed (20 of the on-chain specification). Pure; written for itself, so that it can catch a relayer's reader in error.

import Ethereum

/// What a transmitter logged as `MessageSent(bytes)`.
package struct AttestedMessage: Sendable, Equatable {
    static let messageSent = ABIEvent(name: "MessageSent", inputs: [.bytes], indexed: [false])

    package let version: CCTPVersion
    package let bytes: Bytes
    package let sourceDomain: UInt32
    package let destinationDomain: UInt32

    /// Nil for what is no message of either version.
    package init?(_ bytes: Bytes) {
        guard bytes.count >= 4, let version = CCTPVersion(rawValue: Int(Self.number(bytes[0..<4])) + 1),
            bytes.count >= Self.headerBytes(version)
        else { return nil }
        self.version = version
        self.bytes = bytes
        sourceDomain = Self.number(bytes[4..<8])
        destinationDomain = Self.number(bytes[8..<12])
    }

    /// From the log of a transmitter; nil for any other one.
    init?(topics: [Hash32], data: Bytes) {
        guard let values = try? Self.messageSent.decode(topics: topics, data: data), case .bytes(let bytes)? = values.first
        else { return nil }
        self.init(bytes)
    }

    private static func headerBytes(_ version: CCTPVersion) -> Int { version == .v1 ? 116 : 148 }
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    // MARK: Before it is signed

    /// Of a transfer that waited for finality, and so of everything that is attested here.
    static let finality: UInt32 = 2_000
    /// Where version 2 has its nonce, the finality reached, and in a burn's body the block of expiry.
    private static let nonceRange = 12..<44
    private static let finalityRange = 144..<148
    private static let expiryRange = 344..<376

    /// What attesters sign: version 1 as it was logged, version 2 with a nonce, the finality reached and, where it is a
    /// burn, the block from which on it is void (zero for never).
    func completed(nonce: Hash32, expirationBlock: UInt64) -> Bytes {
        guard version == .v2 else { return bytes }
        var message = bytes
        message.replaceSubrange(Self.nonceRange, with: nonce.bytes)
        message.replaceSubrange(Self.finalityRange, with: Bytes(bigEndian: Self.finality))
        if message.count >= Self.expiryRange.upperBound {
            message.replaceSubrange(Self.expiryRange, with: U256(expirationBlock).bytes)
        }
        return message
    }
}

/// The keys of a stand-in for Circle's attesters, in the order in which transmitters want their signatures.
package struct AttesterKeys: Sendable {
    package let keys: [PrivateKey]

    package init(_ keys: [PrivateKey]) { self.keys = keys.sorted { $0.address.word < $1.address.word } }

    /// From the development mnemonic: the same on every run, and known to everyone.
    package init(development count: Int) throws(LocalnetError) {
        do {
            let seed = try Mnemonic(Mnemonic.developmentText).seed()
            var keys: [PrivateKey] = []
            for index in 0..<count {
                keys.append(try PrivateKey(bytes: keccak256(seed.bytes + Bytes("causeway localnet attester-\(index)".utf8)).bytes))
            }
            self.init(keys)
        } catch { throw LocalnetError(.invalidRequest, "the attesters' keys: \(error)") }
    }

    package var addresses: [Address] { keys.map(\.address) }

    /// Signatures of the first `threshold` keys over the hash of a message, ascending by signer, 65 bytes each.
    package func attest(_ message: Bytes, threshold: Int) -> Bytes {
        let digest = keccak256(message)
        return keys.prefix(threshold).flatMap { $0.sign(digest: digest).bytesWithV }
    }
}
