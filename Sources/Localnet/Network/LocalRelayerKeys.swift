// The keys of one relayer on the local network, one for each duty: made from the public mnemonic or at random, and kept in
// sealed files of mode 0600. What they sign is not known here.

import Ethereum
import MessageBus

/// Where the keys of a local network come from.
package enum KeyOrigin: String, Sendable {
    /// From the development mnemonic: the same on every run, and known to everyone.
    case development
    /// From the system's randomness; an existing file is used again.
    case random
}

package struct LocalRelayerKeys: Sendable {
    package let index: Int
    package let reportSigner: PrivateKey
    package let offchain: Ed25519PrivateKey
    package let curveCommitting: CurveKeyPair
    package let curveExecuting: CurveKeyPair
    /// Transmitters by chain name.
    package let committing: [String: PrivateKey]
    package let executing: [String: PrivateKey]

    package let name: String

    package var oracle: DeploymentRequest.Oracle {
        DeploymentRequest.Oracle(
            peerID: offchain.publicKey, signer: reportSigner.address, committing: committing.mapValues(\.address),
            executing: executing.mapValues(\.address))
    }

    /// Makes the keys; `existing` answers the secret of a key file that is already there, by its name.
    package init(
        index: Int, chains: [String], origin: KeyOrigin, existing: (String) throws -> Bytes? = { _ in nil }
    ) throws {
        self.index = index
        name = "relayer-\(index)"
        let seed = try Mnemonic(Mnemonic.developmentText).seed()
        func secret(_ file: String) throws -> Bytes {
            switch origin {
            case .development: keccak256(seed.bytes + Bytes("causeway localnet relayer-\(index) \(file)".utf8)).bytes
            case .random: try existing(file) ?? randomBytes(32)
            }
        }
        reportSigner = try PrivateKey(bytes: secret(KeyFileName.reportSigner))
        offchain = try Ed25519PrivateKey(bytes: secret(KeyFileName.offchain))
        curveCommitting = try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("committing"))))
        curveExecuting = try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("executing"))))
        var committing: [String: PrivateKey] = [:]
        var executing: [String: PrivateKey] = [:]
        for chain in chains {
            committing[chain] = try PrivateKey(bytes: secret(KeyFileName.transmitter(chain, "committing")))
            executing[chain] = try PrivateKey(bytes: secret(KeyFileName.transmitter(chain, "executing")))
        }
        self.committing = committing
        self.executing = executing
    }
}

extension LocalRelayerKeys {
    /// Keys that contracts know already; `secret` gives the 32 bytes of those that only the relayers know, by file name.
    package init(
        index: Int, name: String, reportSigner: PrivateKey, committing: [String: PrivateKey],
        executing: [String: PrivateKey], secret: (String) throws -> Bytes
    ) throws {
        self.index = index
        self.name = name
        self.reportSigner = reportSigner
        offchain = try Ed25519PrivateKey(bytes: secret(KeyFileName.offchain))
        curveCommitting = try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("committing"))))
        curveExecuting = try CurveKeyPair(secretKey: CurveSecretKey(bytes: secret(KeyFileName.curve("executing"))))
        self.committing = committing
        self.executing = executing
    }
}

/// File names in a relayer's key folder, as the relayer's configuration knows them.
package enum KeyFileName {
    package static let reportSigner = "report-signer.json"
    package static let offchain = "offchain.json"
    package static let password = "password"
    package static func curve(_ role: String) -> String { "curve-\(role).json" }
    package static func transmitter(_ chain: String, _ role: String) -> String { "transmitter-\(chain)-\(role).json" }
}

// MARK: - Files

extension LocalRelayerKeys {
    /// One key file that is to be: name, and how its content is made.
    struct PlannedFile: Sendable {
        let name: String
        let seal: @Sendable (Secret) throws(EthereumError) -> KeyFile
        /// True when an existing file is of the same key.
        let matches: @Sendable (KeyFile) -> Bool
    }

    var files: [PlannedFile] {
        var files = [account(KeyFileName.reportSigner, reportSigner)]
        let offchain = offchain
        files.append(
            PlannedFile(
                name: KeyFileName.offchain,
                seal: { password throws(EthereumError) in
                    try KeyFile.sealed(
                        offchain.secret, password: password, work: .light, kind: "ed25519",
                        publicKey: offchain.publicKey)
                }, matches: { $0.publicKey == offchain.publicKey }))
        for (role, pair) in [("committing", curveCommitting), ("executing", curveExecuting)] {
            files.append(
                PlannedFile(
                    name: KeyFileName.curve(role),
                    seal: { password throws(EthereumError) in
                        try KeyFile.sealed(
                            Secret(pair.secretKey.exposedBytes()), password: password, work: .light, kind: "curve",
                            publicKey: pair.publicKey.bytes)
                    }, matches: { $0.publicKey == pair.publicKey.bytes }))
        }
        for (role, keys) in [("committing", committing), ("executing", executing)] {
            for (chain, key) in keys.sorted(by: { $0.key < $1.key }) {
                files.append(account(KeyFileName.transmitter(chain, role), key))
            }
        }
        return files
    }

    private func account(_ name: String, _ key: PrivateKey) -> PlannedFile {
        PlannedFile(
            name: name,
            seal: { password throws(EthereumError) in try KeyFile.sealed(key, password: password, work: .light) },
            matches: { $0.address == key.address })
    }

    /// Writes the key files that are not yet there, in a folder of mode 0700. Throws `fileFailed`.
    package func write(to directory: String, password: String) throws(LocalnetError) {
        try Files.makeDirectory(directory, mode: 0o700)
        try Files.write(password + "\n", to: directory + "/" + KeyFileName.password, mode: 0o600)
        for file in files {
            let path = directory + "/" + file.name
            if let known = Self.read(path), file.matches(known) { continue }
            let sealed: KeyFile
            do { sealed = try file.seal(Secret(Bytes(password.utf8))) } catch {
                throw LocalnetError(.fileFailed, "\(path): \(error.message)")
            }
            try Files.write(sealed.json.pretty, to: path, mode: 0o600)
        }
    }

    /// The secret in a key file of this folder; nil when there is none. Throws when it does not open.
    package static func secret(in directory: String, _ name: String, password: String) throws -> Bytes? {
        guard let file = read(directory + "/" + name) else { return nil }
        return try file.open(password: Secret(Bytes(password.utf8))).bytes
    }

    private static func read(_ path: String) -> KeyFile? {
        Files.read(path, maximum: Limits.stateBytesMaximum).flatMap { try? KeyFile.decode($0) }
    }
}
