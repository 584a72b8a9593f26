// Reads the story of one message from both its chains by RPC, in bounded steps, and asks the relayers.

import CCIP
import ChainAccess
import Ethereum
import Localnet

struct MessageStoryReader: Sendable {
    let network: BridgeNetwork
    let scanBlocks: UInt64

    init(_ network: BridgeNetwork, scanBlocks: UInt64 = CommandLimits.scanBlocksDefault) {
        self.network = network
        self.scanBlocks = scanBlocks
    }

    /// The story of the message that `hash` names. Throws `unknownMessage` with exit code 5.
    func story(of hash: Hash32) async throws -> MessageStory {
        let found = try await MessageFinder(network: network, scanBlocks: scanBlocks).find(hash)
        guard let first = found.first else {
            throw CommandFailure("unknownMessage", "no message \(hash)", status: .unknownMessage)
        }
        var story = try await story(first)
        story.others = found.dropFirst().map(\.message.header.messageID)
        return story
    }

    func story(_ found: MessageFinder.Found) async throws -> MessageStory {
        let (source, destination) = (found.source, found.destination)
        let header = found.message.header
        // Asked while the chains are read.
        async let answers = RelayerQuestions(addresses: network.relayers).ask(header.messageID)
        let sentAt = try await timestamp(found.log, source)
        let lane = try await lane(header, source, destination)
        var commit: MessageStory.Commit?
        if header.sequenceNumber < lane.nextCommit {
            commit = try await self.commit(header, destination, notBefore: sentAt)
        }
        var attempts: [MessageStory.Attempt] = []
        if lane.state.isTouched {
            attempts = try await self.attempts(header, destination, from: commit?.place.block)
        }
        return MessageStory(
            source: source, destination: destination,
            sent: .init(
                message: found.message,
                place: ChainPlace(transaction: found.log.transactionHash, block: found.log.blockNumber),
                timestamp: sentAt),
            commit: commit, attempts: attempts, lane: lane, relayers: await answers.map(\.testimony))
    }

    private func lane(
        _ header: RampMessageHeader, _ source: BridgeChain, _ destination: BridgeChain
    ) async throws -> MessageStory.Lane {
        let sourceHeads = try await source.endpoints.heads()
        let destinationHeads = try await destination.endpoints.heads()
        let offRamp = destination.contracts.offRamp
        let reader = destination.reader
        let state = try await reader.read(
            OffRampCalls.executionState(header.source, header.sequenceNumber), from: offRamp)
        let config = try await reader.read(OffRampCalls.sourceChainConfig(header.source), from: offRamp)
        let dynamic = try await reader.read(OffRampCalls.dynamicConfig(), from: offRamp)
        let curse = try await reader.read(RMNRemoteCalls.cursedSubjects(), from: destination.contracts.rmnProxy)
        return MessageStory.Lane(
            sourceFinalized: sourceHeads.finalized.number, sourceLatest: sourceHeads.latest.number,
            destinationTimestamp: destinationHeads.latest.timestamp, isCursed: curse.covers(header.source),
            isEnabled: config.isEnabled, nextCommit: config.minSequenceNumber,
            threshold: dynamic.permissionLessExecutionThresholdSeconds, state: state)
    }

    // MARK: Commit

    /// Looked for from the first destination block that is not older than the message; clocks that differ, and chains
    /// whose clock was moved, are met by looking through everything when it is not there.
    private func commit(
        _ header: RampMessageHeader, _ chain: BridgeChain, notBefore: UInt64
    ) async throws -> MessageStory.Commit? {
        let head = try await chain.endpoints.heads().latest.number
        let start = try await firstBlock(notBefore: notBefore, on: chain, head: head)
        for range in BlockWindows.up(from: start, to: head, atMost: scanBlocks) {
            if let commit = try await commit(header, chain, range) { return commit }
        }
        guard start > chain.startBlock else { return nil }
        for range in BlockWindows.down(from: start - 1, to: chain.startBlock, atMost: scanBlocks) {
            if let commit = try await commit(header, chain, range) { return commit }
        }
        return nil
    }

