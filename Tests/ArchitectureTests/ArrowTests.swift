// The map of the rooms (architecture.md section 2, decision 0001) against Package.swift and against the sources.

import Foundation
import TestSupport
import Testing

@Suite("Architecture")
struct ArrowTests {
    /// Height of each room: an arrow points downwards, or stays inside the same level where `sameLevel` allows it.
    static let pure: [String: Set<String>] = [
        "Ethereum": ["CKeccak", "CSecp256k1", "CLibCrypto"],
        "EVM": ["Ethereum", "CLibCrypto", "CPrecompiles"],
        "CCIP": ["Ethereum"],
        "OffchainReporting": ["Ethereum", "CCIP", "SwiftProtobuf"],
        "Committing": ["Ethereum", "CCIP", "OffchainReporting"],
        "Executing": ["Ethereum", "CCIP", "OffchainReporting"],
        "Transactions": ["Ethereum", "CCIP"],
        "Guarding": ["Ethereum", "CCIP"],
        "PriceStreams": ["Ethereum", "OffchainReporting"],
        "GuardMessages": ["SwiftProtobuf"],
    ]
    static let edges: Set<String> = ["Configuration", "JSONRPC", "MessageBus", "Storage", "Agreement", "ChainAccess"]
    static let assemblies: Set<String> = ["DevChain", "Relayer", "Watcher", "StreamsNode", "Localnet"]
    /// What a pure room must never import: clocks, files, sockets, threads, logs.
    static let worldly: Set<String> = [
        "Foundation", "FoundationEssentials", "Dispatch", "NIOCore", "NIOPosix", "Logging", "GRDB", "Yams", "CZeroMQ",
    ]

    struct Target {
        var name: String
        var imports: Set<String>
    }

    static func sources() throws -> [Target] {
        let root = PackageRoot.url.appendingPathComponent("Sources")
        let names = try FileManager.default.contentsOfDirectory(atPath: root.path).sorted()
        return try names.map { name in
            var imports: Set<String> = []
            let walk = FileManager.default.enumerator(atPath: root.appendingPathComponent(name).path)
            for case let path as String in walk ?? .init() where path.hasSuffix(".swift") {
                // Generated code, and the one file that touches it: the schema's bytes are Foundation's Data there.
                if path.hasSuffix(".pb.swift") || path.hasSuffix("Message+Wire.swift") { continue }
                let text = try String(contentsOf: root.appendingPathComponent(name).appendingPathComponent(path), encoding: .utf8)
                imports.formUnion(Self.imports(in: text))
            }
            return Target(name: name, imports: imports)
        }
    }

