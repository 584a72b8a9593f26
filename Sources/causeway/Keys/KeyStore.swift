// Key files on disk, and the passwords that open them: modes are checked, nothing is overwritten.

import ArgumentParser
import Configuration
import Ethereum
import Glibc
import Localnet
import MessageBus
import Relayer

struct PasswordOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The file that holds the password of key files. Else CAUSEWAY_KEYS_PASSWORD.", valueName: "path"))
    var passwordFile: String?

    /// Throws `passwordMissing`, or what is wrong with the file.
    func secret() throws -> Secret {
        if let passwordFile {
            let bytes = try KeyShelf.readPrivate(passwordFile, maximum: KeyShelf.passwordBytesMaximum)
            return try Self.checked(bytes.last == 0x0a ? Bytes(bytes.dropLast()) : bytes)
        }
        guard let text = Files.environment("CAUSEWAY_KEYS_PASSWORD") else {
            throw CommandFailure(
                "passwordMissing", "no password for the key files",
                hint: "--password-file FILE (mode 600), or CAUSEWAY_KEYS_PASSWORD", status: .usage)
        }
        return try Self.checked(Bytes(text.utf8))
    }

    private static func checked(_ bytes: Bytes) throws -> Secret {
        guard !bytes.isEmpty else { throw CommandFailure("passwordMissing", "the password is empty") }
        return Secret(bytes)
    }
}

/// What a key is for.
enum KeyKind: String, Sendable, CaseIterable {
    /// secp256k1: signs reports or transactions.
    case account
    case ed25519
    case curve
}

/// The public part of one key file.
struct PublicKeyPart: Sendable, Equatable {
    let file: String
    let kind: KeyKind
    let address: Address?
    let publicKey: Bytes?

    init(file: String, kind: KeyKind, address: Address?, publicKey: Bytes?) {
        self.file = file
        self.kind = kind
        self.address = address
        self.publicKey = publicKey
    }

    init(_ key: KeyFile, file: String) {
        self.init(
            file: file, kind: key.kind.flatMap(KeyKind.init(rawValue:)) ?? .account, address: key.address,
            publicKey: key.publicKey)
    }

    /// CURVE keys go into cluster files in this form.
    var z85: String? {
        guard kind == .curve, let publicKey else { return nil }
        return (try? CurvePublicKey(bytes: publicKey))?.z85
    }

    /// What others must know of it.
    var text: String { z85 ?? address?.checksummed ?? publicKey.map { Hex.encode($0) } ?? "not told by the file" }

    var json: JSON {
        [
            "file": .string(file), "kind": .string(kind.rawValue),
            "address": address.map { .string($0.checksummed) } ?? .null,
            "publicKey": publicKey.map { .data($0) } ?? .null, "z85": z85.map { .string($0) } ?? .null,
        ]
    }
}

/// A secret before it is sealed.
struct NewKey: Sendable {
    let kind: KeyKind
    let secret: Secret
    let address: Address?
    let publicKey: Bytes?

    /// Throws when the bytes are no key of this kind.
    init(_ kind: KeyKind, _ bytes: Bytes) throws {
        self.kind = kind
        secret = Secret(bytes)
        switch kind {
        case .account:
            address = try PrivateKey(bytes: bytes).address
            publicKey = nil
        case .ed25519:
            address = nil
            publicKey = try Ed25519PrivateKey(bytes: bytes).publicKey
        case .curve:
            address = nil
            publicKey = try CurveKeyPair(secretKey: CurveSecretKey(bytes: bytes)).publicKey.bytes
        }
    }

    static func random(_ kind: KeyKind) throws -> NewKey {
        switch kind {
        case .account: try NewKey(kind, PrivateKey.random().secret.bytes)
        case .ed25519, .curve: try NewKey(kind, randomBytes(32))
        }
    }

    func sealed(_ password: Secret, _ work: KeyFile.Work) throws -> KeyFile {
        try KeyFile.sealed(
            secret, password: password, work: work, address: address, kind: kind == .account ? nil : kind.rawValue,
            publicKey: publicKey)
    }
}

