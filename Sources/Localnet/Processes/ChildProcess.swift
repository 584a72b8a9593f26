// One process that we started: its own group, output into a file, ended with us. What the process does is not known here.

import Dispatch
import Ethereum
import FoundationEssentials
import Glibc
import Synchronization

/// How a process ended.
package enum ProcessExit: Sendable, Equatable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)

    package var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number)"
        }
    }
}

package final class ChildProcess: Sendable {
    package let name: String
    package let pid: pid_t
    package let logPath: String

    private struct State {
        var exit: ProcessExit?
        /// Once reaped, the pid may belong to another process.
        var isReaped = false
        var waiters: [CheckedContinuation<ProcessExit, Never>] = []
    }

    private let state = Mutex(State())

    /// Starts `executable`. Standard output and error go to the end of `logPath`; the process gets our environment and
    /// `environment`, its own process group, and the lifeline. Throws `spawnFailed`.
    package init(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:], logPath: String,
        lifeline: Lifeline?, newSession: Bool = false
    ) throws(LocalnetError) {
        self.name = name
        self.logPath = logPath
        var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        variables[Lifeline.variable] = lifeline.map { _ in String(Lifeline.descriptor) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        if let lifeline { posix_spawn_file_actions_adddup2(&actions, lifeline.readEnd, Lifeline.descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that we ignore or block must not be ignored or blocked by the child.
        var flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        flags |= newSession ? Self.setSessionFlag : Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var child = pid_t()
        let result = Self.withStrings([executable] + arguments) { argv in
            Self.withStrings(variables.map { "\($0.key)=\($0.value)" }.sorted()) { envp in
                posix_spawn(&child, executable, &actions, &attributes, argv, envp)
            }
        }
        guard result == 0 else {
            throw LocalnetError(
                .spawnFailed, "cannot start \(name) (\(executable)): \(Files.systemMessage(result))",
                hint: "is the program there, and is the log folder writable?")
        }
        pid = child
        watch()
    }

    /// Nil while it runs.
    package var exitStatus: ProcessExit? { state.withLock { $0.exit } }
    package var isRunning: Bool { exitStatus == nil }

    /// Waits for the end.
    package func exit() async -> ProcessExit {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.exit == nil { state.waiters.append(continuation) }
                return state.exit
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Sends a signal to the process and its group; false when it is gone.
    @discardableResult
    package func signal(_ number: Int32) -> Bool {
        // Under the lock, so that the pid cannot be reaped and given away in between.
        state.withLock { $0.isReaped ? false : kill(-pid, number) == 0 || kill(pid, number) == 0 }
    }

    /// SIGTERM, and SIGKILL to what is left after `milliseconds`.
    @discardableResult
    package func stop(within milliseconds: Int = Limits.stopMilliseconds) async -> ProcessExit {
        signal(SIGTERM)
        let killer = Task { [self] in
            try await Task.sleep(for: .milliseconds(milliseconds))
            signal(SIGKILL)
        }
        let result = await exit()
        killer.cancel()
        return result
    }

    /// The last lines of its log, for messages.
    package var logTail: [String] {
        Files.tail(logPath, maximum: Limits.logTailBytes).split(separator: "\n").suffix(Limits.logTailLines).map(String.init)
    }

    // MARK: The wait

    /// One thread sits in waitid: a child's end cannot be awaited otherwise without a signal handler of the whole process.
    private func watch() {
        let own = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { raw in
            if let raw { Unmanaged<ChildProcess>.fromOpaque(raw).takeRetainedValue().reap() }
            return nil
        }, own.toOpaque())
        precondition(result == 0, "no thread for waiting on \(name)")
        pthread_detach(thread)
    }

    private func reap() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let waiters = state.withLock { state in
            // Its pid is still taken, so the group is still its own: nothing it started stays behind.
            kill(-pid, SIGKILL)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            let signal = status & 0x7f
            state.exit = signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
            state.isReaped = true
            defer { state.waiters = [] }
            return state.waiters
        }
        let exit = exitStatus ?? .code(0)
        for waiter in waiters { waiter.resume(returning: exit) }
    }

    /// POSIX_SPAWN_SETSID of glibc, which Swift's module leaves out.
    private static let setSessionFlag: Int32 = 0x80

    private static func withStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}
