// CURVE25519 keys of sockets: 32 bytes or 40 letters of Z85. A secret prints as redacted and is wiped when freed.
// Reading and writing key files is somebody else's work.

import CZeroMQ

/// Z85, the text form of CURVE keys (ZeroMQ RFC 32), for exactly 32 bytes.
enum Z85 {
    static let textLength = 40
    static let byteLength = 32

    static func encode(_ bytes: [UInt8]) -> String {
        precondition(bytes.count == byteLength)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: textLength + 1) { text in
            guard let start = text.baseAddress, zmq_z85_encode(start, bytes, byteLength) != nil else {
                preconditionFailure("32 bytes always have a Z85 text")
            }
            return String(cString: start)
        }
    }

    /// Nil unless the text is the one way to write 32 bytes.
    static func decode(_ text: String) -> [UInt8]? {
        guard text.utf8.count == textLength, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteLength)
        guard zmq_z85_decode(&bytes, text) != nil, encode(bytes) == text else { return nil }
        return bytes
    }
}

/// A public key: names a process and is what admission lists hold.
package struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) throws(MessageBusError) {
        guard bytes.count == Z85.byteLength else {
            throw MessageBusError(.malformedKey, "a CURVE public key has 32 bytes, not \(bytes.count)")
        }
        self.bytes = bytes
    }

    package init(z85 text: String) throws(MessageBusError) {
        guard let bytes = Z85.decode(text) else {
            throw MessageBusError(
                .malformedKey, "a CURVE public key has 40 letters of Z85; this text of \(text.utf8.count) bytes is none",
                hint: "copy the whole key, and quote it: Z85 uses letters such as # and {")
        }
        self.bytes = bytes
    }

    /// 40 letters.
    package var z85: String { Z85.encode(bytes) }
    package var description: String { z85 }
}

/// A secret key. Prints as redacted everywhere; `exposed...` are the only ways to the value.
package struct CurveSecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Immutable after init, so sharing it between threads is safe; wiped when the last copy goes.
    private final class Storage: @unchecked Sendable {
        let bytes: UnsafeMutablePointer<UInt8>

        init(_ source: [UInt8]) {
            bytes = .allocate(capacity: Z85.byteLength)
            bytes.initialize(from: source, count: Z85.byteLength)
        }

        deinit {
            causeway_wipe(bytes, Z85.byteLength)
            bytes.deallocate()
        }
    }

    private let storage: Storage

    package init(bytes: [UInt8]) throws(MessageBusError) {
        guard bytes.count == Z85.byteLength else {
            throw MessageBusError(.malformedKey, "a CURVE secret key has 32 bytes, not \(bytes.count)")
        }
        storage = Storage(bytes)
    }

    package init(z85 text: String) throws(MessageBusError) {
        guard let bytes = Z85.decode(text) else {
            throw MessageBusError(
                .malformedKey, "a CURVE secret key has 40 letters of Z85; this text of \(text.utf8.count) bytes is none",
                hint: "copy the whole key, and quote it: Z85 uses letters such as # and {")
        }
        storage = Storage(bytes)
    }

    package func exposedBytes() -> [UInt8] { Array(UnsafeBufferPointer(start: storage.bytes, count: Z85.byteLength)) }
    package func exposedZ85() -> String { Z85.encode(exposedBytes()) }

    package var description: String { "CurveSecretKey(redacted)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

package struct CurveKeyPair: Sendable {
    package let publicKey: CurvePublicKey
    package let secretKey: CurveSecretKey

    /// The pair of a known secret.
    package init(secretKey: CurveSecretKey) throws(MessageBusError) {
        var derived = [CChar](repeating: 0, count: Z85.textLength + 1)
        guard zmq_curve_public(&derived, secretKey.exposedZ85()) == 0 else { throw .lastCall("zmq_curve_public") }
        self.publicKey = try CurvePublicKey(z85: Self.text(derived))
        self.secretKey = secretKey
    }

    package init(secretZ85: String) throws(MessageBusError) {
        try self.init(secretKey: CurveSecretKey(z85: secretZ85))
    }

    /// A pair read from two places; refused when the halves do not belong together.
    package init(publicKey: CurvePublicKey, secretKey: CurveSecretKey) throws(MessageBusError) {
        try self.init(secretKey: secretKey)
        guard self.publicKey == publicKey else {
            throw MessageBusError(
                .keyMismatch, "the secret key belongs to \(self.publicKey), not to \(publicKey)",
                hint: "the key file and the configuration are of different processes")
        }
    }

    /// A fresh pair from the system's random numbers.
    package static func generate() throws(MessageBusError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: Z85.textLength + 1)
        var secretText = [CChar](repeating: 0, count: Z85.textLength + 1)
        defer { causeway_wipe(&secretText, secretText.count) }
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .lastCall("zmq_curve_keypair") }
        return try CurveKeyPair(secretZ85: text(secretText))
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
