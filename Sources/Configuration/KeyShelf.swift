// Key files in a directory: modes are checked before anything is read, and nothing of a key is ever printed.
// What a key is for is known to whoever opens it.

import Ethereum
import Foundation

/// A directory of key files.
package struct KeyShelf: Sendable {
    package let directory: String

    /// A Web3 Secret Storage file has about 500 bytes.
    package static let keyFileBytesMaximum = 16 << 10
    package static let passwordBytesMaximum = 4 << 10

    package init(directory: String) { self.directory = directory }

    package func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(directory)/\(name)") }

    /// Refuses a directory that others can enter.
    package func check() throws(ConfigurationError) {
        guard let mode = Self.mode(directory) else {
            throw ConfigurationError(
                .keyMissing, "\(directory): no such directory", hint: "make keys with `causeway keys create`")
        }
        guard mode & 0o077 == 0 else { throw Self.open(directory, mode, wanted: "700") }
    }

    package func open(_ name: String, _ password: Secret) throws(ConfigurationError) -> Secret {
        let file = try decode(name)
        do {
            return try file.open(password: password)
        } catch {
            throw ConfigurationError(.keyUnreadable, "\(directory)/\(name): \(error.message)", hint: "check the password")
        }
    }

    package func openPrivateKey(_ name: String, _ password: Secret) throws(ConfigurationError) -> PrivateKey {
        let file = try decode(name)
        do {
            return try file.openPrivateKey(password: password)
        } catch {
            throw ConfigurationError(.keyUnreadable, "\(directory)/\(name): \(error.message)", hint: "check the password")
        }
    }

    private func decode(_ name: String) throws(ConfigurationError) -> KeyFile {
        let path = "\(directory)/\(name)"
        let bytes = try Self.readPrivate(path, maximum: Self.keyFileBytesMaximum)
        do {
            return try KeyFile.decode(bytes)
        } catch {
            throw ConfigurationError(.keyUnreadable, "\(path): \(error.message)")
        }
    }

    /// Refuses a key that is not the one which is listed for it. Letters' case decides only where it means something.
    package static func expect(_ name: String, _ found: String, listed: String, by file: String) throws(ConfigurationError) {
        guard found.lowercased() == listed.lowercased() || found == listed else {
            throw ConfigurationError(
                .keyMismatch, "\(name) is the key of \(found), \(file) lists \(listed)",
                hint: "use the key file of this process, or correct \(file) everywhere")
        }
    }

    /// The password as it was given, or else the content of a file that only its owner may read.
    package static func password(_ given: Secret?, file: String?) throws(ConfigurationError) -> Secret {
        if let given { return given }
        guard let file else {
            throw ConfigurationError(
                .keyMissing, "no password for the key files",
                hint: "set CAUSEWAY_KEYS_PASSWORD, or name a file with keys.passwordFile")
        }
        let bytes = try readPrivate(file, maximum: passwordBytesMaximum)
        return Secret(bytes.last == 0x0a ? Bytes(bytes.dropLast()) : bytes)
    }

    /// The bytes of a file that only its owner may read.
    package static func readPrivate(
        _ path: String, maximum: Int, hint: String = "make keys with `causeway keys create`"
    ) throws(ConfigurationError) -> Bytes {
        guard let mode = mode(path) else { throw ConfigurationError(.keyMissing, "\(path): no such file", hint: hint) }
        guard mode & 0o077 == 0 else { throw open(path, mode, wanted: "600") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(.keyUnreadable, "\(path): cannot be read", hint: "check its owner")
        }
        guard data.count <= maximum else {
            throw ConfigurationError(.keyUnreadable, "\(path): \(data.count) bytes, at most \(maximum)")
        }
        return Bytes(data)
    }

    private static func mode(_ path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }

    private static func open(_ path: String, _ mode: Int, wanted: String) -> ConfigurationError {
        ConfigurationError(
            .keyPermissions, "\(path) is open to others (mode \(String(mode & 0o777, radix: 8)))",
            hint: "chmod \(wanted) \(path)")
    }
}
