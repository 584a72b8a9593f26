// The keys of one process of the streams, opened from their files and held against what streams.yaml says of them.

import Agreement
import Configuration
import Ethereum
import MessageBus
import OffchainReporting

package struct OracleKeys: Sendable {
    package var reportSigner: PrivateKey
    package var offchain: Ed25519PrivateKey
    package var curve: CurveKeyPair

    package static func open(_ settings: OracleSettings) throws(ConfigurationError) -> OracleKeys {
        let own = settings.process.streams.oracles[settings.ownIndex]
        let shelf = KeyShelf(directory: settings.process.keysDirectory)
        try shelf.check()
        let password = try KeyShelf.password(settings.process.password, file: settings.process.passwordFile)
        let signer = try shelf.openPrivateKey(StreamsKeyFile.reportSigner, password)
        try KeyShelf.expect(
            StreamsKeyFile.reportSigner, "\(signer.address)", listed: "\(own.signer)", by: "streams.yaml")
        guard let offchain = try? Ed25519PrivateKey(try shelf.open(StreamsKeyFile.offchain, password)) else {
            throw ConfigurationError(.keyUnreadable, "\(StreamsKeyFile.offchain) holds no Ed25519 key of 32 bytes")
        }
        try KeyShelf.expect(
            StreamsKeyFile.offchain, Hex.encode(offchain.publicKey), listed: Hex.encode(own.offchainPublicKey),
            by: "streams.yaml")
        let curve = try StreamsKeyFile.curve(shelf, password, listed: own.curvePublicKey)
        return OracleKeys(reportSigner: signer, offchain: offchain, curve: curve)
    }

    /// Whether a configuration lists these very keys under its oracle of that number. Throws `settings`.
    func check(_ streams: StreamsSettings, ownIndex: Int) throws(StreamsNodeError) {
        let listed = streams.oracles[ownIndex]
        guard listed.signer == reportSigner.address, listed.offchainPublicKey == offchain.publicKey,
            listed.curvePublicKey == curve.publicKey
        else {
            throw StreamsNodeError(
                .settings, "a configuration lists other keys of \(listed.name) than this process has",
                hint: "one process has one set of keys: give the oracle with new keys another name, and a process of its own")
        }
    }

    func cryptography(_ streams: StreamsSettings) -> Cryptography {
        Cryptography(
            hashing: Hashing { sha256($0).bytes },
            offchain: OffchainScheme(key: offchain, publicKeys: streams.oracles.map(\.offchainPublicKey)),
            attestation: ReportScheme(key: reportSigner, signers: streams.oracles.map(\.signer)))
    }
}

/// File names inside the keys directory.
package enum StreamsKeyFile {
    package static let reportSigner = "report-signer.json"
    package static let offchain = "offchain.json"
    package static let curve = "curve-streams.json"

    static func curve(
        _ shelf: KeyShelf, _ password: Secret, listed: CurvePublicKey
    ) throws(ConfigurationError) -> CurveKeyPair {
        let bytes = try shelf.open(curve, password)
        guard let secret = try? CurveSecretKey(bytes: bytes.bytes), let pair = try? CurveKeyPair(secretKey: secret) else {
            throw ConfigurationError(.keyUnreadable, "\(curve) holds no CURVE key of 32 bytes")
        }
        try KeyShelf.expect(curve, pair.publicKey.z85, listed: listed.z85, by: "streams.yaml")
        return pair
    }

    /// A gateway has one key and no signature.
    package static func gateway(_ settings: GatewaySettings) throws(ConfigurationError) -> CurveKeyPair {
        let shelf = KeyShelf(directory: settings.process.keysDirectory)
        try shelf.check()
        let password = try KeyShelf.password(settings.process.password, file: settings.process.passwordFile)
        return try curve(shelf, password, listed: settings.own.curvePublicKey)
    }
}
