// Asks guards for signatures over roots and keeps what they answer. No decision about roots lives here: what is asked
// comes from an outcome, and an answer counts only if its signature recovers to a signer of the RMNRemote.

import CCIP
import Committing
import Ethereum
import Foundation
import GuardMessages
import Logging
import MessageBus
import Synchronization

/// The guards of one committing process, behind the relayers in the member list of its mesh: member N is guard 0.
final class BlessingCollector: Sendable {
    /// The channel of the mesh that guards are spoken to on.
    static let channel = GuardChannel.name

    /// What one guard says of the set that is asked about now.
    enum Word: Sendable, Equatable {
        case silent
        case signed
        /// A signature that no signer of the RMNRemote made, or bytes that are no answer.
        case useless(String)
        case waits(String)
        case refuses(String, lanes: [ChainSelector])

        var text: String {
            switch self {
            case .silent: "does not answer"
            case .signed: "has signed"
            case .useless(let why): "answers uselessly: \(why)"
            case .waits(let why): "waits: \(why)"
            case .refuses(let why, _): "refuses: \(why)"
            }
        }
    }

    struct Statistics: Sendable, Equatable {
        var requests: UInt64 = 0
        var signatures: UInt64 = 0
        var waits: UInt64 = 0
        var refusals: UInt64 = 0
        /// Undecodable, unasked, or signed by a stranger.
        var useless: UInt64 = 0
    }

    private struct Question {
        let request: BlessingRequest
        let id: [UInt8]
        let payload: [UInt8]
        var askedAt: Milliseconds
        /// By signer.
        var signatures: [Address: RMNSignature] = [:]
        var words: [Word]
    }

    private struct State {
        var questions: [ChainSelector: Question] = [:]
        var statistics = Statistics()
    }

    typealias Milliseconds = UInt64
    private let names: [String]
    private let relayers: Int
    private let send: @Sendable (_ member: Int, _ payload: [UInt8]) -> Void
    private let onEnough: @Sendable (ChainSelector) -> Void
    private let now: @Sendable () -> Milliseconds
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - guards: names, in the order of the cluster file.
    ///   - relayers: how many members of the mesh come before them.
    ///   - onEnough: a set of this destination has all the signatures that it needs.
    init(
        guards: [String], relayers: Int, send: @escaping @Sendable (Int, [UInt8]) -> Void,
        onEnough: @escaping @Sendable (ChainSelector) -> Void, now: @escaping @Sendable () -> UInt64, logger: Logger
    ) {
        names = guards
        self.relayers = relayers
        self.send = send
        self.onEnough = onEnough
        self.now = now
        self.logger = logger
    }

    var statistics: Statistics { state.withLock { $0.statistics } }

    // MARK: Asking

    /// What a new outcome wants to have asked for one destination; nil ends the earlier question. Does not wait.
    func ask(_ request: BlessingRequest?, destination: ClusterSettings.Chain, instance: Bytes) {
        let payload: [UInt8]? = state.withLock { state in
            guard let request else {
                state.questions[destination.selector] = nil
                return nil
            }
            guard state.questions[destination.selector]?.request.isSame(as: request) != true else { return nil }
            let (id, payload) = GuardWire.request(request, destination: destination, instance: instance)
            state.questions[destination.selector] = Question(
                request: request, id: id, payload: payload, askedAt: now(),
                words: [Word](repeating: .silent, count: names.count))
            return payload
        }
        guard let payload else { return }
        logger.info("guards asked", metadata: ["set": "\(request?.setID ?? 0)", "roots": "\(request?.roots.count ?? 0)"])
        broadcast(payload)
    }

