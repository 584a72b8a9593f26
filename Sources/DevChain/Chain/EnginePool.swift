// Executors with their warm caches, handed out one to a thread. The only shared thing of a chain beside its value.

import EVM
import Synchronization

package final class EnginePool: Sendable {
    /// One executor with the analysed code that it has seen. Not safe for two threads at once: the pool hands it to one
    /// at a time, which is why it may be called sendable.
    package final class Engine: @unchecked Sendable {
        package let executor: Executor
        package let codeCache = CodeCache()

        init(rules: RuleSet, precompiles: PrecompileSet) {
            executor = Executor(rules: rules, precompiles: precompiles)
        }
    }

    package let rules: RuleSet
    package let precompiles: PrecompileSet
    private let idle = Mutex<[Engine]>([])

    package init(rules: RuleSet, precompiles: PrecompileSet) {
        self.rules = rules
        self.precompiles = precompiles
    }

    /// Runs `body` with an engine that nobody else has meanwhile.
    package func use<Result, Failure: Error>(_ body: (Engine) throws(Failure) -> Result) throws(Failure) -> Result {
        let engine = idle.withLock { $0.popLast() } ?? Engine(rules: rules, precompiles: precompiles)
        defer {
            idle.withLock { idle in
                if idle.count < Limits.enginesKept { idle.append(engine) }
            }
        }
        return try body(engine)
    }
}
