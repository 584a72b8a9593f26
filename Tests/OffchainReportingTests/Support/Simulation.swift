// A whole cluster in one thread: virtual time, a lossy network, disks that keep rows, crashes between any two actions.
// One seed replays a run. What is right is decided by Checker, what is evil by ByzantineActor.

@testable import OffchainReporting

struct SimulationOptions {
    var faulty = 1
    var seed: UInt64 = 0
    /// Percent of messages lost, duplicated; delay range in milliseconds.
    var loss: UInt64 = 0
    var duplication: UInt64 = 0
    var delay: ClosedRange<UInt64> = 1...10
    /// Per 10,000 actions of honest oracles.
    var crashes: UInt64 = 0
    /// Crash of one oracle at its n-th persist: before it, after it, or one action later.
    var crashAt: (oracle: Int, persist: Int, offset: Int)?
    var restartDelay: ClosedRange<UInt64> = 5...400
    var byzantine: [Int: ByzantineFaults] = [:]
    /// Oracles that never start.
    var absent: Set<Int> = []
    var wrongAttestationKey: Set<Int> = []
    var timing = toyTiming()
    var queryBytes = 0
    var transmitsSignatures = true
    var attestsByTurn = false
    /// Faults of the build under test, which the checker must find.
    var forgetVotesOnRestart = false
    var forgetEpochOnRestart = false
    var loseStoreOnRestart: Set<Int> = []
    var observationDelay: ClosedRange<UInt64> = 1...5
}

struct SimulatedNode {
    var instance: Instance?
    var rows: [DurableRecord.Slot: [UInt8]] = [:]
    var firstRows: [DurableRecord.Slot: [UInt8]] = [:]
    var generation = 0
    var persists = 0
    var crashCountdown: Int?
    var committed: UInt64 = 0
    var transmitted: [AttestedReport] = []
    var alarms: [Alarm] = []
    var byzantine: ByzantineActor?
}

private enum Item {
    case deliver(from: Int, to: Int, bytes: [UInt8])
    case event(Int, generation: Int, Event)
    case restart(Int)
}

final class Simulation {
    var options: SimulationOptions
    var random: SeededRandom
    var now: UInt64 = 0
    var nodes: [SimulatedNode] = []
    var checker: Checker
    /// Directed links that deliver nothing.
    var cut: Set<[Int]> = []
    var messages = 0
    private var queue = EventQueue<Item>()

    init(_ options: SimulationOptions) throws {
        self.options = options
        random = SeededRandom(seed: options.seed)
        checker = try Checker(options)
        for index in 0..<3 * options.faulty + 1 {
            var node = SimulatedNode()
            if let faults = options.byzantine[index] {
                node.byzantine = ByzantineActor(
                    faults: faults, configuration: try configuration(index), seed: options.seed &+ UInt64(index))
            }
            nodes.append(node)
            if !options.absent.contains(index) { queue.push(.restart(index), at: random.below(20)) }
        }
    }

    func configuration(_ index: Int) throws -> InstanceConfiguration {
        try toyConfiguration(
            faulty: options.faulty, own: index, timing: options.timing, queryBytes: options.queryBytes)
    }

    var honest: [Int] { nodes.indices.filter { options.byzantine[$0] == nil && !options.absent.contains($0) } }
    var lowestCommitted: UInt64 { honest.map { nodes[$0].committed }.min() ?? 0 }
    var highestCommitted: UInt64 { honest.map { nodes[$0].committed }.max() ?? 0 }

    /// Runs until the condition holds, a violation is found or virtual time is over.
    func run(until deadline: UInt64, while condition: () -> Bool = { true }) throws {
        while checker.violations.isEmpty, condition(), let (time, item) = queue.pop(before: deadline) {
            now = max(now, time)
            try step(item)
        }
        if condition() { now = max(now, deadline) }
    }

    /// No more losses, crashes and cuts: the time after which liveness is owed.
    func heal() {
        options.loss = 0
        options.duplication = 0
        options.crashes = 0
        options.crashAt = nil
        cut = []
    }

    func crash(_ index: Int) {
        guard nodes[index].instance != nil else { return }
        nodes[index].instance = nil
        nodes[index].generation += 1
        nodes[index].crashCountdown = nil
        let delay =
            options.restartDelay.lowerBound
            + random.below(options.restartDelay.upperBound - options.restartDelay.lowerBound + 1)
        queue.push(.restart(index), at: now + delay)
    }

    func workAvailable(_ index: Int) throws {
        try feed(index, .workAvailable)
    }

    private func step(_ item: Item) throws {
        switch item {
        case .restart(let index):
            try restart(index)
        case .event(let index, let generation, let event):
            guard nodes[index].generation == generation else { return }
            try feed(index, event)
        case .deliver(let from, let to, let bytes):
            // Two hostile oracles that answer each other would never end.
            if nodes[from].byzantine == nil, let answers = nodes[to].byzantine?.received(from: from, bytes) {
                for (target, answer) in answers { post(from: to, to: target, answer) }
            }
            try feed(to, .message(from: from, bytes: bytes))
        }
    }

