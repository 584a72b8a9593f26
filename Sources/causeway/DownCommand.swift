// causeway down: ends a network that runs in the background, or in another terminal.

import ArgumentParser
import Ethereum
import Glibc
import Localnet

struct DownCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Stop a local network.",
        discussion: """
            Examples:
              causeway down                                the network that was started last
              causeway down --network ./data
            """)

    @OptionGroup var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    /// The supervisor gives its processes 3 s to end and kills them then.
    private static let patience = Duration.seconds(15)

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let document = try network.known()
        guard let pid = DataDirectoryLock.holder(document.dataDirectory) else {
            throw LocalnetError(
                .networkMissing, "no network runs in \(document.dataDirectory)", hint: "start one: causeway up")
        }
        out.talk("stopping the network in \(document.dataDirectory) (process \(pid))")
        let isOrderly = try await end(pid_t(pid), document.dataDirectory)
        if !isOrderly { out.warn("the network did not end in order and was killed") }
        out.data(
            ["dataDirectory": .string(document.dataDirectory), "pid": .integer(pid), "orderly": .bool(isOrderly)]
        ) { "stopped\n" }
        return .done
    }

    /// True when it ended by itself. Its children end with it in any case.
    private func end(_ pid: pid_t, _ directory: String) async throws -> Bool {
        kill(pid, SIGTERM)
        let deadline = ContinuousClock.now + Self.patience
        while DataDirectoryLock.holder(directory) != nil {
            if ContinuousClock.now > deadline {
                kill(pid, SIGKILL)
                return false
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}
