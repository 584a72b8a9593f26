@testable import Configuration
import Testing

@Suite struct ConfigurationReaderTests {
    private func reader(
        _ text: String, environment: [String: String] = [:], flags: [String: String] = [:]
    ) throws -> ConfigurationReader {
        try ConfigurationReader(text: text, file: "cluster.yaml", environment: environment, flags: flags)
    }

    @Test("a flag beats the environment, which beats the file, which beats the default")
    func precedence() throws {
        let text = "metrics:\n  port: 1\n"
        for (environment, flags, expected, origin) in [
            ([:], [:], 1, ConfigurationOrigin.file("cluster.yaml", line: 2)),
            (["CAUSEWAY_METRICS_PORT": "2"], [:], 2, .environment("CAUSEWAY_METRICS_PORT")),
            (["CAUSEWAY_METRICS_PORT": "2"], ["metrics.port": "3"], 3, .flag("metrics.port")),
        ] as [([String: String], [String: String], Int, ConfigurationOrigin)] {
            let reader = try reader(text, environment: environment, flags: flags)
            var root = reader.root
            var metrics = try root.section("metrics")
            #expect(try metrics.integer("port", default: 9) == expected)
            #expect(reader.entries == [ConfigurationEntry(path: "metrics.port", text: "\(expected)", origin: origin)])
            try reader.finish()
        }
        let empty = try self.reader("")
        var root = empty.root
        #expect(try root.integer("port", default: 9) == 9)
        #expect(empty.entries.first?.origin == .builtIn)
    }

    @Test("an unknown key names the key, the line and the nearest known key")
    func unknownKey() throws {
        let reader = try reader("name: a\nmetricsProt: 1\n")
        var root = reader.root
        _ = try root.string("name")
        _ = try root.optional("metricsPort")
        let error = try #require(throws: ConfigurationError.self) { try root.finish() }
        #expect(error.code == .unknownKey)
        #expect(error.message == "cluster.yaml:2: unknown key 'metricsProt'")
        #expect(error.hint == "did you mean 'metricsPort'?")
    }

    @Test("a key that must be there and is mistyped is found under its wrong name")
    func mistypedRequired() throws {
        let reader = try reader("name: a\nchainID: 1\n\nlanse: []\n")
        var root = reader.root
        _ = try root.string("name")
        let error = try #require(throws: ConfigurationError.self) { try root.integer("chainId") }
        #expect(error.code == .missingKey && error.message == "cluster.yaml:1: missing key 'chainId'")
        #expect(error.hint == "line 2 has 'chainID': did you mean 'chainId'?")
        let list = try #require(throws: ConfigurationError.self) { try root.sections("lanes", required: true) }
        #expect(list.hint == "line 4 has 'lanse': did you mean 'lanes'?")
        let other = try #require(throws: ConfigurationError.self) { try root.string("selector") }
        #expect(other.hint == nil, "nothing here is like it, and what was read is no candidate")
    }

    @Test("a value of the wrong kind is refused with file, line and what was expected")
    func wrongTypes() throws {
        let text = "port: abc\nlist: 3\nflag: yes\nmap: 1\nnested:\n  - 1\n"
        let reader = try reader(text)
        var root = reader.root
        #expect(throws: ConfigurationError(
            .invalidValue, "cluster.yaml:1: 'port' is 'abc', expected a whole number from 1 to 65535")
        ) { try root.integer("port", in: 1...65535) }
        #expect(throws: ConfigurationError(.wrongType, "cluster.yaml:2: 'list' must be a list")) {
            try root.strings("list")
        }
        #expect(throws: ConfigurationError.self) { try root.bool("flag") }
        #expect(throws: ConfigurationError.self) { try root.section("map") }
        #expect(throws: ConfigurationError.self) { try root.sections("nested") }
        #expect(throws: ConfigurationError.self) { try root.string("absent") }
    }

    @Test("text that is no YAML, a bare value, a list and a key that stands twice are refused", arguments: [
        "a: [1", "just text", "- 1\n- 2", "a: 1\na: 2",
    ])
    func malformed(text: String) {
        #expect(throws: ConfigurationError.self) { try reader(text) }
    }

    @Test("a file past the size limit is refused before it is parsed")
    func oversized() {
        let text = "x: " + String(repeating: "y", count: ConfigurationReader.bytesMaximum)
        let error = #expect(throws: ConfigurationError.self) { try reader(text) }
        #expect(error?.code == .fileTooLarge)
    }

    @Test("a flag for a key that does not exist is refused")
    func unknownFlag() throws {
        let reader = try reader("a: 1", flags: ["b": "2"])
        var root = reader.root
        _ = try root.string("a")
        #expect(throws: ConfigurationError.self) { try reader.finish() }
    }

    @Test("the nearest word is suggested only when it is near", arguments: [
        ("finalty", "finality"), ("zzz", nil), ("Name", "name"),
    ] as [(String, String?)])
    func nearest(word: String, expected: String?) {
        #expect(Nearest.of(word, among: ["finality", "name", "chainId"]) == expected)
    }
}
