// What the system says of a process that may not be our child. Nothing is signalled here.

import Ethereum
import Glibc

package enum ProcessTable {
    /// True while the process executes. One that has ended and that nobody has waited for yet does not.
    package static func isRunning(_ pid: Int) -> Bool {
        guard pid > 0, kill(pid_t(pid), 0) == 0 || errno == EPERM else { return false }
        guard let bytes = Files.read("/proc/\(pid)/stat", maximum: 4096) else { return true }
        // `pid (name) state ...`, where the name may hold anything but ends at the last bracket.
        guard let bracket = bytes.lastIndex(of: UInt8(ascii: ")")), bracket + 2 < bytes.count else { return true }
        return bytes[bracket + 2] != UInt8(ascii: "Z") && bytes[bracket + 2] != UInt8(ascii: "X")
    }
}
