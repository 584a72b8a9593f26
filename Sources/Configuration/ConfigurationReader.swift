// Reads one YAML document under the precedence file < environment < flag, strictly: every key that nobody asked for is
// an error, and every value remembers where it came from.

import Yams

/// Where a value came from, for `causeway config show --origin`.
package enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    case builtIn
    case file(String, line: Int)
    case environment(String)
    case flag(String)

    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let name): "environment \(name)"
        case .flag(let name): "flag --set \(name)"
        }
    }
}

/// One value that was read: its dotted path, its text and its origin.
package struct ConfigurationEntry: Sendable, Equatable {
    package let path: String
    package let text: String
    package let origin: ConfigurationOrigin
}

/// A document with its overrides. Read through `root`, then call `finish`.
package final class ConfigurationReader {
    let file: String
    let environment: [String: String]
    let flags: [String: String]
    private let document: Node?
    private var usedFlags: Set<String> = []
    /// Keys that were asked for by section: optional ones are often read only when they are there. Looked up only.
    var asked: [String: [String]] = [:]
    package private(set) var entries: [ConfigurationEntry] = []

    /// Largest configuration file: a cluster of 31 relayers with 20 chains needs about 40 kB.
    package static let bytesMaximum = 1 << 20
    /// Open brackets, and columns before the first word of a line, so that levels of nesting are at most twice as many:
    /// the YAML parser calls itself for each, and a deep document would end it.
    package static let nestingMaximum = 100
    /// Environment variables that override a value start with this; `metrics.port` is `CAUSEWAY_METRICS_PORT`.
    package static let environmentPrefix = "CAUSEWAY_"

    /// `flags` maps dotted paths to text. Throws `malformedYAML` with the line.
    package init(
        text: String, file: String, environment: [String: String] = [:], flags: [String: String] = [:]
    ) throws(ConfigurationError) {
        guard text.utf8.count <= Self.bytesMaximum else {
            throw ConfigurationError(.fileTooLarge, "\(file): larger than \(Self.bytesMaximum) bytes")
        }
        guard Self.nesting(text) <= Self.nestingMaximum else {
            throw ConfigurationError(
                .malformedYAML, "\(file): nested deeper than \(Self.nestingMaximum) brackets or columns")
        }
        self.file = file
        self.environment = environment
        self.flags = flags
        do { document = try Yams.compose(yaml: text) } catch {
            let why = (error as? YamlError).map { "\($0)" } ?? "\(error)"
            throw ConfigurationError(.malformedYAML, "\(file): no valid YAML: \(why)")
        }
        if let document, document.mapping == nil {
            throw ConfigurationError(.wrongType, "\(file): expected keys and values at the top")
        }
    }

    /// The most brackets that are open at a time, or columns that a line is moved in by spaces, dashes and other signs of
    /// nesting. Closing brackets inside quotes close nothing; opening ones count there too, rather too many than too few.
    private static func nesting(_ text: String) -> Int {
        var (most, brackets, columns) = (0, 0, 0)
        var last = UInt8(ascii: "\n")
        var quote: UInt8?
        var isComment = false
        for byte in text.utf8 {
            defer { last = byte }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                (columns, isComment) = (0, false)
                continue
            }
            if columns >= 0 { columns = " \t-?:".utf8.contains(byte) ? columns + 1 : -1 }
            let beginsWord = " \t\n\r[{,:-?".utf8.contains(last)
            switch byte {
            case _ where isComment: break
            case UInt8(ascii: "#") where quote == nil && beginsWord: isComment = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): if quote == nil { brackets = max(brackets - 1, 0) }
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if quote == byte, last != UInt8(ascii: "\\") || byte == UInt8(ascii: "'") {
                    quote = nil
                } else if quote == nil, beginsWord {
                    quote = byte
                }
            default: break
            }
            most = max(most, brackets, columns)
        }
        return most
    }

    /// The mapping at the top.
    package var root: ConfigurationSection { ConfigurationSection(reader: self, path: "", node: document) }

    /// Refuses flags that named no key.
    package func finish() throws(ConfigurationError) {
        for path in flags.keys.sorted() where !usedFlags.contains(path) {
            throw ConfigurationError(.unknownKey, "--set \(path): \(file) has no such key")
        }
    }

    /// Text of a scalar by precedence, recorded with its origin. Nil when nothing names it.
    func scalar(path: String, node: Node?) throws(ConfigurationError) -> (text: String, origin: ConfigurationOrigin)? {
        if let text = flags[path] {
            usedFlags.insert(path)
            return (text, .flag(path))
        }
        let name = Self.environmentPrefix + Self.environmentName(path)
        if let text = environment[name] { return (text, .environment(name)) }
        guard let node else { return nil }
        let line = node.mark?.line ?? 0
        guard let scalar = node.scalar else {
            throw ConfigurationError(.wrongType, "\(file):\(line): '\(path)' must be a single value")
        }
        return (scalar.string, .file(file, line: line))
    }

    /// `ocr.deltaRound` becomes `OCR_DELTA_ROUND`.
    static func environmentName(_ path: String) -> String {
        var name = ""
        var afterLowercase = false
        for character in path {
            if !character.isLetter && !character.isNumber {
                if name.last != "_" { name.append("_") }
            } else {
                if character.isUppercase && afterLowercase { name.append("_") }
                name += character.uppercased()
            }
            afterLowercase = character.isLowercase
        }
        return name
    }

    func record(_ path: String, _ text: String, _ origin: ConfigurationOrigin) {
        entries.append(ConfigurationEntry(path: path, text: text, origin: origin))
    }
}
