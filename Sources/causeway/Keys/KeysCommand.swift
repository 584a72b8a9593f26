// causeway keys: makes, imports and shows keys. Secrets go into sealed files and nowhere else.

import ArgumentParser
import Configuration
import Ethereum
import Localnet
import Relayer

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Create, import and show keys.",
        discussion: """
            Key files are Web3 Secret Storage, mode 600, in folders of mode 700. Passwords come from --password-file or
            CAUSEWAY_KEYS_PASSWORD, never from the command line. Nothing is ever overwritten.

            Examples:
              causeway keys create --directory relayer-0/keys --chains ethereum,jovay --password-file password
              causeway keys show relayer-0/keys --name relayer-0         public parts, and the entry for cluster.yaml
              causeway keys address relayer-0/keys/report-signer.json
            """,
        subcommands: [
            KeysCreateCommand.self, KeysImportCommand.self, KeysShowCommand.self, KeysAddressCommand.self,
        ])
}

/// How much work a guess of the password costs.
struct SealOptions: ParsableArguments {
    @Flag(name: .long, help: "Weak sealing that opens fast, for tests and local networks.")
    var light = false

    var work: KeyFile.Work { light ? .light : .standard }
}

struct KeysCreateCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create the key set of a relayer, or one key.",
        discussion: """
            A relayer's set: report-signer, offchain, curve-committing, curve-executing, and for each chain a transmitter of each
            role. --file makes one key: account (secp256k1), ed25519 or curve.

            Examples:
              causeway keys create --directory relayer-0/keys --chains ethereum,jovay --password-file password
              causeway keys create --file deployer.json --password-file password
            """)
    static var path: String { "keys create" }

    @Option(name: .long, help: "Where the key set of a relayer goes.")
    var directory: String?

    @Option(name: .long, help: "The chains of the cluster as cluster.yaml names them, with commas.")
    var chains: String?

    @Option(name: .long, help: "One key goes here instead.")
    var file: String?

    @Option(name: .long, help: "account, ed25519 or curve; with --file.")
    var kind = KeyKind.account.rawValue

    @OptionGroup var seal: SealOptions
    @OptionGroup var password: PasswordOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (directory == nil) != (file == nil) else {
            throw ValidationError("--directory for the key set of a relayer, or --file for one key")
        }
        guard directory == nil || chains != nil else {
            throw ValidationError("--directory needs --chains: a relayer has transmitters of its own on each")
        }
        guard KeyKind(rawValue: kind) != nil else {
            throw ValidationError("--kind is account, ed25519 or curve, not '\(kind.prefix(40))'")
        }
        for chain in chainNames {
            guard !chain.isEmpty, chain.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
                !chain.hasPrefix(".")
            else { throw ValidationError("'\(chain.prefix(40))' is no name of a chain") }
        }
        guard Set(chainNames).count == chainNames.count else { throw ValidationError("--chains names a chain twice") }
    }

    private var chainNames: [String] {
        chains?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let password = try password.secret()
        if let file {
            try KeyStore.refuseExisting([file])
            let key = try NewKey.random(KeyKind(rawValue: kind) ?? .account)
            let part = try KeyStore.write(key, to: file, password: password, work: seal.work)
            out.data(["file": .string(file), "keys": .array([part.json])]) { "\(file)  \(part.text)\n" }
            return .done
        }
        let directory = directory ?? "."
        let set = RelayerKeySet(chains: chainNames)
        // All or nothing: no half of a set beside an old one.
        try KeyStore.refuseExisting(set.files.map { directory + "/" + $0.name })
        try KeyStore.makeFolder(directory)
        var parts: [PublicKeyPart] = []
        for (name, kind) in set.files {
            let key = try NewKey.random(kind)
            parts.append(try KeyStore.write(key, to: directory + "/" + name, password: password, work: seal.work))
            out.talk("made \(name)")
        }
        let json = JSON.array(parts.map(\.json))
        out.data(["directory": .string(directory), "keys": json]) { KeyListing.text(parts) }
        return .done
    }
}

