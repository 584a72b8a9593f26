// The configurations that a process has files for, by digest: its own `streams` file, and those in a folder beside it. The
// contract names a configuration, the file tells the rest; they cannot contradict each other, for the digest binds both.

import Configuration
import Ethereum
import Foundation
import PriceStreams

package struct ConfigurationFolder: Sendable {
    /// What a folder came to: files that are no configuration are told, and do not keep others from being used.
    package struct Content: Sendable {
        package var known: [Hash32: StreamsSettings]
        package var problems: [String]
    }

    private struct Stamp: Equatable, Sendable {
        var name: String
        var size: Int
        var modified: Date
    }

    package let path: String
    private let main: StreamsSettings
    private var stamps: [Stamp]?
    package private(set) var content: Content

    package init(path: String, main: StreamsSettings) throws(PriceStreamsError) {
        self.path = path
        self.main = main
        content = Content(known: [try main.configurationDigest(): main], problems: [])
    }

    /// Reads the folder again when a file of it has changed. False when nothing did.
    package mutating func refresh() -> Bool {
        let found = Self.stamps(path)
        guard found != stamps else { return false }
        stamps = found
        let own = content.known.filter { $0.value == main }
        content = Content(known: own, problems: [])
        if found.count > Limits.configurationFilesMaximum {
            content.problems.append("\(path) has more than \(Limits.configurationFilesMaximum) files: the first are used")
        }
        for stamp in found.prefix(Limits.configurationFilesMaximum) {
            let file = "\(path)/\(stamp.name)"
            do {
                let settings = try StreamsSettings(yaml: try SettingsFile.read(file), file: file)
                guard settings.donID == main.donID, settings.configurator.chainID == main.configurator.chainID,
                    settings.configurator.address == main.configurator.address
                else {
                    content.problems.append("\(file) is of another DON or another Configurator")
                    continue
                }
                let digest = try settings.configurationDigest()
                if content.known[digest] == nil { content.known[digest] = settings }
            } catch { content.problems.append("\(error)") }
        }
        return true
    }

    private static func stamps(_ path: String) -> [Stamp] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
            return Stamp(
                name: name, size: attributes?[.size] as? Int ?? 0,
                modified: attributes?[.modificationDate] as? Date ?? .distantPast)
        }
    }

    /// All but the process's own, by their digests.
    package var others: [StreamsSettings] {
        content.known.filter { $0.value != main }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The configurations of a folder that may not be there: for clients, who only want to know whom to believe.
    package static func all(beside main: StreamsSettings, in path: String) throws(PriceStreamsError) -> [StreamsSettings] {
        var folder = try ConfigurationFolder(path: path, main: main)
        _ = folder.refresh()
        return folder.others
    }
}