    private func restart(_ index: Int) throws {
        guard nodes[index].instance == nil else { return }
        let configuration = try configuration(index)
        let plugin = ToyPlugin(
            quorum: configuration.quorum, transmitsSignatures: options.transmitsSignatures,
            attestsByTurn: options.attestsByTurn, queryBytes: options.queryBytes)
        nodes[index].instance = Instance(
            configuration: configuration, plugin: plugin,
            crypto: toyCryptography(index, wrongAttestationKey: options.wrongAttestationKey.contains(index)))
        var restored = RestoredState.fresh
        if !nodes[index].rows.isEmpty {
            if options.loseStoreOnRestart.contains(index) {
                nodes[index].rows = [:]
                nodes[index].committed = 0
                options.loseStoreOnRestart.remove(index)
                checker.storeLost(index)
                restored = .lost
            } else {
                plantFaults(index)
                let rows = DurableRecord.Slot.allCases.compactMap { nodes[index].rows[$0] }
                guard let state = try DurableState.restoring(rows, for: configuration.digest) else { return }
                restored = .intact(state)
            }
        }
        checker.restarted(index)
        try feed(index, .started(restored))
    }

    private func plantFaults(_ index: Int) {
        if options.forgetVotesOnRestart {
            nodes[index].rows[.prepareVote] = nil
            nodes[index].rows[.commitVote] = nil
        }
        if options.forgetEpochOnRestart {
            nodes[index].rows = nodes[index].firstRows
        }
    }

    private func feed(_ index: Int, _ event: Event) throws {
        guard var instance = nodes[index].instance else { return }
        nodes[index].instance = nil
        let actions = instance.handle(event, at: now)
        nodes[index].instance = instance
        for action in actions {
            if shouldCrash(index, action) { return crash(index) }
            try perform(index, action)
        }
    }

    private func shouldCrash(_ index: Int, _ action: Action) -> Bool {
        if options.byzantine[index] == nil, options.crashes > 0, random.below(10_000) < options.crashes { return true }
        if let countdown = nodes[index].crashCountdown {
            nodes[index].crashCountdown = countdown - 1
            return countdown == 0
        }
        if case .persist = action, let plan = options.crashAt, plan.oracle == index {
            defer { nodes[index].persists += 1 }
            guard nodes[index].persists == plan.persist else { return false }
            if plan.offset == 0 { return true }
            nodes[index].crashCountdown = plan.offset - 1
        }
        return false
    }

    private func perform(_ index: Int, _ action: Action) throws {
        let isHonest = options.byzantine[index] == nil
        if isHonest, let instance = nodes[index].instance {
            checker.check(index, action, rows: nodes[index].rows, instance: instance)
        }
        switch action {
        case .persist(let records):
            for record in records { nodes[index].rows[record.slot] = record.encoded(for: toyDigest) }
            if nodes[index].firstRows.isEmpty { nodes[index].firstRows = nodes[index].rows }
        case .send, .broadcast:
            let outgoing: [(Int, [UInt8])]
            let peers = nodes.count
            if let sends = nodes[index].byzantine?.sending(action, peers: peers) {
                outgoing = sends
                for (_, bytes) in sends { checker.observeByzantine(bytes) }
            } else if case .send(let to, let bytes) = action {
                outgoing = [(to, bytes)]
            } else if case .broadcast(let bytes) = action {
                outgoing = nodes.indices.filter { $0 != index }.map { ($0, bytes) }
            } else {
                outgoing = []
            }
            for (to, bytes) in outgoing { post(from: index, to: to, bytes) }
        case .setTimer(let id, let deadline):
            schedule(index, .timerFired(id), at: deadline)
        case .cancelTimer, .epochEntered, .refused:
            break
        case .requestObservation(let tag, _, _):
            let observation = [0xAA, UInt8(index)] + random.bytes(6)
            schedule(index, .observationReady(tag, observation), at: now + pick(options.observationDelay))
        case .outcomeCommitted(let sequenceNumber, _):
            nodes[index].committed = sequenceNumber
        case .askAcceptance(let key, _):
            schedule(index, .acceptanceAnswered(key, true), at: now + 1)
        case .askTransmission(let key, _):
            schedule(index, .transmissionAnswered(key, true), at: now + 1)
        case .transmit(let attested):
            nodes[index].transmitted.append(attested)
        case .alarm(let alarm):
            nodes[index].alarms.append(alarm)
        }
    }

    private func schedule(_ index: Int, _ event: Event, at time: UInt64) {
        queue.push(.event(index, generation: nodes[index].generation, event), at: time)
    }

    private func pick(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + random.below(range.upperBound - range.lowerBound + 1)
    }

    private func post(from: Int, to: Int, _ bytes: [UInt8]) {
        messages += 1
        guard from != to, !cut.contains([from, to]), !random.chance(options.loss) else { return }
        queue.push(.deliver(from: from, to: to, bytes: bytes), at: now + pick(options.delay))
        if random.chance(options.duplication) {
            queue.push(.deliver(from: from, to: to, bytes: bytes), at: now + pick(options.delay) * 7)
        }
    }
}

/// Binary heap ordered by time, then by insertion.
struct EventQueue<Value> {
    private var heap: [(time: UInt64, order: UInt64, value: Value)] = []
    private var inserted: UInt64 = 0

    mutating func push(_ value: Value, at time: UInt64) {
        heap.append((time, inserted, value))
        inserted += 1
        var child = heap.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop(before deadline: UInt64) -> (UInt64, Value)? {
        guard let first = heap.first, first.time < deadline else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return (first.time, first.value)
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, smallest) {
                smallest = child
            }
            if smallest == parent { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
