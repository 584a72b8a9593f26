// Requests and answers as bytes of the mesh's channel for guards: strict where something comes in, and nothing of what comes
// in is believed beyond its shape.

import CCIP
import Ethereum
import Foundation
import GuardMessages
import Guarding
import SwiftProtobuf

package enum GuardWire {
    package static let channel: Bytes = GuardChannel.name

    /// Throws `malformedRequest`.
    package static func request(_ bytes: Bytes) throws(WatcherError) -> SignatureRequest {
        guard bytes.count <= Limits.frameBytesMaximum else { throw malformed("\(bytes.count) bytes") }
        let message: Causeway_Guard_V1_SignatureRequest
        do { message = try Causeway_Guard_V1_SignatureRequest(serializedBytes: bytes) } catch {
            throw malformed("no SignatureRequest")
        }
        // One way to write a request: what is encoded otherwise, or has fields that we do not know, is none.
        let again: Bytes? = try? message.serializedBytes()
        guard again == bytes, message.unknownFields.data.isEmpty else { throw malformed("not in canonical form") }
        guard let id = try? requestID(of: message), Bytes(message.requestID) == id.bytes else {
            throw malformed("the request id is not the hash of the request")
        }
        guard let offRamp = Address(bytes: Bytes(message.offRamp)), let remote = Address(bytes: Bytes(message.rmnRemote)),
            let digest = Hash32(bytes: Bytes(message.homeDigest)), message.updates.count <= Guarding.Limits.updatesMaximum
        else { throw malformed("an address, a digest or the number of roots") }
        var updates: [MerkleRoot] = []
        for update in message.updates {
            guard let root = Hash32(bytes: Bytes(update.root)), update.onRamp.count <= 64 else {
                throw malformed("a root or an on-ramp")
            }
            updates.append(
                MerkleRoot(
                    source: ChainSelector(update.source), onRamp: Bytes(update.onRamp), first: SequenceNumber(update.min),
                    last: SequenceNumber(update.max), root: root))
        }
        return SignatureRequest(
            id: id.bytes, chainID: message.chainID, destination: ChainSelector(message.destination), offRamp: offRamp,
            rmnRemote: remote, homeDigest: digest, configVersion: message.configVersion, updates: updates)
    }

    /// sha256 of the message with an empty id.
    package static func requestID(of message: Causeway_Guard_V1_SignatureRequest) throws -> Hash32 {
        var bare = message
        bare.requestID = Data()
        let bytes: Bytes = try bare.serializedBytes()
        return sha256(bytes)
    }

    package static func signed(_ id: Bytes, _ signature: RMNSignature) -> Bytes {
        var answer = Causeway_Guard_V1_SignatureResponse()
        answer.requestID = Data(id)
        answer.signed.r = Data(signature.r.bytes)
        answer.signed.s = Data(signature.s.bytes)
        return bytes(answer)
    }

    package static func answer(_ id: Bytes, _ answer: GuardAnswer) -> Bytes {
        var response = Causeway_Guard_V1_SignatureResponse()
        response.requestID = Data(id)
        switch answer {
        case .waits(let waits):
            response.waits.lanes = waits.map { wait in
                var lane = Causeway_Guard_V1_Wait()
                lane.source = wait.source.rawValue
                lane.finalizedThrough = wait.finalizedThrough
                lane.reason = String(wait.reason.prefix(Limits.reasonLettersMaximum))
                return lane
            }
        case .refused(let refusals):
            response.refused.lanes = refusals.map { refusal in
                var lane = Causeway_Guard_V1_LaneRefusal()
                lane.source = refusal.source.rawValue
                lane.code = refusal.code.rawValue
                lane.detail = String(refusal.detail.prefix(Limits.reasonLettersMaximum))
                return lane
            }
        case .refusedAll(let code, _):
            response.refused.code = code.rawValue
        }
        return bytes(response)
    }

    private static func bytes(_ answer: Causeway_Guard_V1_SignatureResponse) -> Bytes {
        do { return try answer.serializedBytes() } catch {
            preconditionFailure("a message without required fields always encodes: \(error)")
        }
    }

    private static func malformed(_ why: String) -> WatcherError {
        WatcherError(.malformedRequest, "a request for a signature: \(why)", hint: "relayer and guard differ in version")
    }
}
