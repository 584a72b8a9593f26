// The file of withheld feeds on the disk: read at the start, read again when it changed, changed by the command line.

import Configuration
import Ethereum
import Foundation
import Logging
import PriceStreams
import Synchronization

package final class WithheldStore: Sendable {
    private struct State {
        var file = WithheldFile()
        var stamp: PrivateFile.Stamp?
    }

    package let path: String
    private let state = Mutex(State())
    private let logger: Logger

    /// Reads the file. One that does not exist withholds nothing; a damaged one stops the start: better no gateway than
    /// one that publishes what it must not.
    package init(directory: String, logger: Logger) throws {
        path = "\(directory)/\(WithheldFile.name)"
        self.logger = logger
        _ = try refresh()
    }

    package var standing: Set<FeedID> { state.withLock { $0.file.standing } }

    /// Reads the file again when it is another one than before.
    /// - Returns: what was withheld or released since; nothing when it is as before.
    package func refresh() throws -> [WithheldFile.Entry] {
        let stamp = PrivateFile.Stamp(path)
        return try state.withLock { state in
            guard stamp != state.stamp else { return [] }
            guard stamp != nil else {
                throw StreamsNodeError(
                    .settings, "\(path) was removed; the feeds that it withheld stay withheld",
                    hint: "`causeway streams release` lets them go on")
            }
            let (before, file) = (state.file, try Self.read(path))
            state.file = file
            state.stamp = stamp
            return file.entries.filter { !before.entries.contains($0) }
        }
    }

    /// Until the task is cancelled. A file that cannot be read leaves everything as it was, and says so once.
    package func watch(_ changed: @Sendable (Set<FeedID>) -> Void) async {
        var complaint: String?
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Limits.keysWatchMilliseconds))
            do {
                let news = try refresh()
                complaint = nil
                guard !news.isEmpty else { continue }
                changed(standing)
                for entry in news { log(entry) }
            } catch {
                let text = "\(error)"
                if text != complaint { logger.error("withheld feeds cannot be read", metadata: ["reason": "\(text)"]) }
                complaint = text
            }
        }
    }

    private func log(_ entry: WithheldFile.Entry) {
        if let release = entry.released {
            logger.notice("feed released", metadata: [
                "feed": "\(entry.feedID)", "by": "\(release.by)", "reason": "\(release.why)",
            ])
        } else {
            logger.warning("feed withheld", metadata: [
                "feed": "\(entry.feedID)", "by": "\(entry.by)", "reason": "\(entry.why)",
            ])
        }
    }

    private static func read(_ path: String) throws -> WithheldFile {
        try WithheldFile(decoding: KeyShelf.readPrivate(path, maximum: Limits.withheldFileBytesMaximum))
    }
}

// MARK: - For the command line

extension WithheldStore {
    /// All entries, in the order in which feeds were withheld.
    package static func list(directory: String) throws -> [WithheldFile.Entry] {
        let path = "\(directory)/\(WithheldFile.name)"
        return PrivateFile.Stamp(path) == nil ? [] : try read(path).entries
    }

    /// Withholds feeds, or releases them; the running gateway of this directory takes it within a second.
    /// - Returns: those of which it is new.
    package static func change(
        _ feeds: [FeedID], isWithheld: Bool, directory: String, by name: String, why: String, nowMilliseconds now: UInt64
    ) throws -> [FeedID] {
        try SettingsFile.makeDirectory(directory)
        let path = "\(directory)/\(WithheldFile.name)"
        var changed: [FeedID] = []
        try PrivateFile.change(path) {
            var file = PrivateFile.Stamp(path) == nil ? WithheldFile() : try read(path)
            changed = feeds.filter { feed in
                isWithheld
                    ? file.withhold(feed, by: name, why: why, at: now) : file.release(feed, by: name, why: why, at: now)
            }
            return file.encoded
        }
        return changed
    }
}
