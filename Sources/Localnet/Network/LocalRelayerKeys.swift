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

    /// What gives the 32 bytes of each of a member's files; `existing` those of a file that is already there.
    func secrets(
        of member: String, _ existing: @escaping (String) throws -> Bytes?
    ) throws -> (String) throws -> Bytes {
        switch self {
        case .development:
            let seed = try Mnemonic(Mnemonic.developmentText).seed()
            return { keccak256(seed.bytes + Bytes("causeway localnet \(member) \($0)".utf8)).bytes }
        case .random: return { try existing($0) ?? randomBytes(32) }
        }
    }
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
        index: Int, chains: [String], origin: KeyOrigin,
        existing: @escaping (String) throws -> Bytes? = { _ in nil }
    ) throws {
        self.index = index
        name = "relayer-\(index)"
        let secret = try origin.secrets(of: name, existing)
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
    package static let guardSigner = "guard-signer.json"
    package static func curve(_ role: String) -> String { "curve-\(role).json" }
    package static func transmitter(_ chain: String, _ role: String) -> String { "transmitter-\(chain)-\(role).json" }
}

// MARK: - Files

extension LocalRelayerKeys {
    var files: [SealedKeyFile] {
        var files = [SealedKeyFile.account(KeyFileName.reportSigner, reportSigner)]
        files.append(.ed25519(KeyFileName.offchain, offchain))
        for (role, pair) in [("committing", curveCommitting), ("executing", curveExecuting)] {
            files.append(.curve(KeyFileName.curve(role), pair))
        }
        for (role, keys) in [("committing", committing), ("executing", executing)] {
            for (chain, key) in keys.sorted(by: { $0.key < $1.key }) {
                files.append(.account(KeyFileName.transmitter(chain, role), key))
            }
        }
        return files
    }

    /// Writes the key files that are not yet there, in a folder of mode 0700. Throws `fileFailed`.
    package func write(to directory: String, password: String) throws(LocalnetError) {
        try SealedKeyFile.write(files, to: directory, password: password)
    }

    /// The secret in a key file of this folder; nil when there is none. Throws when it does not open.
    package static func secret(in directory: String, _ name: String, password: String) throws -> Bytes? {
        try SealedKeyFile.secret(in: directory, name, password: password)
    }
}
