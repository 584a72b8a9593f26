// How every command speaks: data to stdout, talk to stderr, and one envelope under --json.

import ArgumentParser
import Ethereum

/// Flags that every command has.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Write one JSON document to stdout instead of text.")
    var json = false

    @Flag(name: [.short, .long], help: "No talk on stderr, errors apart.")
    var quiet = false
}

struct CommandOutput: Sendable {
    /// As it was called, without options: `keys import`.
    let command: String
    let isJSON: Bool
    var isQuiet = false

    init(command: String, isJSON: Bool, isQuiet: Bool = false) {
        self.command = command
        self.isJSON = isJSON
        self.isQuiet = isQuiet
    }

    /// The result: the envelope, or the text. A command calls this once; text ends with a newline of its own.
    func data(_ json: @autoclosure () -> JSON, text: () -> String) {
        guard isJSON else { return Terminal.writeData(text()) }
        let envelope: JSON = ["ok": true, "command": .string(command), "data": json()]
        Terminal.writeData(envelope.pretty)
    }

    /// One line for people while something is slow or happens; never data.
    func talk(_ line: String) {
        if !isQuiet { Terminal.writeTalk(line + "\n") }
    }

    /// A line that asks for attention, also when talk is off.
    func warn(_ line: String) { Terminal.writeTalk(Terminal.talk.paint("warning: ", .yellow) + line + "\n") }

    func fail(_ failure: CommandFailure) {
        if isJSON {
            let envelope: JSON = ["ok": false, "command": .string(command), "error": failure.json]
            Terminal.writeData(envelope.pretty)
        }
        Terminal.writeTalk(Terminal.talk.paint("error: ", .red) + failure.message + "\n")
        if let hint = failure.hint { Terminal.writeTalk("  hint: \(hint)\n") }
    }
}

/// A command of ours: `perform` does the work, failures become the envelope and the exit code.
protocol CausewayCommand: AsyncParsableCommand {
    /// As people type it, without `causeway`.
    static var path: String { get }
    var output: OutputOptions { get }
    /// Writes its result through `out` once and answers how it went.
    func perform(_ out: CommandOutput) async throws -> ExitStatus
}

extension CausewayCommand {
    static var path: String { configuration.commandName ?? "" }

    func run() async throws {
        let out = CommandOutput(command: Self.path, isJSON: output.json, isQuiet: output.quiet)
        let status: ExitStatus
        do { status = try await perform(out) } catch let status as ExitStatus { throw status } catch {
            let failure = CommandFailure(error)
            out.fail(failure)
            throw failure.status
        }
        if status != .done { throw status }
    }
}
