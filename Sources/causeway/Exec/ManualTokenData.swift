// Off-chain token data for an execution by hand: what the relayers would have attached.

import CCIP
import ChainAccess
import Ethereum
import Executing
import JSONRPC
import Localnet
import Relayer

struct ManualTokenData {
    /// Nil where no token of the network needs any.
    let settings: TokenDataSettings?
    let timeoutSeconds: Int

    /// One entry for each token. Waits for attestations that are not there yet. Throws `tokenDataMissing` when the time is
    /// over.
    func fetch(_ story: MessageStory, _ out: CommandOutput) async throws -> [Bytes] {
        guard let settings, !story.message.tokenAmounts.isEmpty else {
            return story.message.tokenAmounts.map { _ in [] }
        }
        let message = try Any2EVMRampMessage(converting: story.message)
        let source = TokenDataSource(onRamp: story.source.contracts.onRamp, endpoints: story.source.endpoints)
        let clock = ContinuousClock()
        let start = clock.now
        let worker = TokenDataWorker(
            settings: settings, sources: [story.source.selector: source], pacer: SharedPacer(settings), logger: .silent,
            now: { Self.milliseconds(start.duration(to: clock.now)) })
        var said: String?
        while true {
            let data = worker.data(of: message, transaction: story.sent.place.transaction)
            let ready = data.compactMap { if case .ready(let bytes) = $0 { bytes } else { nil } }
            if ready.count == data.count { return ready }
            let why = data.compactMap { if case .notReady(let why) = $0 { why } else { nil } }.joined(separator: ", ")
            guard Self.milliseconds(start.duration(to: clock.now)) < UInt64(timeoutSeconds) * 1_000 else {
                throw CommandFailure(
                    "tokenDataMissing", "the message's tokens need data that is not there yet: \(why)",
                    hint: "try again later; --timeout waits longer")
            }
            if said != why { out.talk("token data: \(why)") }
            said = why
            await worker.work()
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static func milliseconds(_ duration: Duration) -> UInt64 {
        let parts = duration.components
        return UInt64(max(0, parts.seconds)) * 1_000 + UInt64(max(0, parts.attoseconds)) / 1_000_000_000_000_000
    }
}
