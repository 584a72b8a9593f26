// What rounds and report checks need of a destination chain, read in one batch at one pinned block by a quorum.

import CCIP
import ChainAccess
import Ethereum

/// The state of one destination at one block.
struct DestinationState: Sendable {
    var block: BlockReference
    var curse: CursedSubjects
    var installed: OCRConfigDetails
    /// Of each source that could be read.
    var sources: [ChainSelector: SourceChainConfig]
    var latestPriceSequenceNumber: UInt64
    var gasPrices: [ChainSelector: TimestampedPrice]
    var tokenPrices: [Address: TimestampedPrice]
    /// Behind the proxy that the OffRamp asks; nil where it was not asked for, and where no such contract stands.
    var rmn: RMNRemoteState?
}

/// What verifies blessed roots: the contract itself, and its configuration.
struct RMNRemoteState: Sendable {
    var address: Address
    var config: RMNVersionedConfig
}

struct DestinationReader: Sendable {
    let watch: ChainWatch
    let sources: [ChainSelector]
    let plugin: PluginType
    /// Tokens whose prices the FeeQuoter keeps and this cluster reports; ascending.
    let pricedTokens: [Address]
    let pricedChains: [ChainSelector]
    /// Also the RMNRemote's configuration.
    var readsRMN = false

    /// At the newest block that the tracker has seen.
    func read() async -> Reading<DestinationState> {
        guard let head = await watch.heads.current else { return .notYet("no head of \(watch.settings.name) yet") }
        return await read(at: head.latest)
    }

    func read(at block: BlockReference) async -> Reading<DestinationState> {
        let contracts = watch.settings.contracts
        let rmn: Address
        switch await watch.curseContract(at: block) {
        case .ready(let found): rmn = found
        case .notYet(let why): return .notYet(why)
        case .refused(let error): return .refused(error)
        }
        let curse = RMNRemoteCalls.cursedSubjects()
        let details = OffRampCalls.latestConfigDetails(plugin)
        let price = OffRampCalls.latestPriceSequenceNumber()
        let configs = sources.map { OffRampCalls.sourceChainConfig($0) }
        let gas = pricedChains.map { FeeQuoterCalls.gasPrice($0) }
        let tokens = FeeQuoterCalls.tokenPrices(pricedTokens)
        var targets = [
            CallTarget(to: rmn, data: curse.data), CallTarget(to: contracts.offRamp, data: details.data),
            CallTarget(to: contracts.offRamp, data: price.data),
        ]
        targets += configs.map { CallTarget(to: contracts.offRamp, data: $0.data) }
        targets += gas.map { CallTarget(to: contracts.feeQuoter, data: $0.data) }
        if !pricedTokens.isEmpty { targets.append(CallTarget(to: contracts.feeQuoter, data: tokens.data)) }
        let (arm, versioned) = (RMNRemoteCalls.arm(), RMNRemoteCalls.versionedConfig())
        // A proxy hands the second call on, so both answers belong to one block and one contract.
        if readsRMN { targets += [CallTarget(to: rmn, data: arm.data), CallTarget(to: rmn, data: versioned.data)] }
        switch await watch.endpoints.agreedCalls(targets, at: block) {
        case .notYet(let why): return .notYet(why)
        case .refused(let error): return .refused(error)
        case .ready(let results):
            do {
                var answers = Answers(results)
                var state = DestinationState(
                    block: block, curse: try answers.next(curse), installed: try answers.next(details), sources: [:],
                    latestPriceSequenceNumber: try answers.next(price), gasPrices: [:], tokenPrices: [:])
                for (source, call) in zip(sources, configs) { state.sources[source] = try answers.next(call) }
                for (chain, call) in zip(pricedChains, gas) { state.gasPrices[chain] = try answers.next(call) }
                if !pricedTokens.isEmpty {
                    for (token, value) in zip(pricedTokens, try answers.next(tokens)) { state.tokenPrices[token] = value }
                }
                if readsRMN {
                    // What the OffRamp asks is the RMNRemote itself where it is no proxy.
                    let address = answers.optional(arm) ?? rmn
                    state.rmn = answers.optional(versioned).map { RMNRemoteState(address: address, config: $0) }
                }
                return .ready(state)
            } catch {
                return .notYet("\(watch.settings.name) at block \(block.number): \(error)")
            }
        }
    }
}

/// Takes the answers of a batch one after the other.
struct Answers {
    private var results: ArraySlice<CallResult>

    init(_ results: [CallResult]) { self.results = results[...] }

    mutating func next<Answer>(_ call: ContractCall<Answer>) throws -> Answer {
        guard let result = results.popFirst() else {
            throw RelayerError(.chain, "\(call.name): the batch has no answer for it")
        }
        switch result {
        case .returned(let bytes): return try call.decode(bytes)
        case .reverted(let data): throw RelayerError(.contract, "\(call.name) reverts: \(RevertReason(data))")
        }
    }

    /// Nil where the contract has no such function.
    mutating func optional<Answer>(_ call: ContractCall<Answer>) -> Answer? { try? next(call) }
}
