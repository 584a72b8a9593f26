// The keys of one process of the streams, made and kept like those of relayers: an oracle has three, a gateway one. What
// they sign is not known here.

import Ethereum
import MessageBus

package struct LocalStreamsKeys: Sendable {
    package let name: String
    package let curve: CurveKeyPair
    /// Nil for gateways, which sign nothing.
    package let signer: PrivateKey?
    package let offchain: Ed25519PrivateKey?

    /// Makes the keys; `existing` answers the secret of a key file that is already there, by its name.
    package init(
        oracle name: String, origin: KeyOrigin, existing: @escaping (String) throws -> Bytes? = { _ in nil }
    ) throws {
        self.name = name
        let secret = try origin.secrets(of: "streams \(name)", existing)
        signer = try PrivateKey(bytes: secret(KeyFileName.reportSigner))
        offchain = try Ed25519PrivateKey(bytes: secret(KeyFileName.offchain))
        curve = try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("streams"))))
    }

    package init(
        gateway name: String, origin: KeyOrigin, existing: @escaping (String) throws -> Bytes? = { _ in nil }
    ) throws {
        self.name = name
        let secret = try origin.secrets(of: "streams \(name)", existing)
        signer = nil
        offchain = nil
        curve = try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("streams"))))
    }

    /// Writes the key files that are not yet there, in a folder of mode 0700. Throws `fileFailed`.
    package func write(to directory: String, password: String) throws(LocalnetError) {
        var files: [SealedKeyFile] = [.curve(KeyFileName.curve("streams"), curve)]
        if let signer { files.append(.account(KeyFileName.reportSigner, signer)) }
        if let offchain { files.append(.ed25519(KeyFileName.offchain, offchain)) }
        try SealedKeyFile.write(files, to: directory, password: password)
    }
}
