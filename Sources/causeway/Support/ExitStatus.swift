// The exit codes of all commands. They tell outcomes apart for scripts.

/// Thrown by a command to end the process with this code after it has said what there is to say.
enum ExitStatus: Int32, Error, Sendable {
    case done = 0
    case error = 1
    case usage = 2
    /// A message is on its way, and nobody waited for it.
    case waiting = 3
    case messageFailed = 4
    case unknownMessage = 5
    case checkFailed = 6
}
