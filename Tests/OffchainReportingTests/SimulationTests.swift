// The cluster under loss, crashes and hostile oracles: agreement (2.17) at every step, progress once things are calm.
// CAUSEWAY_SEEDS raises the number of seeds per case; a failure prints the seed that replays it.

import Testing

@testable import OffchainReporting

#if canImport(Glibc)
    import Glibc
#endif

let seedsPerCase: UInt64 = {
    #if canImport(Glibc)
        if let text = getenv("CAUSEWAY_SEEDS"), let count = UInt64(String(cString: text)), count > 0 { return count }
    #endif
    return 40
}()

/// Chaos for a while, then calm; agreement must hold throughout and everybody must move on after the calm.
func runChaos(
    _ options: SimulationOptions, chaos: UInt64, calm: UInt64 = 30_000, rounds: UInt64 = 3
) throws -> Simulation {
    let simulation = try Simulation(options)
    try simulation.run(until: chaos)
    simulation.heal()
    let target = simulation.highestCommitted + rounds
    try simulation.run(until: chaos + calm) { simulation.lowestCommitted < target }
    #expect(simulation.checker.violations == [], "seed \(options.seed)")
    #expect(simulation.lowestCommitted >= target, "no progress, seed \(options.seed): \(describe(simulation))")
    return simulation
}

func describe(_ simulation: Simulation) -> String {
    "at \(simulation.now): " + simulation.nodes.map { $0.instance?.summary ?? "down" }.joined(separator: "; ")
}

@Suite("Agreement in simulated clusters")
struct SimulationTests {
    @Test("a calm cluster commits without waiting for timers", arguments: [1, 2])
    func calmCluster(faulty: Int) throws {
        var options = SimulationOptions()
        options.faulty = faulty
        options.delay = 1...1
        options.observationDelay = 1...1
        options.timing.deltaRound = 0
        options.timing.deltaGrace = 900
        options.timing.rMax = 1_000
        let simulation = try Simulation(options)
        try simulation.run(until: 50)
        for tick in 0..<40 {
            for index in simulation.honest { try simulation.workAvailable(index) }
            try simulation.run(until: 50 + UInt64(tick + 1) * 10)
        }
        #expect(simulation.checker.violations == [])
        // Five hops, one observation: about seven milliseconds a round, although grace would be 900.
        #expect(simulation.lowestCommitted >= 34, "\(describe(simulation))")
    }

    @Test("with one oracle down grace is waited for once, not in every round")
    func graceEndsEarlyWithoutTheDead() throws {
        var options = SimulationOptions()
        options.delay = 1...1
        options.observationDelay = 1...1
        options.timing.deltaRound = 0
        options.timing.deltaGrace = 90
        options.timing.rMax = 1_000
        options.absent = [try toyConfiguration().leader(of: 1, hashing: toyHashing) == 3 ? 2 : 3]
        let simulation = try Simulation(options)
        try simulation.run(until: 150)
        for tick in 0..<40 {
            for index in simulation.honest { try simulation.workAvailable(index) }
            try simulation.run(until: 150 + UInt64(tick + 1) * 10)
        }
        #expect(simulation.lowestCommitted >= 35, "\(describe(simulation))")
    }

    @Test("an idle cluster runs at the idle interval, and a hint of a follower starts a round at once")
    func workHintStartsRound() throws {
        var options = SimulationOptions()
        options.delay = 1...1
        options.timing.deltaIdle = 900
        options.timing.deltaRound = 20
        options.timing.rMax = 1_000
        let simulation = try Simulation(options)
        try simulation.run(until: 650)
        #expect(simulation.lowestCommitted == 1)
        let leader = simulation.nodes[0].instance?.leader
        let follower = try #require(simulation.honest.first { $0 != leader })
        try simulation.workAvailable(follower)
        try simulation.run(until: 680)
        #expect(simulation.lowestCommitted == 2, "\(describe(simulation))")
    }

