// The keys of one process, opened from their files and held against what the cluster file says of them.

import Ethereum
import Foundation
import MessageBus

/// One key per duty. Made by `causeway keys`, or by the local network.
package struct RelayerKeys: Sendable {
    package var reportSigner: PrivateKey
    package var offchain: Ed25519PrivateKey
    package var curve: CurveKeyPair
    /// Of the chains that the role writes to, by chain name.
    package var transmitters: [String: PrivateKey]

    /// File names inside the keys directory.
    package enum FileName {
        package static let reportSigner = "report-signer.json"
        package static let offchain = "offchain.json"
        package static func curve(_ role: RelayerRole) -> String { "curve-\(role.rawValue).json" }
        package static func transmitter(_ chain: String, _ role: RelayerRole) -> String {
            "transmitter-\(chain)-\(role.rawValue).json"
        }
        /// Of an account that serves both plugins.
        package static func transmitter(_ chain: String) -> String { "transmitter-\(chain).json" }
    }

    /// Opens the keys that `role` (committing or executing) needs, and holds each against the cluster file.
    package static func open(_ settings: RelayerSettings, role: RelayerRole) throws(RelayerError) -> RelayerKeys {
        precondition(role != .both, "a process with both roles opens the keys of each")
        let shelf = KeyShelf(directory: settings.keysDirectory)
        try shelf.check()
        let password = try password(settings)
        let own = settings.cluster.relayers[settings.ownIndex]
        let signer = try shelf.openPrivateKey(FileName.reportSigner, password)
        try expect(FileName.reportSigner, "\(signer.address)", "\(own.reportSigner)")
        let offchainSecret = try shelf.open(FileName.offchain, password)
        guard let offchain = try? Ed25519PrivateKey(offchainSecret) else {
            throw RelayerError(.keyUnreadable, "\(FileName.offchain) holds no Ed25519 key of 32 bytes")
        }
        try expect(FileName.offchain, Hex.encode(offchain.publicKey), Hex.encode(own.offchainPublicKey))
        let curveName = FileName.curve(role)
        let curveSecret = try shelf.open(curveName, password)
        guard let secret = try? CurveSecretKey(bytes: curveSecret.bytes), let pair = try? CurveKeyPair(secretKey: secret)
        else { throw RelayerError(.keyUnreadable, "\(curveName) holds no CURVE key of 32 bytes") }
        let member = role == .committing ? own.committing : own.executing
        try expect(curveName, pair.publicKey.z85, member.curvePublicKey)
        var transmitters: [String: PrivateKey] = [:]
        for chain in settings.cluster.destinations {
            let listed = own.transmitters.first { $0.chain == chain.selector }
            guard let wanted = role == .committing ? listed?.committing : listed?.executing else { continue }
            var name = FileName.transmitter(chain.name, role)
            if listed?.committing == listed?.executing, !shelf.has(name) { name = FileName.transmitter(chain.name) }
            let key = try shelf.openPrivateKey(name, password)
            try expect(name, "\(key.address)", "\(wanted)")
            transmitters[chain.name] = key
        }
        return RelayerKeys(reportSigner: signer, offchain: offchain, curve: pair, transmitters: transmitters)
    }

    private static func expect(_ name: String, _ found: String, _ listed: String) throws(RelayerError) {
        guard found.lowercased() == listed.lowercased() || found == listed else {
            throw RelayerError(
                .keyMismatch, "\(name) is the key of \(found), the cluster file lists \(listed)",
                hint: "use the key file of this relayer, or correct cluster.yaml on every relayer")
        }
    }

    private static func password(_ settings: RelayerSettings) throws(RelayerError) -> Secret {
        if let password = settings.password { return password }
        guard let path = settings.passwordFile else {
            throw RelayerError(
                .keyMissing, "no password for the key files",
                hint: "set CAUSEWAY_KEYS_PASSWORD, or name a file with keys.passwordFile")
        }
        let bytes = try KeyShelf.readPrivate(path, maximum: Limits.passwordBytesMaximum)
        return Secret(bytes.last == 0x0a ? Bytes(bytes.dropLast()) : bytes)
    }
}

/// A directory of key files.
package struct KeyShelf: Sendable {
    package let directory: String

    package init(directory: String) { self.directory = directory }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(directory)/\(name)") }

    /// Refuses a directory that others can enter.
    package func check() throws(RelayerError) {
        guard let mode = Self.mode(directory) else {
            throw RelayerError(
                .keyMissing, "\(directory): no such directory", hint: "make keys with `causeway keys create`")
        }
        guard mode & 0o077 == 0 else { throw Self.open(directory, mode, wanted: "700") }
    }

    package func open(_ name: String, _ password: Secret) throws(RelayerError) -> Secret {
        let file = try decode(name)
        do {
            return try file.open(password: password)
        } catch {
            throw RelayerError(.keyUnreadable, "\(directory)/\(name): \(error.message)", hint: "check the password")
        }
    }

    package func openPrivateKey(_ name: String, _ password: Secret) throws(RelayerError) -> PrivateKey {
        let file = try decode(name)
        do {
            return try file.openPrivateKey(password: password)
        } catch {
            throw RelayerError(.keyUnreadable, "\(directory)/\(name): \(error.message)", hint: "check the password")
        }
    }

    private func decode(_ name: String) throws(RelayerError) -> KeyFile {
        let path = "\(directory)/\(name)"
        let bytes = try Self.readPrivate(path, maximum: Limits.keyFileBytesMaximum)
        do {
            return try KeyFile.decode(bytes)
        } catch {
            throw RelayerError(.keyUnreadable, "\(path): \(error.message)")
        }
    }

    /// The bytes of a file that only its owner may read.
    package static func readPrivate(_ path: String, maximum: Int) throws(RelayerError) -> Bytes {
        guard let mode = mode(path) else {
            throw RelayerError(.keyMissing, "\(path): no such file", hint: "make keys with `causeway keys create`")
        }
        guard mode & 0o077 == 0 else { throw open(path, mode, wanted: "600") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw RelayerError(.keyUnreadable, "\(path): cannot be read", hint: "check its owner")
        }
        guard data.count <= maximum else {
            throw RelayerError(.keyUnreadable, "\(path): \(data.count) bytes, at most \(maximum)")
        }
        return Bytes(data)
    }

    private static func mode(_ path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }

    private static func open(_ path: String, _ mode: Int, wanted: String) -> RelayerError {
        RelayerError(
            .keyPermissions, "\(path) is open to others (mode \(String(mode & 0o777, radix: 8)))",
            hint: "chmod \(wanted) \(path)")
    }
}
