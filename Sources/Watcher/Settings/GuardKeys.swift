// The keys of a guard, opened from their files and held against what the cluster file says of it.

import Ethereum
import Foundation
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
        let directory = settings.keysDirectory
        guard let mode = mode(directory) else {
            throw WatcherError(.keyMissing, "\(directory): no such directory", hint: "make keys with `causeway keys create`")
        }
        guard mode & 0o077 == 0 else { throw isOpen(directory, mode, wanted: "700") }
        let password = try password(settings)
        let signer = try privateKey("\(directory)/\(FileName.signer)", password)
        try expect(FileName.signer, signer.address.checksummed, settings.own.signer.checksummed)
        let secret = try open("\(directory)/\(FileName.curve)", password)
        guard let half = try? CurveSecretKey(bytes: secret.bytes), let pair = try? CurveKeyPair(secretKey: half) else {
            throw WatcherError(.keyUnreadable, "\(FileName.curve) holds no CURVE key of 32 bytes")
        }
        try expect(FileName.curve, pair.publicKey.z85, settings.own.member.curvePublicKey)
        let admin = settings.cursesOnAnomaly ? try privateKey("\(directory)/\(FileName.curseAdmin)", password) : nil
        return GuardKeys(signer: signer, curve: pair, curseAdmin: admin)
    }

    private static func expect(_ name: String, _ found: String, _ listed: String) throws(WatcherError) {
        guard found == listed else {
            throw WatcherError(
                .keyMismatch, "\(name) is the key of \(found), the cluster file lists \(listed)",
                hint: "use the key file of this guard, or correct cluster.yaml everywhere")
        }
    }

    private static func password(_ settings: GuardSettings) throws(WatcherError) -> Secret {
        if let password = settings.password { return password }
        guard let path = settings.passwordFile else {
            throw WatcherError(
                .keyMissing, "no password for the key files",
                hint: "set CAUSEWAY_KEYS_PASSWORD, or name a file with keys.passwordFile")
        }
        let bytes = try readPrivate(path, maximum: Limits.passwordBytesMaximum)
        return Secret(bytes.last == 0x0a ? Bytes(bytes.dropLast()) : bytes)
    }

    private static func file(_ path: String) throws(WatcherError) -> KeyFile {
        let bytes = try readPrivate(path, maximum: Limits.keyFileBytesMaximum)
        do { return try KeyFile.decode(bytes) } catch {
            throw WatcherError(.keyUnreadable, "\(path): \(error.message)")
        }
    }

    private static func open(_ path: String, _ password: Secret) throws(WatcherError) -> Secret {
        let file = try file(path)
        do { return try file.open(password: password) } catch {
            throw WatcherError(.keyUnreadable, "\(path): \(error.message)", hint: "check the password")
        }
    }

    private static func privateKey(_ path: String, _ password: Secret) throws(WatcherError) -> PrivateKey {
        let file = try file(path)
        do { return try file.openPrivateKey(password: password) } catch {
            throw WatcherError(.keyUnreadable, "\(path): \(error.message)", hint: "check the password")
        }
    }

    /// The bytes of a file that only its owner may read.
    private static func readPrivate(_ path: String, maximum: Int) throws(WatcherError) -> Bytes {
        guard let mode = mode(path) else {
            throw WatcherError(.keyMissing, "\(path): no such file", hint: "make keys with `causeway keys create`")
        }
        guard mode & 0o077 == 0 else { throw isOpen(path, mode, wanted: "600") }
        guard let data = FileManager.default.contents(atPath: path), data.count <= maximum else {
            throw WatcherError(.keyUnreadable, "\(path): cannot be read, or has more than \(maximum) bytes")
        }
        return Bytes(data)
    }

    private static func mode(_ path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }

    private static func isOpen(_ path: String, _ mode: Int, wanted: String) -> WatcherError {
        WatcherError(
            .keyPermissions, "\(path) is open to others (mode \(String(mode & 0o777, radix: 8)))",
            hint: "chmod \(wanted) \(path)")
    }
}
