// The keys of this room's structured log lines. Payloads and secrets are never logged.

import Logging

enum LogKey {
    static let peer = "peer"
    static let endpoint = "endpoint"
    static let publicKey = "public_key"
    static let address = "address"
    static let link = "link"
}

extension Logger {
    func denied(_ keys: [DeniedKey], link: String) {
        for key in keys {
            warning("a key that is not listed asked to connect", metadata: [
                LogKey.link: "\(link)", LogKey.publicKey: "\(key.publicKey)", LogKey.address: "\(key.lastAddress)",
            ])
        }
    }

    func changed(_ change: LinkChange, peer: String, endpoint: Endpoint?) {
        var metadata: Logger.Metadata = [LogKey.peer: "\(peer)"]
        if let endpoint { metadata[LogKey.endpoint] = "\(endpoint)" }
        switch change {
        case .none: break
        case .up: info("link up", metadata: metadata)
        case .down: warning("link down", metadata: metadata)
        }
    }
}
