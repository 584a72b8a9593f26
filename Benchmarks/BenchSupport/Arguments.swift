// What a subcommand was asked: names with a value each, and `--json`.

package struct Arguments {
    private var values: [String: String] = [:]
    /// Prints JSON and not a table.
    package let json: Bool

    package struct Unknown: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ words: [String]) throws(Unknown) {
        json = words.contains("--json")
        var rest = words.filter { $0 != "--json" }[...]
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw Unknown(description: "'\(name)' is no option with a value")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    package func text(_ name: String) -> String? { values[name] }

    package func number(_ name: String, or usual: Int) -> Int { values[name].flatMap { Int($0) } ?? usual }

    package func required(_ name: String) throws(Unknown) -> String {
        guard let value = values[name] else { throw Unknown(description: "--\(name) is missing") }
        return value
    }
}
