// The benchmark program of the chain's rooms: one subcommand a file. Benchmarks/yardsticks.py runs it beside other
// implementations; by hand: swift run -c release causeway-bench interpreter --fixtures DIR.

import BenchSupport
import Foundation

@main
struct ChainBench {
    static let commands: [(name: String, help: String, run: @Sendable (Arguments) async throws -> Void)] = [
        ("interpreter", "--fixtures DIR [--program TEXT] [--milliseconds 300]: state tests as programs", interpreter),
        ("keccak", "[--milliseconds 300]: one digest, and one of four at once", keccak),
        (
            "state",
            "[--accounts 1000,100000] [--data-dir DIR [--memory MiB]] [--blocks 40] [--block-transactions 2200]: transfers "
                + "with state root",
            state
        ),
        ("rpc", "[--logs 1000000] [--subscribers 1000]: searches, calls and heads over sockets", rpc),
        (
            "node",
            "[--rate 22000] [--seconds 60] [--kind native|token] [--accounts 20000] [--door process|websocket] "
                + "[--data-dir DIR]: a whole node under load",
            node
        ),
        ("recover", "[--milliseconds 300]: the sender of a signature", recover),
    ]

    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        guard let command = commands.first(where: { $0.name == words.first }) else {
            print("usage: causeway-bench COMMAND [--json]")
            for command in commands { print("  \(command.name) \(command.help)") }
            return
        }
        do { try await command.run(Arguments(Array(words.dropFirst()))) } catch {
            FileHandle.standardError.write(Data("\(words[0]): \(error)\n".utf8))
            exit(1)
        }
    }
}
