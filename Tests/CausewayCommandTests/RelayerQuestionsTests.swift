import CCIP
import Ethereum
import Testing

@testable import causeway

@Suite("what relayers answer")
struct RelayerQuestionsTests {
    private let address = RelayerAddress(relayer: "relayer-2", role: "executing", url: "http://127.0.0.1:1")

    @Test("place and standing are read; selectors above 2^63 stay whole")
    func reading() throws {
        let json: JSON = [
            "relayer": "relayer-2", "role": "executing", "source": "16015286601757825753",
            "destination": "945045181441419236", "sequenceNumber": 17, "standing": "ready",
            "waitsFor": "the next round of the cluster", "advice": "", "sinceMilliseconds": 12,
        ]
        let answer = try #require(RelayerQuestions.read(json, from: address))
        #expect(
            answer.place == .init(source: 16_015_286_601_757_825_753, destination: 945_045_181_441_419_236, sequenceNumber: 17))
        #expect(answer.testimony.standing == "ready" && answer.testimony.sinceMilliseconds == 12)
        #expect(answer.testimony.json["waitsFor"] == "the next round of the cluster")
    }

    @Test("null means that the relayer does not know the message")
    func unknown() {
        #expect(RelayerQuestions.read(.null, from: address) == nil)
        #expect(RelayerQuestions.read("garbage", from: address) == nil)
    }

    @Test("a relayer that nobody runs is left out")
    func silent() async {
        let answers = await RelayerQuestions(addresses: [address]).ask(MessageID(.zero))
        #expect(answers.isEmpty)
    }
}
