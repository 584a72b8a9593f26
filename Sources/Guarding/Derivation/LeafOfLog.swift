// The leaf under which the OffRamp knows a message (8.2, 8.3 of the on-chain specification), from the guard's own reading
// of the log. Conversion and hashing are one step here: no message type of the destination exists in this room.

import CCIP
import Ethereum

enum LeafOfLog {
    /// Throws `undeliverable` for a message that no EVM chain can take.
    static func leaf(of message: RawMessage, onRamp: Address) throws(GuardError) -> Hash32 {
        var lane = WordRow()
        lane.hash(Domain.delivered)
        lane.number(message.source.rawValue)
        lane.number(message.destination.rawValue)
        var ramp = WordRow()
        ramp.address(onRamp)
        lane.hash(ramp.digest)

        var fixed = WordRow()
        fixed.hash(message.id)
        fixed.address(try account(message.receiver, "receiver", message))
        fixed.number(message.number)
        fixed.word(try gasLimit(message))
        fixed.number(message.nonce)

        var sender = WordRow()
        sender.address(message.sender)

        var row = WordRow()
        row.word(.zero)
        row.hash(lane.digest)
        row.hash(fixed.digest)
        row.hash(sender.digest)
        row.hash(keccak256(message.data))
        row.hash(try tokens(message).digest)
        return row.digest
    }

    /// `abi.encode((bytes,address,uint32,bytes,uint256)[])`: offset of the list, length, offsets of the entries, entries.
    private static func tokens(_ message: RawMessage) throws(GuardError) -> WordRow {
        var entries: [WordRow] = []
        for token in message.tokens {
            guard token.executionData.count == 32, token.executionData.prefix(28).allSatisfy({ $0 == 0 }),
                let gas = UInt64(bigEndianBytes: token.executionData.suffix(4))
            else { throw undeliverable("the gas of a token is no uint32", message) }
            var entry = WordRow()
            entry.number(5 * 32)  // source pool: behind the five words of the head
            entry.address(try account(token.destinationToken, "destination token", message))
            entry.number(gas)
            entry.number(7 * 32)  // extra data: behind length and word of the source pool
            entry.word(token.amount)
            entry.number(32)
            entry.address(token.pool)
            entry.string(token.extraData)
            entries.append(entry)
        }
        var list = WordRow()
        list.number(32)
        list.number(UInt64(entries.count))
        var offset = 32 * entries.count
        for entry in entries {
            list.number(UInt64(offset))
            offset += entry.bytes.count
        }
        for entry in entries { list.raw(entry.bytes) }
        return list
    }

    /// An account in 32 bytes.
    private static func account(
        _ bytes: Bytes, _ what: String, _ message: RawMessage
    ) throws(GuardError) -> Address {
        guard bytes.count == 32, bytes[..<12].allSatisfy({ $0 == 0 }), let account = Address(bytes: bytes[12...]) else {
            throw undeliverable("the \(what) is no account in 32 bytes", message)
        }
        return account
    }

    /// Form V2: tag, gas limit, flag. Form V1, of older ramps: tag, gas limit.
    private static func gasLimit(_ message: RawMessage) throws(GuardError) -> U256 {
        let args = message.extraArgs
        let isV1 = args.starts(with: [0x97, 0xa6, 0x57, 0xc9]) && args.count == 36
        let isV2 = args.starts(with: [0x18, 0x1d, 0xcf, 0x10]) && args.count == 68
        let flagIsBit = isV1 || (isV2 && args[36..<67].allSatisfy { $0 == 0 } && args[67] <= 1)
        guard isV1 || isV2, flagIsBit, let limit = U256(bigEndianBytes: args[4..<36]) else {
            throw undeliverable("its extra arguments are for no EVM chain", message)
        }
        return limit
    }

    private static func undeliverable(_ why: String, _ message: RawMessage) -> GuardError {
        GuardError(
            .undeliverable, "message \(message.number) (\(message.id)): \(why)",
            hint: "no root over it is signed; the lane waits for its operators")
    }
}
