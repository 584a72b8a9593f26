// The secret of an API key at rest. Opening must be cheap, for there are thousands of keys: scrypt is paid once, for the
// master key of the file, and each secret is sealed under that with HMAC-SHA-256 alone: as a stream (counter mode over a
// pseudo-random function), then authenticated together with the key it belongs to.

import Ethereum
import PriceStreams

struct SealedSecret: Equatable, Sendable {
    /// 16 random bytes.
    let nonce: Bytes
    let cipherText: Bytes
    /// 32 bytes.
    let tag: Bytes

    /// - Parameter owner: bound to the secret: it opens under no other key's name.
    init(_ secret: Secret, owner: String, master: Secret, nonce: Bytes = randomBytes(16)) {
        precondition(nonce.count == 16 && master.bytes.count == 32, "16 bytes of nonce, 32 of master key")
        self.nonce = nonce
        cipherText = Self.masked(secret.bytes, nonce, master)
        tag = Self.tag(nonce, cipherText, owner, master)
    }

    /// Nil when it was sealed under another master key, for another owner, or changed since.
    func open(owner: String, master: Secret) -> Secret? {
        guard constantTimeEqual(Self.tag(nonce, cipherText, owner, master), tag) else { return nil }
        return Secret(Self.masked(cipherText, nonce, master))
    }

    private static func masked(_ input: Bytes, _ nonce: Bytes, _ master: Secret) -> Bytes {
        let key = subkey("causeway api secret: encryption", master)
        var output = Bytes()
        output.reserveCapacity(input.count)
        for start in stride(from: 0, to: input.count, by: 32) {
            let stream = hmacSHA256(key: key, nonce + Bytes(bigEndian: UInt64(start / 32))).bytes
            for (byte, mask) in zip(input[start..<min(start + 32, input.count)], stream) { output.append(byte ^ mask) }
        }
        return output
    }

    private static func tag(_ nonce: Bytes, _ cipherText: Bytes, _ owner: String, _ master: Secret) -> Bytes {
        let key = subkey("causeway api secret: authentication", master)
        let lengths = Bytes(bigEndian: UInt64(cipherText.count))
        return hmacSHA256(key: key, nonce + lengths + cipherText + Bytes(owner.utf8)).bytes
    }

    private static func subkey(_ purpose: String, _ master: Secret) -> Bytes {
        hmacSHA256(key: master.bytes, Bytes(purpose.utf8)).bytes
    }

    // MARK: Text

    var text: String { Hex.encodeBare(nonce + tag + cipherText) }

    init?(text: String) {
        guard let bytes = try? Hex.decode("0x" + text), bytes.count > 48,
            bytes.count <= 48 + Limits.apiSecretBytesMaximum
        else { return nil }
        nonce = Bytes(bytes[0..<16])
        tag = Bytes(bytes[16..<48])
        cipherText = Bytes(bytes[48...])
    }
}
