// How a call looks through a fault: the block that it names is replaced before it is answered, and the answer is bent
// afterwards. Pure: what is true of the chain comes in.

import Ethereum
import JSONRPC

struct FaultedView {
    let faults: FaultPlan.CallFaults
    let head: UInt64
    let safe: UInt64
    let finalized: UInt64

    /// The head as it is shown.
    var shownHead: UInt64 { head - min(faults.staleBlocks, head) }

    // MARK: Before the answer

    /// The parameters with the blocks in them as the fault has them.
    func parameters(_ method: Method, _ json: JSON) -> JSON {
        guard faults.staleBlocks > 0 || faults.finalityLead > 0 else { return json }
        guard case .array(var items) = json else { return json }
        switch method {
        case .logs, .newFilter:
            guard case .object(var filter)? = items.first, filter["blockHash"] == nil else { return json }
            for bound in ["fromBlock", "toBlock"] { filter[bound] = bounded(filter[bound]) }
            items[0] = .object(filter)
        default:
            guard let position = Self.blockPosition(method) else { return json }
            while items.count <= position { items.append(.null) }
            items[position] = block(items[position])
        }
        return .array(items)
    }

    /// Where a method's block stands among its parameters.
    static func blockPosition(_ method: Method) -> Int? {
        switch method {
        case .blockByNumber, .headerByNumber, .blockReceipts, .transactionCountByNumber, .uncleCountByNumber,
            .transactionByNumberAndIndex, .rawTransactionByNumberAndIndex, .traceBlockByNumber, .rawHeader, .rawBlock,
            .rawReceipts:
            0
        case .balance, .code, .transactionCount, .account, .accountInfo, .storageValues, .call, .estimateGas,
            .createAccessList, .simulate, .feeHistory, .traceCall:
            1
        case .storage, .proof: 2
        default: nil
        }
    }

    private func block(_ value: JSON) -> JSON {
        if case .object(var object) = value {
            if let number = object["blockNumber"] { object["blockNumber"] = block(number) }
            return .object(object)
        }
        switch value.asString {
        case "safe": return .quantity(shown(safe))
        case "finalized": return .quantity(shown(finalized))
        default: break
        }
        guard faults.staleBlocks > 0 else { return value }
        if value.isNull || value.asString == "latest" || value.asString == "pending" { return .quantity(shownHead) }
        // A block that is not there yet for this view is none.
        if let number = value.asUInt64, value.asString?.utf8.count != 66, number > shownHead {
            return .quantity(UInt64.max >> 4)
        }
        return value
    }

    /// A bound of a range of logs; above the shown head there is nothing.
    private func bounded(_ value: JSON?) -> JSON {
        let block = block(value ?? .null)
        guard faults.staleBlocks > 0, let number = block.asUInt64 else { return block }
        return .quantity(min(number, shownHead))
    }

    private func shown(_ tag: UInt64) -> UInt64 {
        let (sum, overflow) = tag.addingReportingOverflow(faults.finalityLead)
        return min(overflow ? .max : sum, shownHead)
    }

    // MARK: After it

    func answer(_ method: Method, _ json: JSON) -> JSON {
        var json = json
        if faults.staleBlocks > 0 { json = stale(method, json) }
        if faults.numberOffset != 0 { json = method == .blockNumber ? shifted(number: json) : shifted(json) }
        return json
    }

    private func stale(_ method: Method, _ json: JSON) -> JSON {
        switch method {
        case .blockNumber: return .quantity(shownHead)
        case .receipt, .blockByHash, .headerByHash: return isTooNew(json) ? .null : json
        case .blockReceipts, .logs, .filterLogs:
            guard let items = json.asArray else { return json }
            return .array(items.filter { !isTooNew($0) })
        case .transactionByHash, .transactionByHashAndIndex:
            guard isTooNew(json), case .object(var object) = json else { return json }
            for name in ["blockHash", "blockNumber", "transactionIndex"] { object[name] = .null }
            return .object(object)
        default: return json
        }
    }

    private func isTooNew(_ json: JSON) -> Bool {
        (json["blockNumber"] ?? json["number"])?.asUInt64.map { $0 > shownHead } ?? false
    }

    /// The same with the numbers of blocks in it moved: in a block, its transactions, in receipts and their logs.
    func shifted(_ json: JSON) -> JSON {
        switch json {
        case .array(let items): return .array(items.map { shiftedMember($0, depth: 2) })
        default: return shiftedMember(json, depth: 2)
        }
    }

    /// `depth` bounds the way down: a block's transactions, a receipt's logs.
    private func shiftedMember(_ json: JSON, depth: Int) -> JSON {
        guard case .object(var object) = json else { return json }
        for name in ["number", "blockNumber"] {
            if let value = object[name], value.asUInt64 != nil { object[name] = shifted(number: value) }
        }
        guard depth > 0 else { return .object(object) }
        for name in ["transactions", "logs"] {
            guard let items = object[name]?.asArray else { continue }
            object[name] = .array(items.map { shiftedMember($0, depth: depth - 1) })
        }
        return .object(object)
    }

    private func shifted(number json: JSON) -> JSON {
        guard let number = json.asUInt64 else { return json }
        let moved = Int64(clamping: number).addingReportingOverflow(faults.numberOffset)
        return .quantity(UInt64(max(moved.overflow ? Int64.max : moved.partialValue, 0)))
    }
}
