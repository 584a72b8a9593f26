// What nodes say and what we make of it.

import Ethereum
import Testing
import Transactions

@testable import ChainAccess

@Suite("Remote errors")
struct RemoteErrorsTests {
    @Test(
        "broadcast answers of the common nodes are understood",
        arguments: [
            ("already known", BroadcastOutcome.alreadyKnown), ("nonce too low: next nonce 5, tx nonce 4", .nonceTooLow),
            ("OldNonce", .nonceTooLow), ("replacement transaction underpriced", .underpriced),
            ("transaction underpriced: tip needed 1, tip permitted 0", .underpriced),
            ("max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 7", .underpriced),
            ("insufficient funds for gas * price + value: balance 0", .insufficientFunds),
            ("nonce too high", .nonceTooHigh),
            ("intrinsic gas too low", .rejected("intrinsic gas too low")),
            ("exceeds block gas limit", .rejected("exceeds block gas limit")),
            ("something nobody has seen", .unknown), ("", .unknown),
            ("Invalid transaction nonce: Expected 5, but got 4", .nonceTooLow),
            ("Invalid transaction nonce: Expected 5, but got 7", .nonceTooHigh),
            ("nonce mismatch: expected nonce 12, actual 3", .nonceTooLow),
            ("Sender doesn't have enough funds to send tx", .insufficientFunds),
            ("Sender account balance cannot afford txn gas", .insufficientFunds),
        ])
    func broadcasts(text: String, outcome: BroadcastOutcome) {
        #expect(RemoteErrors.broadcast(-32_000, text) == outcome)
    }

    @Test(
        "error answers get a code to act on",
        arguments: [
            (3, "execution reverted", ChainAccessError.Code.reverted), (-32_000, "VM Exception: revert", .reverted),
            (-32_601, "method not found", .unsupported), (-32_005, "limit exceeded", .tooManyResults),
            (-32_005, "daily request count", .rateLimited), (-32_000, "header not found", .behind),
            (-32_602, "query returned more than 10000 results", .tooManyResults), (-32_603, "boom", .remote),
            (-32_000, "block range is too wide", .tooManyResults),
            (-32_602, "range is limited to 10,000 blocks range", .tooManyResults),
            (-32_602, "block range extends beyond current head block", .behind),
        ])
    func errors(code: Int, text: String, expected: ChainAccessError.Code) {
        #expect(RemoteErrors.read(code, text, nil).code == expected)
    }

    @Test(
        "revert data is found wherever nodes put it",
        arguments: ["0x1234", ["data": "0x1234"], ["result": "0x1234"]] as [JSON])
    func revertData(data: JSON) {
        #expect(RemoteErrors.read(3, "execution reverted", data).revertData == [0x12, 0x34])
    }
}
