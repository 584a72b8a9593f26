// The file of API keys as a value: JSON in, JSON out, secrets sealed. Disks are APIKeyStore's.

import Ethereum
import PriceStreams

package struct APIKeyFile: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var key: String
        package var user: String
        /// Nil is every feed.
        package var feeds: [FeedID]?
        package var isDisabled: Bool
        /// Milliseconds since 1970.
        package var created: UInt64
        var secret: SealedSecret
    }

    /// Stands beside the reports of a gateway.
    package static let name = "api-keys.json"
    static let kind = "api-keys"

    /// The key under which the secrets are sealed, itself sealed by the gateway's password.
    let master: KeyFile
    package private(set) var entries: [Entry]

    /// A file without keys.
    init(password: Secret, work: KeyFile.Work) throws(EthereumError) {
        master = try KeyFile.sealed(Secret(randomBytes(32)), password: password, work: work, kind: Self.kind)
        entries = []
    }

    // MARK: Changing

    /// Adds a key. Throws `settings` for one that is there, a user without a name, a secret that cannot be.
    mutating func add(_ key: APIKey, master: Secret) throws(StreamsNodeError) {
        try Self.check(key)
        guard !entries.contains(where: { $0.key == key.key }) else {
            throw StreamsNodeError(.settings, "the key \(key.key) is there already", hint: "revoke it, and make a new one")
        }
        guard entries.count < Limits.apiKeysMaximum else {
            throw StreamsNodeError(.settings, "there are \(entries.count) keys already")
        }
        entries.append(
            Entry(
                key: key.key, user: key.user, feeds: key.feeds?.sorted(), isDisabled: key.isDisabled,
                created: key.created, secret: SealedSecret(key.secret, owner: key.key, master: master)))
    }

    /// Disables a key for good; its line stays, so that nobody gets the same one again.
    mutating func revoke(_ key: String) throws(StreamsNodeError) {
        guard let index = entries.firstIndex(where: { $0.key == key }) else {
            throw StreamsNodeError(.settings, "there is no key \(key)", hint: "`causeway streams keys list` shows them")
        }
        entries[index].isDisabled = true
    }

    private static func check(_ key: APIKey) throws(StreamsNodeError) {
        guard (1...Limits.userNameBytesMaximum).contains(key.user.utf8.count),
            key.user.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f })
        else {
            throw StreamsNodeError(
                .settings, "'\(key.user.prefix(70))' is no name of a user",
                hint: "1 to \(Limits.userNameBytesMaximum) letters without blanks")
        }
        guard (1...64).contains(key.key.utf8.count), key.key.utf8.allSatisfy(isKeyLetter) else {
            throw StreamsNodeError(.settings, "'\(key.key.prefix(70))' is no API key", hint: "a UUID is the custom")
        }
        guard (1...Limits.apiSecretBytesMaximum).contains(key.secret.bytes.count) else {
            throw StreamsNodeError(.settings, "a secret has 1 to \(Limits.apiSecretBytesMaximum) bytes")
        }
    }

    private static func isKeyLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
        default: false
        }
    }

    // MARK: Opening

    func openMaster(_ password: Secret) throws(StreamsNodeError) -> Secret {
        do { return try master.open(password: password) } catch {
            throw StreamsNodeError(.settings, "the file of API keys does not open: \(error.message)", hint: "check the password")
        }
    }

    func keys(master: Secret) throws(StreamsNodeError) -> APIKeys {
        var keys: [APIKey] = []
        for entry in entries {
            guard let secret = entry.secret.open(owner: entry.key, master: master) else {
                throw StreamsNodeError(
                    .settings, "the secret of key \(entry.key) does not open", hint: "the file was changed by hand")
            }
            keys.append(
                APIKey(
                    key: entry.key, user: entry.user, secret: secret, feeds: entry.feeds.map { Set($0) },
                    isDisabled: entry.isDisabled, created: entry.created))
        }
        return APIKeys(keys)
    }

    // MARK: JSON

    var encoded: Bytes {
        let keys = entries.map { entry in
            JSON.object(JSONObject([
                ("key", .string(entry.key)), ("user", .string(entry.user)),
                ("feeds", entry.feeds.map { .array($0.map { .string($0.text) }) } ?? "all"),
                ("disabled", .bool(entry.isDisabled)), ("created", .integer(entry.created)),
                ("secret", .string(entry.secret.text)),
            ]))
        }
        let file = JSON.object(JSONObject([("version", 1), ("master", master.json), ("keys", .array(keys))]))
        return Bytes(file.pretty.utf8)
    }

    package init(decoding bytes: Bytes) throws(StreamsNodeError) {
        func refuse(_ why: String) -> StreamsNodeError {
            StreamsNodeError(
                .settings, "no file of API keys: \(why)", hint: "change it with `causeway streams keys` only")
        }
        guard bytes.count <= Limits.keysFileBytesMaximum else { throw refuse("\(bytes.count) bytes") }
        guard let json = try? JSON.parse(bytes) else { throw refuse("it is no JSON") }
        guard json["version"]?.asInt == 1 else { throw refuse("'version' is not 1") }
        guard let sealed = json["master"], let master = try? KeyFile.decode(sealed), master.kind == Self.kind else {
            throw refuse("'master' is no sealed key")
        }
        guard let items = json["keys"]?.asArray, items.count <= Limits.apiKeysMaximum else {
            throw refuse("'keys' is no list")
        }
        self.master = master
        entries = []
        var known: Set<String> = []
        for item in items {
            guard let entry = Entry(item), known.insert(entry.key).inserted else {
                throw refuse("entry \(entries.count) of 'keys' is malformed, or its key is there twice")
            }
            entries.append(entry)
        }
    }
}

extension APIKeyFile.Entry {
    fileprivate init?(_ json: JSON) {
        guard let key = json["key"]?.asString, let user = json["user"]?.asString,
            let isDisabled = json["disabled"]?.asBool, let created = json["created"]?.asUInt256?.asUInt64,
            let secret = json["secret"]?.asString.flatMap({ SealedSecret(text: $0) })
        else { return nil }
        var feeds: [FeedID]?
        if let list = json["feeds"]?.asArray {
            let ids = list.compactMap { $0.asString.flatMap { try? FeedID(text: $0) } }
            guard ids.count == list.count else { return nil }
            feeds = ids
        } else if json["feeds"]?.asString != "all" {
            return nil
        }
        self.init(key: key, user: user, feeds: feeds, isDisabled: isDisabled, created: created, secret: secret)
    }
}