    @Test("loss, reordering and duplication never break agreement and never stop the cluster", arguments: [1, 2])
    func lossyNetwork(faulty: Int) throws {
        for seed in 0..<seedsPerCase {
            var options = SimulationOptions()
            options.faulty = faulty
            options.seed = seed
            options.loss = seed % 4 * 10
            options.duplication = 10
            options.delay = 1...40
            let simulation = try runChaos(options, chaos: 4_000)
            if options.loss <= 10 { #expect(simulation.highestCommitted > 10, "seed \(seed): \(describe(simulation))") }
        }
    }

    @Test("crashes between any two actions with the store kept never break agreement", arguments: [1, 2])
    func crashingOracles(faulty: Int) throws {
        for seed in 0..<seedsPerCase {
            var options = SimulationOptions()
            options.faulty = faulty
            options.seed = 1_000 + seed
            options.loss = seed % 3 * 10
            options.duplication = 5
            options.crashes = 10 + seed % 5 * 20
            _ = try runChaos(options, chaos: 4_000)
        }
    }

    @Test("a crash at every persistence point of one oracle is survived", arguments: [0, 1, 2])
    func crashAtEveryPersist(offset: Int) throws {
        for persist in 0..<40 {
            var options = SimulationOptions()
            options.seed = UInt64(persist)
            options.crashAt = (oracle: persist % 4, persist: persist, offset: offset)
            options.restartDelay = 1...30
            _ = try runChaos(options, chaos: 1_500)
        }
    }

    @Test("all oracles crash at once and the cluster goes on from its stores")
    func wholeClusterRestarts() throws {
        for seed in 0..<seedsPerCase {
            var options = SimulationOptions()
            options.seed = seed
            let simulation = try Simulation(options)
            try simulation.run(until: 300 + seed * 7)
            for index in simulation.honest { simulation.crash(index) }
            let target = simulation.highestCommitted + 3
            try simulation.run(until: 20_000) { simulation.lowestCommitted < target }
            #expect(simulation.checker.violations == [])
            #expect(simulation.lowestCommitted >= target, "seed \(seed): \(describe(simulation))")
        }
    }

    @Test("each kind of hostile oracle, alone, breaks nothing", arguments: ByzantineFaults.everyKind)
    func eachByzantineKind(faults: ByzantineFaults) throws {
        for seed in 0..<max(seedsPerCase / 4, 4) {
            var options = SimulationOptions()
            options.seed = seed
            options.faulty = seed % 4 == 3 ? 2 : 1
            options.byzantine = options.faulty == 1 ? [Int(seed % 4): faults] : [1: faults, 4: faults]
            options.queryBytes = 1
            options.loss = seed % 2 * 5
            _ = try runChaos(options, chaos: 3_000)
        }
    }

    @Test("the worst hostile oracles together with crashes and loss break nothing", arguments: [1, 2])
    func worstByzantine(faulty: Int) throws {
        for seed in 0..<seedsPerCase * 2 {
            var options = SimulationOptions()
            options.seed = 5_000 + seed
            options.faulty = faulty
            options.byzantine =
                faulty == 1 ? [Int(seed % 4): .worst] : [Int(seed % 7): .worst, Int((seed + 3) % 7): .worst]
            options.queryBytes = Int(seed % 2)
            options.loss = seed % 3 * 5
            options.crashes = seed % 4 * 25
            options.restartDelay = 1...60
            _ = try runChaos(options, chaos: 4_000)
        }
    }

    @Test("a partition without a quorum stops the cluster, and healing lets it go on")
    func partition() throws {
        for seed in 0..<seedsPerCase {
            var options = SimulationOptions()
            options.seed = seed
            let simulation = try Simulation(options)
            try simulation.run(until: 500)
            for left in [0, 1] { for right in [2, 3] { simulation.cut.formUnion([[left, right], [right, left]]) } }
            try simulation.run(until: 700)
            let before = simulation.highestCommitted
            try simulation.run(until: 6_000)
            #expect(simulation.highestCommitted == before)
            simulation.heal()
            try simulation.run(until: 40_000) { simulation.lowestCommitted < before + 5 }
            #expect(simulation.checker.violations == [])
            #expect(simulation.lowestCommitted >= before + 5, "seed \(seed): \(describe(simulation))")
        }
    }

    @Test("one oracle that hears nobody is no obstacle and catches up when it hears again")
    func asymmetricPartition() throws {
        var options = SimulationOptions()
        let simulation = try Simulation(options)
        for peer in 0..<3 { simulation.cut.insert([peer, 3]) }
        try simulation.run(until: 5_000)
        #expect(simulation.nodes[3].committed == 0)
        let before = simulation.highestCommitted
        #expect(before > 10)
        simulation.heal()
        options.loss = 0
        try simulation.run(until: 20_000) { simulation.lowestCommitted < before + 5 }
        #expect(simulation.lowestCommitted >= before + 5, "\(describe(simulation))")
        #expect(simulation.checker.violations == [])
    }

    @Test("an oracle that lost its store listens, then votes again after the cluster has moved on")
    func lostStore() throws {
        for seed in 0..<seedsPerCase {
            var options = SimulationOptions()
            options.seed = seed
            options.loseStoreOnRestart = [2]
            options.timing.rMax = 3
            let simulation = try Simulation(options)
            try simulation.run(until: 1_000)
            simulation.crash(2)
            try simulation.run(until: 1_600)
            #expect(simulation.nodes[2].alarms.contains(.listening))
            try simulation.run(until: 30_000) { simulation.nodes[2].instance?.isVoting != true }
            #expect(simulation.nodes[2].instance?.isVoting == true, "seed \(seed): \(describe(simulation))")
            #expect(simulation.nodes[2].alarms.contains(.listeningEnded))
            let target = simulation.highestCommitted + 5
            try simulation.run(until: 60_000) { simulation.lowestCommitted < target }
            #expect(simulation.lowestCommitted >= target)
            #expect(simulation.checker.violations == [])
        }
    }

    @Test("a wrong on-chain key cannot make a report pass, and does not stop the others", arguments: [false, true])
    func wrongOnchainKey(attestsByTurn: Bool) throws {
        var options = SimulationOptions()
        options.wrongAttestationKey = [1]
        options.attestsByTurn = attestsByTurn
        let simulation = try Simulation(options)
        try simulation.run(until: 4_000)
        #expect(simulation.checker.violations == [])
        let signers = Set(simulation.nodes.flatMap(\.transmitted).flatMap(\.signatures).map(\.signer))
        #expect(!signers.contains(1))
        #expect(signers.count >= 2)
        #expect(simulation.nodes[1].alarms.contains(.ownSignatureRejected))
    }

    @Test("reports without on-chain signatures are attested all the same", arguments: [true, false])
    func executionStyleReports(transmitsSignatures: Bool) throws {
        var options = SimulationOptions()
        options.transmitsSignatures = transmitsSignatures
        let simulation = try Simulation(options)
        try simulation.run(until: 3_000)
        let transmitted = simulation.nodes.flatMap(\.transmitted)
        #expect(transmitted.count > 20)
        #expect(transmitted.allSatisfy { $0.signatures.count == (transmitsSignatures ? 2 : 0) })
        #expect(simulation.checker.violations == [])
    }

    @Test("one seed replays a run exactly")
    func replay() throws {
        var options = SimulationOptions()
        options.seed = 99
        options.loss = 10
        options.crashes = 30
        options.byzantine = [1: .worst]
        let first = try Simulation(options)
        let second = try Simulation(options)
        try first.run(until: 3_000)
        try second.run(until: 3_000)
        #expect(first.messages == second.messages)
        #expect(first.nodes.map(\.rows) == second.nodes.map(\.rows))
    }

    @Test("equivocation of a leader is reported with evidence")
    func evidence() throws {
        var found = false
        for seed in 0..<20 where !found {
            var options = SimulationOptions()
            options.seed = UInt64(seed)
            options.byzantine = [1: [.equivocatesProposals, .mirrorsVotes, .leadsRestartedAstray, .votesAtRandom]]
            options.crashes = 30
            let simulation = try Simulation(options)
            try simulation.run(until: 4_000)
            found = simulation.honest.flatMap { simulation.nodes[$0].alarms }.contains {
                if case .equivocation(let accused, _, _, _) = $0 { return accused == 1 }
                return false
            }
        }
        #expect(found)
    }
}

/// A check that cannot fail is a defect: faults planted in the build under test must be found.
@Suite("Planted faults are found")
struct PlantedFaultTests {
    private func violations(_ change: (inout SimulationOptions) -> Void, expecting prefix: String) throws -> Bool {
        for seed in UInt64(0)..<400 {
            var options = SimulationOptions()
            options.seed = seed
            options.restartDelay = 1...20
            options.byzantine = [Int(seed % 4): .worst]
            options.crashes = 100
            change(&options)
            let simulation = try Simulation(options)
            try simulation.run(until: 4_000)
            if simulation.checker.violations.contains(where: { $0.hasPrefix(prefix) }) { return true }
        }
        return false
    }

    @Test("an oracle that forgets its votes over a restart votes twice")
    func forgottenVotes() throws {
        #expect(try violations({ $0.forgetVotesOnRestart = true }, expecting: "I3:"))
    }

    @Test("an oracle that forgets its epoch over a restart is found")
    func forgottenEpoch() throws {
        #expect(try violations({ $0.forgetEpochOnRestart = true }, expecting: "I"))
    }

    @Test("more hostile oracles than F can break something, and the checker sees it")
    func tooManyByzantine() throws {
        let broken = try violations(
            { options in
                let first = Int(options.seed % 4)
                options.byzantine = [first: .worst, (first + 1) % 4: .worst]
                options.crashes = 0
            }, expecting: "")
        #expect(broken)
    }
}
