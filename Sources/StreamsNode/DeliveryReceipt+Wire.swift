// A receipt on its way from a gateway to the oracles of a configuration: 48 bytes on a channel of the mesh.

import Ethereum
import PriceStreams

extension DeliveryReceipt {
    static let channel = Bytes("receipts/1".utf8)

    var encoded: Bytes { digest.bytes + Bytes(bigEndian: sequenceNumber) + Bytes(bigEndian: UInt64(count)) }

    /// Nil for bytes that are no receipt.
    init?(encoded bytes: Bytes) {
        guard bytes.count == 48, let digest = Hash32(bytes: Bytes(bytes[..<32])),
            let sequenceNumber = UInt64(bigEndianBytes: bytes[32..<40]), let count = UInt64(bigEndianBytes: bytes[40...]),
            let count = Int(exactly: count)
        else { return nil }
        self.init(digest: digest, sequenceNumber: sequenceNumber, count: count)
    }
}
