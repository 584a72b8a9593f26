import ArgumentParser
import CCIP
import Ethereum
import Localnet
import Testing

@testable import causeway

@Suite("what a message is to be")
struct MessageOptionsTests {
    private let link = BridgeToken(symbol: "LINK", decimals: 18, address: Address(truncating: 7), pool: nil)
    private let usd = BridgeToken(symbol: "USD6", decimals: 6, address: Address(truncating: 8), pool: nil)

    @Test("amounts are whole units of the token, exactly", arguments: [
        ("LINK=1.5", "1500000000000000000"), ("LINK=0.000000000000000001", "1"), ("LINK=10", "10000000000000000000"),
    ])
    func amounts(_ text: String, _ smallest: String) throws {
        #expect(try TokenWish(text).amount(of: link).decimal == smallest)
    }

    @Test("an amount with more digits than the token has is refused, and so is nothing", arguments: [
        "USD6=0.0000001", "USD6=0", "USD6=0.0",
    ])
    func refusedAmounts(_ text: String) throws {
        let wish = try TokenWish(text)
        #expect(throws: CommandFailure.self) { try wish.amount(of: usd) }
        #expect(try TokenWish("USD6=0.000001").amount(of: usd) == U256.one)
    }

    @Test("what is not like SYMBOL=AMOUNT is a usage error", arguments: [
        "LINK", "=1", "LINK=", "LINK=-1", "LINK=1e18", "LINK=1,5", "LINK=.5",
    ])
    func malformedWishes(_ text: String) {
        #expect(throws: (any Error).self) { try TokenWish(text) }
    }

    @Test("the parser takes the options of the issue, and refuses two kinds of data")
    func parsing() throws {
        let options = try MessageOptions.parse([
            "--data", "0xc0ffee", "--token", "LINK=1.5", "--fee-token", "LINK", "--gas-limit", "300000", "--ordered",
        ])
        #expect(options.payload == [0xc0, 0xff, 0xee] && options.order == .ordered && options.gasLimit == 300_000)
        let plain = try MessageOptions.parse(["--text", "hello"])
        #expect(plain.payload == Bytes("hello".utf8) && plain.order == .outOfOrder && plain.gasLimit == nil && plain.extraArgs == .v2)
        #expect(throws: (any Error).self) { try MessageOptions.parse(["--data", "0x00", "--text", "a"]) }
        #expect(throws: (any Error).self) { try MessageOptions.parse(["--data", "0xzz"]) }
        #expect(throws: (any Error).self) { try MessageOptions.parse(["--token", "LINK"]) }
    }

    @Test("receivers are addresses, the examples by name, or accounts")
    func receivers() throws {
        var contracts = ChainContracts()
        contracts.receiver = Address(truncating: 21)
        contracts.revertingReceiver = Address(truncating: 22)
        let document = try NetworkDocument(json: [
            "version": 1, "state": "running", "pid": 1, "startedAt": 1, "dataDirectory": "/nowhere", "chains": [],
            "accounts": [
                ["index": 3, "address": "0x0000000000000000000000000000000000000021", "privateKey": "0x01", "deployer": false]
            ],
            "relayers": [],
        ])
        func find(_ text: String?) throws -> Address {
            try MessageOptions.receiver(text, on: contracts, "jovay", document.accounts)
        }
        #expect(try find(nil) == Address(truncating: 21))
        #expect(try find("receiver") == Address(truncating: 21))
        #expect(try find("revertingReceiver") == Address(truncating: 22))
        #expect(try find("account:3") == Address(truncating: 33))
        #expect(try find("0x00000000000000000000000000000000000000ff") == Address(truncating: 255))
        for wrong in ["account:4", "router", "0x12", ""] {
            #expect(throws: CommandFailure.self) { try find(wrong) }
        }
        contracts.receiver = nil
        #expect(throws: CommandFailure.self) { try find(nil) }
    }

