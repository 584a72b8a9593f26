// The gas limit of a transaction, and what a simulation makes of it.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Executing

@Suite("Gas of an execution")
struct GasPlanTests {
    let context = ReportContext(configurationDigest: testDigest, sequenceNumber: 4)

    func reports(_ messages: Int, gas: UInt64, tokens: Int = 0) throws -> [ExecutionReport] {
        var world = World(try configuration(limits: ExecuteLimits(gas: 1 << 40)))
        for index in 0..<messages { world.send(sourceA, from: UInt64(index), gas: gas, tokens: tokens) }
        try world.commit(sourceA, messages)
        return try #require(try world.outcome(world.honest()).executionReports().first)
    }

    @Test(
        "every message gets its gas through three calls of 63/64, whatever was spent before",
        arguments: [(1, 200_000, 0), (1, 3_000_000, 0), (1, 3_000_000, 1), (5, 200_000, 1), (18, 200_000, 0)])
    func enough(_ count: Int, _ gas: Int, _ tokens: Int) throws {
        let reports = try reports(count, gas: UInt64(gas), tokens: tokens)
        let plan = try #require(ExecutionGasPlan(reports: reports, context: context, maximum: .max))
        // Each message may use up its own gas; 90,000 and 93,000 for its tokens and for probing the receiver.
        let perMessage = UInt64(gas) + UInt64(tokens) * (90_000 + 93_000) + 93_000 + 22_200 + 20_000
        let before = UInt64(count - 1) * perMessage
        let needed = before + perMessage * 64 * 64 * 64 / (63 * 63 * 63) + 5_000 + 60_000
        #expect(plan.transactionGasLimit >= needed, "\(plan.transactionGasLimit) for \(needed)")
        #expect(plan.transactionGasLimit == plan.floor)
    }

    @Test("the limit that estimates find is far below: what lost messages is refused by the plan")
    func belowIsRefused() throws {
        let reports = try reports(1, gas: 2_000_000)
        let plan = try #require(ExecutionGasPlan(reports: reports, context: context, maximum: 16_000_000))
        #expect(plan.transactionGasLimit > 2_200_000)
        #expect(ExecutionGasPlan(reports: reports, context: context, maximum: plan.floor - 1) == nil)
        #expect(ExecutionGasPlan(reports: reports, context: context, maximum: plan.floor) != nil)
    }

    @Test("a gas limit beyond 64 bits has no plan")
    func saturates() throws {
        var reports = try reports(1, gas: 1)
        reports[0].messages[0].gasLimit = .max
        let plan = ExecutionGasPlan(reports: reports, context: context, maximum: 30_000_000)
        #expect(plan == nil)
    }

    @Test("the sender of simulations is the contract's gas estimation sender")
    func simulationSender() {
        #expect(ExecutionGasPlan.simulationSender.hex == "0x00c11c11c11c11c11c11c11c11c11c11c11c11c1")
    }

    @Test("a simulation that runs through is sent; lack of gas raises up to the maximum; a revert is not sent")
    func decisions() throws {
        let reports = try reports(1, gas: 200_000)
        var plan = try #require(ExecutionGasPlan(reports: reports, context: context, maximum: 2_000_000))
        #expect(plan.next(afterSimulation: nil) == .send)
        let short =
            Bytes(keccak256(text: "InsufficientGasToCompleteTx(bytes4)").bytes.prefix(4)) + [0x37, 0xc3, 0xbe, 0x29]
            + Bytes(repeating: 0, count: 28)
        var raises = 0
        loop: while true {
            let before = plan.transactionGasLimit
            switch plan.next(afterSimulation: short) {
            case .simulateAgain(let next):
                #expect(next.transactionGasLimit > before && next.transactionGasLimit <= 2_000_000)
                plan = next
                raises += 1
            case .tooMuchGas: break loop
            default:
                Issue.record("another decision")
                break loop
            }
        }
        #expect(raises >= 2 && raises <= Executing.Limits.gasRaisesMaximum)
        #expect(plan.transactionGasLimit == 2_000_000)
        let root = Bytes(keccak256(text: "RootNotCommitted(uint64)").bytes.prefix(4)) + U256(sourceA.rawValue).bytes
        guard case .refuse(let reason) = plan.next(afterSimulation: root) else {
            Issue.record("not refused")
            return
        }
        #expect(reason.name == "RootNotCommitted" && reason.reaction == .reorganisation)
    }

    @Test("the bound on call data gas holds for the call that is sent")
    func callDataBound() throws {
        for count in [1, 7, 18] {
            let reports = try reports(count, gas: 100_000, tokens: 1)
            let encoded = reports.encodedReports
            let call = context.executeCall(encodedReports: encoded)
            #expect(
                ExecutionGas.callDataFloor(call) <= ExecutionGasPlan.callDataBound(reportBytes: encoded.count))
        }
    }
}