    /// Asks again those who have not signed, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Limits.guardRepeatMilliseconds / 4))
            askAgain()
        }
    }

    func askAgain() {
        let time = now()
        let due = state.withLock { state -> [(Int, [UInt8])] in
            var due: [(Int, [UInt8])] = []
            for destination in state.questions.keys.sorted() {
                guard var question = state.questions[destination],
                    time >= question.askedAt + Limits.guardRepeatMilliseconds,
                    question.signatures.count < question.request.remote.signaturesNeeded
                else { continue }
                question.askedAt = time
                for (index, word) in question.words.enumerated() where word != .signed {
                    due.append((relayers + index, question.payload))
                }
                state.questions[destination] = question
            }
            state.statistics.requests += UInt64(due.count)
            return due
        }
        for (member, payload) in due { send(member, payload) }
    }

    private func broadcast(_ payload: [UInt8]) {
        state.withLock { $0.statistics.requests += UInt64(names.count) }
        for index in names.indices { send(relayers + index, payload) }
    }

    // MARK: Answers

    /// Bytes of a member of the mesh that is a guard.
    func receive(from member: Int, _ payload: [UInt8]) {
        let index = member - relayers
        guard names.indices.contains(index) else { return }
        guard let answer = GuardWire.Answer(payload) else { return state.withLock { $0.statistics.useless += 1 } }
        let (news, enough) = state.withLock { take(answer, from: index, &$0) }
        if let news { logger.log(level: news.level, "guard answered", metadata: ["guard": "\(names[index])", "answer": "\(news.text)"]) }
        if let enough { onEnough(enough) }
    }

    private struct News {
        var text: String
        var level: Logger.Level
    }

    private func take(_ answer: GuardWire.Answer, from index: Int, _ state: inout State) -> (News?, ChainSelector?) {
        guard let destination = state.questions.keys.sorted().first(where: { state.questions[$0]?.id == answer.id }),
            var question = state.questions[destination]
        else {
            // An answer to an earlier question: late, not wrong.
            return (nil, nil)
        }
        let before = question.words[index]
        var enough: ChainSelector?
        switch answer.word {
        case .signed(let signature):
            guard let signer = question.request.signer(of: signature) else {
                state.statistics.useless += 1
                question.words[index] = .useless("its signature is by none of the RMNRemote's signers")
                break
            }
            question.words[index] = .signed
            guard question.signatures[signer] == nil else { break }
            state.statistics.signatures += 1
            question.signatures[signer] = signature
            if question.signatures.count == question.request.remote.signaturesNeeded { enough = destination }
        case .waits(let why):
            state.statistics.waits += 1
            question.words[index] = .waits(why)
        case .refused(let why, let lanes):
            state.statistics.refusals += 1
            question.words[index] = .refuses(why, lanes: lanes)
        }
        state.questions[destination] = question
        guard question.words[index] != before else { return (nil, enough) }
        let isBad = switch question.words[index] {
            case .refuses, .useless: true
            default: false
        }
        return (News(text: question.words[index].text, level: isBad ? .warning : .info), enough)
    }

    // MARK: What is known

    /// For the observation of a round; nil when nothing was signed yet. Never waits.
    func votes(_ destination: ChainSelector) -> BlessingVotes? {
        state.withLock { state in
            guard let question = state.questions[destination], !question.signatures.isEmpty else { return nil }
            let signatures = question.signatures.sorted { $0.key < $1.key }.map(\.value)
            return BlessingVotes(setID: question.request.setID, signatures: signatures)
        }
    }

    /// "guard-2 waits: finalized through 17", for people; empty while nothing is asked.
    func words(_ destination: ChainSelector) -> [String] {
        state.withLock { state in
            guard let question = state.questions[destination] else { return [] }
            return zip(names, question.words).map { "\($0) \($1.text)" }
        }
    }

    /// How many guards say that the root of a lane is another one than theirs.
    func contradictions(_ destination: ChainSelector, of source: ChainSelector) -> Int {
        state.withLock { state in
            state.questions[destination]?.words.count { word in
                guard case .refuses(_, let lanes) = word else { return false }
                return lanes.contains(source)
            } ?? 0
        }
    }
}

extension BlessingRequest {
    /// Whether guards that were asked the one need not be asked the other.
    func isSame(as other: BlessingRequest) -> Bool {
        setID == other.setID && remote == other.remote && roots == other.roots
    }
}
