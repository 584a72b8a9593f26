// Files of every kind with one thing wrong, for every key that they have: mistyped, of another type, out of range, twice,
// left out; and files that are too large, empty or no YAML. Whatever a key is, the refusal names file, line and key.

import Configuration
import Ethereum
import Foundation
import Localnet
import TestSupport
import Testing

@testable import causeway

/// A whole file of one kind, and how the command reads it.
struct FileOfAKind: Sendable, CustomTestStringConvertible {
    let kind: String
    let text: String
    /// Keys that are names of the user's own; any other name may stand there too.
    let free: Set<String>
    let read: @Sendable (String) throws -> Void

    var testDescription: String { kind }
    var file: String { "\(kind).yaml" }

    /// The refusal as people see it; nil when the text is taken.
    func refusal(_ text: String) -> CommandFailure? {
        do { try read(text) } catch { return CommandFailure(error) }
        return nil
    }
}

/// One key of a file, where it stands.
struct KeyPlace {
    let line: Int
    let key: String
    /// What stands behind it on its line; empty for nested values below.
    let value: String
    /// Whether key and value are the whole line.
    let isWholeLine: Bool
    let range: Range<String.Index>

    /// All keys of a text but those in comments, in the order of the file.
    static func all(in text: String) -> [KeyPlace] {
        var places: [KeyPlace] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard !line.drop(while: { $0 == " " }).hasPrefix("#") else { continue }
            for match in line.matches(of: /(?:^|[ {])(([A-Za-z][A-Za-z0-9]*):(?: ([^ ,{}\[][^,}]*))?)(?=$|[ ,}])/) {
                let entry = match.output.1
                let isFirst = line[..<entry.startIndex].allSatisfy { $0 == " " || $0 == "-" }
                places.append(
                    KeyPlace(
                        line: number + 1, key: String(match.output.2), value: match.output.3.map(String.init) ?? "",
                        isWholeLine: isFirst && entry.endIndex == line.endIndex, range: entry.startIndex..<entry.endIndex))
            }
        }
        return places
    }

    func replaced(in text: String, key: String? = nil, value: String? = nil) -> String {
        let new = "\(key ?? self.key):" + ((value ?? self.value).isEmpty ? "" : " \(value ?? self.value)")
        return text.replacingCharacters(in: range, with: new)
    }
}

@Suite("malformed configuration of every kind")
struct MalformedConfigurationTests {
    static let address = "\"0x00000000000000000000000000000000000000a1\""
    static func key(_ digit: String) -> String { "\"0x" + String(repeating: digit, count: 64) + "\"" }

    static let guardText = """
        version: 1
        cluster: cluster.yaml
        guard: guard-0
        dataDirectory: data
        keys:
          directory: keys
          passwordFile: password
        endpoints:
          ethereum:
            urls: ["http://127.0.0.1:8545", "http://127.0.0.1:9545"]
            quorum: 2
          jovay: {urls: ["http://127.0.0.1:8546"], quorum: 1}
        http: 127.0.0.1:9400
        pollMilliseconds: 1000
        graceMilliseconds: 60000
        logLevel: info
        limits:
          - {from: ethereum, pool: \(address), perMessage: 1000, perRoot: 5000}

        """

    static let deploymentText: String = {
        var text = """
            version: 1
            deployer:
              keyFile: deployer.json
              passwordFile: password
            chains:
              - name: ethereum
                chainId: 11155111
                selector: 16015286601757825753
                rpc: "http://127.0.0.1:1"
                nativePriceUSD: 3000
                gasPriceWei: 2000000000
              - {name: jovay, chainId: 2019775, selector: 945045181441419236, rpc: "http://127.0.0.1:2", nativePriceUSD: 3000}
            tokens:
              - {symbol: LINK, priceUSD: 15, link: true}
              - symbol: USDX
                decimals: 6
                priceUSD: 1
                lockedOn: [ethereum]
                rateLimit: {capacity: 1000000, ratePerSecond: 10}
            manualExecutionSeconds: 3600
            transmitterFundingWei: 5
            receivers: true
            cluster:
              faulty: 1
              relayers:

            """
        for digit in 1...4 {
            text += "    - peerId: \(key("\(digit)"))\n      reportSigner: \(address)\n      transmitters:\n"
            for chain in ["ethereum", "jovay"] {
                text += "        \(chain):\n          committing: \(address)\n          executing: \(address)\n"
            }
        }
        return text
    }()

