// The call data of `manuallyExecute` for one message (4.12 of the off-chain specification, 13.1 of the on-chain one).
// Anybody may send it; nothing is sent from here.

import CCIP
import Ethereum

/// What may be changed about the gas of a manual execution.
package struct ManualGas: Hashable, Sendable {
    /// Nil keeps the message's own limit; lower than that is refused by the contract.
    package var receiverGasLimit: U256?
    /// Nil keeps them all; an entry of 0 keeps that one.
    package var tokenGas: [UInt32]?

    package init(receiverGasLimit: U256? = nil, tokenGas: [UInt32]? = nil) {
        self.receiverGasLimit = receiverGasLimit
        self.tokenGas = tokenGas
    }

    package static let unchanged = ManualGas()
}

package struct ManualExecutionPlan: Hashable, Sendable {
    package let root: MerkleRoot
    package let message: Any2EVMRampMessage
    /// One message with its proof.
    package let report: ExecutionReport
    package let override: GasLimitOverride
    /// Call data of `manuallyExecute`, to the OffRamp.
    package let callData: Bytes
    /// With this gas limit or more.
    package let transactionGasLimit: UInt64

    /// `messages` are all messages of the root in any order, read from the source chain; `tokenData` has one entry for
    /// each token of the chosen message, empty for ordinary tokens.
    ///
    /// Throws `unknownMessage`, `incompleteRange`, `rootMismatch`, `gasOverrideTooLow` or `tokenDataMismatch`.
    package init(
        root: MerkleRoot, messages: [Any2EVMRampMessage], messageID: MessageID, tokenData: [Bytes],
        gas: ManualGas = .unchanged
    ) throws(ExecutingError) {
        let ordered = try Self.range(root, messages)
        guard let index = ordered.firstIndex(where: { $0.header.messageID == messageID }) else {
            throw ExecutingError(
                .unknownMessage, "message \(messageID) is not under root \(root.root) of \(root.first)...\(root.last)",
                hint: "find the root whose range covers the message's sequence number")
        }
        let chosen = ordered[index]
        guard tokenData.count == chosen.tokenAmounts.count else {
            throw ExecutingError(
                .tokenDataMismatch, "\(tokenData.count) entries of token data for \(chosen.tokenAmounts.count) tokens",
                hint: "one entry for each token, empty for tokens that need none")
        }
        let report: ExecutionReport
        let override = try Self.override(chosen, gas)
        do {
            let tree = try MerkleTree(leaves: ordered.map { $0.leafHash(onRamp: root.onRamp) })
            guard tree.root == root.root else {
                throw ExecutingError(
                    .rootMismatch, "the messages read lead to \(tree.root), accepted was \(root.root)",
                    hint: "read the source chain from another endpoint, and check the lane's OnRamp")
            }
            let proof = try tree.proof(indices: [index])
            report = ExecutionReport(
                source: root.source, messages: [chosen], offchainTokenData: [tokenData], proofs: proof.hashes,
                proofFlagBits: proof.flagBits)
            callData = try ManualExecution.call(reports: [report], overrides: [[override]])
        } catch let error as ExecutingError {
            throw error
        } catch let error as CCIPError {
            throw ExecutingError(.malformedReport, error)
        } catch {
            throw ExecutingError(.malformedReport, "\(error)", hint: "a defect of this build: report it")
        }
        self.root = root
        message = chosen
        self.report = report
        self.override = override
        transactionGasLimit = ExecutionGas.limit([Self.raised(report, override)], callData: callData)
    }

    /// All messages of the range, ascending.
    private static func range(
        _ root: MerkleRoot, _ messages: [Any2EVMRampMessage]
    ) throws(ExecutingError) -> [Any2EVMRampMessage] {
        guard let count = root.checkedCount else {
            throw ExecutingError(
                .rootMismatch, "a root over \(root.first)...\(root.last)", hint: "this is no accepted root")
        }
        let ordered = messages.sorted { $0.key < $1.key }
        let fits =
            ordered.count == count
            && ordered.enumerated().allSatisfy { index, message in message.key == root.message(at: index) }
        guard fits else {
            let have = Set(messages.map(\.key))
            let missing = (0..<count).first { !have.contains(root.message(at: $0)) }
            throw ExecutingError(
                .incompleteRange,
                "\(messages.count) messages for \(root.first)...\(root.last)"
                    + (missing.map { ", \(root.message(at: $0)) is missing" } ?? ""),
                hint: "read every message of the range, each once: the proof needs all leaves")
        }
        return ordered
    }

    private static func override(
        _ message: Any2EVMRampMessage, _ gas: ManualGas
    ) throws(ExecutingError) -> GasLimitOverride {
        var override = GasLimitOverride.none(for: message)
        if let limit = gas.receiverGasLimit {
            guard limit >= message.gasLimit else {
                throw ExecutingError(
                    .gasOverrideTooLow, "gas limit \(limit.decimal), the message asks for \(message.gasLimit.decimal)",
                    hint: "the contract only lets you raise it; leave it out to keep it",
                    contractError: "InvalidManualExecutionGasLimit(uint64,bytes32,uint256)")
            }
            override.receiverExecutionGasLimit = limit
        }
        guard let tokens = gas.tokenGas else { return override }
        guard tokens.count == message.tokenAmounts.count else {
            throw ExecutingError(
                .tokenDataMismatch, "\(tokens.count) token gas limits for \(message.tokenAmounts.count) tokens",
                hint: "one for each token, 0 keeps its own",
                contractError: "ManualExecutionGasAmountCountMismatch(bytes32,uint64)")
        }
        for (index, (wanted, token)) in zip(tokens, message.tokenAmounts).enumerated()
        where wanted != 0 && wanted < token.destinationGas {
            throw ExecutingError(
                .gasOverrideTooLow, "token \(index): gas \(wanted), the message asks for \(token.destinationGas)",
                hint: "the contract only lets you raise it; 0 keeps it",
                contractError: "InvalidManualExecutionTokenGasOverride(bytes32,uint256,uint256,uint256)")
        }
        override.tokenGasOverrides = tokens
        return override
    }

    /// The report as if its message had asked for the overriding gas.
    private static func raised(_ report: ExecutionReport, _ override: GasLimitOverride) -> ExecutionReport {
        var raised = report
        for index in raised.messages.indices {
            raised.messages[index].gasLimit = max(
                raised.messages[index].gasLimit, override.receiverExecutionGasLimit)
            for (token, gas) in override.tokenGasOverrides.enumerated() {
                let own = raised.messages[index].tokenAmounts[token].destinationGas
                raised.messages[index].tokenAmounts[token].destinationGas = max(own, gas)
            }
        }
        return raised
    }

    /// Whether the contract would take it now: a failure at once, an untouched message once its root is older than
    /// `threshold` seconds of the destination's clock. Throws `manualExecutionNotAllowed` saying when.
    package static func checkAllowed(
        state: MessageExecutionState, committedAt: UInt64, destinationTimestamp: UInt64, threshold: UInt32
    ) throws(ExecutingError) {
        switch state {
        case .failure: return
        case .success, .inProgress:
            throw ExecutingError(
                .manualExecutionNotAllowed, "the message is \(state == .success ? "executed" : "being executed")",
                hint: "there is nothing left to do")
        case .untouched:
            let age = destinationTimestamp > committedAt ? destinationTimestamp - committedAt : 0
            guard age > UInt64(threshold) else {
                throw ExecutingError(
                    .manualExecutionNotAllowed, "its root is \(age) s old, and the relayers have \(threshold) s",
                    hint: "wait \(UInt64(threshold) - age + 1) s, or see why the relayers wait: `causeway show`",
                    contractError: "ManualExecutionNotYetEnabled(uint64)")
            }
        }
    }
}
