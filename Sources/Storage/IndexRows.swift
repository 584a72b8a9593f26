// Rows of the observed index: messages by lane, committed roots by destination, executions by message.
// Selectors, sequence numbers and blocks are whole unsigned 64-bit numbers.

import Ethereum
import GRDB

/// Where a log stands.
package struct Place: Equatable, Sendable {
    package var block: UInt64
    package var blockHash: Hash32
    package var transaction: Hash32
    package var logIndex: UInt64
    /// Seconds since 1970, the block's.
    package var timestamp: UInt64

    package init(block: UInt64, blockHash: Hash32, transaction: Hash32, logIndex: UInt64, timestamp: UInt64) {
        self.block = block
        self.blockHash = blockHash
        self.transaction = transaction
        self.logIndex = logIndex
        self.timestamp = timestamp
    }

    init(_ columns: Columns) throws {
        self.init(
            block: try columns.number("block"), blockHash: try columns.hash("block_hash"),
            transaction: try columns.hash("tx"), logIndex: try columns.number("log_index"),
            timestamp: try columns.small("timestamp"))
    }

    /// block, block_hash, tx, log_index, timestamp.
    var columns: [(any DatabaseValueConvertible)?] {
        [block.column, blockHash.column, transaction.column, logIndex.column, timestamp.small]
    }
}

/// A message seen on its source chain.
package struct MessageRow: Equatable, Sendable {
    package var source: UInt64
    package var destination: UInt64
    package var sequence: UInt64
    package var messageID: Hash32
    package var place: Place
    /// What the caller needs to read it again, in the caller's encoding.
    package var payload: Bytes

    package init(
        source: UInt64, destination: UInt64, sequence: UInt64, messageID: Hash32, place: Place, payload: Bytes
    ) {
        self.source = source
        self.destination = destination
        self.sequence = sequence
        self.messageID = messageID
        self.place = place
        self.payload = payload
    }

    init(_ row: Row) throws {
        let columns = Columns(row: row)
        self.init(
            source: try columns.number("source"), destination: try columns.number("destination"),
            sequence: try columns.number("sequence"), messageID: try columns.hash("message_id"),
            place: try Place(columns), payload: try columns.bytes("payload"))
    }
}

/// A Merkle root that a destination has accepted.
package struct RootRow: Equatable, Sendable {
    package var destination: UInt64
    package var source: UInt64
    package var root: Hash32
    package var first: UInt64
    package var last: UInt64
    package var onRamp: Bytes
    package var place: Place
    /// Every message under it has a final state.
    package var executed: Bool

    package init(
        destination: UInt64, source: UInt64, root: Hash32, first: UInt64, last: UInt64, onRamp: Bytes, place: Place,
        executed: Bool = false
    ) {
        self.destination = destination
        self.source = source
        self.root = root
        self.first = first
        self.last = last
        self.onRamp = onRamp
        self.place = place
        self.executed = executed
    }

    init(_ row: Row) throws {
        let columns = Columns(row: row)
        self.init(
            destination: try columns.number("destination"), source: try columns.number("source"),
            root: try columns.hash("root"), first: try columns.number("first"), last: try columns.number("last"),
            onRamp: try columns.bytes("on_ramp"), place: try Place(columns),
            executed: try columns.small("executed") == 1)
    }
}

/// The last state that a destination reported for a message.
package struct ExecutionRow: Equatable, Sendable {
    package var destination: UInt64
    package var source: UInt64
    package var sequence: UInt64
    package var messageID: Hash32
    /// 0 untouched, 1 in progress, 2 success, 3 failure.
    package var state: UInt8
    package var returnData: Bytes
    package var place: Place
    /// Seen at or below the finalized block.
    package var finalized: Bool

    package init(
        destination: UInt64, source: UInt64, sequence: UInt64, messageID: Hash32, state: UInt8, returnData: Bytes = [],
        place: Place, finalized: Bool
    ) {
        self.destination = destination
        self.source = source
        self.sequence = sequence
        self.messageID = messageID
        self.state = state
        self.returnData = returnData
        self.place = place
        self.finalized = finalized
    }

    init(_ row: Row) throws {
        let columns = Columns(row: row)
        self.init(
            destination: try columns.number("destination"), source: try columns.number("source"),
            sequence: try columns.number("sequence"), messageID: try columns.hash("message_id"),
            state: UInt8(clamping: try columns.small("state")), returnData: try columns.bytes("return_data"),
            place: try Place(columns), finalized: try columns.small("finalized") == 1)
    }
}
