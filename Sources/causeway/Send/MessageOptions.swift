// What a message is to be, as the options of `send` and `fee` say it, and the draft that comes of it. Pure, but for the
// decimals of a token that is named by its address.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Localnet

/// In which order the messages of one sender are executed.
enum MessageOrder: String, EnumerableFlag {
    case outOfOrder
    case ordered

    static func help(for value: MessageOrder) -> ArgumentHelp? {
        switch value {
        case .outOfOrder: "Execute it as soon as it is committed, whatever became of earlier ones (default)."
        case .ordered: "Execute the messages of this sender in the order in which they were sent."
        }
    }
}

struct MessageOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "An address, receiver or revertingReceiver (the examples), or account:N. The example receiver when not given.")
    var receiver: String?

    @Option(name: .long, help: ArgumentHelp("Data as hexadecimal.", valueName: "hex"))
    var data: String?

    @Option(name: .long, help: "Data as text.")
    var text: String?

    @Option(name: .long, help: ArgumentHelp("Tokens to send, in whole units; may be repeated.", valueName: "SYMBOL=AMOUNT"))
    var token: [String] = []

    @Option(name: .long, help: ArgumentHelp("What the fee is paid in: native, LINK, WETH or a token.", valueName: "token"))
    var feeToken = "native"

    @Option(name: .long, help: "Gas for the receiver. Estimated at its chain when not given.")
    var gasLimit: UInt64?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Extra arguments: v2, v1 (ordered), none (ordered, the lane's default gas), or hexadecimal as they stand.",
            valueName: "v1|v2|none|hex"))
    var extraArgs: ExtraArgsChoice = .v2

    @Flag var order: MessageOrder = .outOfOrder

    func validate() throws {
        if data != nil && text != nil { throw ValidationError("--data and --text are two ways to say one thing") }
        if let data, (try? Hex.decode(data)) == nil {
            throw ValidationError("--data '\(data.prefix(40))' is no hexadecimal data")
        }
        for text in token { _ = try TokenWish(text) }
        switch extraArgs {
        case .none where gasLimit != nil, .raw where gasLimit != nil:
            throw ValidationError("--gas-limit has no place in --extra-args \(extraArgs): use v1 or v2")
        case .raw where order == .ordered: throw ValidationError("--ordered is said by --extra-args itself")
        default: break
        }
    }

    var payload: Bytes {
        if let data { return (try? Hex.decode(data)) ?? [] }
        return Bytes((text ?? "").utf8)
    }

    /// Looks receiver, tokens and fee token up. Throws `unknownReceiver`, `unknownToken` or `malformedAmount`.
    func draft(
        from source: BridgeChain, to destination: BridgeChain, accounts: [NetworkDocument.Account],
        sender: Address? = nil, tell: (String) -> Void = { _ in }
    ) async throws -> MessageDraft {
        var amounts: [TokenAmount] = []
        for text in token {
            let wish = try TokenWish(text)
            let token = try await TokenLookup.find(wish.name, on: source)
            try await TokenLookup.requirePool(of: token, on: source)
            amounts.append(TokenAmount(token: token, amount: try wish.amount(of: token)))
        }
        let receiver = try Self.receiver(self.receiver, on: destination.contracts, destination.name, accounts)
        var gas = gasLimit ?? 0
        if gasLimit == nil, extraArgs.hasGasLimit {
            let estimate = await ReceiverGas(source: source, destination: destination).estimate(
                receiver, data: payload, tokens: amounts, sender: sender ?? .zero)
            tell(estimate.text)
            gas = estimate.gasLimit
        }
        return MessageDraft(
            receiver: receiver, data: payload, tokens: amounts, fee: try await TokenLookup.fee(feeToken, on: source),
            gasLimit: gas, isOrdered: order == .ordered || extraArgs.isOrdered, extraArgs: extraArgs)
    }

    static func receiver(
        _ text: String?, on contracts: ChainContracts, _ chain: String, _ accounts: [NetworkDocument.Account]
    ) throws -> Address {
        let text = text ?? "receiver"
        if let address = try? Address(hex: text) { return address }
        let named = contracts.named.filter { $0.name == "receiver" || $0.name == "revertingReceiver" }
        if let contract = named.first(where: { $0.name == text }) { return contract.address }
        if text.hasPrefix("account:"), let index = Int(text.dropFirst(8)),
            let account = accounts.first(where: { $0.index == index })
        {
            return account.address
        }
        let choices = named.map(\.name) + (accounts.isEmpty ? [] : ["account:0 to account:\(accounts.count - 1)"])
        throw CommandFailure(
            "unknownReceiver",
            named.isEmpty && text == "receiver"
                ? "there is no example receiver on \(chain): say who is to get the message"
                : "no receiver '\(text.prefix(80))' on \(chain)",
            hint: "--receiver takes an address" + (choices.isEmpty ? "" : ", or " + choices.joined(separator: ", ")),
            status: .usage)
    }
}

