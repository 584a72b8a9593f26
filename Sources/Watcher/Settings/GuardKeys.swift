// The keys of a guard, opened from their files and held against what the cluster file says of it.

import Configuration
import Ethereum
import MessageBus

package struct GuardKeys: Sendable {
    /// Signs roots; its account is listed by RMNRemote.
    package var signer: PrivateKey
    package var curve: CurveKeyPair
    /// Owner or curse admin of the RMNRemotes; only with `curseOnAnomaly`.
    package var curseAdmin: PrivateKey?

    package enum FileName {
        package static let signer = "guard-signer.json"
        package static let curve = "curve-guard.json"
        package static let curseAdmin = "curse-admin.json"
    }

    package static func open(_ settings: GuardSettings) throws(WatcherError) -> GuardKeys {
        do { return try read(settings) } catch { throw WatcherError(error) }
    }

    private static func read(_ settings: GuardSettings) throws(ConfigurationError) -> GuardKeys {
        let shelf = KeyShelf(directory: settings.keysDirectory)
        try shelf.check()
        let password = try KeyShelf.password(settings.password, file: settings.passwordFile)
        let signer = try shelf.openPrivateKey(FileName.signer, password)
        try KeyShelf.expect(
            FileName.signer, signer.address.checksummed, listed: settings.own.signer.checksummed, by: "cluster.yaml")
        let secret = try shelf.open(FileName.curve, password)
        guard let half = try? CurveSecretKey(bytes: secret.bytes), let pair = try? CurveKeyPair(secretKey: half) else {
            throw ConfigurationError(.keyUnreadable, "\(FileName.curve) holds no CURVE key of 32 bytes")
        }
        try KeyShelf.expect(
            FileName.curve, pair.publicKey.z85, listed: settings.own.member.curvePublicKey, by: "cluster.yaml")
        let admin = settings.cursesOnAnomaly ? try shelf.openPrivateKey(FileName.curseAdmin, password) : nil
        return GuardKeys(signer: signer, curve: pair, curseAdmin: admin)
    }
}
