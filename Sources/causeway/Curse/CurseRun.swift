// One curse or uncurse from simulation to the lanes that it stops.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import Localnet

struct CurseRun: Sendable {
    let isCurse: Bool
    let options: CurseOptions
    let network: BridgeNetwork
    let out: CommandOutput

    private var verb: String { isCurse ? "curse" : "uncurse" }

    /// One contract that was told.
    struct Told: Sendable {
        let target: CurseTarget
        let contract: Address
        var place: ChainPlace?

        func json(_ verb: String) -> JSON {
            [
                "action": .string(verb), "on": target.chain.json, "subject": .string(target.subject.name),
                "subjectBytes": .data(target.subject.bytes), "contract": .string(contract.checksummed),
                "transaction": place.map { .hash($0.transaction) } ?? .null,
                "block": place.map { .integer($0.block) } ?? .null,
            ]
        }
    }

    func perform() async throws -> ExitStatus {
        let key = try options.key(network)
        let targets = try options.targets(network)
        // All are simulated before the first is sent: half a curse is told, not found out.
        var prepared: [(Told, Wallet, WalletCall)] = []
        for target in targets {
            let wallet = Wallet(key: key, chain: target.chain)
            let contract = try await Self.contract(target.chain)
            let call = try await simulated(target, contract, wallet)
            prepared.append((Told(target: target, contract: contract), wallet, call))
        }
        var told: [Told] = []
        for (item, wallet, call) in prepared { told.append(options.dryRun ? item : try await send(item, wallet, call)) }
        let lanes = try await lanes(touched: targets)
        let json: JSON = [
            "dryRun": .bool(options.dryRun), "calls": .array(told.map { $0.json(verb) }), "lanes": .array(lanes.map(\.json)),
        ]
        out.data(json) { text(told, lanes) }
        return .done
    }

    /// The RMNRemote itself: what the OffRamp asks is a proxy, and writes go to what stands behind it.
    static func contract(_ chain: BridgeChain) async throws -> Address {
        let answer = try await chain.endpoints.call(to: chain.contracts.offRamp, data: DestinationCalls.staticConfig)
        let asked = try DestinationCalls.curseContract(answer)
        do throws(ChainAccessError) {
            let behind = try await chain.endpoints.call(to: asked, data: DestinationCalls.arm)
            return (try? DestinationCalls.target(behind)) ?? asked
        } catch {
            guard error.code == .reverted else { throw error }
            return asked
        }
    }

    private func simulated(_ target: CurseTarget, _ contract: Address, _ wallet: Wallet) async throws -> WalletCall {
        let function = isCurse ? RMNRemoteInterface.curse : RMNRemoteInterface.uncurse
        let data = try function.encodeCall([.bytes(target.subject.bytes)])
        let what = "\(verb) \(target.subject.name) on \(target.chain.name)"
        do throws(ChainAccessError) {
            _ = try await target.chain.endpoints.call(to: contract, data: data, from: wallet.address)
        } catch {
            guard error.code == .reverted else { throw error }
            throw Self.refusal(error, what, target, wallet.address, contract)
        }
        return WalletCall(
            to: contract, data: data, gasLimit: try await wallet.estimate(data, to: contract, doing: what))
    }

    static func refusal(
        _ error: ChainAccessError, _ what: String, _ target: CurseTarget, _ sender: Address, _ contract: Address
    ) -> CommandFailure {
        let reason = RevertReason(error.revertData ?? [])
        let hint: String? =
            switch reason.name {
            case "AlreadyCursed": "\(target.subject.name) is cursed on \(target.chain.name) already: causeway lanes"
            case "NotCursed": "\(target.subject.name) is not cursed on \(target.chain.name): causeway lanes"
            case "OnlyCallableByOwner", "Unauthorized", "UnauthorizedCaller":
                "\(sender) may not: use the key of the owner of \(contract) with --key-file or --account"
            default: nil
            }
        return Refusal.failure(
            error, doing: what, hint: hint, context: [(name: "contract", value: .string(contract.checksummed))])
    }

