// The one owner of the state while chains are deployed at the same time: writes the file before anything is sent.

import Ethereum

actor DeploymentJournal {
    private(set) var state: DeploymentState
    /// Nil keeps the state in memory only.
    private let path: String?

    init(state: DeploymentState, path: String?) {
        self.state = state
        self.path = path
    }

    /// Reads a state file; nil when there is none. Throws `malformedState`.
    static func load(_ path: String) throws(LocalnetError) -> DeploymentState? {
        guard Files.exists(path) else { return nil }
        guard let bytes = Files.read(path, maximum: Limits.stateBytesMaximum), let json = try? JSON.parse(bytes) else {
            throw LocalnetError(
                .malformedState, "\(path) is no readable JSON",
                hint: "it was cut or changed: restore it, or delete it and deploy again")
        }
        do { return try DeploymentState(json: json) } catch {
            throw LocalnetError(.malformedState, "\(path): \(error.message)", hint: "delete it and deploy again")
        }
    }

    func chain(_ position: Int) -> ChainState { state.chains[position] }

    func update(_ position: Int, _ change: @Sendable (inout ChainState) -> Void) throws(LocalnetError) {
        change(&state.chains[position])
        try write()
    }

    func write() throws(LocalnetError) {
        if let path { try Files.write(state.json.pretty, to: path) }
    }
}
