// causeway lanes: what can go where, and how much is under way.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Localnet

struct LanesCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "lanes",
        abstract: "Show the lanes between the chains: contracts, sequence numbers, messages under way, curses.",
        discussion: """
            A lane is enabled when the Router of its source has an OnRamp for it and the OffRamp of its destination takes that
            OnRamp. 'open' counts messages that are sent and not executed; failed ones wait for causeway exec.

            Examples:
              causeway lanes
              causeway lanes --json --config relayer-config/relayer-0.yaml
            """)

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let network = try network.load()
        var lanes: [LaneState] = []
        for source in network.chains {
            for destination in network.chains where destination.selector != source.selector {
                lanes.append(try await LaneState.read(source, destination))
            }
        }
        out.data(["lanes": .array(lanes.map(\.json))]) {
            var table = Table([
                "from", "to", "state", "sent", "committed", "open", "failed", "on-ramp", "off-ramp",
            ])
            for lane in lanes { table.add(lane.row) }
            return table.text()
        }
        return .done
    }
}

struct LaneState: Sendable {
    let source: BridgeChain
    let destination: BridgeChain
    let onRamp: Address
    let isEnabled: Bool
    let isCursed: Bool
    /// The number that the next message gets.
    let nextSequenceNumber: SequenceNumber
    /// The number that the next commit report begins with.
    let nextCommit: SequenceNumber
    /// Committed and not executed, and failed, among the newest that were looked at.
    let unexecuted: Int
    let failed: Int

    var uncommitted: UInt64 { nextSequenceNumber.rawValue - min(nextSequenceNumber.rawValue, nextCommit.rawValue) }
    var inFlight: UInt64 { uncommitted + UInt64(unexecuted) }

    static func read(_ source: BridgeChain, _ destination: BridgeChain) async throws -> LaneState {
        let onRamp = try await source.reader.read(
            RouterCalls.onRamp(destination.selector), from: source.contracts.router)
        let config = try await destination.reader.read(
            OffRampCalls.sourceChainConfig(source.selector), from: destination.contracts.offRamp)
        let departures = try await source.reader.read(
            RMNRemoteCalls.cursedSubjects(), from: source.contracts.rmnProxy)
        let arrivals = try await destination.reader.read(
            RMNRemoteCalls.cursedSubjects(), from: destination.contracts.rmnProxy)
        var next = SequenceNumber(1)
        if !onRamp.isZero {
            next = try await source.reader.read(
                OnRampCalls.expectedNextSequenceNumber(destination.selector), from: onRamp)
        }
        let states = try await states(source, destination, below: config.minSequenceNumber)
        return LaneState(
            source: source, destination: destination, onRamp: onRamp,
            isEnabled: !onRamp.isZero && config.isEnabled && config.onRampAddress == onRamp,
            isCursed: departures.covers(destination.selector) || arrivals.covers(source.selector),
            nextSequenceNumber: next, nextCommit: config.minSequenceNumber,
            unexecuted: states.count { !$0.isTouched }, failed: states.count { $0 == .failure })
    }

    /// Of the newest committed messages.
    private static func states(
        _ source: BridgeChain, _ destination: BridgeChain, below next: SequenceNumber
    ) async throws -> [MessageExecutionState] {
        guard next.rawValue > 1 else { return [] }
        let last = next.rawValue - 1
        let first = last > CommandLimits.laneStatesMaximum ? last - CommandLimits.laneStatesMaximum + 1 : 1
        let calls = (first...last).map {
            (OffRampCalls.executionState(source.selector, SequenceNumber($0)), destination.contracts.offRamp)
        }
        return try await destination.reader.readAll(calls).map { try $0.get() }
    }

    var row: [String] {
        let state = isCursed ? "cursed" : isEnabled ? "enabled" : "disabled"
        return [
            source.name, destination.name,
            Terminal.data.paint(state, isCursed ? .red : isEnabled ? .green : .yellow),
            "\(nextSequenceNumber.rawValue - min(1, nextSequenceNumber.rawValue))",
            "\(nextCommit.rawValue - min(1, nextCommit.rawValue))", "\(inFlight)", "\(failed)",
            onRamp.isZero ? "none" : onRamp.checksummed, destination.contracts.offRamp.checksummed,
        ]
    }

    var json: JSON {
        [
            "from": source.json, "to": destination.json, "onRamp": .string(onRamp.checksummed),
            "offRamp": .string(destination.contracts.offRamp.checksummed), "enabled": .bool(isEnabled),
            "cursed": .bool(isCursed), "nextSequenceNumber": .integer(nextSequenceNumber.rawValue),
            "nextCommit": .integer(nextCommit.rawValue), "uncommitted": .integer(uncommitted),
            "unexecuted": .integer(unexecuted), "failed": .integer(failed), "inFlight": .integer(inFlight),
        ]
    }
}
