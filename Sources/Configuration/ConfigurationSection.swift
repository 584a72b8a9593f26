// One mapping of a configuration document, read key by key. `finish` refuses the keys that nobody read.

import Yams

package struct ConfigurationSection {
    let reader: ConfigurationReader
    /// Dotted path from the top; empty for the top itself.
    package let path: String
    let node: Node?
    private var known: [String] = []
    /// Of a section that the file does not have: the line of the one around it, and the key there that may be meant.
    private var absent: (line: Int, mistaken: String?)?

    init(reader: ConfigurationReader, path: String, node: Node?) {
        self.reader = reader
        self.path = path
        self.node = node
    }

    /// File and line, for messages of callers that check more than one value.
    package var place: String { "\(reader.file):\(line)" }
    private var line: Int { node?.mark?.line ?? absent?.line ?? 1 }

    private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    private func child(_ key: String) -> Node? { node?.mapping?[Node(key)] }

    // MARK: Values

    /// Text, or nil when nothing names the key.
    package mutating func optional(_ key: String) throws(ConfigurationError) -> String? {
        known.append(key)
        guard let (text, origin) = try reader.scalar(path: full(key), node: child(key)) else { return nil }
        reader.record(full(key), text, origin)
        return text
    }

    package mutating func string(_ key: String, default builtIn: String? = nil) throws(ConfigurationError) -> String {
        if let text = try optional(key) { return text }
        guard let builtIn else { throw missing(key) }
        reader.record(full(key), builtIn, .builtIn)
        return builtIn
    }

    /// A value made from text by `parse`, which returns nil to refuse it; `expected` says what would be right.
    package mutating func value<Value>(
        _ key: String, expected: String, default builtIn: String? = nil, _ parse: (String) -> Value?
    ) throws(ConfigurationError) -> Value {
        let text = try string(key, default: builtIn)
        guard let value = parse(text) else { throw refused(key, text, expected) }
        return value
    }

    package mutating func integer(
        _ key: String, in range: ClosedRange<Int> = 0...Int.max, default builtIn: Int? = nil
    ) throws(ConfigurationError) -> Int {
        let bounds = range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
        return try value(key, expected: "a whole number \(bounds)", default: builtIn.map(String.init)) { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    package mutating func bool(_ key: String, default builtIn: Bool? = nil) throws(ConfigurationError) -> Bool {
        try value(key, expected: "true or false", default: builtIn.map { String($0) }) { text in
            text == "true" ? true : text == "false" ? false : nil
        }
    }

    /// A list of single values; empty when the key is missing and not `required`.
    package mutating func strings(_ key: String, required: Bool = false) throws(ConfigurationError) -> [String] {
        known.append(key)
        guard let list = try sequence(key, required: required) else { return [] }
        var result: [String] = []
        for (position, item) in list.enumerated() {
            guard let text = item.scalar?.string else {
                throw ConfigurationError(.wrongType, "\(place(of: item)): '\(full(key))[\(position)]' must be a single value")
            }
            reader.record("\(full(key))[\(position)]", text, .file(reader.file, line: item.mark?.line ?? 0))
            result.append(text)
        }
        return result
    }

    // MARK: Nested mappings

    /// The mapping under `key`; an empty one when the key is missing.
    package mutating func section(_ key: String) throws(ConfigurationError) -> ConfigurationSection {
        known.append(key)
        let node = child(key)
        if let node, node.mapping == nil {
            throw ConfigurationError(.wrongType, "\(place(of: node)): '\(full(key))' must hold keys and values")
        }
        var section = ConfigurationSection(reader: reader, path: full(key), node: node)
        if node == nil { section.absent = (line, mistaken(key) ?? mistaken) }
        return section
    }

    /// A variable of the environment that a value names, for secrets that stand in no file.
    package func variable(_ name: String) -> String? { reader.environment[name] }

    /// A key that is asked for is a key that may stand here.
    package func has(_ key: String) -> Bool {
        reader.asked[path, default: []].append(key)
        return child(key) != nil
    }

    /// Whether one value stands under `key`, and no mapping or list.
    package func isSingle(_ key: String) -> Bool { child(key)?.scalar != nil }

    /// A list of mappings.
    package mutating func sections(_ key: String, required: Bool = false) throws(ConfigurationError) -> [ConfigurationSection] {
        known.append(key)
        guard let list = try sequence(key, required: required) else { return [] }
        var result: [ConfigurationSection] = []
        for (position, item) in list.enumerated() {
            guard item.mapping != nil else {
                throw ConfigurationError(
                    .wrongType, "\(place(of: item)): '\(full(key))[\(position)]' must hold keys and values")
            }
            result.append(ConfigurationSection(reader: reader, path: "\(full(key))[\(position)]", node: item))
        }
        return result
    }

    private func sequence(_ key: String, required: Bool) throws(ConfigurationError) -> [Node]? {
        guard let node = child(key) else {
            if required { throw missing(key) }
            return nil
        }
        guard let sequence = node.sequence else {
            throw ConfigurationError(.wrongType, "\(place(of: node)): '\(full(key))' must be a list")
        }
        return Array(sequence)
    }

    private func place(of node: Node) -> String { "\(reader.file):\(node.mark?.line ?? 0)" }

    // MARK: Refusals

    /// A key that must be there. One that is mistyped is missing under its right name, and found under the wrong one.
    package func missing(_ key: String, hint: String? = nil) -> ConfigurationError {
        ConfigurationError(
            .missingKey, "\(place): missing key '\(full(key))'", hint: mistaken(key) ?? mistaken ?? hint)
    }

    /// The mistyped key around a section that is absent for it; nil for one that is there, or merely left out.
    package var mistaken: String? { absent?.mistaken }

    /// A key of this mapping that nobody read and that is much like this one.
    private func mistaken(_ key: String) -> String? {
        let strangers = (node?.mapping ?? [:]).map(\.key).filter { !known.contains($0.scalar?.string ?? "") }
        guard let near = Nearest.of(key, among: strangers.compactMap { $0.scalar?.string }) else { return nil }
        let line = strangers.first { $0.scalar?.string == near }?.mark?.line
        return "line \(line ?? 0) has '\(near)': did you mean '\(key)'?"
    }

    /// The error for a value that was read but cannot stand.
    package func refused(_ key: String, _ text: String, _ expected: String) -> ConfigurationError {
        let entry = reader.entries.last { $0.path == full(key) }
        let origin = entry.map { "\($0.origin)" } ?? place
        return ConfigurationError(
            .invalidValue, "\(origin): '\(full(key))' is '\(text.prefix(80))', expected \(expected)")
    }

    /// Refuses every key of this mapping that was not read, with its line and the nearest known key.
    package func finish() throws(ConfigurationError) {
        guard let mapping = node?.mapping else { return }
        for (key, _) in mapping {
            let name = key.scalar?.string ?? "?"
            guard !known.contains(name) else { continue }
            let candidates = known + reader.asked[path, default: []].filter { !known.contains($0) }
            let nearest = Nearest.of(name, among: candidates)
            throw ConfigurationError(
                .unknownKey, "\(place(of: key)): unknown key '\(full(name))'",
                hint: nearest.map { "did you mean '\($0)'?" } ?? "known keys here: \(candidates.sorted().joined(separator: ", "))")
        }
    }
}
