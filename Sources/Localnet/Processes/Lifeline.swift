// A pipe by which children learn that their parent is gone, however it went: the parent holds one end, and the system
// closes it even after kill -9.

import Ethereum
import Glibc

package struct Lifeline: Sendable {
    /// Names the descriptor to the child.
    package static let variable = "CAUSEWAY_LIFELINE"
    /// Where the child finds its end.
    static let descriptor: Int32 = 3
    /// How long a child may take to end in order before it ends anyhow.
    private static let graceSeconds: UInt32 = 3

    let readEnd: Int32
    /// Held open and never written to.
    private let writeEnd: Int32

    /// One for all children of this process. Throws `spawnFailed`.
    package init() throws(LocalnetError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw LocalnetError(.spawnFailed, "no pipe: \(Files.systemMessage(errno))")
        }
        // Above 3, so that the child's copy never meets them; closed in children, or they would keep each other alive.
        readEnd = fcntl(ends[0], F_DUPFD_CLOEXEC, 64)
        writeEnd = fcntl(ends[1], F_DUPFD_CLOEXEC, 64)
        close(ends[0])
        close(ends[1])
        guard readEnd >= 0, writeEnd >= 0 else {
            throw LocalnetError(.spawnFailed, "no descriptors: \(Files.systemMessage(errno))")
        }
    }

    /// Children see the end now.
    package func close() {
        Glibc.close(readEnd)
        Glibc.close(writeEnd)
    }

    private func close(_ descriptor: Int32) { Glibc.close(descriptor) }

    /// In a child: ends this process when the parent is gone. Does nothing in a process that has no such parent.
    package static func watch() {
        guard let text = Files.environment(variable), let descriptor = Int32(text), descriptor > 2 else { return }
        unsetenv(variable)
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { return }
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { raw in
            let descriptor = Int32(Int(bitPattern: raw))
            var byte: UInt8 = 0
            while true {
                let count = read(descriptor, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            kill(getpid(), SIGTERM)
            sleep(Lifeline.graceSeconds)
            kill(0, SIGKILL)
            return nil
        }, UnsafeMutableRawPointer(bitPattern: Int(descriptor)))
        if result == 0 { pthread_detach(thread) }
    }
}
