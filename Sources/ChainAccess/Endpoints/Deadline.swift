// Waits for work no longer than a given time, also for work that does not listen to cancellation.

enum Deadline {
    /// Nil when the time was over first; the work is then cancelled, and whatever it comes to is dropped.
    static func race<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value?
    {
        let (results, result) = AsyncStream.makeStream(of: Value?.self, bufferingPolicy: .bufferingOldest(1))
        let worker = Task {
            result.yield(await work())
            result.finish()
        }
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            result.yield(nil)
            result.finish()
        }
        defer {
            worker.cancel()
            timer.cancel()
        }
        for await outcome in results { return outcome }
        return nil
    }
}
