// Reads what a guard judges a request by, at one block of a destination, from a quorum of the guard's own endpoints.

import CCIP
import ChainAccess
import Ethereum
import Guarding

actor DestinationReader {
    private let eye: ChainEye
    private let sources: [ChainSelector]
    /// What the OffRamp asks about curses; fixed at its creation.
    private var curseContract: Address?

    init(_ eye: ChainEye, sources: [ChainSelector]) {
        self.eye = eye
        self.sources = sources.sorted()
    }

    func read() async -> Reading<DestinationFacts> {
        guard let head = await eye.heads.current?.latest else { return .notYet("no head of \(eye.chain.name) yet") }
        let contract: Address
        if let curseContract {
            contract = curseContract
        } else {
            switch await findCurseContract(head) {
            case .ready(let found): contract = found
            case .notYet(let why): return .notYet(why)
            case .refused(let error): return .refused(error)
            }
            curseContract = contract
        }
        var targets = [DestinationCalls.arm, DestinationCalls.versionedConfig, DestinationCalls.cursedSubjects].map {
            CallTarget(to: contract, data: $0)
        }
        targets += sources.map { CallTarget(to: eye.chain.offRamp, data: DestinationCalls.sourceConfig($0)) }
        switch await eye.endpoints.agreedCalls(targets, at: head) {
        case .notYet(let why): return .notYet(why)
        case .refused(let error): return .refused(error)
        case .ready(let results):
            do { return .ready(try facts(results, contract, head)) } catch {
                return .notYet("\(eye.chain.name) at block \(head.number): \(error)")
            }
        }
    }

    private func findCurseContract(_ head: BlockReference) async -> Reading<Address> {
        let target = CallTarget(to: eye.chain.offRamp, data: DestinationCalls.staticConfig)
        switch await eye.endpoints.agreedCalls([target], at: head) {
        case .notYet(let why): return .notYet(why)
        case .refused(let error): return .refused(error)
        case .ready(let results):
            guard case .returned(let answer)? = results.first, let found = try? DestinationCalls.curseContract(answer) else {
                return .notYet("no OffRamp answers at \(eye.chain.offRamp) on \(eye.chain.name)")
            }
            return .ready(found)
        }
    }

    private func facts(
        _ results: [CallResult], _ contract: Address, _ head: BlockReference
    ) throws -> DestinationFacts {
        guard results.count == 3 + sources.count else {
            throw WatcherError(.chain, "\(results.count) answers to \(3 + sources.count) calls")
        }
        func answer(_ position: Int, _ what: String) throws -> Bytes {
            guard case .returned(let bytes) = results[position] else { throw WatcherError(.chain, "\(what) reverts") }
            return bytes
        }
        // A proxy names what stands behind it; an RMNRemote without one has no such function.
        var remote = contract
        if case .returned(let bytes) = results[0], let behind = try? DestinationCalls.target(bytes) { remote = behind }
        let configuration = try DestinationCalls.configuration(answer(1, "getVersionedConfig"))
        var facts = DestinationFacts(
            destination: eye.chain.selector, block: head.number, rmnRemote: remote, homeDigest: configuration.homeDigest,
            configVersion: configuration.version, signers: configuration.signers,
            cursedSubjects: try DestinationCalls.subjects(answer(2, "getCursedSubjects")), sources: [:])
        for (position, source) in sources.enumerated() {
            facts.sources[source] = try DestinationCalls.source(answer(3 + position, "getSourceChainConfig"))
        }
        return facts
    }
}
