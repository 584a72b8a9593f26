// Finds the public fixture archives and the project's own vectors, and unpacks archives beside no source file.
// Nothing here asserts; where fixtures are missing one line says what is left out.

import Ethereum
import Foundation

/// The root of the package that holds this file.
package enum PackageRoot {
    package static let url: URL = {
        var url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url
    }()
}

/// Groups of public fixtures: `CAUSEWAY_FIXTURES`, else `../shared/fixtures/evm` beside the package.
package enum Fixtures {
    package static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["CAUSEWAY_FIXTURES"] { return URL(fileURLWithPath: path) }
        return PackageRoot.url.deletingLastPathComponent().appendingPathComponent("shared/fixtures/evm")
    }()

    private static let lock = NSLock()
    nonisolated(unsafe) private static var known: [String: URL?] = [:]

    /// The folder into which the group's archives are unpacked; nil, after one line of output, when there are none.
    package static func group(_ name: String) -> URL? {
        lock.lock()
        defer { lock.unlock() }
        if let found = known[name] { return found }
        let result = unpack(name)
        if result == nil {
            print(
                "left out: no fixtures of group '\(name)' in \(directory.path); the public suites are ethereum/tests and "
                    + "ethereum/execution-spec-tests on GitHub, CAUSEWAY_FIXTURES names the folder of their archives")
        }
        known[name] = .some(result)
        return result
    }

    /// The files of a group whose path ends in `suffix`, in the order of their paths; empty without fixtures.
    package static func files(_ group: String, suffix: String = ".json") -> [URL] {
        guard let root = Self.group(group), let walk = FileManager.default.enumerator(atPath: root.path) else {
            return []
        }
        let paths = walk.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }
        return paths.sorted().map { root.appendingPathComponent($0) }
    }

    /// One file of a group by the end of its path; nil without fixtures.
    package static func file(_ group: String, _ suffix: String) -> URL? { files(group, suffix: suffix).first }

    package static func bytes(_ url: URL) throws -> Bytes { Bytes(try Data(contentsOf: url)) }

    package static func json(_ url: URL) throws -> JSON { try JSON.parse(bytes(url)) }

    private static func unpack(_ name: String) -> URL? {
        let source = directory.appendingPathComponent(name)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? []
        let archives = names.filter { $0.hasSuffix(".tar.gz") }.sorted()
        return archives.isEmpty ? nil : unpacked(archives.map { source.appendingPathComponent($0) })
    }

    /// The folder into which these archives are unpacked, once for each state of them; nil when tar fails. Members with
    /// absolute paths or `..` stay inside, as tar does it.
    package static func unpacked(_ archives: [URL]) -> URL? {
        let manager = FileManager.default
        var stamp = ""
        for archive in archives {
            let attributes = try? manager.attributesOfItem(atPath: archive.path)
            let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            stamp += "\(archive.path) \(attributes?[.size] as? UInt64 ?? 0) \(Int(time))\n"
        }
        let name = archives.first?.lastPathComponent.prefix { $0 != "." } ?? "none"
        let shelf = manager.temporaryDirectory.appendingPathComponent("causeway-fixtures-\(getuid())")
        let target = shelf.appendingPathComponent("\(name)-\(keccak256(text: stamp).hex.dropFirst(2).prefix(16))")
        if manager.fileExists(atPath: target.path) { return target }
        let draft = shelf.appendingPathComponent("draft-\(getpid())-\(target.lastPathComponent)")
        try? manager.removeItem(at: draft)
        do {
            try manager.createDirectory(at: draft, withIntermediateDirectories: true)
            for archive in archives {
                let tar = Process()
                tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                tar.arguments = [
                    "tar", "xf", archive.path, "-C", draft.path, "--no-same-owner", "--no-same-permissions",
                ]
                try tar.run()
                tar.waitUntilExit()
                guard tar.terminationStatus == 0 else {
                    try? manager.removeItem(at: draft)
                    return nil
                }
            }
            // Another process may have been first: its copy is as good.
            do { try manager.moveItem(at: draft, to: target) } catch { try? manager.removeItem(at: draft) }
            return manager.fileExists(atPath: target.path) ? target : nil
        } catch {
            return nil
        }
    }
}

/// The project's own vectors in Tests/Vectors.
package enum Vectors {
    package static func load(_ name: String) throws -> JSON {
        let url = PackageRoot.url.appendingPathComponent("Tests/Vectors").appendingPathComponent(name)
        return try JSON.parse(Bytes(try Data(contentsOf: url)))
    }
}
