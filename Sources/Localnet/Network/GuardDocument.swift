// guard-N.yaml as a value: one guard's own file. Paths are relative to the file; the guard's own reader says what each key
// means (docs/reference/guard-config.md).

/// Ports of one guard, both on one address.
package struct GuardPorts: Sendable, Equatable {
    package var mesh: Int
    package var http: Int

    package init(mesh: Int, http: Int) {
        self.mesh = mesh
        self.http = http
    }

    /// The two next free ports from `next` on, which is moved behind them. Throws `portsExhausted`.
    package init(_ ports: Ports, from next: inout Int) throws(LocalnetError) {
        mesh = try ports.take(from: next)
        http = try ports.take(from: mesh + 1)
        next = http + 1
    }
}

package struct GuardDocument: Sendable, Equatable {
    package var comment: String
    package var name: String
    /// Holds the guard's store, and its keys in `keys`.
    package var folder: String
    package var endpoints: [(chain: String, urls: [String])]
    package var httpPort: Int
    /// Nil for what guards do by themselves.
    package var pollMilliseconds: Int?
    package var logLevel: String?

    package static func == (a: GuardDocument, b: GuardDocument) -> Bool { a.text == b.text }

    package var text: String {
        var text = """
            # \(comment)
            version: 1
            cluster: cluster.yaml
            guard: \(name)
            dataDirectory: \(folder)
            keys:
              directory: \(folder)/keys
              passwordFile: \(folder)/keys/\(KeyFileName.password)
            endpoints:

            """
        for (chain, urls) in endpoints {
            text += "  \(chain): {urls: [\(urls.map { "\"\($0)\"" }.joined(separator: ", "))]}\n"
        }
        text += "http: \"127.0.0.1:\(httpPort)\"\n"
        if let pollMilliseconds { text += "pollMilliseconds: \(pollMilliseconds)\n" }
        if let logLevel { text += "logLevel: \(logLevel)\n" }
        return text
    }
}
