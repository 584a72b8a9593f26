// Circle's transfer protocol of a deployment on simulated chains, with the attestation service between them: what burns on one
// chain is minted on the other by the contracts themselves.

import CCIP
import Ethereum
@testable import Localnet
import JSONRPC
import Logging
import TestSupport
import Testing

@Suite("CCTP of a deployment, with its attestation service", .serialized)
struct CCTPWiringTests {
    struct Setting: Sendable {
        let world: WiringTests.World
        let process: AttesterProcess
        let service: Task<Void, any Error>
        let port: Int
        let owner: PrivateKey

        func stop() async {
            service.cancel()
            _ = await service.result
            await world.stop()
        }

        func faults(_ json: String) {
            #expect(process.answer(HTTPQuestion(method: "POST", target: "/faults", body: Array(json.utf8))).status == 200)
        }

        func reattest(_ nonce: Hash32) {
            #expect(process.answer(HTTPQuestion(method: "POST", target: "/v2/reattest/\(nonce.hex)")).status == 200)
        }

        /// Sends a transaction of the owner and returns its receipt.
        func send(_ chain: String, _ to: Address, _ signature: String, _ arguments: [ABIValue]) async throws -> JSON {
            let endpoint = try world.endpoint(chain)
            let nonce = try await endpoint.results([
                DeploymentCall("eth_getTransactionCount", [.address(owner.address), "latest"])
            ])
            let signed = Transaction.dynamicFee(
                chainID: try #require(world.plan.chain(chain)).chain.chainID, nonce: try #require(nonce[0].asUInt64),
                maxPriorityFeePerGas: .zero, maxFeePerGas: U256(50_000_000_000), gasLimit: 2_000_000, to: to, value: .zero,
                data: try ABIFunction(signature).encodeCall(arguments)
            ).signed(by: owner)
            return try await endpoint.results([
                DeploymentCall("eth_sendRawTransaction", [.data(signed.encoded)]),
                DeploymentCall("eth_getTransactionReceipt", [.hash(signed.hash)]),
            ])[1]
        }

        /// The last words of a call that reverts.
        func refusal(_ chain: String, _ to: Address, _ signature: String, _ arguments: [ABIValue]) async throws -> String? {
            let call: JSON = [
                "from": .address(owner.address), "to": .address(to),
                "data": .data(try ABIFunction(signature).encodeCall(arguments)),
            ]
            let answer = try await world.endpoint(chain).send([DeploymentCall("eth_call", [call, "latest"])])
            guard case .error(_, _, let data)? = answer.first, let bytes = data?.asString.flatMap({ try? Hex.decode($0) })
            else { return nil }
            return "\(RevertReason(bytes))"
        }

        /// Polls the service until `path` answers with what `read` takes; blocks go on meanwhile, so that logs become final.
        func ask<Value>(_ path: String, on chain: String, _ read: (JSON) -> Value?) async throws -> Value {
            let deadline = ContinuousClock.now + .seconds(30)
            while ContinuousClock.now < deadline {
                if let answer = await HTTPProbe.get(port: port, path: path), let json = try? JSON.parse(answer.body),
                    let value = read(json)
                {
                    return value
                }
                _ = try await world.endpoint(chain).results([DeploymentCall("evm_mine")])
                try await Task.sleep(for: .milliseconds(20))
            }
            throw LocalnetError(.notReady, "\(path) had no answer")
        }

        func balance(_ chain: String, _ symbol: String, _ account: Address) async throws -> U256 {
            let token = try #require(world.plan.chain(chain)?.contracts.token(symbol)).token
            return try await world.read(chain, token, TokenCalls.balance(of: account))
        }
    }

    private func setting() async throws -> Setting {
        let owner = try Mnemonic(Mnemonic.developmentText).account(0)
        let world = try await WiringTests.world { request in
            request = TokenKindTests.request()
            request.attesters = .init(addresses: try AttesterKeys(development: 2).addresses, threshold: 2)
        }
        let port = try Ports().take(from: 21_300)
        let settings = AttesterSettings(
            port: port, attesters: 2, threshold: 2, pollMilliseconds: 10,
            chains: zip(world.plan.chains, world.endpoints).map { chain, endpoint in
                .init(
                    name: chain.chain.name, rpc: endpoint.label, domain: chain.chain.cctpDomain ?? 99,
                    transmitters: chain.contracts.cctp.map(\.transmitter))
            })
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let process = try AttesterProcess(settings: settings, logger: logger)
        let service = Task { try await process.run { _ in } }
        let setting = Setting(world: world, process: process, service: service, port: port, owner: owner)
        _ = try await setting.ask("/faults", on: "ethereum") { $0["threshold"]?.asInt == 2 ? true : nil }
        return setting
    }

    private static let receive = "receiveMessage(bytes,bytes)"
    private static let receiver = Samples.key("receiver").address

