// causeway relayer resume: lifts a stop in the operator's name. The stop's record stays, with the reason given here.

import ArgumentParser
import Ethereum
import Foundation
import Logging
import Relayer
import Storage

struct RelayerResumeCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Lift a stop of a relayer, in your name and with a reason.",
        discussion: """
            STOP is what `causeway relayer stops` lists: lane/SOURCE/DESTINATION, chain/ID or all; chains also by name. It is
            lifted in the stores of both processes. They must have ended: a running process keeps what it has stopped in
            memory, and its store is locked. Who lifted it, when and why stays in the store, and `stops --all` shows it.

            Find out first why it stands; docs/operate/relayer.md tells how.

            Examples:
              causeway relayer resume lane/ethereum/jovay --config relayer-0.yaml --reason "guard-1 served another chain"
              causeway relayer resume chain/2019775 --config relayer-0.yaml --reason "the provider had restored a backup"
            """)
    static var path: String { "relayer resume" }

    @Argument(help: ArgumentHelp("What to go on with.", valueName: "stop"))
    var stop: String

    @Option(name: .long, help: ArgumentHelp("Why it is safe to go on.", valueName: "text"))
    var reason: String

    @OptionGroup var store: RelayerStoreOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        var log = LogOptions()
        log.logLevel = Logger.Level.notice.rawValue
        let operatorName = NSUserName()
        let lifted = try store.stops().resume(stop, by: operatorName, why: reason, logger: log.bootstrap())
        let json: JSON = [
            "lifted": .array(lifted.map(\.json)), "by": .string(operatorName), "why": .string(reason),
        ]
        out.data(json) {
            var table = Table(["lifted", "process", "kind", "stood since"])
            for entry in lifted {
                table.add(entry.stop.scope, entry.role.rawValue, entry.stop.kind, StopText.time(entry.stop.raisedAt))
            }
            return table.text() + "\nstart the relayer again: it goes on where it stood\n"
        }
        return .done
    }
}
