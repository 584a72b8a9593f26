// Finds groups of fixtures: under the default directory, or wherever someone points. Folders, archives and loose files
// are all taken; what is in a file decides how it is run.

import Foundation
import TestSupport

/// Files that are told of in one line.
struct FixtureGroup: Sendable, CustomStringConvertible {
    struct Member: Sendable {
        let url: URL
        /// Begins with the group's folder.
        let path: String
    }

    let name: String
    let members: [Member]

    var description: String { name }
}

struct FixtureGroups {
    /// Groups that other tests run, or that are not for passing.
    static let elsewhere = [
        "jsonrpc": "requests and answers of a whole node, run by the tests of the development chain",
        "bench": "programs for timing, run by the benchmarks",
    ]

    private(set) var groups: [FixtureGroup] = []
    /// Names of `elsewhere` that were found.
    private(set) var passedOver: [String] = []
    private let root: URL

    /// Throws for a path where nothing is.
    init(at root: URL) throws {
        self.root = root.standardizedFileURL.resolvingSymlinksInPath()
        guard FileManager.default.fileExists(atPath: self.root.path) else {
            throw Mismatch("there is nothing at \(root.path)")
        }
        if Self.isArchive(self.root) {
            try addArchive(self.root, named: Self.stem(self.root))
        } else {
            try addFolder(self.root)
        }
        groups.sort { $0.name < $1.name }
    }

    /// A folder of groups, one group, or loose files.
    private mutating func addFolder(_ folder: URL) throws {
        let entries = try Self.entries(folder)
        var loose: [FixtureGroup.Member] = []
        for entry in entries {
            if Self.isArchive(entry) {
                try addArchive(entry, named: Self.stem(entry))
            } else if Self.isFolder(entry) {
                let inside = try Self.entries(entry)
                let archives = inside.filter(Self.isArchive)
                if archives.isEmpty {
                    add(entry.lastPathComponent, Self.members(entry, below: folder))
                } else {
                    for archive in archives { try addArchive(archive, named: entry.lastPathComponent) }
                }
            } else if Self.isTest(entry) {
                loose.append(FixtureGroup.Member(url: entry, path: entry.lastPathComponent))
            }
        }
        add(folder.lastPathComponent, loose)
    }

    private mutating func addArchive(_ archive: URL, named name: String) throws {
        if Self.elsewhere[name] != nil { return passedOver.append(name) }
        guard let folder = Fixtures.unpacked([archive]) else {
            throw Mismatch("tar could not unpack \(archive.path)")
        }
        add(name, Self.members(folder, below: folder))
    }

    /// Parts of one group that came from several places are one group.
    private mutating func add(_ name: String, _ members: [FixtureGroup.Member]) {
        if Self.elsewhere[name] != nil { return passedOver.append(name) }
        guard !members.isEmpty else { return }
        let before = groups.first { $0.name == name }?.members ?? []
        groups.removeAll { $0.name == name }
        groups.append(FixtureGroup(name: name, members: (before + members).sorted { $0.path < $1.path }))
    }

    // MARK: Files

    /// All test files below a folder. Links are not followed: an archive could point anywhere.
    private static func members(_ folder: URL, below root: URL) -> [FixtureGroup.Member] {
        let keys: [URLResourceKey] = [.isRegularFileKey]
        guard let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: keys) else { return [] }
        var members: [FixtureGroup.Member] = []
        for case let url as URL in walk where isTest(url) {
            guard (try? url.resourceValues(forKeys: Set(keys)))?.isRegularFile == true else { continue }
            let path = url.standardizedFileURL.path
            let base = root.standardizedFileURL.path + "/"
            members.append(
                FixtureGroup.Member(url: url, path: path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path))
        }
        return members
    }

    private static func entries(_ folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    private static func isFolder(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
    }

    private static func isTest(_ url: URL) -> Bool { ["json", "yaml"].contains(url.pathExtension) }

    private static func isArchive(_ url: URL) -> Bool {
        [".tar.gz", ".tgz", ".tar"].contains { url.lastPathComponent.hasSuffix($0) }
    }

    private static func stem(_ archive: URL) -> String {
        String(archive.lastPathComponent.prefix { $0 != "." })
    }
}
