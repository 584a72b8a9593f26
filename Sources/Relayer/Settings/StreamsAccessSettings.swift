// `priceStreams` of a relayer's own file: where it asks for reports, and with which key. What it believes of the answers
// is in cluster.yaml (PriceStreamSettings.swift).

import Configuration
import Ethereum
import JSONRPC

package struct StreamsAccessSettings: Sendable, Equatable {
    /// Gateways, `https://HOST` each; asked one after the other until one has a report that is believed.
    package var origins: [String]
    /// Holds the key and its secret; mode 0600.
    package var keyFile: String
    package var timeoutMilliseconds: Int
    /// PEM file of issuers trusted besides those of the system.
    package var trustedCertificatesFile: String?
}

extension ConfigurationSection {
    /// Nil when the section is missing. `folder` is that of the file.
    mutating func streamsAccess(_ folder: String) throws(ConfigurationError) -> StreamsAccessSettings? {
        guard has("priceStreams") else { return nil }
        var section = try section("priceStreams")
        var origins: [String] = []
        for text in try section.strings("origins", required: true) {
            guard let url = try? EndpointURL.parse(text), !url.isWebSocket, url.isOrigin else {
                // What it is may hold a key.
                throw section.refused(
                    "origins", EndpointURL.redacted(text), "http:// or https:// with host and port and nothing behind them")
            }
            guard !origins.contains("\(url)") else { throw section.refused("origins", "\(url)", "each origin once") }
            origins.append("\(url)")
        }
        guard (1...Limits.streamOriginsMaximum).contains(origins.count) else {
            throw section.refused("origins", "\(origins.count) of them", "1 to \(Limits.streamOriginsMaximum)")
        }
        let access = StreamsAccessSettings(
            origins: origins, keyFile: SettingsFile.join(folder, try section.string("keyFile")),
            timeoutMilliseconds: try section.integer("timeoutMilliseconds", in: 100...10_000, default: 3_000),
            trustedCertificatesFile: try section.optional("trustedCertificatesFile").map { SettingsFile.join(folder, $0) })
        try section.finish()
        return access
    }
}

/// A key of the streams' API, and the secret that signs its requests.
package struct StreamsCredential: Sendable, Equatable {
    package let key: String
    package let secret: Secret

    package init(key: String, secret: Secret) {
        self.key = key
        self.secret = secret
    }

    private static let hint = "write it with `causeway streams keys create --config GATEWAY --user NAME --json`, mode 600"

    /// Reads a file with `key` and `secret`, as `causeway streams keys create --json` prints them. Nothing of it stands in
    /// an error.
    package static func open(_ path: String) throws(ConfigurationError) -> StreamsCredential {
        let bytes = try KeyShelf.readPrivate(path, maximum: Limits.streamsKeyFileBytesMaximum, hint: hint)
        func refuse(_ why: String) -> ConfigurationError {
            ConfigurationError(.keyUnreadable, "\(path): \(why)", hint: hint)
        }
        guard let json = try? JSON.parse(bytes) else { throw refuse("no JSON") }
        let object = json["data"] ?? json
        guard let key = object["key"]?.asString, (1...64).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw refuse("no text under 'key' that a header could carry") }
        guard let secret = object["secret"]?.asString, (1...256).contains(secret.utf8.count) else {
            throw refuse("no secret of 1 to 256 bytes under 'secret'")
        }
        return StreamsCredential(key: key, secret: Secret(Bytes(secret.utf8)))
    }
}
