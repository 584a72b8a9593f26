// The keys of one process, opened from their files and held against what the cluster file says of them.

import Configuration
import Ethereum
import MessageBus

/// One key per duty. Made by `causeway keys`, or by the local network.
package struct RelayerKeys: Sendable {
    package var reportSigner: PrivateKey
    package var offchain: Ed25519PrivateKey
    package var curve: CurveKeyPair
    /// Of the chains that the role writes to, by chain name.
    package var transmitters: [String: PrivateKey]
    /// Of a committing process that takes prices from streams.
    package var streams: StreamsCredential?

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
        do { return try read(settings, role) } catch { throw RelayerError(error) }
    }

    private static func read(
        _ settings: RelayerSettings, _ role: RelayerRole
    ) throws(ConfigurationError) -> RelayerKeys {
        precondition(role != .both, "a process with both roles opens the keys of each")
        let shelf = KeyShelf(directory: settings.keysDirectory)
        try shelf.check()
        let password = try KeyShelf.password(settings.password, file: settings.passwordFile)
        let own = settings.cluster.relayers[settings.ownIndex]
        let signer = try shelf.openPrivateKey(FileName.reportSigner, password)
        try expect(FileName.reportSigner, "\(signer.address)", "\(own.reportSigner)")
        let offchainSecret = try shelf.open(FileName.offchain, password)
        guard let offchain = try? Ed25519PrivateKey(offchainSecret) else {
            throw ConfigurationError(.keyUnreadable, "\(FileName.offchain) holds no Ed25519 key of 32 bytes")
        }
        try expect(FileName.offchain, Hex.encode(offchain.publicKey), Hex.encode(own.offchainPublicKey))
        let curveName = FileName.curve(role)
        let curveSecret = try shelf.open(curveName, password)
        guard let secret = try? CurveSecretKey(bytes: curveSecret.bytes), let pair = try? CurveKeyPair(secretKey: secret)
        else { throw ConfigurationError(.keyUnreadable, "\(curveName) holds no CURVE key of 32 bytes") }
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
        var streams: StreamsCredential?
        if role == .committing, settings.cluster.takesStreamPrices, let access = settings.streams {
            streams = try StreamsCredential.open(access.keyFile)
        }
        return RelayerKeys(
            reportSigner: signer, offchain: offchain, curve: pair, transmitters: transmitters, streams: streams)
    }

    private static func expect(_ name: String, _ found: String, _ listed: String) throws(ConfigurationError) {
        try KeyShelf.expect(name, found, listed: listed, by: "cluster.yaml")
    }
}
