// Reading of files that people write by hand about things that are not ours: a key may be written in any case, with or
// without `_` and `-`, and a list of one may be the one. As strict as ConfigurationSection about what it does not know.

import Yams

/// One value with its place in the file.
package struct LenientValue {
    let file: String
    /// Dotted path from the top; empty for the top itself.
    package let path: String
    let node: Node

    /// The top of a document. Throws `malformedYAML`, or `wrongType` when it is no mapping.
    package init(text: String, file: String) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file)
        guard let node = reader.root.node else {
            throw ConfigurationError(.wrongType, "\(file): the file is empty")
        }
        self.init(file: file, path: "", node: node)
    }

    init(file: String, path: String, node: Node) {
        self.file = file
        self.path = path
        self.node = node
    }

    /// File and line, for messages.
    package var place: String { "\(file):\(node.mark?.line ?? 1)" }
    /// Text of a single value; nil for lists and mappings.
    package var scalar: String? { node.scalar?.string }
    package var isList: Bool { node.sequence != nil }
    package var isMapping: Bool { node.mapping != nil }
    /// `key:` with nothing behind it.
    package var isEmpty: Bool { node.scalar.map { $0.string.isEmpty || $0.string == "null" || $0.string == "~" } ?? false }

    package func string(_ expected: String = "a single value") throws(ConfigurationError) -> String {
        guard let scalar else { throw refused(expected) }
        return scalar
    }

    /// A value made from text by `parse`, which returns nil to refuse it. The type is named, or an optional on the left
    /// side would take a refusal for a value.
    package func value<Value>(
        _ type: Value.Type = Value.self, _ expected: String, _ parse: (String) -> Value?
    ) throws(ConfigurationError) -> Value {
        guard let scalar, let value = parse(scalar) else { throw refused(expected) }
        return value
    }

    /// The entries of a list; a value that is no list stands for a list of one.
    package var items: [LenientValue] {
        guard let sequence = node.sequence else { return isEmpty ? [] : [self] }
        return sequence.enumerated().map { LenientValue(file: file, path: "\(path)[\($0)]", node: $1) }
    }

    /// Keys as they are written, with their values, in the order of the file. Throws `wrongType` for anything but a mapping.
    package func entries() throws(ConfigurationError) -> [(name: String, value: LenientValue)] {
        guard let mapping = node.mapping else { throw refused("keys and values") }
        return mapping.map { key, value in
            let name = key.scalar?.string ?? "?"
            return (name, LenientValue(file: file, path: path.isEmpty ? name : "\(path).\(name)", node: value))
        }
    }

    package func section() throws(ConfigurationError) -> LenientSection { try LenientSection(self) }

    /// A list of mappings, or a mapping from names to mappings; the name is then `nil` or the key.
    package func named() throws(ConfigurationError) -> [(name: String?, section: LenientSection)] {
        var result: [(name: String?, section: LenientSection)] = []
        if isMapping {
            for (name, value) in try entries() { result.append((name, try value.section())) }
        } else {
            for item in items { result.append((nil, try item.section())) }
        }
        return result
    }

    /// The error for this value. The value itself is told unless it may be a secret.
    package func refused(_ expected: String, secret: Bool = false, hint: String? = nil) -> ConfigurationError {
        let found =
            secret ? "" : scalar.map { " is '\($0.prefix(80))'," } ?? (isList ? " is a list," : " holds keys and values,")
        return ConfigurationError(.invalidValue, "\(place): '\(path)'\(found) expected \(expected)", hint: hint)
    }
}

/// One mapping, read key by key. `finish` refuses the keys that nobody asked for.
package struct LenientSection {
    package let value: LenientValue
    private var unread: [(name: String, value: LenientValue)]
    private var known: [String] = []

    init(_ value: LenientValue) throws(ConfigurationError) {
        self.value = value
        unread = try value.entries()
        var seen: [String: String] = [:]
        for (name, entry) in unread {
            if let other = seen.updateValue(name, forKey: Self.plain(name)) {
                throw ConfigurationError(.invalidValue, "\(entry.place): '\(entry.path)' stands twice (as '\(other)' too)")
            }
        }
    }

    package var place: String { value.place }

    /// `chain_id`, `chainID` and `chain-id` are one key.
    package static func plain(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " } }

    /// The value under the first of these names; nil when none stands there, or nothing behind it. The first name is the
    /// one that messages use.
    package mutating func optional(_ names: String...) -> LenientValue? { take(names) }

    package mutating func required(_ names: String..., as expected: String) throws(ConfigurationError) -> LenientValue {
        guard let found = take(names) else { throw missing(names[0], expected) }
        return found
    }

    package func missing(_ name: String, _ expected: String) -> ConfigurationError {
        let path = value.path.isEmpty ? name : "\(value.path).\(name)"
        let near = Nearest.of(name, among: unread.map(\.name))
        let nearest = near.map { "'\($0)' in line \(line(of: $0)) is no key here; " } ?? ""
        return ConfigurationError(
            .missingKey, "\(place): missing key '\(path)'", hint: "\(nearest)write \(name): \(expected)")
    }

    private mutating func take(_ names: [String]) -> LenientValue? {
        known.append(names[0])
        let plain = names.map(Self.plain)
        guard let index = unread.firstIndex(where: { plain.contains(Self.plain($0.name)) }) else { return nil }
        let found = unread.remove(at: index).value
        return found.isEmpty ? nil : found
    }

    /// The keys of `other` stand in this mapping too; one that stands in both is refused.
    package mutating func merge(_ other: LenientSection) throws(ConfigurationError) {
        for (name, entry) in other.unread {
            guard !unread.contains(where: { Self.plain($0.name) == Self.plain(name) }) else {
                if Self.plain(name) == "version" { continue }
                throw ConfigurationError(.invalidValue, "\(entry.place): '\(name)' stands in \(value.file) too", hint: "take it out of one file")
            }
            unread.append((name, entry))
        }
    }

    /// What nobody has asked for yet, in the order of the file; the section then knows all its keys.
    package mutating func rest() -> [(name: String, value: LenientValue)] {
        defer { unread = [] }
        return unread
    }

    /// Refuses every key that was not read, with its line and the nearest known key.
    package func finish() throws(ConfigurationError) {
        guard let (name, entry) = unread.first else { return }
        let nearest = Nearest.of(name, among: known)
        throw ConfigurationError(
            .unknownKey, "\(entry.file):\(line(of: name)): unknown key '\(entry.path)'",
            hint: nearest.map { "did you mean '\($0)'?" } ?? "known keys here: \(known.sorted().joined(separator: ", "))")
    }

    /// Where a key of this mapping stands; its value may begin further down. Of a second file: where the value does.
    private func line(of name: String) -> Int {
        let key = value.node.mapping?.map(\.key).first { $0.scalar?.string == name }
        return key?.mark?.line ?? unread.first { $0.name == name }?.value.node.mark?.line ?? 0
    }
}
