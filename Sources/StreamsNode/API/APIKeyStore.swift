// The file of API keys on the disk: read at the start, read again when it changed, changed by the command line. A gateway
// holds the opened secrets in memory and nowhere else.

import Configuration
import Ethereum
import Foundation
import Logging
import PriceStreams
import Synchronization

package final class APIKeyStore: Sendable {
    private struct State {
        var keys = APIKeys()
        var stamp: PrivateFile.Stamp?
        /// The sealed master key and what it opened to: scrypt is paid once.
        var master: (sealed: KeyFile, secret: Secret)?
    }

    package let path: String
    private let password: Secret
    private let state: Mutex<State>
    private let logger: Logger

    /// Reads the file. One that does not exist has no keys; a damaged one stops the start.
    package init(directory: String, password: Secret, logger: Logger) throws {
        path = "\(directory)/\(APIKeyFile.name)"
        self.password = password
        self.logger = logger
        state = Mutex(State())
        _ = try refresh()
    }

    package var current: APIKeys { state.withLock { $0.keys } }

    /// Reads the file again when it is another one than before.
    /// - Returns: whether the keys are other ones.
    package func refresh() throws -> Bool {
        let stamp = PrivateFile.Stamp(path)
        return try state.withLock { state in
            guard stamp != state.stamp else { return false }
            let before = state.keys
            guard stamp != nil else {
                state.stamp = nil
                state.keys = APIKeys()
                return state.keys != before
            }
            let file = try Self.read(path)
            let master: Secret
            if let known = state.master, known.sealed == file.master {
                master = known.secret
            } else {
                master = try file.openMaster(password)
                state.master = (file.master, master)
            }
            state.keys = try file.keys(master: master)
            state.stamp = stamp
            return state.keys != before
        }
    }

    /// Until the task is cancelled. A file that cannot be read leaves the keys as they were, and says so once.
    package func watch(_ changed: @Sendable () -> Void) async {
        var complaint: String?
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Limits.keysWatchMilliseconds))
            do {
                if try refresh() {
                    logger.notice("API keys read again", metadata: ["keys": "\(current.count)"])
                    changed()
                }
                complaint = nil
            } catch {
                let text = "\(error)"
                if text != complaint { logger.error("API keys cannot be read", metadata: ["reason": "\(text)"]) }
                complaint = text
            }
        }
    }

    private static func read(_ path: String) throws -> APIKeyFile {
        try APIKeyFile(decoding: KeyShelf.readPrivate(path, maximum: Limits.keysFileBytesMaximum))
    }
}

// MARK: - Changing, for the command line

extension APIKeyStore {
    /// A new key with a secret of 32 random bytes, as text.
    package static func random(
        user: String, feeds: [FeedID]?, nowMilliseconds: UInt64
    ) -> APIKey {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let uuid = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
            .map { Hex.encodeBare($0) }.joined(separator: "-")
        return APIKey(
            key: uuid, user: user, secret: Secret(Bytes(Hex.encodeBare(randomBytes(32)).utf8)),
            feeds: feeds.map { Set($0) }, created: nowMilliseconds)
    }

    /// Adds a key to the file of a gateway, which is made when it is not there.
    /// - Parameter work: what a guess of the password costs, for a new file.
    package static func add(
        _ key: APIKey, directory: String, password: Secret, work: KeyFile.Work = .standard
    ) throws {
        try SettingsFile.makeDirectory(directory)
        try change(directory, make: { try APIKeyFile(password: password, work: work) }) { file in
            try file.add(key, master: file.openMaster(password))
        }
    }

    /// Needs no password: nothing is opened.
    package static func revoke(_ key: String, directory: String) throws {
        try change(directory, make: { throw Self.noKeys(directory) }) { file in try file.revoke(key) }
    }

    /// All keys, disabled ones too. Needs no password.
    package static func list(directory: String) throws -> [APIKeyFile.Entry] {
        let path = "\(directory)/\(APIKeyFile.name)"
        return PrivateFile.Stamp(path) == nil ? [] : try read(path).entries
    }

    private static func noKeys(_ directory: String) -> StreamsNodeError {
        StreamsNodeError(
            .settings, "\(directory) holds no API keys", hint: "`causeway streams keys create` makes the first one")
    }

    private static func change(
        _ directory: String, make: () throws -> APIKeyFile, _ body: (inout APIKeyFile) throws -> Void
    ) throws {
        let path = "\(directory)/\(APIKeyFile.name)"
        try PrivateFile.change(path) {
            var file = PrivateFile.Stamp(path) == nil ? try make() : try read(path)
            try body(&file)
            return file.encoded
        }
    }
}
