// The one error of this room: what failed, on which chain or process, and what to do about it.

/// Why a deployment or a local network did not come about.
package struct LocalnetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let chainsFolderMissing = Code(rawValue: "chainsFolderMissing")
        package static let artifactMissing = Code(rawValue: "artifactMissing")
        package static let malformedArtifact = Code(rawValue: "malformedArtifact")
        package static let invalidRequest = Code(rawValue: "invalidRequest")
        package static let chainUnreachable = Code(rawValue: "chainUnreachable")
        package static let wrongChain = Code(rawValue: "wrongChain")
        package static let insufficientFunds = Code(rawValue: "insufficientFunds")
        package static let stateMismatch = Code(rawValue: "stateMismatch")
        package static let malformedState = Code(rawValue: "malformedState")
        package static let transactionRefused = Code(rawValue: "transactionRefused")
        package static let transactionFailed = Code(rawValue: "transactionFailed")
        package static let timeout = Code(rawValue: "timeout")
        package static let fileFailed = Code(rawValue: "fileFailed")
        package static let networkMissing = Code(rawValue: "networkMissing")
        package static let malformedNetworkFile = Code(rawValue: "malformedNetworkFile")
        package static let networkRunning = Code(rawValue: "networkRunning")
        package static let portsExhausted = Code(rawValue: "portsExhausted")
        package static let spawnFailed = Code(rawValue: "spawnFailed")
        package static let processExited = Code(rawValue: "processExited")
        package static let notReady = Code(rawValue: "notReady")
        package static let unknownRelayer = Code(rawValue: "unknownRelayer")
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }
}
