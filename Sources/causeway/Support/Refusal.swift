// What a contract's refusal means for somebody who sends, executes or curses: by which errors, who can help, and how.

import CCIP
import ChainAccess
import Ethereum

enum Refusal {
    /// A call that reverted. `hint` is said instead of the general advice on the error.
    static func failure(
        _ error: ChainAccessError, doing what: String, hint: String? = nil, context: [(name: String, value: JSON)] = []
    ) -> CommandFailure {
        let explanation = RevertExplanation(error.revertData ?? [])
        return CommandFailure(
            "refused", "cannot \(what): \(explanation.text)", hint: hint ?? explanation.advice?.hint ?? nameless(error),
            context: explanation.fields + context)
    }

    /// What to do where no error is known by name.
    private static func nameless(_ error: ChainAccessError) -> String {
        (error.revertData ?? []).isEmpty
            ? "the contract gave no reason: causeway tokens and causeway check tell what may be wrong with it"
            : "it may be an error of the receiver, the token or its pool: ask who wrote them"
    }

    /// What is refused before a contract is asked, with the error that it would have thrown.
    static func beforehand(
        _ code: String, _ message: String, wouldBe signature: String, hint: String? = nil,
        status: ExitStatus = .error
    ) -> CommandFailure {
        let explanation = RevertExplanation(wouldBe: signature)
        return CommandFailure(
            code, "\(message): \(explanation.text)", hint: hint ?? explanation.advice?.hint,
            context: explanation.fields, status: status)
    }
}
