// The transaction object of eth_call, eth_estimateGas and eth_sendTransaction, and what stands beside it: state and
// block overrides.

import EVM
import Ethereum
import JSONRPC

struct TransactionRequest: Sendable {
    var from: Address?
    var to: Address?
    var gas: UInt64?
    var gasPrice: U256?
    var maxFeePerGas: U256?
    var maxPriorityFeePerGas: U256?
    var value: U256
    var data: Bytes
    var nonce: UInt64?
    var chainID: UInt64?
    var accessList: [AccessListEntry]?
    var authorizations: [Authorization]
    var blobVersionedHashes: [Hash32]
    var maxFeePerBlobGas: U256?

    init(_ json: JSON, place: String = "argument 0") throws(JSONRPCError) {
        let members = try Members(json, place)
        from = try members.address("from")
        to = try members.address("to")
        gas = try members.uint64("gas", or: "gasLimit")
        gasPrice = try members.quantity("gasPrice")
        maxFeePerGas = try members.quantity("maxFeePerGas")
        maxPriorityFeePerGas = try members.quantity("maxPriorityFeePerGas")
        value = try members.quantity("value") ?? .zero
        let input = try members.data("input")
        let data = try members.data("data")
        if let input, let data, input != data {
            throw .invalidParams("\(place): 'data' and 'input' are both given and differ; use 'input'")
        }
        self.data = input ?? data ?? []
        nonce = try members.uint64("nonce")
        chainID = try members.uint64("chainId")
        if gasPrice != nil, maxFeePerGas != nil || maxPriorityFeePerGas != nil {
            throw .invalidParams("\(place): both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
        }
        blobVersionedHashes = []
        for hash in try members.list("blobVersionedHashes", atMost: Limits.requestBlobsMaximum) ?? [] {
            blobVersionedHashes.append(try Parameters.hash(hash, members.path("blobVersionedHashes")))
        }
        maxFeePerBlobGas = try members.quantity("maxFeePerBlobGas")
        if members["blobs"] != nil {
            throw .invalidParams(
                "\(place).blobs: blobs are only taken with eth_sendRawTransaction, in their network form")
        }
        accessList = try Self.accessList(members)
        let leaves = try Self.authorizations(members)
        authorizations = leaves
        if members["to"] == nil, !leaves.isEmpty { throw .invalidParams("\(place): type 4 cannot create a contract") }
    }

    /// The transaction as a call runs it.
    func call(chainID: UInt64, gasLimit: UInt64, nonce: UInt64) -> Transaction {
        let cap = gasPrice ?? maxFeePerGas ?? maxPriorityFeePerGas ?? .zero
        return Transaction(
            kind: kind(hasDynamicFees: true), chainID: chainID, nonce: nonce,
            maxPriorityFeePerGas: gasPrice ?? maxPriorityFeePerGas ?? .zero, maxFeePerGas: cap, gasLimit: gasLimit,
            to: to, value: value, data: data, accessList: accessList ?? [], maxFeePerBlobGas: maxFeePerBlobGas ?? .zero,
            blobVersionedHashes: blobVersionedHashes, authorizations: authorizations)
    }

    /// The kind that the members ask for.
    func kind(hasDynamicFees: Bool) -> Transaction.Kind {
        if !authorizations.isEmpty { return .setCode }
        if !blobVersionedHashes.isEmpty { return .blob }
        if gasPrice == nil, hasDynamicFees { return .dynamicFee }
        return accessList == nil ? .legacy : .accessList
    }

    // MARK: Lists

    private static func accessList(_ members: Members) throws(JSONRPCError) -> [AccessListEntry]? {
        guard let items = try members.list("accessList", atMost: Limits.overrideSlotsMaximum) else { return nil }
        var result: [AccessListEntry] = []
        for (index, item) in items.enumerated() {
            let entry = try Members(item, "\(members.path("accessList"))[\(index)]")
            guard let address = try entry.address("address") else {
                throw .invalidParams("\(entry.path("address")): expected an address")
            }
            var keys: [Hash32] = []
            for key in try entry.list("storageKeys", atMost: Limits.overrideSlotsMaximum) ?? [] {
                keys.append(try Parameters.hash(key, entry.path("storageKeys")))
            }
            result.append(AccessListEntry(address: address, storageKeys: keys))
        }
        return result
    }

    private static func authorizations(_ members: Members) throws(JSONRPCError) -> [Authorization] {
        var result: [Authorization] = []
        for (index, item) in (try members.list("authorizationList", atMost: 1_000) ?? []).enumerated() {
            let entry = try Members(item, "\(members.path("authorizationList"))[\(index)]")
            guard let chainID = try entry.quantity("chainId"), let address = try entry.address("address"),
                let nonce = try entry.uint64("nonce"), let parity = try entry.uint64("yParity"),
                let r = try entry.quantity("r"), let s = try entry.quantity("s"), parity < 256
            else { throw .invalidParams("\(entry.place): expected chainId, address, nonce, yParity, r and s") }
            result.append(
                Authorization(chainID: chainID, address: address, nonce: nonce, yParity: UInt8(parity), r: r, s: s))
        }
        return result
    }
}

enum Overrides {
    /// State overrides: an object from address to what is otherwise.
    static func accounts(_ json: JSON?, place: String) throws(JSONRPCError) -> [CallView.AccountOverride] {
        guard let json else { return [] }
        let members = try Members(json, place)
        guard members.object.members.count <= Limits.overridesMaximum else {
            throw .limitExceeded("\(place): at most \(Limits.overridesMaximum) accounts")
        }
        var result: [CallView.AccountOverride] = []
        for (name, value) in members.object.members {
            let account = try Members(value, "\(place).\(name.prefix(42))")
            var item = CallView.AccountOverride(
                address: try Parameters.address(.string(name), "\(place): \(Parameters.shown(name))"))
            item.balance = try account.quantity("balance")
            item.nonce = try account.uint64("nonce")
            item.code = try account.data("code")
            item.movesPrecompileTo = try account.address("movePrecompileToAddress")
            item.state = try slots(account, "state")
            item.stateDifference = try slots(account, "stateDiff") ?? []
            if item.state != nil, account["stateDiff"] != nil {
                throw JSONRPCError(
                    code: -32000, message: "\(account.place): account has both 'state' and 'stateDiff'")
            }
            result.append(item)
        }
        return result
    }

