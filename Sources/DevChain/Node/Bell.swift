// Wakes one waiter, at once or after a time. A ring that nobody waits for is kept for the next one.

import Synchronization

final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            if waiter == nil { state.isRung = true }
            return waiter
        }
        waiter?.resume()
    }

    /// Returns at the next ring, after `milliseconds` when given, or when the task is cancelled. May return early.
    func wait(milliseconds: UInt64?) async {
        let timer = milliseconds.map { milliseconds in
            Task {
                do { try await Task.sleep(for: .milliseconds(milliseconds)) } catch { return }
                ring()
            }
        }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    precondition(state.waiter == nil, "a bell has one waiter")
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }
}