enum KeyStore {
    /// Throws what is wrong with mode or content.
    static func open(_ path: String) throws -> KeyFile {
        let bytes = try KeyShelf.readPrivate(path, maximum: KeyShelf.keyFileBytesMaximum)
        do { return try KeyFile.decode(bytes) } catch {
            throw CommandFailure("keyUnreadable", "\(path): \(error.message)")
        }
    }

    /// Refuses a path at which something stands.
    static func refuseExisting(_ paths: [String]) throws {
        let standing = paths.filter { Files.exists($0) }
        guard standing.isEmpty else {
            throw CommandFailure(
                "keyExists", "\(standing[0]) is there already" + (standing.count > 1 ? ", and \(standing.count - 1) more" : ""),
                hint: "keys are never overwritten: choose another place, or move the old ones away")
        }
    }

    /// Writes a new file of mode 0600; the kernel refuses it when one appeared meanwhile.
    static func write(_ key: NewKey, to path: String, password: Secret, work: KeyFile.Work) throws -> PublicKeyPart {
        let file = try key.sealed(password, work)
        let bytes = file.encoded + [0x0a]
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let why = String(cString: strerror(errno))
            throw CommandFailure("fileFailed", "cannot write \(path): \(why)")
        }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else {
            unlink(path)
            throw CommandFailure("fileFailed", "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        return PublicKeyPart(file, file: path)
    }

    /// The folder itself gets mode 0700 when it is new, and is refused when others can enter it.
    static func makeFolder(_ path: String) throws {
        if !Files.exists(path) {
            try Files.makeDirectory(path, mode: 0o700)
            chmod(path, 0o700)
        }
        try KeyShelf(directory: path).check()
    }
}

/// The keys that one relayer needs, by file name.
struct RelayerKeySet: Sendable, Equatable {
    let files: [(name: String, kind: KeyKind)]

    init(chains: [String]) {
        var files: [(name: String, kind: KeyKind)] = [
            (RelayerKeys.FileName.reportSigner, .account), (RelayerKeys.FileName.offchain, .ed25519),
        ]
        let roles: [RelayerRole] = [.committing, .executing]
        for role in roles { files.append((RelayerKeys.FileName.curve(role), .curve)) }
        for chain in chains {
            for role in roles { files.append((RelayerKeys.FileName.transmitter(chain, role), .account)) }
        }
        self.files = files
    }

    static func == (a: RelayerKeySet, b: RelayerKeySet) -> Bool {
        a.files.map(\.name) == b.files.map(\.name) && a.files.map(\.kind) == b.files.map(\.kind)
    }
}

extension RelayerKeySet {
    /// The relayer's entry in cluster.yaml, as far as keys tell it: addresses of sockets are left to be filled in.
    static func clusterEntry(name: String, _ parts: [PublicKeyPart], chains: [String]) -> String? {
        func text(_ file: String) -> String? {
            parts.first { $0.file.hasSuffix("/" + file) || $0.file == file }?.text
        }
        guard let offchain = text(RelayerKeys.FileName.offchain), let signer = text(RelayerKeys.FileName.reportSigner),
            let committing = text(RelayerKeys.FileName.curve(.committing)),
            let executing = text(RelayerKeys.FileName.curve(.executing))
        else { return nil }
        var lines = """
              - name: \(name)
                offchainPublicKey: "\(offchain)"
                reportSigner: "\(signer)"
                committing: {curvePublicKey: '\(committing)', mesh: "tcp://HOST:PORT"}
                executing: {curvePublicKey: '\(executing)', mesh: "tcp://HOST:PORT"}
                transmitters:

            """
        for chain in chains {
            guard let first = text(RelayerKeys.FileName.transmitter(chain, .committing)),
                let second = text(RelayerKeys.FileName.transmitter(chain, .executing))
            else { return nil }
            lines += "      \(chain): {committing: \"\(first)\", executing: \"\(second)\"}\n"
        }
        return lines
    }
}