    @Test("version 1: burned on one chain, attested, minted on the other, once", .timeLimit(.minutes(2)))
    func version1() async throws {
        let setting = try await setting()
        let (here, there) = (
            try #require(setting.world.plan.chain("ethereum")?.contracts), try #require(setting.world.plan.chain("jovay")?.contracts)
        )
        let token = try #require(here.token("USDCV1")).token
        let cctp = try #require(here.cctp(.v1))
        let approved = try await setting.send("ethereum", token, "approve(address,uint256)", [.address(cctp.messenger), .uint(U256.max)])
        #expect(approved["status"]?.asUInt64 == 1)
        let burned = try await setting.send(
            "ethereum", cctp.messenger, "depositForBurn(uint256,uint32,bytes32,address)",
            [.uint(5_000), .uint(7), .bytes(Self.receiver.abiWord), .address(token)])
        let log = try #require(burned["logs"]?.asArray?.first { $0["topics"]?[0]?.asString == AttestedMessage.messageSent.topic.hex })
        let values = try ABI.decode(try Hex.decode(try #require(log["data"]?.asString)), as: [.bytes], .solidity)
        let message = try #require(values[0].asBytes)
        let attestation = try await setting.ask("/v1/attestations/\(keccak256(message).hex)", on: "ethereum") { json in
            json["status"] == "complete" ? json["attestation"]?.asString.flatMap { try? Hex.decode($0) } : nil
        }
        let transmitter = try #require(there.cctp(.v1)).transmitter
        let swapped = Bytes(attestation.dropFirst(65)) + attestation.prefix(65)
        let refused = try await setting.refusal("jovay", transmitter, Self.receive, [.bytes(message), .bytes(swapped)])
        #expect(refused?.contains("Invalid signature order or dupe") == true, "\(refused ?? "")")
        let taken = try await setting.send("jovay", transmitter, Self.receive, [.bytes(message), .bytes(attestation)])
        #expect(taken["status"]?.asUInt64 == 1)
        let balance = try await setting.balance("jovay", "USDCV1", Self.receiver)
        #expect(balance == U256(5_000))
        let again = try await setting.refusal("jovay", transmitter, Self.receive, [.bytes(message), .bytes(attestation)])
        #expect(again?.contains("Nonce already used") == true, "\(again ?? "")")
        await setting.stop()
    }

    @Test("version 2: an attestation that expired is refused by the messenger, and taken when made anew", .timeLimit(.minutes(2)))
    func version2() async throws {
        let setting = try await setting()
        let (here, there) = (
            try #require(setting.world.plan.chain("jovay")?.contracts), try #require(setting.world.plan.chain("ethereum")?.contracts)
        )
        let token = try #require(here.token("USDC")).token
        let cctp = try #require(here.cctp(.v2))
        setting.faults(#"{"expiryBlocks": 0, "lostQuestions": 2}"#)
        _ = try await setting.send("jovay", token, "approve(address,uint256)", [.address(cctp.messenger), .uint(U256.max)])
        let burned = try await setting.send(
            "jovay", cctp.messenger, "depositForBurn(uint256,uint32,bytes32,address,bytes32,uint256,uint32)",
            [
                .uint(7_000), .uint(0), .bytes(Self.receiver.abiWord), .address(token), .bytes(Address.zero.abiWord), .uint(0),
                .uint(2_000),
            ])
        let path = "/v2/messages/7?transactionHash=\(try #require(burned["transactionHash"]?.asString))"
        func attested() async throws -> (nonce: Hash32, arguments: [ABIValue]) {
            try await setting.ask(path, on: "jovay") { json in
                guard let item = json["messages"]?[0], item["status"] == "complete",
                    let message = item["message"]?.asString.flatMap({ try? Hex.decode($0) }),
                    let attestation = item["attestation"]?.asString.flatMap({ try? Hex.decode($0) }),
                    let nonce = item["eventNonce"]?.asString.flatMap({ try? Hash32(hex: $0) })
                else { return nil }
                return (nonce, [.bytes(message), .bytes(attestation)])
            }
        }
        let transmitter = try #require(there.cctp(.v2)).transmitter
        let expired = try await attested()
        let refused = try await setting.refusal("ethereum", transmitter, Self.receive, expired.arguments)
        #expect(refused?.contains("Message expired and must be re-signed") == true, "\(refused ?? "")")
        setting.faults("{}")
        setting.reattest(expired.nonce)
        let renewed = try await attested()
        #expect(renewed.nonce == expired.nonce && renewed.arguments != expired.arguments)
        let taken = try await setting.send("ethereum", transmitter, Self.receive, renewed.arguments)
        #expect(taken["status"]?.asUInt64 == 1)
        let balance = try await setting.balance("ethereum", "USDC", Self.receiver)
        #expect(balance == U256(7_000))
        await setting.stop()
    }
}
