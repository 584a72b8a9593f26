import Ethereum
import Localnet
import Testing

@testable import causeway

@Suite("kinds of configuration files")
struct ConfigurationFilesTests {
    @Test("the kind is told by the keys", arguments: [
        ("version: 1\ncluster: cluster.yaml\nrelayer: relayer-0\nendpoints: {}\n", ConfigurationKind.relayer),
        ("version: 1\ncluster: cluster.yaml\nguard: guard-0\nendpoints: {}\n", .guardian),
        ("version: 1\nname: a\nfaulty: 1\nchains: []\nlanes: []\nrelayers: []\n", .cluster),
        ("name: any\nchainId: 31337\nselector: 7759470850252068959\n", .profile),
        ("version: 1\ndeployer: {keyFile: a}\nchains: []\n", .deployment),
        ("version: 1\nhttp: \"127.0.0.1:1\"\nattesters: 2\nchains: []\n", .attester),
    ])
    func kinds(_ text: String, _ kind: ConfigurationKind) throws {
        #expect(try ConfigurationFiles.kind(of: text, file: "a.yaml") == kind)
    }

    @Test("a file of no kind is refused with what to do")
    func unknown() {
        do {
            _ = try ConfigurationFiles.kind(of: "colour: red\n", file: "a.yaml")
            Issue.record("it has no kind")
        } catch {
            let failure = CommandFailure(error)
            #expect(failure.code == "unknownKind" && failure.hint?.contains("--kind") == true)
        }
        #expect(throws: (any Error).self) { try ConfigurationFiles.kind(of: "- 1\n", file: "a.yaml") }
    }

    @Test("every chain profile of the project is read whole")
    func profiles() throws {
        let names = ProjectFiles.profileNames()
        #expect(names.count >= 3)
        for name in names {
            let path = try ProjectFiles.profile(name).path
            let values = try ConfigurationFiles.values(path, kind: .profile)
            #expect(values.contains { $0.path == "name" && $0.text == name })
        }
    }
}
