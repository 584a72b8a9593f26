// Carries the signed reports of a round to every gateway: those that are ready within a moment travel together.

import Dispatch
import Ethereum
import MessageBus
import OffchainReporting
import PriceStreams
import Synchronization

final class ReportCourier: Sendable {
    private struct State {
        var waiting: [ReportBatch.Item] = []
        var bytes = 0
        var isScheduled = false
        var sent: UInt64 = 0
        var dropped: UInt64 = 0
    }

    private let mesh: PeerMesh
    private let gateways: Range<Int>
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "causeway.streams.courier", qos: .userInteractive)

    init(mesh: PeerMesh, gateways: Range<Int>) {
        self.mesh = mesh
        self.gateways = gateways
    }

    /// Reports that were handed to gateways, and those that a full queue displaced; each gateway counts.
    var counts: (sent: UInt64, dropped: UInt64) { state.withLock { ($0.sent, $0.dropped) } }

    func carry(_ item: ReportBatch.Item) {
        let mustSchedule = state.withLock { state in
            state.waiting.append(item)
            state.bytes += item.fullReport.count + 32
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard mustSchedule else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(Limits.batchMilliseconds)) { [self] in flush() }
    }

    private func flush() {
        let items = state.withLock { state in
            state.isScheduled = false
            defer { (state.waiting, state.bytes) = ([], 0) }
            return state.waiting
        }
        var start = 0
        while start < items.count {
            var (end, bytes) = (start, 0)
            while end < items.count, end - start < Limits.batchReportsMaximum {
                bytes += items[end].fullReport.count + 32
                if bytes > Limits.batchBytesMaximum, end > start { break }
                end += 1
            }
            send(ReportBatch(Array(items[start..<end])))
            start = end
        }
    }

    private func send(_ batch: ReportBatch) {
        let bytes = batch.encoded
        for gateway in gateways {
            let result = mesh.send(to: gateway, channel: ReportBatch.channel, payload: bytes)
            state.withLock { state in
                if result == .queued { state.sent += UInt64(batch.items.count) } else {
                    state.dropped += UInt64(batch.items.count)
                }
            }
        }
    }
}