    private func commit(
        _ header: RampMessageHeader, _ chain: BridgeChain, _ range: ClosedRange<UInt64>
    ) async throws -> MessageStory.Commit? {
        let filter = LogFilter(
            addresses: [chain.contracts.offRamp], topics: [[OffRampEvents.commitReportAccepted.topic]])
        for log in try await chain.endpoints.logs(filter, range) {
            guard case .commitReportAccepted(let report) = try? OffRampEvents.decode(log.contractLog),
                let root = report.roots.first(where: {
                    $0.source == header.source && $0.first <= header.sequenceNumber && header.sequenceNumber <= $0.last
                })
            else { continue }
            return MessageStory.Commit(
                root: root, isBlessed: report.blessed.contains(root),
                place: ChainPlace(transaction: log.transactionHash, block: log.blockNumber),
                timestamp: try await timestamp(log, chain))
        }
        return nil
    }

    /// By halving: block times never fall.
    private func firstBlock(notBefore seconds: UInt64, on chain: BridgeChain, head: UInt64) async throws -> UInt64 {
        // Clocks of different chains may differ by as much.
        let wanted = seconds > 60 ? seconds - 60 : 0
        var low = chain.startBlock
        var high = head
        while low < high {
            let middle = low + (high - low) / 2
            guard let block = try await chain.endpoints.block(.number(middle)) else {
                low = middle + 1
                continue
            }
            if block.timestamp >= wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }

    // MARK: Execution

    private func attempts(
        _ header: RampMessageHeader, _ chain: BridgeChain, from start: UInt64?
    ) async throws -> [MessageStory.Attempt] {
        let filter = LogFilter(
            addresses: [chain.contracts.offRamp],
            topics: [
                [OffRampEvents.executionStateChanged.topic], [Hash32(U256(header.source.rawValue))],
                [Hash32(U256(header.sequenceNumber.rawValue))],
            ])
        let head = try await chain.endpoints.heads().latest.number
        let windows =
            start.map { BlockWindows.up(from: $0, to: head, atMost: scanBlocks) }
            ?? BlockWindows.down(from: head, to: chain.startBlock, atMost: scanBlocks).reversed()
        var attempts: [MessageStory.Attempt] = []
        for range in windows {
            for log in try await chain.endpoints.logs(filter, range) {
                guard case .executionStateChanged(let change) = try? OffRampEvents.decode(log.contractLog),
                    change.state == .success || change.state == .failure
                else { continue }
                attempts.append(
                    MessageStory.Attempt(
                        isSuccess: change.state == .success,
                        place: ChainPlace(transaction: log.transactionHash, block: log.blockNumber),
                        timestamp: try await timestamp(log, chain), gasUsed: change.gasUsed,
                        returnData: change.returnData))
            }
            if attempts.last?.isSuccess == true { break }
        }
        return attempts
    }

    private func timestamp(_ log: ChainLog, _ chain: BridgeChain) async throws -> UInt64 {
        if let timestamp = log.blockTimestamp { return timestamp }
        return try await chain.endpoints.block(.number(log.blockNumber))?.timestamp ?? 0
    }

    // MARK: All messages of a root

    /// Every message under `root`, in order, read from the source chain. Throws `incompleteRange`.
    func messages(under root: MerkleRoot, of story: MessageStory) async throws -> [Any2EVMRampMessage] {
        let finder = MessageFinder(network: network, scanBlocks: scanBlocks)
        let source = story.source
        guard let range = root.range, range.count <= CCIP.Limits.treeLeavesMaximum else {
            throw CommandFailure("incompleteRange", "the root covers \(root.first) to \(root.last): no range of messages")
        }
        // Messages of one root stand close together.
        let near = CommandLimits.logWindowBlocks
        let block = story.sent.place.block
        let filter = LogFilter(
            addresses: [source.contracts.onRamp],
            topics: [
                [MessageSentEvent.event.topic], [Hash32(U256(story.destination.selector.rawValue))],
                range.numbers.map { Hash32(U256($0.rawValue)) },
            ])
        let head = try await source.endpoints.heads().latest.number
        let logs = try await source.endpoints.logs(filter, (block > near ? block - near : 0)...min(head, block + near))
        var found: [SequenceNumber: EVM2AnyRampMessage] = [:]
        for log in logs {
            let message = try MessageSentEvent.decode(
                log.contractLog, source: source.selector, destination: story.destination.selector,
                onRamp: source.contracts.onRamp)
            found[message.header.sequenceNumber] = message
        }
        for number in range.numbers where found[number] == nil {
            found[number] = try await finder.bySequence(source.selector, story.destination.selector, number)?.message
        }
        return try range.numbers.compactMap { try found[$0].map { try Any2EVMRampMessage(converting: $0) } }
    }
}
