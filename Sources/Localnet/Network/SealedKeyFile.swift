// Key files of a cluster in one folder: sealed, of mode 0600, and an existing one of the same key is kept. Which keys there
// are is said by who owns them: LocalRelayerKeys, LocalGuardKeys, LocalStreamsKeys.

import Ethereum
import MessageBus

/// One key file that is to be: name, and how its content is made.
struct SealedKeyFile: Sendable {
    let name: String
    let seal: @Sendable (Secret) throws(EthereumError) -> KeyFile
    /// True when an existing file is of the same key.
    let matches: @Sendable (KeyFile) -> Bool

    static func account(_ name: String, _ key: PrivateKey) -> SealedKeyFile {
        SealedKeyFile(
            name: name,
            seal: { password throws(EthereumError) in try KeyFile.sealed(key, password: password, work: .light) },
            matches: { $0.address == key.address })
    }

    static func ed25519(_ name: String, _ key: Ed25519PrivateKey) -> SealedKeyFile {
        SealedKeyFile(
            name: name,
            seal: { password throws(EthereumError) in
                try KeyFile.sealed(
                    key.secret, password: password, work: .light, kind: "ed25519", publicKey: key.publicKey)
            }, matches: { $0.publicKey == key.publicKey })
    }

    static func curve(_ name: String, _ pair: CurveKeyPair) -> SealedKeyFile {
        SealedKeyFile(
            name: name,
            seal: { password throws(EthereumError) in
                try KeyFile.sealed(
                    Secret(pair.secretKey.exposedBytes()), password: password, work: .light, kind: "curve",
                    publicKey: pair.publicKey.bytes)
            }, matches: { $0.publicKey == pair.publicKey.bytes })
    }

    /// Writes the password and the files that are not yet there, in a folder of mode 0700. Throws `fileFailed`.
    static func write(_ files: [SealedKeyFile], to directory: String, password: String) throws(LocalnetError) {
        try Files.makeDirectory(directory, mode: 0o700)
        try Files.write(password + "\n", to: directory + "/" + KeyFileName.password, mode: 0o600)
        for file in files {
            let path = directory + "/" + file.name
            if let known = read(path), file.matches(known) { continue }
            let sealed: KeyFile
            do { sealed = try file.seal(Secret(Bytes(password.utf8))) } catch {
                throw LocalnetError(.fileFailed, "\(path): \(error.message)")
            }
            try Files.write(sealed.json.pretty, to: path, mode: 0o600)
        }
    }

    /// The secret in a key file of this folder; nil when there is none. Throws when it does not open.
    static func secret(in directory: String, _ name: String, password: String) throws -> Bytes? {
        guard let file = read(directory + "/" + name) else { return nil }
        return try file.open(password: Secret(Bytes(password.utf8))).bytes
    }

    private static func read(_ path: String) -> KeyFile? {
        Files.read(path, maximum: Limits.stateBytesMaximum).flatMap { try? KeyFile.decode($0) }
    }
}
