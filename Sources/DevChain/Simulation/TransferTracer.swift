// The logs of a simulated call and, where asked, a log for each transfer of ether, as eth_simulateV1 tells them.

import EVM
import Ethereum

struct TransferTracer: Tracer {
    static var seesSteps: Bool { false }
    static var seesCalls: Bool { true }
    static var seesLogs: Bool { true }

    /// The address that stands for ether.
    static let ether = Address(
        truncating: U256(w0: 0xeeee_eeee_eeee_eeee, w1: 0xeeee_eeee_eeee_eeee, w2: 0xeeee_eeee, w3: 0))
    static let transferTopic = keccak256(text: "Transfer(address,address,uint256)")

    /// A log with its number among all that were written in the block, those that were taken back included.
    struct Entry: Sendable {
        let log: Log
        let index: Int
    }

    /// The logs of the transaction's own call, once it has ended.
    private(set) var logs: [Entry] = []
    /// Logs that were written in the block so far.
    private(set) var count: Int
    private let seesTransfers: Bool
    private var open: [[Entry]] = []

    init(seesTransfers: Bool, count: Int) {
        self.seesTransfers = seesTransfers
        self.count = count
    }

    mutating func step(_ step: TracedStep) {}

    mutating func enter(_ call: TracedCall) {
        open.append([])
        switch call.kind {
        case .delegateCall, .staticCall: return
        case .call, .callCode, .create, .create2, .selfDestruct: break
        }
        guard seesTransfers, !call.value.isZero else { return }
        append(
            Log(
                address: Self.ether, topics: [Self.transferTopic, Hash32(call.from.word), Hash32(call.to.word)],
                data: call.value.bytes))
    }

    mutating func exit(_ end: TracedEnd) {
        guard let written = open.popLast(), end.status == .success else { return }
        if open.isEmpty { logs = written } else { open[open.count - 1] += written }
    }

    mutating func log(_ log: Log, index: Int) { append(log) }

    private mutating func append(_ log: Log) {
        guard !open.isEmpty else { return }
        open[open.count - 1].append(Entry(log: log, index: count))
        count += 1
    }
}
