// A guard as a process beside a real chain, asked by a relayer that knows only the mesh; and the commands that stop lanes and
// count tokens.

import CCIP
import Ethereum
import Foundation
import GuardMessages
import MessageBus
import SwiftProtobuf
import TestSupport
import Testing

@Suite("Guards, curses and supply, end to end", .serialized)
struct GuardTests {
    @Test("a guard signs what the RMNRemote takes, and nothing else; its memory outlives kill -9", .timeLimit(.minutes(4)))
    func guardProcess() throws {
        let network = try RunningNetwork(["--no-relayers"])
        defer { network.stop() }
        let watch = try WatchedNetwork(network)
        defer { watch.stop() }
        try watch.requireBlessing()
        for text in ["one", "two", "three"] {
            _ = try network.json(["send", "ethereum", "jovay", "--text", text])
        }
        let root = try watch.root(1...3)
        try watch.startGuard()
        let signature = try #require(try watch.ask(root, until: { $0.answer.map { if case .signed = $0 { true } else { false } } ?? false }))
        let blessing = RMNSignature(
            r: try #require(Hash32(bytes: Bytes(signature.signed.r))), s: try #require(Hash32(bytes: Bytes(signature.signed.s))))
        #expect(try watch.digest(root).signer(of: blessing) == watch.signer.address)
        try watch.verifyOnChain(root, blessing)

        var forged = root
        forged.root = Hash32(U256.one)
        let refused = try #require(try watch.ask(forged) { $0.refused.lanes.count == 1 })
        #expect(refused.refused.lanes[0].code == "root_mismatch")

        watch.killGuard()
        try watch.startGuard()
        #expect(try watch.ask(root, until: { !$0.signed.r.isEmpty }) != nil, "the same root is signed again")

        let cursed = try network.json(["curse", "ethereum", "--on", "jovay"])
        #expect(cursed["data"]?["calls"]?.asArray?.count == 1)
        let lane = cursed["data"]?["lanes"]?.asArray?.first { $0["from"]?["name"]?.asString == "ethereum" }
        #expect(lane?["arrivalStopped"]?.asBool == true && lane?["sendingStopped"]?.asBool == false)
        #expect(try watch.ask(root, until: { $0.refused.lanes.first?.code == "cursed" }) != nil)
    }

    @Test("a guard sees a pool's limiter loosened and more pass than allowed, and curses with its own account", .timeLimit(.minutes(4)))
    func pools() throws {
        let network = try RunningNetwork(["--no-relayers"])
        defer { network.stop() }
        let tokens = try network.json(["tokens", "--chain", "ethereum"])["data"]?["tokens"]?.asArray ?? []
        let token = try #require(tokens.first { $0["symbol"]?.asString == "CWT" })
        let pool = try #require(token["pool"]?.asString)
        let owner = try Owner(network)
        let unit = U256(1_000_000_000_000_000_000 as UInt64)
        func limit(_ capacity: UInt64, _ rate: UInt64) throws {
            let remote = try #require(try network.chain("jovay")["selector"]?.asUInt256?.asUInt64)
            let outbound: ABIValue = .tuple([.bool(true), .uint(unit * U256(capacity)), .uint(unit * U256(rate))])
            let call = try TokenPoolInterface.setChainRateLimiterConfig.encodeCall([
                .uint(remote), outbound, .tuple([.bool(false), .uint(0 as UInt64), .uint(0 as UInt64)]),
            ])
            try owner.send("ethereum", try Address(hex: pool), call)
        }
        func send(_ amount: Int) throws {
            // A limiter that was just set fills second by second.
            let deadline = Date(timeIntervalSinceNow: 20)
            let arguments = ["send", "ethereum", "jovay", "--token", "CWT=\(amount)", "--receiver", "account:1"]
            while (try? network.json(arguments)) == nil {
                guard Date() < deadline else { throw Failure("\(amount) CWT cannot be sent") }
                usleep(300_000)
            }
        }
        try limit(2, 1)
        let watch = try WatchedNetwork(
            network, curseAdmin: owner.key,
            settings: """
                curseOnAnomaly: true
                pools:
                  - {chain: ethereum, pool: "\(pool)", remote: jovay, outbound: {capacity: "\((unit * 2).decimal)", rate: "\(unit.decimal)"}}
                """)
        defer { watch.stop() }
        try watch.startGuard()
        func alarms(_ status: JSON) -> [String] { (status["alarms"]?.asArray ?? []).compactMap { $0["kind"]?.asString } }
        _ = try watch.status { status in
            !(status["obstacles"]?.asArray ?? []).contains { $0.asString?.contains("pools") == true }
        }
        try send(1)
        let counted = try watch.status { $0["poolFlows"]?.asInt == 1 }
        #expect(alarms(counted).isEmpty && counted["pools"]?.asArray?.first?["limiter"]?["enabled"]?.asBool == true)
        #expect(try watch.cursedOnJovay().isEmpty)

        try limit(100, 50)
        let laneScope = try watch.laneScope
        let loosened = try watch.status { !alarms($0).isEmpty }
        #expect(alarms(loosened) == ["rateLimitLoosened"])
        #expect(loosened["stops"]?.asArray?.first?["scope"]?.asString == laneScope)
        #expect(try watch.cursedOnJovay().isEmpty, "nothing has passed yet")

        try send(5)
        let exceeded = try watch.status { alarms($0).contains("rateLimitExceeded") }
        #expect(exceeded["poolFlows"]?.asInt == 2)
        let deadline = Date(timeIntervalSinceNow: 30)
        while try watch.cursedOnJovay().isEmpty, Date() < deadline { usleep(200_000) }
        #expect(try watch.cursedOnJovay() == [try watch.subjectOfEthereum()])
    }

    @Test("curse, uncurse, supply and tokens on a running network", .timeLimit(.minutes(4)))
    func commands() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        let tokens = try network.json(["tokens"])["data"]?["tokens"]?.asArray ?? []
        #expect(tokens.count >= 4 && tokens.allSatisfy { $0["remotes"]?.asArray?.allSatisfy { $0["paired"]?.asBool == true } == true })
        #expect(try network.json(["supply"])["data"]?["balanced"]?.asBool == true)
        for symbol in ["LINK", "CWT"] {
            _ = try network.json(["send", "ethereum", "jovay", "--token", "\(symbol)=2.5", "--receiver", "account:1", "--wait"])
        }
        _ = try network.json(["send", "jovay", "ethereum", "--token", "CWT=1", "--wait"])
        let supply = try network.json(["supply"])["data"]
        let moved = (supply?["lines"]?.asArray ?? []).filter { $0["taken"]?.asString != "0" }
        #expect(moved.count == 3 && moved.allSatisfy { $0["taken"] == $0["given"] && $0["verdict"]?.asString == "balanced" })
        let pools = try #require(supply?["pools"]?.asArray)
        #expect(!pools.isEmpty && pools.contains { $0["needed"]?.asString == "1500000000000000000" })

        // Errors of the contract by name, before anything is sent.
        func reason(_ arguments: [String]) throws -> String? {
            try network.json(arguments, exits: 1)["error"]?["error"]?.asString
        }
        #expect(try reason(["uncurse", "ethereum:jovay"]) == "NotCursed")
        #expect(try reason(["curse", "ethereum:jovay", "--account", "1"]) == "OnlyCallableByOwner")
        let simulated = try network.json(["curse", "ethereum:jovay", "--dry-run"])
        #expect(simulated["data"]?["calls"]?.asArray?.count == 2)
        let cursed = try network.json(["curse", "ethereum:jovay"])
        #expect(cursed["data"]?["lanes"]?.asArray?.allSatisfy { $0["arrivalStopped"]?.asBool == true } == true)
        #expect(try reason(["curse", "ethereum:jovay"]) == "AlreadyCursed")
        #expect(try network.json(["send", "ethereum", "jovay", "--text", "no"], exits: 1)["ok"]?.asBool == false)
        _ = try network.json(["uncurse", "ethereum:jovay"])
        _ = try network.json(["send", "ethereum", "jovay", "--text", "yes", "--wait"])

        // Money that goes the wrong way is seen.
        let locking = try #require(pools.first { $0["needed"]?.asString == "1500000000000000000" })
        let chain = try #require(locking["chain"]?["name"]?.asString)
        try drain(network, chain, pool: try #require(locking["pool"]?.asString), tokens: tokens)
        let drained = try network.json(["supply"], exits: 6)["data"]
        #expect(drained?["balanced"]?.asBool == false)
        #expect(drained?["pools"]?.asArray?.contains { $0["covered"]?.asBool == false } == true)
    }

    /// The pool gives all it holds to somebody, past its own rules.
    private func drain(_ network: RunningNetwork, _ chain: String, pool: String, tokens: [JSON]) throws {
        let entry = try #require(tokens.first { $0["pool"]?.asString == pool })
        let token = try Address(hex: try #require(entry["token"]?.asString))
        let pool = try Address(hex: pool)
        let balance = try network.call(
            chain, "eth_call",
            [["to": .address(token), "data": .data(try ERC20Interface.balanceOf.encodeCall([.address(pool)]))], "latest"])
        let amount = try U256(text: try #require(balance.asString))
        // The owner makes itself the rebalancer, who may take liquidity out: what it takes is what others have locked.
        let owner = try Owner(network)
        let rebalancer = try ABIFunction("setRebalancer(address)").encodeCall([.address(owner.key.address)])
        try owner.send(chain, pool, rebalancer)
        try owner.send(chain, pool, try ABIFunction("withdrawLiquidity(uint256)").encodeCall([.uint(amount)]))
    }
}

/// The deployer of a local network, who owns its contracts.
struct Owner {
    let network: RunningNetwork
    let key: PrivateKey

    init(_ network: RunningNetwork) throws {
        self.network = network
        let accounts = try #require(try network.document()["accounts"]?.asArray)
        let deployer = try #require(accounts.first { $0["deployer"]?.asBool == true })
        key = try PrivateKey(hex: try #require(deployer["privateKey"]?.asString))
    }

    init(_ network: RunningNetwork, key: PrivateKey) {
        self.network = network
        self.key = key
    }

    /// Sends and waits until it is in a block, with success.
    func send(_ chain: String, _ contract: Address, _ data: Bytes) throws {
        let nonce = try network.call(chain, "eth_getTransactionCount", [.address(key.address), "pending"])
        let count = try U256(text: try #require(nonce.asString))
        let price = try network.call(chain, "eth_gasPrice", [])
        let transaction = Transaction.legacy(
            chainID: try #require(try network.chain(chain)["chainId"]?.asUInt256?.asUInt64),
            nonce: try #require(count.asUInt64),
            gasPrice: try U256(text: try #require(price.asString)) * 2, gasLimit: 1_000_000, to: contract, value: .zero,
            data: data)
        let hash = try network.call(chain, "eth_sendRawTransaction", [.data(transaction.signed(by: key).encoded)])
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date() < deadline {
            let receipt = try network.call(chain, "eth_getTransactionReceipt", [hash])
            if let status = receipt["status"]?.asString {
                guard status == "0x1" else { throw Failure("a transaction failed: \(receipt.text)") }
                return
            }
            usleep(50_000)
        }
        throw Failure("a transaction is in no block of \(chain)")
    }
}

/// A local network, one guard beside it, and a relayer's end of the mesh held by the test.
final class WatchedNetwork {
    let network: RunningNetwork
    let signer = PrivateKey.random()
    private let folder: URL
    private let relayerKeys: CurveKeyPair
    private let guardKeys: CurveKeyPair
    private let mesh: PeerMesh
    private let inbox = Inbox()
    private var process: Spawned?
    private let settings: String
    private let curseAdmin: PrivateKey?
    private var homeDigest: Hash32 { keccak256([1]) }

    final class Inbox: @unchecked Sendable {
        private let lock = NSLock()
        private var frames: [Bytes] = []
        func add(_ bytes: Bytes) { lock.withLock { frames.append(bytes) } }
        func take() -> [Bytes] { lock.withLock { defer { frames = [] }; return frames } }
    }

    /// `settings`: further lines of the guard's file.
    init(_ network: RunningNetwork, curseAdmin: PrivateKey? = nil, settings: String = "") throws {
        self.network = network
        self.curseAdmin = curseAdmin
        self.settings = settings
        let (relayer, guardian) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        relayerKeys = relayer
        guardKeys = guardian
        folder = network.directory.appendingPathComponent("guard")
        // Free now; the guard binds it a moment later.
        let guardPort = try Self.freePort()
        var configuration = PeerMeshConfiguration(
            peers: [
                .init(name: "relayer-0", endpoint: try Endpoint("tcp://127.0.0.1:0"), publicKey: relayer.publicKey),
                .init(
                    name: "guard-0", endpoint: try Endpoint("tcp://127.0.0.1:\(guardPort)"), publicKey: guardian.publicKey),
            ], ownIndex: 0, keyPair: relayer)
        configuration.timings.reconnectIntervalMilliseconds = 100
        configuration.timings.reconnectIntervalMaximumMilliseconds = 500
        mesh = try PeerMesh(configuration: configuration)
        let inbox = inbox
        try mesh.start { messages in
            for message in messages where message.peer == 1 && message.channel == GuardChannel.name {
                inbox.add(message.payload)
            }
        }
        try write(mesh.boundEndpoint, guardPort)
    }

    func stop() {
        process?.kill()
        mesh.stop()
    }

    // MARK: Files

    private func write(_ relayer: Endpoint, _ guardPort: Int) throws {
        let manager = FileManager.default
        let keys = folder.appendingPathComponent("keys")
        try manager.createDirectory(at: keys, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let password = Secret(Bytes("of the guard".utf8))
        func save(_ name: String, _ bytes: Bytes) throws {
            let path = name == "password" ? folder.appendingPathComponent(name) : keys.appendingPathComponent(name)
            guard manager.createFile(atPath: path.path, contents: Data(bytes), attributes: [.posixPermissions: 0o600]) else {
                throw Failure("\(path.path) cannot be written")
            }
        }
        try save("password", password.bytes)
        try save("guard-signer.json", KeyFile.sealed(signer, password: password, work: .light).encoded)
        let curve = Secret(guardKeys.secretKey.exposedBytes())
        try save("curve-guard.json", KeyFile.sealed(curve, password: password, work: .light, kind: "curve").encoded)
        if let curseAdmin {
            try save("curse-admin.json", KeyFile.sealed(curseAdmin, password: password, work: .light).encoded)
        }
        var chains = ""
        var endpoints = ""
        for name in ["ethereum", "jovay"] {
            let chain = try network.chain(name)
            func text(_ key: String) throws -> String { try #require(chain["contracts"]?[key]?.asString) }
            chains += """
                  - name: \(name)
                    chainId: \(try #require(chain["chainId"]?.asUInt256).decimal)
                    selector: "\(try #require(chain["selector"]?.asString))"
                    finality: {tag: finalized}
                    contracts: {onRamp: "\(try text("onRamp"))", offRamp: "\(try text("offRamp"))"}

                """
            endpoints += "  \(name): {urls: [\"\(try #require(chain["rpc"]?.asString))\"]}\n"
        }
        let cluster = """
            version: 1
            name: watched
            chains:
            \(chains)
            lanes:
              - {from: ethereum, to: jovay}
            relayers:
              - {name: relayer-0, committing: {curvePublicKey: "\(relayerKeys.publicKey.z85)", mesh: "\(relayer)"}}
            guards:
              - {name: guard-0, signer: "\(signer.address.checksummed)", curvePublicKey: "\(guardKeys.publicKey.z85)", mesh: "tcp://127.0.0.1:\(guardPort)"}
            """
        try cluster.write(to: folder.appendingPathComponent("cluster.yaml"), atomically: true, encoding: .utf8)
        let own = """
            version: 1
            cluster: cluster.yaml
            guard: guard-0
            dataDirectory: data
            keys: {directory: keys, passwordFile: password}
            endpoints:
            \(endpoints)http: 127.0.0.1:0
            pollMilliseconds: 50
            \(settings)
            """
        try own.write(to: folder.appendingPathComponent("guard-0.yaml"), atomically: true, encoding: .utf8)
    }

    private static func freePort() throws -> Int {
        let found = try Command.run(
            Command.python, ["-c", "import socket;s=socket.socket();s.bind(('127.0.0.1',0));print(s.getsockname()[1])"])
        return try #require(Int(found.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    // MARK: The guard

    func startGuard() throws {
        let log = folder.appendingPathComponent("guard.log").path
        process = try Spawned(
            Command.executable, ["guard", "--config", folder.appendingPathComponent("guard-0.yaml").path], output: log,
            errors: log)
    }

    func killGuard() { process?.kill() }

    /// Asks the guard for its status until it is what is waited for.
    func status(until isWanted: (JSON) -> Bool) throws -> JSON {
        let log = folder.appendingPathComponent("guard.log")
        let deadline = Date(timeIntervalSinceNow: 40)
        let question = Bytes("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"causeway_status\",\"params\":[]}".utf8)
        var last = JSON.null
        while Date() < deadline {
            usleep(200_000)
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            guard let line = text.split(separator: "\n").last(where: { $0.hasPrefix("{\"listening\"") }),
                let port = try JSON.parse(Bytes(line.utf8))["port"]?.asInt, let url = URL(string: "http://127.0.0.1:\(port)"),
                let answer = try? PlainHTTP.post(url, question), let status = try JSON.parse(answer)["result"]
            else { continue }
            last = status
            if isWanted(status) { return status }
        }
        let told = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        throw Failure("the guard's status never was what is waited for: \(last.text)\n\(told.suffix(2_000))")
    }

    var laneScope: String {
        get throws { "lane/\(try selector("ethereum"))/\(try selector("jovay"))" }
    }

    func subjectOfEthereum() throws -> Bytes { try selector("ethereum").curseSubject }

    /// 16 bytes each, as jovay's RMNRemote has them.
    func cursedOnJovay() throws -> [Bytes] {
        let call = RMNRemoteCalls.cursedSubjects()
        let answer = try network.call(
            "jovay", "eth_call", [["to": .address(try address("jovay", "rmnRemote")), "data": .data(call.data)], "latest"])
        let bytes = try Hex.decode(try #require(answer.asString))
        let words = stride(from: 64, to: bytes.count, by: 32)
        return words.map { Bytes(bytes[$0..<$0 + 16]) }
    }

    /// Asks until an answer is what is waited for; nil when none is within half a minute.
    func ask(
        _ root: MerkleRoot, until isWanted: (Causeway_Guard_V1_SignatureResponse) -> Bool
    ) throws -> Causeway_Guard_V1_SignatureResponse? {
        _ = inbox.take()
        let request = try request(root)
        let deadline = Date(timeIntervalSinceNow: 30)
        while Date() < deadline {
            _ = mesh.send(to: 1, channel: GuardChannel.name, payload: try request.serializedBytes())
            for _ in 0..<10 {
                usleep(60_000)
                for bytes in inbox.take() {
                    let answer = try Causeway_Guard_V1_SignatureResponse(serializedBytes: bytes)
                    if answer.requestID == request.requestID, isWanted(answer) { return answer }
                }
            }
        }
        let log = try? String(contentsOf: folder.appendingPathComponent("guard.log"), encoding: .utf8)
        Issue.record("no such answer; the guard says: \(log?.suffix(2_000) ?? "nothing")")
        return nil
    }

    private func request(_ root: MerkleRoot) throws -> Causeway_Guard_V1_SignatureRequest {
        var update = Causeway_Guard_V1_LaneUpdate()
        update.source = root.source.rawValue
        update.onRamp = Data(root.onRamp)
        update.min = root.first.rawValue
        update.max = root.last.rawValue
        update.root = Data(root.root.bytes)
        var request = Causeway_Guard_V1_SignatureRequest()
        request.chainID = try chainID
        request.destination = try selector("jovay").rawValue
        request.offRamp = Data(try address("jovay", "offRamp").bytes)
        request.rmnRemote = Data(try address("jovay", "rmnRemote").bytes)
        request.homeDigest = Data(homeDigest.bytes)
        request.configVersion = 1
        request.updates = [update]
        let bytes: Bytes = try request.serializedBytes()
        request.requestID = Data(sha256(bytes).bytes)
        return request
    }

    // MARK: Chains

    private var chainID: UInt64 { get throws { try #require(try network.chain("jovay")["chainId"]?.asUInt256?.asUInt64) } }

    private func selector(_ chain: String) throws -> ChainSelector {
        ChainSelector(try #require(try network.chain(chain)["selector"]?.asUInt256?.asUInt64))
    }

    private func address(_ chain: String, _ contract: String) throws -> Address {
        try Address(hex: try #require(try network.chain(chain)["contracts"]?[contract]?.asString))
    }

    /// The lane from ethereum takes blessed roots only, and our guard's signature is enough.
    func requireBlessing() throws {
        let owner = try Owner(network)
        let config = try RMNRemoteInterface.setConfig.encodeCall([
            .tuple([
                .hash(homeDigest), .array([.tuple([.address(signer.address), .uint(0 as UInt64)])]), .uint(0 as UInt64),
            ])
        ])
        try owner.send("jovay", try address("jovay", "rmnRemote"), config)
        let source = try OffRampInterface.applySourceChainConfigUpdates.encodeCall([
            .array([
                .tuple([
                    .address(try address("jovay", "router")), .uint(try selector("ethereum").rawValue), .bool(true),
                    .bool(false), .bytes(try address("ethereum", "onRamp").abiWord),
                ])
            ])
        ])
        try owner.send("jovay", try address("jovay", "offRamp"), source)
    }

    /// The root over the messages of the lane by the relayers' code.
    func root(_ numbers: ClosedRange<UInt64>) throws -> MerkleRoot {
        let (source, destination) = (try selector("ethereum"), try selector("jovay"))
        let onRamp = try address("ethereum", "onRamp")
        let lane = MessageLane(source: source, destination: destination, onRamp: onRamp)
        let logs = try network.call(
            "ethereum", "eth_getLogs",
            [["address": .address(onRamp), "fromBlock": "0x0", "toBlock": "latest", "topics": [.hash(MessageSentEvent.event.topic)]]])
        var leaves: [Hash32] = []
        for log in logs.asArray ?? [] {
            let topics = try #require(log["topics"]?.asArray).map { try Hash32(hex: try #require($0.asString)) }
            let message = try MessageSentEvent.decode(
                ContractLog(address: onRamp, topics: topics, data: try Hex.decode(try #require(log["data"]?.asString))),
                source: source, destination: destination, onRamp: onRamp)
            guard numbers.contains(message.header.sequenceNumber.rawValue) else { continue }
            leaves.append(try MessageValidation.leaf(of: message, lane: lane).leaf)
        }
        #expect(leaves.count == numbers.count)
        return MerkleRoot(
            source: source, onRamp: onRamp.abiWord, first: SequenceNumber(numbers.lowerBound),
            last: SequenceNumber(numbers.upperBound), root: try MerkleTree(leaves: leaves).root)
    }

    func digest(_ root: MerkleRoot) throws -> RMNReportDigest {
        RMNReportDigest(
            destinationChainID: U256(try chainID), destination: try selector("jovay"),
            rmnRemote: try address("jovay", "rmnRemote"), offRamp: try address("jovay", "offRamp"),
            rmnHomeDigest: homeDigest, roots: [root])
    }

    /// The contract itself takes the signature: it reverts otherwise.
    func verifyOnChain(_ root: MerkleRoot, _ signature: RMNSignature) throws {
        let call = try RMNRemoteInterface.verify.encodeCall([
            .address(try address("jovay", "offRamp")),
            .array([
                .tuple([
                    .uint(root.source.rawValue), .bytes(root.onRamp), .uint(root.first.rawValue),
                    .uint(root.last.rawValue), .hash(root.root),
                ])
            ]), .array([.tuple([.hash(signature.r), .hash(signature.s)])]),
        ])
        let remote = try address("jovay", "rmnRemote")
        _ = try network.call("jovay", "eth_call", [["to": .address(remote), "data": .data(call)], "latest"])
    }
}
