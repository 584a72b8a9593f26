import CCIP
import Ethereum
@testable import Localnet
import Synchronization
import Testing

@Suite("the deployer")
struct DeployerTests {
    let ethereum = FakeChain("ethereum", chainID: 11_155_111)
    let jovay = FakeChain("jovay", chainID: 2_019_775, nonce: 3)

    private var targets: [String: DeploymentTarget] {
        [
            "ethereum": DeploymentTarget(endpoint: ethereum, key: Samples.deployer),
            "jovay": DeploymentTarget(endpoint: jovay, key: Samples.deployer),
        ]
    }

    private func deployer(_ state: String? = nil, window: Int = 7) -> Deployer {
        var policy = DeploymentPolicy.local
        policy.window = window
        policy.deadlineSeconds = 20
        return Deployer(artifacts: Samples.artifacts, policy: policy, statePath: state)
    }

    @Test("sends every step of the plan once and in order, in windows")
    func whole() async throws {
        let plan = try await deployer().deploy(Samples.request(), to: targets)
        for (chain, fake) in zip(plan.chains, [ethereum, jovay]) {
            let sent = fake.state.withLock { $0.sent.map(\.transaction) }
            #expect(sent.map(\.data) == chain.steps.map(\.data))
            #expect(sent.map(\.to) == chain.steps.map(\.target))
            #expect(sent.map(\.nonce) == chain.steps.indices.map { chain.firstNonce + UInt64($0) })
        }
        #expect(plan.chain("jovay")?.firstNonce == 3)
    }

    @Test("goes on after a break and sends nothing twice", arguments: [0, 5, 16, 20])
    func resumed(_ count: Int) async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let path = folder + "/state.json"
        jovay.state.withLock { $0.diesAfter = count }
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(path).deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .chainUnreachable)
        jovay.state.withLock { $0.diesAfter = nil }
        let plan = try await deployer(path).deploy(Samples.request(), to: targets)
        for (chain, fake) in zip(plan.chains, [ethereum, jovay]) {
            #expect(fake.state.withLock { $0.sent.map(\.transaction.data) } == chain.steps.map(\.data))
        }
        let before = ethereum.state.withLock { $0.sent.count }
        _ = try await deployer(path).deploy(Samples.request(), to: targets)
        #expect(ethereum.state.withLock { $0.sent.count } == before, "a finished deployment sends nothing")
    }

    @Test("guards that were not configured before a break are afterwards; another rmn section is another deployment")
    func guardsResumed() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let path = folder + "/state.json"
        let plan = try Samples.plan(Samples.guarded())
        let step = try #require(plan.chains[1].steps.firstIndex { $0.label == "configure guards" })
        jovay.state.withLock { $0.diesAfter = step }
        await #expect(throws: LocalnetError.self) {
            _ = try await deployer(path, window: 1).deploy(Samples.guarded(), to: targets)
        }
        jovay.state.withLock { $0.diesAfter = nil }
        _ = try await deployer(path).deploy(Samples.guarded(), to: targets)
        let sent = jovay.state.withLock { $0.sent.map(\.transaction.data) }
        #expect(sent == plan.chains[1].steps.map(\.data))
        #expect(sent.count { $0 == plan.chains[1].steps[step].data } == 1)
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(path).deploy(Samples.guarded(.all), to: targets)
        }
        #expect(error?.code == .stateMismatch)
    }

    @Test("a call that failed is told by name and reason, and sent again at the next run")
    func failed() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let path = folder + "/state.json"
        let plan = try Samples.plan()
        let lanes = UInt64(try #require(plan.chains[0].steps.firstIndex { $0.label == "open lanes" }))
        ethereum.state.withLock { $0.failing = [lanes] }
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(path, window: 100).deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .transactionFailed)
        #expect(error?.message.contains("'open lanes'") == true, "\(error?.message ?? "")")
        _ = try await deployer(path).deploy(Samples.request(), to: targets)
        let again = ethereum.state.withLock { $0.sent.last?.transaction.data }
        #expect(again == plan.chains[0].steps[Int(lanes)].data)
    }

    @Test("a creation that failed cannot be had at its address again, and that is said")
    func failedCreation() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        ethereum.state.withLock { $0.failing = [4] }
        await #expect(throws: LocalnetError.self) {
            _ = try await deployer(folder + "/state.json").deploy(Samples.request(), to: targets)
        }
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(folder + "/state.json").deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .stateMismatch)
    }

    @Test("refuses a chain of another id")
    func wrongChain() async throws {
        ethereum.state.withLock { $0.chainID = 1 }
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer().deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .wrongChain)
        #expect(ethereum.state.withLock { $0.sent.isEmpty } && jovay.state.withLock { $0.sent.isEmpty })
    }

    @Test("an empty account is told which step it cannot pay")
    func poor() async throws {
        ethereum.state.withLock { $0.balance = U256(1000) }
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer().deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .insufficientFunds)
        #expect(error?.hint?.contains(Samples.deployer.address.checksummed) == true)
    }

    @Test("a state file of another deployment is refused")
    func foreignState() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        _ = try await deployer(folder + "/state.json").deploy(Samples.request(), to: targets)
        var other = Samples.request()
        other.manualExecutionSeconds = 7
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(folder + "/state.json").deploy(other, to: targets)
        }
        #expect(error?.code == .stateMismatch)
    }

    @Test("a chain that was reset under its state file is refused")
    func reset() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        _ = try await deployer(folder + "/state.json").deploy(Samples.request(), to: targets)
        ethereum.state.withLock { $0.code.removeAll() }
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(folder + "/state.json").deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .stateMismatch)
        #expect(error?.message.contains("no code at") == true)
    }

    @Test("a cut state file is refused with what to do", arguments: ["", "{", "{\"version\": 9}", "{\"version\": 1}"])
    func malformed(_ text: String) async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        try Files.write(text, to: folder + "/state.json")
        let error = await #expect(throws: LocalnetError.self) {
            _ = try await deployer(folder + "/state.json").deploy(Samples.request(), to: targets)
        }
        #expect(error?.code == .malformedState)
        #expect(error?.hint != nil)
    }

    @Test("the state survives its file")
    func roundTrip() async throws {
        var state = DeploymentState(try Samples.plan())
        state.chains[0].steps[2].nonce = 2
        state.chains[0].steps[2].transaction = keccak256(text: "x")
        state.chains[0].steps[2].isDone = true
        #expect(try DeploymentState(json: JSON.parse(state.json.pretty)) == state)
    }
}
