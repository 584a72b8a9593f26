// What a mesh is told: who its members are, which of them we are, and its bounds. Checked before any socket opens.

package struct PeerMeshConfiguration: Sendable {
    /// One member, ourselves included.
    package struct Peer: Equatable, Sendable {
        package var name: String
        /// Where the others dial it. Port 0: not known yet, told later by `PeerMesh.redirect`.
        package var endpoint: Endpoint
        package var publicKey: CurvePublicKey

        package init(name: String, endpoint: Endpoint, publicKey: CurvePublicKey) {
            self.name = name
            self.endpoint = endpoint
            self.publicKey = publicKey
        }
    }

    /// All members in the order of the oracle configuration: the position is the index.
    package var peers: [Peer]
    package var ownIndex: Int
    package var keyPair: CurveKeyPair
    /// Where to listen when that differs from our own entry in `peers` (behind address translation, or `*`).
    package var bindEndpoint: Endpoint?
    package var payloadBytesMaximum = Limits.payloadBytesDefault
    package var queue = QueuePolicy.mesh
    /// Messages to ourselves that may wait.
    package var queuedForSelfMaximum = Limits.queuedForSelfDefault
    /// What one peer may send us; nil for no bound beyond the sockets' own.
    package var inboundRate: RateLimit?
    package var timings = LinkTimings()

    package init(peers: [Peer], ownIndex: Int, keyPair: CurveKeyPair) {
        self.peers = peers
        self.ownIndex = ownIndex
        self.keyPair = keyPair
    }

    package func validate() throws(MessageBusError) {
        guard (1...Limits.meshMembersMaximum).contains(peers.count) else {
            throw .configuration("a mesh has 1 to \(Limits.meshMembersMaximum) members, not \(peers.count)")
        }
        guard peers.indices.contains(ownIndex) else {
            throw .configuration("our own index \(ownIndex) is not among \(peers.count) members")
        }
        guard peers[ownIndex].publicKey == keyPair.publicKey else {
            throw MessageBusError(
                .keyMismatch, "member \(ownIndex) (\(peers[ownIndex].name)) is listed with another key than ours",
                context: ["listed": peers[ownIndex].publicKey.z85, "ours": keyPair.publicKey.z85],
                hint: "put our public key in the list, or use the key file of this member")
        }
        var names: Set<String> = []
        var keys: Set<CurvePublicKey> = []
        for (index, peer) in peers.enumerated() {
            guard (1...Limits.nameBytesMaximum).contains(peer.name.utf8.count) else {
                throw .configuration("the name of member \(index) has no or more than \(Limits.nameBytesMaximum) letters")
            }
            guard names.insert(peer.name).inserted else { throw .configuration("two members are named \(peer.name)") }
            guard keys.insert(peer.publicKey).inserted else {
                throw .configuration(
                    "member \(index) (\(peer.name)) has the key of another member",
                    hint: "each process needs its own key pair")
            }
            if index != ownIndex, peer.endpoint.host == "*" {
                throw .configuration("member \(index) (\(peer.name)) is at *, which can only be listened on")
            }
        }
        try LinkFraming.validate(payloadBytesMaximum: payloadBytesMaximum)
        try queue.validate(payloadBytesMaximum: payloadBytesMaximum)
        guard queuedForSelfMaximum > 0 else { throw .configuration("the queue to ourselves must hold a message") }
        try inboundRate?.validate(payloadBytesMaximum: payloadBytesMaximum)
        try timings.validate()
    }
}

/// What one mesh has counted for one member since it was made.
package struct MeshPeerStatistics: Equatable, Sendable {
    package let index: Int
    package let name: String
    /// Our connection to it is up, which also proves that it holds its key.
    package var isConnected = false
    /// How often that connection came up.
    package var connections: UInt64 = 0
    /// Our side of a handshake with it failed.
    package var handshakeFailures: UInt64 = 0
    /// Monotonic clock of the last message or sign of life from it.
    package var lastHeardMilliseconds: UInt64?
    package var sentMessages: UInt64 = 0
    package var sentBytes: UInt64 = 0
    package var receivedMessages: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    /// Waiting now.
    package var queuedMessages = 0
    package var queuedBytes = 0
    package var drops = DropCounters()

    init(index: Int, name: String) {
        self.index = index
        self.name = name
    }
}

package struct MeshStatistics: Equatable, Sendable {
    /// In the order of the configuration; our own entry counts messages to ourselves.
    package var peers: [MeshPeerStatistics]
    /// Drops that belong to no member.
    package var unattributedDrops = DropCounters()
    package var admission = AdmissionStatistics()
    /// Handshakes with us that failed: denied keys, wrong server keys, things that are no ZeroMQ.
    package var inboundHandshakeFailures: UInt64 = 0
    package var isRunning = true
    /// What ended the bus thread other than `stop`.
    package var failure: MessageBusError?

    package var sentMessages: UInt64 { peers.reduce(0) { $0 + $1.sentMessages } }
    package var sentBytes: UInt64 { peers.reduce(0) { $0 + $1.sentBytes } }
    package var receivedMessages: UInt64 { peers.reduce(0) { $0 + $1.receivedMessages } }
    package var receivedBytes: UInt64 { peers.reduce(0) { $0 + $1.receivedBytes } }
    package var connectedPeers: Int { peers.count(where: \.isConnected) }

    /// All drops of one reason. Denied connections count as unauthenticated.
    package func drops(_ reason: DropReason) -> UInt64 {
        peers.reduce(unattributedDrops[reason]) { $0 + $1.drops[reason] }
            + (reason == .unauthenticated ? admission.denied : 0)
    }
}
