// causeway errors: what the contracts' errors mean, and what revert data says.

import ArgumentParser
import CCIP
import Ethereum

struct ErrorsCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors",
        abstract: "Explain an error of the contracts, or revert data; lists all errors without an argument.",
        discussion: """
            Examples:
              causeway errors                            every error, who can help, and how
              causeway errors StaleGasPrice
              causeway errors 0x37c3be29                 revert data as a node gives it, wrapped errors included
              causeway errors --markdown                 the table of docs/reference/errors.md
            """)

    @Argument(help: "The name of an error, its selector, or revert data as hexadecimal.")
    var error: String?

    @Flag(name: .long, help: "All errors as a table in Markdown.")
    var markdown = false

    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        guard let error else {
            out.data(.array(ErrorCatalogue.all.map { Self.json($0.signature, $0.name, $0.selector) })) {
                markdown ? Self.page : Self.list
            }
            return .done
        }
        if error.hasPrefix("0x") {
            guard let data = try? Hex.decode(error) else {
                throw CommandFailure(
                    "malformedData", "'\(error.prefix(40))' is no hexadecimal data", hint: "causeway errors lists all",
                    status: .usage)
            }
            let reason = RevertReason(data)
            guard reason.name != nil else {
                throw CommandFailure(
                    "unknownError", "no error of CCIP 1.6 begins with \(Hex.encode(data.prefix(4)))",
                    hint: "it may be an error of the receiver or of the token itself")
            }
            let json: JSON = [
                "reason": .string(ReasonText.text(reason)),
                "who": reason.advice.map { .string($0.actor.rawValue) } ?? .null,
                "errors": .array(reason.errors.map { Self.json($0.signature, $0.name, Bytes($0.data.prefix(4))) }),
                "hint": reason.advice.map { .string($0.hint) } ?? .null,
            ]
            out.data(json) {
                ReasonText.text(reason) + "\n" + (reason.advice.map { "\($0.actor.words): \($0.hint)\n" } ?? "")
            }
            return .done
        }
        let found = ErrorCatalogue.all.filter { $0.name.lowercased() == error.lowercased() || $0.signature == error }
        guard let first = found.first else {
            let near = ErrorCatalogue.all.map(\.name).filter { $0.lowercased().contains(error.lowercased()) }
            throw CommandFailure(
                "unknownError", "no error '\(error.prefix(60))'",
                hint: near.isEmpty ? "causeway errors lists all" : "is it \(Set(near).sorted().prefix(5).joined(separator: ", "))?",
                status: .usage)
        }
        out.data(.array(found.map { Self.json($0.signature, $0.name, $0.selector) })) {
            found.map { "\(Hex.encode($0.selector))  \($0.signature)\n" }.joined()
                + (ErrorAdvice.of(first.name).map { "\($0.actor.words): \($0.hint)\n" } ?? "")
        }
        return .done
    }

    private static func json(_ signature: String, _ name: String, _ selector: Bytes) -> JSON {
        let advice = ErrorAdvice.of(name)
        return [
            "selector": .data(selector), "signature": .string(signature),
            "who": advice.map { .string($0.actor.rawValue) } ?? .null, "hint": advice.map { .string($0.hint) } ?? .null,
        ]
    }

    private static var list: String {
        var table = Table(["selector", "error", "who", "what to do"])
        for item in ErrorCatalogue.all {
            let advice = ErrorAdvice.of(item.name)
            table.add(
                Hex.encode(item.selector), item.signature, advice?.actor.rawValue ?? "", advice?.hint ?? "")
        }
        return table.text()
    }

    /// docs/reference/errors.md.
    static var page: String {
        var text = """
            # Errors of the contracts

            What CCIP 1.6's contracts, pools and tokens throw, who can help, and how. Written by `causeway errors --markdown`;
            `causeway errors DATA` explains revert data. Each error of yours, the receiver's and the token's administrator's is caused by
            a test on a real chain (`Tests/EndToEndTests/Python/user_errors.py`), which also lists the few that no contract here throws.

            | selector | error | who | what to do |
            | --- | --- | --- | --- |

            """
        for item in ErrorCatalogue.all {
            let advice = ErrorAdvice.of(item.name)
            text += "| `\(Hex.encode(item.selector))` | `\(item.signature)` | \(advice?.actor.words ?? "") | \(advice?.hint ?? "") |\n"
        }
        return text
    }
}

extension ErrorAdvice.Actor {
    /// As people read it.
    var words: String {
        switch self {
        case .user: "you"
        case .receiver: "the receiver"
        case .tokenOwner: "the token's administrator"
        case .owner: "the owner of the contracts"
        case .operator: "the operator of the relayers"
        case .ours: "a defect"
        case .none: "nobody"
        }
    }
}