    static func imports(in text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") || ["package", "public", "internal", "private"].contains(first) {
                words.removeFirst()
            }
            guard words.first == "import", words.count >= 2 else { return nil }
            return words.count > 2 ? words[2].split(separator: ".").first.map(String.init) : words[1]
        }
    }

    static func violations(_ targets: [Target]) -> [String] {
        let names = Set(targets.map(\.name))
        return targets.flatMap { target -> [String] in
            let ours = target.imports.intersection(names)
            if let allowed = pure[target.name] {
                return target.imports.subtracting(allowed).filter { names.contains($0) || worldly.contains($0) }
                    .sorted().map { "\(target.name) imports \($0)" }
            }
            if edges.contains(target.name) {
                return ours.intersection(assemblies.union(["causeway", "EVM", "Committing", "Executing"])).sorted()
                    .map { "\(target.name) imports \($0)" }
            }
            if assemblies.contains(target.name) {
                var refused: Set<String> = ["causeway"]
                if target.name != "Localnet" { refused.formUnion(["Localnet", "Relayer", "Watcher", "StreamsNode", "DevChain"]) }
                refused.remove(target.name)
                return ours.intersection(refused).sorted().map { "\(target.name) imports \($0)" }
            }
            return []
        }
    }

    @Test("no arrow runs the wrong way, and every room is on the map")
    func arrows() throws {
        let targets = try Self.sources()
        #expect(targets.count >= 15)
        #expect(Self.violations(targets) == [])
        let known = Set(Self.pure.keys).union(Self.edges).union(Self.assemblies).union(["causeway"])
        #expect(targets.map(\.name).filter { !known.contains($0) && !$0.hasPrefix("C") } == [])
    }

    @Test("a planted arrow is found")
    func planted() {
        let text = "import Ethereum\npackage import struct Foundation.Data\n@testable import Relayer\n"
        #expect(Self.imports(in: text) == ["Ethereum", "Foundation", "Relayer"])
        let names = ["Ethereum", "Relayer"].map { Target(name: $0, imports: []) }
        #expect(Self.violations(names + [Target(name: "CCIP", imports: ["Foundation"])]) == ["CCIP imports Foundation"])
        #expect(Self.violations(names + [Target(name: "Storage", imports: ["Relayer"])]) == ["Storage imports Relayer"])
        #expect(Self.violations(names + [Target(name: "Executing", imports: ["Committing"])]) == [])
        let both = [Target(name: "Committing", imports: []), Target(name: "Executing", imports: ["Committing"])]
        #expect(Self.violations(both) == ["Executing imports Committing"])
    }

    /// Names of the CCIP room and of the ABI codec that would make a guard's derivation the relayers' one.
    static let shared = [
        "ABI.", "ABIType", "ABIValue", "ABICodec", "ABIEvent", "MerkleTree", "MultiProof", "leafHash", "MessageSentEvent",
        "MessageValidation", "MessageLane", "Any2EVMRampMessage", "EVM2AnyRampMessage", "HashDomain", "ExtraArgs(",
        "ExtraArgs.", "computedID(onRamp: lane",
    ]

    @Test("a guard derives ids, leaves and roots by code of its own")
    func independence() throws {
        let root = PackageRoot.url.appendingPathComponent("Sources/Guarding/Derivation")
        let files = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".swift") }
        #expect(files.count >= 4)
        for file in files {
            let text = try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
            for name in Self.shared { #expect(!text.contains(name), "\(file) uses \(name)") }
        }
        #expect(Self.shared.contains { "let tree = try MerkleTree(leaves: leaves)".contains($0) })
    }

    @Test("relayers and guards speak one schema, which stands once, and share no other code of their own")
    func schema() throws {
        let sources = try Self.sources()
        let speakers = sources.filter { $0.imports.contains("GuardMessages") }.map(\.name)
        #expect(speakers == ["Relayer", "Watcher"])
        #expect(try Self.files(named: "guard.pb.swift") == ["GuardMessages/Schema/guard.pb.swift"])
        let guardian = try #require(sources.first { $0.name == "Watcher" })
        #expect(guardian.imports.isDisjoint(with: ["Committing", "Executing", "OffchainReporting"]))
    }

    @Test("the page of wire formats names every schema, and every message of each")
    func wireFormats() throws {
        let page = try String(
            contentsOf: PackageRoot.url.appendingPathComponent("docs/reference/wire-formats.md"), encoding: .utf8)
        let schemas = try Self.files(suffix: ".proto")
        #expect(schemas.count >= 3)
        for schema in schemas {
            #expect(page.contains("Sources/" + schema), "\(schema)")
            let text = try String(
                contentsOf: PackageRoot.url.appendingPathComponent("Sources/" + schema), encoding: .utf8)
            let messages = text.split(separator: "\n").filter { $0.hasPrefix("message ") }
                .map { String($0.split(separator: " ")[1]) }
            #expect(!messages.isEmpty)
            for message in messages { #expect(page.contains("`\(message)`"), "\(schema): \(message)") }
        }
        #expect(!page.contains("`MessageThatNobodySends`"))
    }

    /// Paths below Sources.
    static func files(named name: String? = nil, suffix: String = "") throws -> [String] {
        let root = PackageRoot.url.appendingPathComponent("Sources")
        let paths = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { path in
            name.map { path.split(separator: "/").last.map(String.init) == $0 } ?? path.hasSuffix(suffix)
        }.sorted()
    }

    @Test("Package.swift lists for each room only what the map allows")
    func manifest() throws {
        let text = try String(contentsOf: PackageRoot.url.appendingPathComponent("Package.swift"), encoding: .utf8)
        for (room, allowed) in Self.pure {
            guard let start = text.range(of: "room(\"\(room)\"") ?? text.range(of: "name: \"\(room)\",") else {
                Issue.record("\(room) is not in Package.swift")
                continue
            }
            let end = text[start.upperBound...].range(of: "]")?.lowerBound ?? text.endIndex
            let listed = text[start.upperBound..<end].split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }
            for name in listed.map({ String($0.element) }) {
                #expect(allowed.contains(name), "\(room) depends on \(name)")
            }
        }
    }
}
