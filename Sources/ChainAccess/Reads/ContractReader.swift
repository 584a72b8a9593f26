// Typed reads of contracts: the calls of CCIP/Contracts, performed. One at a time, many at once, or by a quorum.

import CCIP
import Ethereum

/// A call with the contract it goes to.
package struct BoundCall<Answer>: Sendable {
    package let call: ContractCall<Answer>
    package let to: Address

    var target: CallTarget { CallTarget(to: to, data: call.data) }

    package init(_ call: ContractCall<Answer>, from contract: Address) {
        self.call = call
        to = contract
    }
}

package struct ContractReader: Sendable {
    package let endpoints: ChainEndpointSet
    package let selector: BlockSelector

    package init(_ endpoints: ChainEndpointSet, at selector: BlockSelector = .latest) {
        self.endpoints = endpoints
        self.selector = selector
    }

    /// Throws `reverted`, or `malformedAnswer` when no such contract stands there.
    package func read<Answer: Sendable>(
        _ call: ContractCall<Answer>, from contract: Address
    ) async throws(ChainAccessError) -> Answer {
        let bytes: Bytes
        do throws(ChainAccessError) {
            bytes = try await endpoints.call(to: contract, data: call.data, at: selector)
        } catch { throw error.with("call", call.name) }
        return try Self.decode(call, bytes, contract)
    }

    /// Calls of one kind in one batch; each has its own result.
    package func readAll<Answer: Sendable>(
        _ calls: [(ContractCall<Answer>, Address)]
    ) async throws(ChainAccessError) -> [Result<Answer, ChainAccessError>] {
        let results = try await endpoints.calls(calls.map { CallTarget(to: $0.1, data: $0.0.data) }, at: selector)
        var answers: [Result<Answer, ChainAccessError>] = []
        for (result, (call, contract)) in zip(results, calls) {
            do throws(ChainAccessError) {
                answers.append(.success(try Self.decode(call, try result.get(), contract)))
            } catch { answers.append(.failure(error.with("call", call.name))) }
        }
        return answers
    }

    /// Two calls of different kinds in one batch; throws when one of them fails. Overloads instead of a parameter pack:
    /// the pack makes the compiler of Swift 6.3 crash in some callers.
    package func together<A: Sendable, B: Sendable>(
        _ a: BoundCall<A>, _ b: BoundCall<B>
    ) async throws(ChainAccessError) -> (A, B) {
        let results = try await batch([a.target, b.target])
        return (try Self.take(a, results[0]), try Self.take(b, results[1]))
    }

    /// Four of different kinds.
    package func together<A: Sendable, B: Sendable, C: Sendable, D: Sendable>(
        _ a: BoundCall<A>, _ b: BoundCall<B>, _ c: BoundCall<C>, _ d: BoundCall<D>
    ) async throws(ChainAccessError) -> (A, B, C, D) {
        let results = try await batch([a.target, b.target, c.target, d.target])
        return (
            try Self.take(a, results[0]), try Self.take(b, results[1]), try Self.take(c, results[2]),
            try Self.take(d, results[3])
        )
    }

    private func batch(_ targets: [CallTarget]) async throws(ChainAccessError) -> [Result<Bytes, ChainAccessError>] {
        let results = try await endpoints.calls(targets, at: selector)
        precondition(results.count == targets.count, "a batch has as many answers as calls")
        return results
    }

    private static func take<Answer>(
        _ bound: BoundCall<Answer>, _ result: Result<Bytes, ChainAccessError>
    ) throws(ChainAccessError) -> Answer {
        switch result {
        case .failure(let error): throw error.with("call", bound.call.name)
        case .success(let bytes): return try decode(bound.call, bytes, bound.to)
        }
    }

    /// What a quorum of endpoints says at one block; a revert is refused, with its data.
    package func agreed<Answer: Sendable>(
        _ call: ContractCall<Answer>, from contract: Address, at block: BlockReference
    ) async -> Reading<Answer> {
        switch await agreedAll([(call, contract)], at: block) {
        case .ready(let answers): answers.first.map { .ready($0) } ?? .notYet("no answer")
        case .notYet(let why): .notYet(why)
        case .refused(let error): .refused(error)
        }
    }

    /// Several calls of one kind by a quorum, all or none.
    package func agreedAll<Answer: Sendable>(
        _ calls: [(ContractCall<Answer>, Address)], at block: BlockReference
    ) async -> Reading<[Answer]> {
        let targets = calls.map { CallTarget(to: $0.1, data: $0.0.data) }
        switch await endpoints.agreedCalls(targets, at: block) {
        case .notYet(let why): return .notYet(why)
        case .refused(let error): return .refused(error)
        case .ready(let results):
            var answers: [Answer] = []
            for (result, (call, contract)) in zip(results, calls) {
                switch result {
                case .reverted(let data):
                    return .refused(
                        ChainAccessError(
                            .reverted, "\(RevertReason(data))",
                            context: ["call": call.name, "contract": contract.checksummed], revertData: data))
                case .returned(let bytes):
                    do throws(ChainAccessError) { answers.append(try Self.decode(call, bytes, contract)) } catch {
                        return .refused(error)
                    }
                }
            }
            return .ready(answers)
        }
    }

    private static func decode<Answer>(
        _ call: ContractCall<Answer>, _ bytes: Bytes, _ contract: Address
    ) throws(ChainAccessError) -> Answer {
        do throws(CCIPError) { return try call.decode(bytes) } catch {
            throw ChainAccessError(
                .malformedAnswer, error.message, context: ["call": call.name, "contract": contract.checksummed],
                hint: error.hint)
        }
    }
}