/// `LINK=1.5`: a token by symbol or address, and an amount that waits for its decimals.
struct TokenWish: Equatable {
    let name: String
    let text: String

    init(_ argument: String) throws {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, DecimalText.parse(String(parts[1]), decimals: 77 - 40) != nil else {
            throw ValidationError("--token '\(argument.prefix(80))' is not like LINK=1.5")
        }
        name = String(parts[0])
        text = String(parts[1])
    }

    /// In the smallest unit. Throws `malformedAmount` for more digits than the token has, and for nothing.
    func amount(of token: BridgeToken) throws -> U256 {
        guard let amount = DecimalText.parse(text, decimals: token.decimals) else {
            throw CommandFailure(
                "malformedAmount", "\(text) is no amount of \(token.symbol), which has \(token.decimals) decimals",
                hint: "a number above 0 with at most \(token.decimals) digits behind the point", status: .usage)
        }
        guard !amount.isZero else {
            throw Refusal.beforehand(
                "malformedAmount", "\(text) \(token.symbol) cannot be sent", wouldBe: "CannotSendZeroTokens()", status: .usage)
        }
        return amount
    }
}

/// An amount of one token, in its smallest unit.
struct TokenAmount: Sendable, Equatable {
    let token: BridgeToken
    let amount: U256

    var text: String { "\(DecimalText.format(amount, decimals: token.decimals)) \(token.symbol)" }

    var json: JSON {
        [
            "symbol": .string(token.symbol), "token": .string(token.address.checksummed),
            "amount": .string(amount.decimal), "text": .string(text),
        ]
    }
}

/// What fees are paid in.
struct FeeToken: Sendable, Equatable {
    /// As people say it: native, LINK, WETH.
    let name: String
    /// The symbol behind amounts.
    let symbol: String
    let decimals: Int
    /// Zero for the chain's own coin.
    let address: Address

    static let native = FeeToken(name: "native", symbol: "ETH", decimals: 18, address: .zero)
    var isNative: Bool { address.isZero }

    func text(_ amount: U256) -> String { "\(DecimalText.format(amount, decimals: decimals)) \(symbol)" }

    func json(_ amount: U256) -> JSON {
        [
            "token": .string(name), "address": .string(address.checksummed), "amount": .string(amount.decimal),
            "text": .string(text(amount)),
        ]
    }
}

/// Everything about a message but the lane.
struct MessageDraft: Sendable, Equatable {
    let receiver: Address
    let data: Bytes
    let tokens: [TokenAmount]
    let fee: FeeToken
    let gasLimit: UInt64
    let isOrdered: Bool
    var extraArgs = ExtraArgsChoice.v2

    /// As the Router takes it, paid in `fee` or in another token.
    func message(paidIn other: FeeToken? = nil) -> EVM2AnyMessage {
        EVM2AnyMessage(
            receiver: receiver.abiWord, data: data,
            tokenAmounts: tokens.map { EVMTokenAmount(token: $0.token.address, amount: $0.amount) },
            feeToken: (other ?? fee).address,
            extraArgs: extraArgs.encoded(gasLimit: gasLimit, isOrdered: isOrdered))
    }