struct KeysImportCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Seal a key that comes from stdin: hexadecimal, or a mnemonic.",
        discussion: """
            Reads one line: 32 bytes of hexadecimal, or the words of a mnemonic (then --index says which account; the path is
            that of every wallet, m/44'/60'/0'/0/INDEX). Words are taken as they stand: compare the address that is printed.

            Examples:
              causeway keys import --file deployer.json --password-file password < secret.txt
              causeway keys import --file account-3.json --index 3 --password-file password < words.txt
            """)
    static var path: String { "keys import" }

    @Option(name: .long, help: "Where the key goes.")
    var file: String

    @Option(name: .long, help: "account, ed25519 or curve.")
    var kind = KeyKind.account.rawValue

    @Option(name: .long, help: "Which account of a mnemonic.")
    var index: UInt32?

    @OptionGroup var seal: SealOptions
    @OptionGroup var password: PasswordOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard KeyKind(rawValue: kind) != nil else {
            throw ValidationError("--kind is account, ed25519 or curve, not '\(kind.prefix(40))'")
        }
        if let index, index >= 1 << 31 { throw ValidationError("--index is below 2147483648") }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let password = try password.secret()
        try KeyStore.refuseExisting([file])
        let text = readLine(strippingNewline: true) ?? ""
        guard text.utf8.count <= KeyShelf.passwordBytesMaximum else {
            throw CommandFailure("malformedKey", "the line on stdin has \(text.utf8.count) bytes")
        }
        let key = try Self.key(text, kind: KeyKind(rawValue: kind) ?? .account, index: index)
        let part = try KeyStore.write(key, to: file, password: password, work: seal.work)
        out.data(["file": .string(file), "keys": .array([part.json])]) { "\(file)  \(part.text)\n" }
        return .done
    }

    /// The text is in no error: it is the secret.
    static func key(_ text: String, kind: KeyKind, index: UInt32?) throws -> NewKey {
        let words = text.split(whereSeparator: \.isWhitespace)
        let bytes: Bytes
        if words.count > 1 || index != nil {
            guard kind == .account else {
                throw CommandFailure("malformedKey", "a mnemonic makes accounts, no \(kind.rawValue) key", status: .usage)
            }
            // Words may be of any list (BIP-39 hashes them as they are), so a misspelt one shows in the address only.
            guard [12, 15, 18, 21, 24].contains(words.count), let mnemonic = try? Mnemonic(words.joined(separator: " ")),
                let key = try? mnemonic.account(index ?? 0)
            else {
                throw CommandFailure(
                    "malformedKey", "stdin holds no mnemonic", hint: "12, 15, 18, 21 or 24 words on one line")
            }
            bytes = key.secret.bytes
        } else {
            guard let decoded = words.first.flatMap({ try? Hex.decode($0.hasPrefix("0x") ? $0 : "0x" + $0, count: 32) })
            else {
                throw CommandFailure(
                    "malformedKey", "stdin holds no key", hint: "one line: 32 bytes as 64 hexadecimal digits, or a mnemonic")
            }
            bytes = decoded
        }
        do { return try NewKey(kind, bytes) } catch {
            throw CommandFailure("malformedKey", "the bytes on stdin are no \(kind.rawValue) key")
        }
    }
}

struct KeysShowCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the public parts of key files; no password is needed.",
        discussion: """
            Takes a key file or a folder of them. With --name also the relayer's entry for cluster.yaml.

            Examples:
              causeway keys show relayer-0/keys
              causeway keys show relayer-0/keys --name relayer-0
            """)
    static var path: String { "keys show" }

    @Argument(help: "A key file or a folder.")
    var place: String

    @Option(name: .long, help: "The relayer's name: shows its entry for cluster.yaml.")
    var name: String?

    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let parts = try KeyListing.read(place)
        let chains = KeyListing.chains(parts)
        let entry = name.flatMap { RelayerKeySet.clusterEntry(name: $0, parts, chains: chains) }
        if name != nil && entry == nil {
            throw CommandFailure(
                "keyMissing", "\(place) holds no whole key set of a relayer",
                hint: "causeway keys create --directory makes one")
        }
        let isFolder = Files.isDirectory(place)
        var json = JSONObject([(isFolder ? "directory" : "file", .string(place)), ("keys", .array(parts.map(\.json)))])
        json["clusterEntry"] = entry.map { .string($0) } ?? .null
        out.data(.object(json)) { KeyListing.text(parts) + (entry.map { "\n" + $0 } ?? "") }
        return .done
    }
}

struct KeysAddressCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "address",
        abstract: "Print the address or public key of one key file, and nothing else.",
        discussion: """
            With --verify the file is opened, so that the password and what the file tells of itself are checked.

            Examples:
              causeway keys address relayer-0/keys/transmitter-jovay-executing.json
              causeway keys address deployer.json --verify --password-file password
            """)
    static var path: String { "keys address" }

    @Argument(help: "A key file.")
    var file: String

    @Flag(name: .long, help: "Open it with its password.")
    var verify = false

    @OptionGroup var password: PasswordOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let key = try KeyStore.open(file)
        let part = PublicKeyPart(key, file: file)
        if verify {
            let secret = try key.open(password: try password.secret())
            let real = try NewKey(part.kind, secret.bytes)
            guard real.address == part.address, real.publicKey == part.publicKey else {
                throw CommandFailure("keyMismatch", "\(file) tells \(part.text), but holds another key")
            }
        }
        out.data(["file": .string(file), "keys": .array([part.json])]) { part.text + "\n" }
        return .done
    }
}

/// Key files as a list.
enum KeyListing {
    /// Throws when there is none.
    static func read(_ place: String) throws -> [PublicKeyPart] {
        guard Files.isDirectory(place) else { return [PublicKeyPart(try KeyStore.open(place), file: place)] }
        try KeyShelf(directory: place).check()
        let names = Files.names(in: place).filter { $0.hasSuffix(".json") }
        guard !names.isEmpty else {
            throw CommandFailure("keyMissing", "\(place) holds no key files", hint: "causeway keys create --directory \(place)")
        }
        return try names.map { PublicKeyPart(try KeyStore.open(place + "/" + $0), file: place + "/" + $0) }
    }

    /// Names of chains that have a transmitter, in order.
    static func chains(_ parts: [PublicKeyPart]) -> [String] {
        parts.compactMap { part in
            guard let name = part.file.split(separator: "/").last, name.hasPrefix("transmitter-"),
                name.hasSuffix("-committing.json")
            else { return nil }
            return String(name.dropFirst("transmitter-".count).dropLast("-committing.json".count))
        }
    }

    static func text(_ parts: [PublicKeyPart]) -> String {
        var table = Table(["file", "kind", "public"])
        for part in parts { table.add(part.file, part.kind.rawValue, part.text) }
        return table.text()
    }
}