    private static func slots(_ account: Members, _ name: String) throws(JSONRPCError) -> [SlotChange]? {
        guard let value = account[name] else { return nil }
        let slots = try Members(value, account.path(name))
        guard slots.object.members.count <= Limits.overrideSlotsMaximum else {
            throw .limitExceeded("\(slots.place): at most \(Limits.overrideSlotsMaximum) slots")
        }
        var result: [SlotChange] = []
        for (key, value) in slots.object.members {
            result.append(
                SlotChange(
                    slot: try Parameters.quantity(.string(key), "\(slots.place): \(Parameters.shown(key))"),
                    value: try Parameters.quantity(value, "\(slots.place).\(key.prefix(66))")))
        }
        return result
    }

    /// Block overrides, by the names that geth gave them.
    static func block(_ json: JSON?, place: String, _ block: inout BlockEnvironment) throws(JSONRPCError) {
        guard let json else { return }
        let members = try Members(json, place)
        if let number = try members.uint64("number") { block.number = number }
        if let time = try members.uint64("time", or: "timestamp") { block.timestamp = time }
        if let limit = try members.uint64("gasLimit") { block.gasLimit = limit }
        if let address = try members.address("feeRecipient", or: "coinbase") { block.coinbase = address }
        if let randao = try members.hash("prevRandao", or: "random") { block.prevRandao = randao }
        if let fee = try members.quantity("baseFeePerGas", or: "baseFee") { block.baseFee = fee }
        if let fee = try members.quantity("blobBaseFee") { block.blobBaseFee = fee }
    }
}

extension LogFilter {
    /// The filter object of eth_getLogs, eth_newFilter and the logs subscription.
    init(_ json: JSON?, place: String = "argument 0") throws(JSONRPCError) {
        self.init()
        guard let json else { return }
        let members = try Members(json, place)
        if let hash = try members.hash("blockHash") {
            guard members["fromBlock"] == nil, members["toBlock"] == nil else {
                throw .invalidParams(
                    "\(place): cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
            }
            blocks = .hash(hash)
        } else {
            let convert = { (value: JSON, place: String) throws(JSONRPCError) in try Parameters.block(value, place) }
            blocks = .range(
                from: try members.read("fromBlock", convert) ?? .latest,
                to: try members.read("toBlock", convert) ?? .latest)
        }
        addresses = try Self.addresses(members)
        topics = try Self.topics(members)
    }

    private static func addresses(_ members: Members) throws(JSONRPCError) -> [Address] {
        guard let value = members["address"] else { return [] }
        guard value.asArray != nil else { return [try Parameters.address(value, members.path("address"))] }
        var result: [Address] = []
        for item in try members.list("address", atMost: Limits.logFilterItemsMaximum) ?? [] {
            result.append(try Parameters.address(item, members.path("address")))
        }
        return result
    }

    private static func topics(_ members: Members) throws(JSONRPCError) -> [[Hash32]?] {
        guard let items = try members.list("topics", atMost: 4) else { return [] }
        var result: [[Hash32]?] = []
        for (position, item) in items.enumerated() {
            let place = "\(members.path("topics"))[\(position)]"
            switch item {
            case .null: result.append(nil)
            case .array(let choices):
                guard choices.count <= Limits.logFilterItemsMaximum else {
                    throw .limitExceeded("\(place): at most \(Limits.logFilterItemsMaximum) topics")
                }
                // A null among the choices, or no choice at all, means any topic.
                guard !choices.isEmpty, !choices.contains(where: \.isNull) else {
                    result.append(nil)
                    continue
                }
                var hashes: [Hash32] = []
                for choice in choices { hashes.append(try Parameters.hash(choice, place)) }
                result.append(hashes)
            default: result.append([try Parameters.hash(item, place)])
            }
        }
        return result
    }
}
