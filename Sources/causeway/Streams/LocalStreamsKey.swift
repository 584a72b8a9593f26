// The API key of a local network: made here, where gateways' own store of keys is known, and told to the supervisor.

import Configuration
import Ethereum
import Foundation
import Localnet
import StreamsNode

enum LocalStreamsKey {
    /// Whose key it is; limits count by user.
    static let user = "localnet"

    /// A key that may read every feed, in the stores of all gateways with these files.
    @Sendable static func make(_ files: [String]) throws -> LocalAPIKey {
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        let key = APIKeyStore.random(user: user, feeds: nil, nowMilliseconds: now)
        try StreamsKeyWriting.add(key, GatewayOptions.places(files), .light)
        return LocalAPIKey(key: key.key, secret: String(decoding: key.secret.bytes, as: UTF8.self))
    }
}
