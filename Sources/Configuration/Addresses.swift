// Where processes listen, and which endpoints they ask: the keys that relayers and guards write in the same way. What an
// endpoint's address looks like is the caller's business.

/// `HOST:PORT` of a server of ours.
package struct ListenAddress: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil for text that is none. Port 0 lets the system choose.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon > text.startIndex
        else { return nil }
        self.init(host: String(text[..<colon]), port: port)
    }
}

/// The endpoints of one chain.
package struct ChainEndpoints<Address: Sendable>: Sendable {
    package var chain: String
    package var urls: [Address]
    /// Endpoints that must agree; nil takes one of one, two of more.
    package var quorum: Int?

    package init(chain: String, urls: [Address], quorum: Int? = nil) {
        self.chain = chain
        self.urls = urls
        self.quorum = quorum
    }
}

extension ConfigurationSection {
    /// `example` is a port that would be right.
    package mutating func listenAddress(_ key: String, example: Int) throws(ConfigurationError) -> ListenAddress {
        try value(key, expected: "HOST:PORT, for example 127.0.0.1:\(example)") { ListenAddress($0) }
    }

    /// `CHAIN: {urls: [...], quorum: N}` in this section; every chain must stand there.
    /// - Parameters:
    ///   - reason: why, for whom a chain is missing.
    ///   - maximum: endpoints of one chain.
    package mutating func chainEndpoints<Address: Sendable>(
        _ chain: String, reason: String, maximum: Int, _ parse: (String) throws -> Address
    ) throws(ConfigurationError) -> ChainEndpoints<Address> {
        guard has(chain) else {
            throw ConfigurationError(
                .missingKey, "\(place): no endpoints for chain '\(chain)'", hint: mistaken ?? "add endpoints.\(chain).urls: \(reason)")
        }
        var section = try self.section(chain)
        let texts = try section.strings("urls", required: true)
        var urls: [Address] = []
        for text in texts {
            do { urls.append(try parse(text)) } catch {
                throw ConfigurationError(
                    .invalidValue, "\(section.place): an entry of '\(section.path).urls' is no endpoint: \(error)",
                    hint: "write it as http://HOST:PORT, https://, ws:// or wss://")
            }
        }
        guard (1...maximum).contains(urls.count), Set(texts).count == texts.count else {
            throw section.refused("urls", "\(urls.count) entries", "1 to \(maximum) different endpoints")
        }
        let quorum = section.has("quorum") ? try section.integer("quorum", in: 1...urls.count) : nil
        try section.finish()
        return ChainEndpoints(chain: chain, urls: urls, quorum: quorum)
    }
}