    /// What the Router must be allowed to take of each token for `count` messages: amounts, and fees with a quarter of
    /// room for prices that rise meanwhile. In the order in which tokens first appear.
    func allowances(count: Int, feeEach: U256) -> [TokenNeed] {
        var needs: [TokenNeed] = []
        func add(_ need: TokenNeed) {
            if let index = needs.firstIndex(where: { $0.token == need.token }) {
                needs[index].amount += need.amount
            } else {
                needs.append(need)
            }
        }
        for each in tokens {
            let token = each.token
            add(TokenNeed(
                token: token.address, symbol: token.symbol, decimals: token.decimals, amount: each.amount * U256(count)))
        }
        if !fee.isNative {
            add(TokenNeed(
                token: fee.address, symbol: fee.symbol, decimals: fee.decimals,
                amount: (feeEach + feeEach / U256(4 as UInt64)) * U256(count)))
        }
        return needs
    }
}

/// How much of one token the Router will take.
struct TokenNeed: Sendable, Equatable {
    let token: Address
    let symbol: String
    let decimals: Int
    var amount: U256

    func text(_ amount: U256) -> String { "\(DecimalText.format(amount, decimals: decimals)) \(symbol)" }
}

enum TokenLookup {
    /// By symbol, or by address: then symbol and decimals are read from the chain. Throws `unknownToken`.
    static func find(_ text: String, on chain: BridgeChain) async throws -> BridgeToken {
        if let token = chain.token(text) { return token }
        guard let address = try? Address(hex: text) else {
            let known = chain.tokens.map(\.symbol).joined(separator: ", ")
            throw CommandFailure(
                "unknownToken", "no token '\(text.prefix(80))' on \(chain.name)",
                hint: known.isEmpty ? "name it by its address" : "it has: \(known), or name one by its address",
                status: .usage)
        }
        let symbol = try await chain.reader.read(TokenCalls.symbol(), from: address)
        let decimals = try await chain.reader.read(TokenCalls.decimals(), from: address)
        return BridgeToken(symbol: symbol, decimals: Int(decimals), address: address, pool: nil)
    }

    /// The Router moves tokens before the OnRamp asks for their pool: without one the token itself would refuse, in words
    /// that do not say why.
    static func requirePool(of token: BridgeToken, on chain: BridgeChain) async throws {
        let registry = chain.contracts.tokenAdminRegistry
        guard !registry.isZero else { return }
        let pool = try await chain.reader.read(TokenCalls.pool(of: token.address), from: registry)
        guard pool.isZero else { return }
        throw Refusal.beforehand(
            "unsupportedToken", "\(token.symbol) has no pool on \(chain.name)", wouldBe: "UnsupportedToken(address)")
    }

    static func fee(_ text: String, on chain: BridgeChain) async throws -> FeeToken {
        switch text.lowercased() {
        case "native", "eth": return .native
        case "weth": return FeeToken(name: "WETH", symbol: "WETH", decimals: 18, address: chain.contracts.wrappedNative)
        default:
            let token = try await find(text, on: chain)
            return FeeToken(name: token.symbol, symbol: token.symbol, decimals: token.decimals, address: token.address)
        }
    }
}

enum FeeQuotes {
    /// In the fee token's smallest unit. Throws `sendRefused` with the contract's reason.
    static func quote(
        _ draft: MessageDraft, paidIn fee: FeeToken? = nil, from source: BridgeChain, to destination: BridgeChain
    ) async throws -> U256 {
        do throws(ChainAccessError) {
            return try await source.reader.read(
                RouterCalls.fee(destination.selector, draft.message(paidIn: fee)), from: source.contracts.router)
        } catch {
            guard error.code == .reverted else { throw error }
            throw Refusal.failure(error, doing: "ask for the fee of a message to \(destination.name)")
        }
    }
}
