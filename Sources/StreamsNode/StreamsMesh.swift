// The mesh of a DON: its oracles in their order, behind them its gateways.

import MessageBus

extension PeerMeshConfiguration {
    /// - Parameter ownIndex: of an oracle, or the number of oracles plus that of a gateway.
    init(streams: StreamsSettings, ownIndex: Int, keyPair: CurveKeyPair) {
        let oracles = streams.oracles.map { Peer(name: $0.name, endpoint: $0.endpoint, publicKey: $0.curvePublicKey) }
        let gateways = streams.gateways.map { Peer(name: $0.name, endpoint: $0.ingress, publicKey: $0.curvePublicKey) }
        self.init(peers: oracles + gateways, ownIndex: ownIndex, keyPair: keyPair)
        timings = .fanOut
        payloadBytesMaximum = Limits.batchBytesMaximum
        queue.messagesPerChannelMaximum = Limits.batchesQueuedMaximum
    }
}