    private func send(_ item: Told, _ wallet: Wallet, _ call: WalletCall) async throws -> Told {
        let hashes = try await wallet.send([call]).map(\.hash)
        out.talk("\(verb) \(item.target.subject.name) on \(item.target.chain.name): sent \(hashes[0])")
        let receipt = try await wallet.receipts(hashes, deadline: .now + .seconds(options.timeout))[0]
        guard receipt.succeeded else {
            throw CommandFailure(
                "transactionFailed", "\(verb) \(item.target.subject.name) failed on \(item.target.chain.name) in block "
                    + "\(receipt.blockNumber)", hint: "somebody else may have done it meanwhile: causeway lanes",
                context: [(name: "transaction", value: .hash(receipt.transactionHash))])
        }
        var item = item
        item.place = ChainPlace(transaction: receipt.transactionHash, block: receipt.blockNumber)
        return item
    }

    // MARK: Lanes

    struct Lane: Sendable {
        let source: BridgeChain
        let destination: BridgeChain
        /// Nothing is sent any more.
        let stopsSending: Bool
        /// Nothing is committed or executed any more.
        let stopsArrival: Bool

        var isStopped: Bool { stopsSending || stopsArrival }

        var json: JSON {
            [
                "from": source.json, "to": destination.json, "sendingStopped": .bool(stopsSending),
                "arrivalStopped": .bool(stopsArrival),
            ]
        }

        var row: [String] {
            let state =
                switch (stopsSending, stopsArrival) {
                case (true, true): "stopped"
                case (true, false): "sending stopped"
                case (false, true): "arrival stopped"
                case (false, false): "open"
                }
            return [source.name, destination.name, Terminal.data.paint(state, isStopped ? .red : .green)]
        }
    }

    /// The lanes that touch the cursed ends, as the contracts say now.
    private func lanes(touched targets: [CurseTarget]) async throws -> [Lane] {
        var cursed: [ChainSelector: [Bytes]] = [:]
        for chain in network.chains {
            let answer = try await chain.endpoints.call(
                to: try await Self.contract(chain), data: DestinationCalls.cursedSubjects)
            cursed[chain.selector] = try DestinationCalls.subjects(answer)
        }
        func stops(_ chain: BridgeChain, on place: BridgeChain) -> Bool {
            let subjects = CursedSubjects(cursed[place.selector] ?? [])
            return subjects.covers(chain.selector)
        }
        var lanes: [Lane] = []
        for source in network.chains {
            for destination in network.chains where destination.selector != source.selector {
                guard targets.contains(where: { $0.touches(source, destination) }) else { continue }
                lanes.append(
                    Lane(
                        source: source, destination: destination, stopsSending: stops(destination, on: source),
                        stopsArrival: stops(source, on: destination)))
            }
        }
        return lanes
    }

    private func text(_ told: [Told], _ lanes: [Lane]) -> String {
        var text = ""
        for item in told {
            let done = isCurse ? "cursed" : "released"
            let subject = "\(item.target.subject.name) on \(item.target.chain.name)"
            if let place = item.place {
                text += "\(done) \(subject) in block \(place.block), tx \(place.transaction)\n"
            } else {
                text += "would \(verb) \(subject) (simulated, nothing sent)\n"
            }
        }
        var table = Table(["from", "to", "lane"])
        for lane in lanes { table.add(lane.row) }
        return text + "\n" + table.text()
    }
}

extension CurseTarget {
    /// A curse of a chain on this one concerns both directions between the two; of everything, every lane of this one.
    func touches(_ source: BridgeChain, _ destination: BridgeChain) -> Bool {
        switch subject {
        case .everything: return source.selector == chain.selector || destination.selector == chain.selector
        case .chain(let selector, _):
            return Set([source.selector, destination.selector]) == Set([chain.selector, selector])
        }
    }
}
