// Reading configuration files and joining their paths. No meaning of any key lives here.

import Foundation

package enum SettingsFile {
    /// The text of a file, with an error that says what to do.
    package static func read(_ path: String) throws(ConfigurationError) -> String {
        try read(path, hint: "name it with --config, or write one: see relayer-config/")
    }

    /// `hint`: for a file that is not there.
    package static func read(_ path: String, hint: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw ConfigurationError(
                .fileMissing, "\(path): \(exists ? "cannot be read" : "no such file")",
                hint: exists ? "check its owner and mode" : hint)
        }
        guard data.count <= ConfigurationReader.bytesMaximum else {
            throw ConfigurationError(
                .fileTooLarge, "\(path): \(data.count) bytes, at most \(ConfigurationReader.bytesMaximum)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError(.malformedYAML, "\(path): not UTF-8 text")
        }
        return text
    }

    /// A directory that only its owner enters.
    package static func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    package static func folder(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    /// `path` itself when it is absolute.
    package static func join(_ folder: String, _ path: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }
}