    static let adoptionText = """
        version: 1
        name: adopted
        faulty: 1
        chains:
          - name: ethereum
            rpc: "http://127.0.0.1:1"
            chainId: 61001
            selector: 16015286601757825753
            startBlock: 5
            finality: {tag: finalized, offset: 1}
            contracts:
              offRamp: \(address)
            batchGasLimit: 6500000
          - {name: jovay, rpc: "http://127.0.0.1:2", finality: {depth: 5}, router: \(address)}
        pollMilliseconds: 500
        logLevel: info
        relayers:
          - name: node-0
            signer: \(key("1"))
            transmitter: \(key("2"))
          - {name: node-1, signer: \(key("3")), transmitter: \(key("4"))}

        """

    static func project(_ path: String) -> String {
        (try? String(contentsOf: PackageRoot.url.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }

    static let clusterText = project("relayer-config/cluster.yaml")
    /// Prices that come from streams, with every key that they can have.
    static let streamsText = clusterText
        .replacing(
            "      - {token: \"0xA51c1fc2f0D1a1b8494Ed1FE312d7C3a78Ed91C0\", usd: \"1000000000000000000\"}",
            with: """
                      - token: "0xA51c1fc2f0D1a1b8494Ed1FE312d7C3a78Ed91C0"
                        stream: "0x000b\(String(repeating: "1", count: 60))"
                        decimals: 18
                        maximumAgeSeconds: 45
                        deviationPPB: 5000000
                    nativePrice:
                      stream: "0x0003\(String(repeating: "2", count: 60))"
                      maximumAgeSeconds: 90
                """) + """
            priceStreams:
              configurations:
                - digest: \(key("9"))
                  don: 1
                  faulty: 1
                  signers: [\((1...4).map { "\"0x" + String(repeating: "\($0)", count: 40) + "\"" }.joined(separator: ", "))]
              feeds:
                - id: "0x000b\(String(repeating: "1", count: 60))"
                  don: 1
                  decimals: 18
                  hours: equities24x5
                  maximumPriceAgeSeconds: 120
                  spreadMaximumPPM: 5000
                  minimum: 1000
                  maximum: 1000000000000000000000000

            """

    static let guards = """
        guards:
          - name: guard-0
            signer: \(address)
            curvePublicKey: 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7'
            mesh: "tcp://127.0.0.1:7101"

        """

    /// Written beside the cluster's file and read by path, as the command reads it.
    static func onDisk(_ kind: ConfigurationKind) -> @Sendable (String) throws -> Void {
        { text in
            let name = "causeway-config-\(UUID().uuidString)"
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let cluster = clusterText + (kind == .guardian ? guards : "")
            try cluster.write(to: folder.appendingPathComponent("cluster.yaml"), atomically: false, encoding: .utf8)
            let path = folder.appendingPathComponent("\(kind.rawValue).yaml")
            try text.write(to: path, atomically: false, encoding: .utf8)
            _ = try ConfigurationFiles.values(path.path, kind: kind)
        }
    }

    static let files: [FileOfAKind] = [
        FileOfAKind(kind: "cluster", text: clusterText, free: ["ethereum", "jovay"], read: onDisk(.cluster)),
        FileOfAKind(kind: "cluster", text: streamsText, free: ["ethereum", "jovay"], read: onDisk(.cluster)),
        FileOfAKind(
            kind: "relayer", text: project("relayer-config/relayer-0.yaml") + """
                priceStreams:
                  origins: ["https://streams-a.example", "http://127.0.0.1:9600"]
                  keyFile: streams-key.json
                  timeoutMilliseconds: 500
                  trustedCertificatesFile: issuers.pem

                """, free: ["ethereum", "jovay"],
            read: onDisk(.relayer)),
        FileOfAKind(kind: "guard", text: guardText, free: ["ethereum", "jovay"], read: onDisk(.guardian)),
        FileOfAKind(kind: "deployment", text: deploymentText, free: ["ethereum", "jovay"], read: onDisk(.deployment)),
        FileOfAKind(kind: "profile", text: project("chains/profiles/jovay.yaml"), free: [], read: onDisk(.profile)),
        // Any name may stand among the contracts: of receivers, say.
        FileOfAKind(kind: "adoption", text: adoptionText, free: ["offRamp"]) { text in
            _ = try AdoptionFile(text: text, file: "adoption.yaml", folder: "/nowhere")
        },
    ]

    private static func indent(_ line: String) -> Int { line.prefix { $0 == " " }.count }

    private func expect(
        _ file: FileOfAKind, _ changed: String, _ place: KeyPlace, says words: [String],
        _ location: SourceLocation = #_sourceLocation
    ) {
        let label = "\(file.kind) line \(place.line) '\(place.key)'"
        guard let failure = file.refusal(changed) else {
            Issue.record("\(label) was taken", sourceLocation: location)
            return
        }
        for word in words + [file.file] {
            #expect(failure.description.contains(word), "\(label): \(failure)", sourceLocation: location)
        }
    }

    @Test("a good file of every kind is taken, and has keys to try", arguments: files)
    func good(_ file: FileOfAKind) {
        #expect(file.refusal(file.text) == nil, "\(file.refusal(file.text).map { "\($0)" } ?? "")")
        #expect(KeyPlace.all(in: file.text).count >= 15)
    }

    @Test("every key that is mistyped is named with its line, and the right one beside it", arguments: files)
    func mistyped(_ file: FileOfAKind) {
        for place in KeyPlace.all(in: file.text) where place.key.count >= 3 && !file.free.contains(place.key) {
            var letters = Array(place.key)
            letters[letters.count / 2] = "z"
            let wrong = String(letters)
            guard wrong != place.key else { continue }
            let changed = place.replaced(in: file.text, key: wrong)
            expect(file, changed, place, says: [place.key, wrong, "\(place.line)"])
        }
    }

    @Test("keys and values where one value belongs are refused with the line", arguments: files)
    func wrongTypes(_ file: FileOfAKind) {
        for place in KeyPlace.all(in: file.text) where place.isWholeLine && !place.value.isEmpty {
            expect(file, place.replaced(in: file.text, value: "{zz: 1}"), place, says: [place.key, ":\(place.line)"])
        }
    }

    @Test("numbers below and beyond all ranges are refused with line and key", arguments: files)
    func ranges(_ file: FileOfAKind) {
        var tried = 0
        for place in KeyPlace.all(in: file.text) where Int(place.value) != nil || UInt64(place.value) != nil {
            // The code of a JSON-RPC error may well be below zero.
            let low = place.key == "nonceErrorCode" ? [] : ["-1"]
            for value in low + ["1" + String(repeating: "0", count: 80), "soon"] {
                expect(file, place.replaced(in: file.text, value: value), place, says: [place.key, ":\(place.line)"])
                tried += 1
            }
        }
        #expect(tried >= 9)
    }

    @Test("a key that stands twice is refused by name", arguments: files)
    func twice(_ file: FileOfAKind) {
        for place in KeyPlace.all(in: file.text) where place.isWholeLine && !place.value.isEmpty {
            var lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            lines.insert(lines[place.line - 1].replacing("- ", with: "  ", maxReplacements: 1), at: place.line)
            expect(file, lines.joined(separator: "\n"), place, says: [place.key])
        }
    }

    @Test("a key that must be there and is left out is named", arguments: files)
    func missing(_ file: FileOfAKind) {
        var refused = 0
        for place in KeyPlace.all(in: file.text) where place.isWholeLine && !place.value.isEmpty {
            var lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            // The rule decides which other keys there are; a section without its only key is another mistake.
            let line = lines[place.line - 1]
            let isAlone =
                place.line > 1 && lines[place.line - 2].hasSuffix(":") && Self.indent(lines[place.line]) < Self.indent(line)
            guard place.key != "rule", !isAlone, !line.contains("- ") else { continue }
            lines.remove(at: place.line - 1)
            guard let failure = file.refusal(lines.joined(separator: "\n")) else { continue }
            refused += 1
            #expect(failure.code == "missingKey" && failure.description.contains(place.key), "\(file.kind): \(failure)")
            #expect(failure.message.contains(file.file), "\(failure)")
        }
        #expect(refused >= 2)
    }

    @Test("a file that is too large, empty, cut off or no mapping is refused before anything else", arguments: files)
    func whole(_ file: FileOfAKind) {
        let large = file.text + "\n# " + String(repeating: "x", count: ConfigurationReader.bytesMaximum)
        #expect(file.refusal(large)?.code == "fileTooLarge")
        for (text, codes) in [
            ("", ["missingKey", "wrongType"]), ("- 1\n- 2\n", ["wrongType"]), ("just words\n", ["wrongType"]),
            (file.text + "\nx: [1\n", ["malformedYAML"]), (file.text + "\n\tx: 1\n", ["malformedYAML"]),
            (String(repeating: "[", count: 200), ["malformedYAML"]),
        ] {
            let failure = file.refusal(text)
            #expect(failure.map { codes.contains($0.code) } == true, "\(file.kind): \(text.prefix(20)) \(failure?.code ?? "taken")")
            #expect(failure?.message.contains(file.file) == true)
        }
    }
}
