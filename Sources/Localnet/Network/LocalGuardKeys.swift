// The keys of one guard, made and kept like those of relayers. What they sign is not known here.

import Ethereum
import MessageBus

package struct LocalGuardKeys: Sendable {
    package let name: String
    package let signer: PrivateKey
    package let curve: CurveKeyPair

    package init(name: String, signer: PrivateKey, curve: CurveKeyPair) {
        self.name = name
        self.signer = signer
        self.curve = curve
    }

    /// Makes the keys; `existing` answers the secret of a key file that is already there, by its name.
    package init(index: Int, origin: KeyOrigin, existing: @escaping (String) throws -> Bytes? = { _ in nil }) throws {
        let name = "guard-\(index)"
        let secret = try origin.secrets(of: name, existing)
        self.init(
            name: name, signer: try PrivateKey(bytes: secret(KeyFileName.guardSigner)),
            curve: try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("guard")))))
    }

    /// Writes the key files that are not yet there, in a folder of mode 0700. Throws `fileFailed`.
    package func write(to directory: String, password: String) throws(LocalnetError) {
        try SealedKeyFile.write(
            [.account(KeyFileName.guardSigner, signer), .curve(KeyFileName.curve("guard"), curve)], to: directory,
            password: password)
    }
}
