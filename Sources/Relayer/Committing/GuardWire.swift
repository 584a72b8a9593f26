// What relayers and guards say to each other, between the values of this room and protocol buffers
// (GuardMessages).

import CCIP
import Committing
import Ethereum
import Foundation
import GuardMessages
import SwiftProtobuf

enum GuardWire {
    /// Codes of a refusal that mean that a guard has derived another root.
    static let contradiction = "root_mismatch"

    /// The id under which the answer comes back, and the bytes to send.
    static func request(
        _ request: BlessingRequest, destination: ClusterSettings.Chain, instance: Bytes
    ) -> (id: [UInt8], payload: [UInt8]) {
        var message = Causeway_Guard_V1_SignatureRequest()
        message.instance = Data(instance)
        message.chainID = destination.chainID
        message.destination = destination.selector.rawValue
        message.offRamp = Data(destination.contracts.offRamp.bytes)
        message.rmnRemote = Data(request.remote.rmnRemote.bytes)
        message.homeDigest = Data(request.remote.homeDigest.bytes)
        message.configVersion = request.remote.version
        message.updates = request.roots.map { root in
            var update = Causeway_Guard_V1_LaneUpdate()
            update.source = root.source.rawValue
            update.onRamp = Data(root.onRamp)
            update.min = root.first.rawValue
            update.max = root.last.rawValue
            update.root = Data(root.root.bytes)
            return update
        }
        let id = sha256(encoded(message)).bytes
        message.requestID = Data(id)
        return (id, encoded(message))
    }

    private static func encoded(_ message: Causeway_Guard_V1_SignatureRequest) -> [UInt8] {
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure("a message without required fields always encodes")
        }
        return bytes
    }

    struct Answer: Sendable, Equatable {
        enum Word: Sendable, Equatable {
            case signed(RMNSignature)
            case waits(String)
            /// `lanes` are those whose root the guard contradicts.
            case refused(String, lanes: [ChainSelector])
        }

        let id: [UInt8]
        let word: Word

        /// Nil for bytes that are no answer. Texts are cut: a guard is not trusted with our logs.
        init?(_ payload: [UInt8]) {
            guard payload.count <= Limits.guardAnswerBytesMaximum,
                let message = try? Causeway_Guard_V1_SignatureResponse(serializedBytes: payload),
                message.requestID.count == 32, let answer = message.answer
            else { return nil }
            id = [UInt8](message.requestID)
            switch answer {
            case .signed(let signature):
                guard let r = Hash32(bytes: signature.r), let s = Hash32(bytes: signature.s) else { return nil }
                word = .signed(RMNSignature(r: r, s: s))
            case .waits(let waits):
                word = .waits(
                    Self.text(waits.lanes.prefix(16).map { lane in
                        "\(lane.source) finalized through \(lane.finalizedThrough)"
                            + (lane.reason.isEmpty ? "" : " (\(lane.reason))")
                    }))
            case .refused(let refusal):
                let lanes = refusal.lanes.prefix(16)
                word = .refused(
                    Self.text(
                        (refusal.code.isEmpty ? [] : [refusal.code])
                            + lanes.map { "\($0.source) \($0.code)" + ($0.detail.isEmpty ? "" : " (\($0.detail))") }),
                    lanes: lanes.filter { $0.code == contradiction }.map { ChainSelector($0.source) })
            }
        }

        private static func text(_ parts: [String]) -> String {
            let printable = parts.joined(separator: ", ").unicodeScalars.map { scalar in
                scalar.value >= 0x20 && scalar.value < 0x7F ? Character(scalar) : "?"
            }
            return String(printable.prefix(Limits.guardTextMaximum))
        }
    }
}