    @Test("the message is what the Router takes: receiver in 32 bytes, extra args V2")
    func message() throws {
        let draft = MessageDraft(
            receiver: Address(truncating: 9), data: [1, 2], tokens: [TokenAmount(token: link, amount: 5)],
            fee: .native, gasLimit: 1_000, isOrdered: true)
        let message = draft.message()
        #expect(message.receiver.count == 32 && message.feeToken.isZero)
        #expect(message.tokenAmounts == [EVMTokenAmount(token: link.address, amount: 5)])
        #expect(
            try ExtraArgs(decoding: message.extraArgs) == .evmV2(gasLimit: 1_000, allowOutOfOrderExecution: false))
    }

    @Test("extra arguments travel in the version that was asked for, and say the order themselves where they must")
    func extraArgs() throws {
        func message(_ arguments: [String]) throws -> MessageDraft {
            let options = try MessageOptions.parse(arguments)
            return MessageDraft(
                receiver: Address(truncating: 9), data: [], tokens: [], fee: .native, gasLimit: options.gasLimit ?? 0,
                isOrdered: options.order == .ordered || options.extraArgs.isOrdered, extraArgs: options.extraArgs)
        }
        let first = try message(["--extra-args", "v1", "--gas-limit", "70000"])
        #expect(first.isOrdered)
        #expect(try ExtraArgs(decoding: first.message().extraArgs) == .evmV1(gasLimit: 70_000))
        let bare = try message(["--extra-args", "none"])
        #expect(bare.isOrdered && bare.message().extraArgs.isEmpty)
        let free = ExtraArgs.evmV2(gasLimit: 5, allowOutOfOrderExecution: true).encoded
        let raw = try message(["--extra-args", Hex.encode(free)])
        #expect(!raw.isOrdered && raw.message().extraArgs == free)
        for wrong in [
            ["--extra-args", "v3"], ["--extra-args", "none", "--gas-limit", "5"], ["--extra-args", "0x", "--ordered"],
            ["--extra-args", "181dcf10"],
        ] {
            #expect(throws: (any Error).self) { try MessageOptions.parse(wrong) }
        }
    }

    @Test("the Router is allowed amounts and fees together, where both are of one token")
    func allowances() {
        let fee = FeeToken(name: "LINK", symbol: "LINK", decimals: 18, address: link.address)
        let draft = MessageDraft(
            receiver: .zero, data: [], tokens: [TokenAmount(token: link, amount: 10), TokenAmount(token: usd, amount: 3)],
            fee: fee, gasLimit: 0, isOrdered: false)
        #expect(
            draft.allowances(count: 2, feeEach: 100) == [
                TokenNeed(token: link.address, symbol: "LINK", decimals: 18, amount: 20 + 250),
                TokenNeed(token: usd.address, symbol: "USD6", decimals: 6, amount: 6),
            ])
        let native = MessageDraft(receiver: .zero, data: [], tokens: [], fee: .native, gasLimit: 0, isOrdered: false)
        #expect(native.allowances(count: 5, feeEach: 100).isEmpty)
    }

    @Test("lists of token gas are numbers with commas")
    func tokenGas() throws {
        #expect(try ExecCommand.tokenGas("300000,0") == [300_000, 0])
        #expect(try ExecCommand.tokenGas(nil) == nil)
        for wrong in ["", "1,", "a", "-1", "4294967296"] {
            #expect(throws: (any Error).self) { try ExecCommand.tokenGas(wrong) }
        }
    }

    @Test("transactions pay for base fees that double, and are of the old kind where there is no base fee")
    func transactions() {
        let call = WalletCall(to: .zero, data: [], value: 3, gasLimit: 21_000)
        let modern = Wallet.transaction(call, chainID: 5, nonce: 1, baseFee: 100, tip: 7, gasPrice: 107)
        #expect(modern.kind == .dynamicFee && modern.maxFeePerGas == 207 && modern.maxPriorityFeePerGas == 7)
        let old = Wallet.transaction(call, chainID: 5, nonce: 1, baseFee: nil, tip: 7, gasPrice: 107)
        #expect(old.kind == .legacy && old.maxFeePerGas == 107 && old.chainID == 5)
    }
}
