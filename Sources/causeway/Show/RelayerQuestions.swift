// What relayers say of a message, asked of all their processes at once. A relayer that does not answer is left out.

import CCIP
import Ethereum
import JSONRPC

struct RelayerQuestions: Sendable {
    let addresses: [RelayerAddress]

    /// Where a relayer has seen the message.
    struct Place: Sendable, Equatable {
        let source: ChainSelector
        let destination: ChainSelector
        let sequenceNumber: SequenceNumber
    }

    struct Answer: Sendable {
        let place: Place?
        let testimony: MessageStory.Testimony
    }

    /// In the order of the addresses.
    func ask(_ id: MessageID) async -> [Answer] {
        await withTaskGroup(of: (Int, Answer?).self) { group in
            for (index, address) in addresses.enumerated() {
                group.addTask { (index, await Self.ask(address, id)) }
            }
            var answers: [Int: Answer] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return addresses.indices.compactMap { answers[$0] }
        }
    }

    private static func ask(_ address: RelayerAddress, _ id: MessageID) async -> Answer? {
        guard let url = try? EndpointURL.parse(address.url) else { return nil }
        let client = RPCClient(
            url, timeoutMilliseconds: CommandLimits.relayerAnswerMilliseconds, connections: 1, logger: .silent)
        guard let json = try? await client.call("causeway_message", [.string(id.description)]) else { return nil }
        return read(json, from: address)
    }

    /// Nil when the node does not know the message.
    static func read(_ json: JSON, from address: RelayerAddress) -> Answer? {
        guard let testimony = MessageStory.Testimony(json, from: address) else { return nil }
        var place: Place?
        if let source = json["source"]?.asUInt64, let destination = json["destination"]?.asUInt64,
            let number = json["sequenceNumber"]?.asUInt64
        {
            place = Place(
                source: ChainSelector(source), destination: ChainSelector(destination),
                sequenceNumber: SequenceNumber(number))
        }
        return Answer(place: place, testimony: testimony)
    }
}
