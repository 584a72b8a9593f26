// Event streams of the interface: what a client is given, who is let in, and from where it goes on.

import Ethereum
import Foundation
import JSONRPC
import PriceStreams
import Synchronization
import TestSupport
import Testing

@testable import StreamsNode

@Suite("Gateway API: event stream", .timeLimit(.minutes(2)))
struct EventStreamTests {
    private static let start = APIWorld.second * 1_000
    private static let both = "/ext/v1/stream?feedIDs=\(APIWorld.ether),\(APIWorld.fast)"

    private struct Event: Equatable {
        var id: String?
        var name: String
        var data: JSON

        init(_ bytes: Bytes) throws {
            var (id, name, data): (String?, String, String?) = (nil, "message", nil)
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
                switch parts[0] {
                case "id": id = parts[1]
                case "event": name = parts[1]
                default: data = parts[1]
                }
            }
            (self.id, self.name) = (id, name)
            self.data = try JSON.parse(Bytes(try #require(data).utf8))
        }
    }

    /// Of reports at these milliseconds after the start.
    private static func ids(_ times: [UInt64]) -> [String] { times.map { String((start + $0) * 1_000_000) } }

    private static func feed(_ id: FeedID) throws -> CatalogueFeed {
        try #require(APIWorld.feeds.first { $0.feedID == id })
    }

    private static func events(_ source: any PushSource) throws -> [Event] {
        var events: [Event] = []
        while let bytes = source.nextMessage() { events.append(try Event(bytes)) }
        return events
    }

    private static func open(_ test: TestAPI, _ target: String = both, lastID: String? = nil) throws -> any PushSource {
        let more = lastID.map { [HTTPQuestion.Header("Last-Event-ID", $0)] } ?? []
        guard case .accepted(let source, let headers) = test.api.streamGate(APIWorld.signed("GET", target, more: more)) else {
            throw StreamsNodeError(.settings, "refused")
        }
        #expect(headers["x-cll-available-origins"] == "{east,west}")
        return source
    }

    @Test("every report once, in the order of publication; a time that is not covered is told before what follows it")
    func order() throws {
        var feed = EventFeed([try Self.feed(APIWorld.fast), try Self.feed(APIWorld.ether)])
        func offer(_ id: FeedID, _ time: UInt64, previous: UInt64?) -> Bool {
            let report = APIWorld.report(id, milliseconds: Self.start + time, previous: previous.map { Self.start + $0 })
            return feed.offer(report, message: EventText.report(report))
        }
        #expect(offer(APIWorld.fast, 0, previous: nil))
        #expect(offer(APIWorld.fast, 100, previous: 0))
        #expect(!offer(APIWorld.fast, 100, previous: 0) && !offer(APIWorld.fast, 0, previous: nil))
        #expect(!offer(APIWorld.gold, 100, previous: nil), "not asked for")
        #expect(offer(APIWorld.ether, 0, previous: nil))
        #expect(offer(APIWorld.fast, 500, previous: 400))
        #expect(offer(APIWorld.ether, 1_000, previous: 0))
        #expect(offer(APIWorld.ether, 3_000, previous: 2_000))
        var events: [Event] = []
        while let bytes = feed.next() { events.append(try Event(bytes)) }
        #expect(feed.waitingBytes == 0)
        let nano: UInt64 = 1_000_000
        #expect(events.map(\.name) == ["message", "message", "message", "gap", "message", "message", "gap", "message"])
        let times: [UInt64?] = [0, 100, 0, nil, 500, 1_000, nil, 3_000]
        let ids: [String?] = times.map { time in time.map { String((Self.start + $0) * nano) } }
        #expect(events.map(\.id) == ids)
        #expect(events[3].data == [
            "feedID": .string(APIWorld.fast.text), "fromNs": .string("\((Self.start + 101) * nano)"),
            "toNs": .string("\((Self.start + 400) * nano)"),
        ])
        #expect(events[6].data["fromNs"]?.asString == "\((Self.start + 2_000) * nano)")
        #expect(events[6].data["toNs"]?.asString == "\((Self.start + 2_000) * nano)", "in whole seconds")
        #expect(events[0].data["fullReport"]?.asString?.hasPrefix("0x0f03") == true)
    }

    @Test("the newest report of each feed comes first, then every report, also several in a second")
    func begins() throws {
        let test = try TestAPI()
        let source = try Self.open(test)
        let first = try Self.events(source)
        #expect(first.map { $0.data["feedID"]?.asString } == [APIWorld.fast.text, APIWorld.ether.text])
        #expect(test.api.eventStreams == 1 && test.api.webSockets == 0)
        for step: UInt64 in 25..<45 {
            test.api.publish(APIWorld.report(APIWorld.fast, milliseconds: Self.start + step * 100, previous: Self.start + (step - 1) * 100))
            test.api.publish(APIWorld.report(APIWorld.gold, milliseconds: Self.start + step * 100))
        }
        let events = try Self.events(source)
        #expect(events.count == 20 && events.allSatisfy { $0.name == "message" })
        #expect(events.first?.id == "\((Self.start + 2_500) * 1_000_000)")
        source.closed(.gone)
        #expect(test.api.eventStreams == 0)
    }

    @Test("who names the last event gets what followed it, its last second again, and no hole")
    func resumes() throws {
        let test = try TestAPI()
        let last = (Self.start + 1_500) * 1_000_000
        let source = try Self.open(test, lastID: "\(last)")
        let events = try Self.events(source)
        func ids(of feedID: FeedID) -> [String] {
            events.filter { $0.data["feedID"]?.asString == feedID.text }.compactMap(\.id)
        }
        #expect(ids(of: APIWorld.fast) == Self.ids((5...24).map { $0 * 100 }))
        #expect(ids(of: APIWorld.ether) == Self.ids([1_000, 2_000, 5_000, 6_000]))
        // One report covers three seconds there: nothing is missing.
        #expect(!events.contains { $0.name == "gap" })
        let times = events.compactMap { $0.id.flatMap { UInt64($0) } }
        #expect(times == times.sorted())
        test.api.publish(APIWorld.report(APIWorld.fast, milliseconds: Self.start + 2_500, previous: Self.start + 2_400))
        #expect(try Self.events(source).count == 1)
        source.closed(.gone)
    }

    @Test("what the history does not hold, or is too much at once, is told as a gap by its times")
    func beyond() throws {
        let test = try TestAPI()
        // Older than everything that is there.
        let old = try Self.open(test, "/ext/v1/stream?feedIDs=\(APIWorld.fast)", lastID: "\((Self.start - 9_000) * 1_000_000)")
        let events = try Self.events(old)
        #expect(events.first?.name == "gap")
        #expect(events.first?.data["fromNs"]?.asString == "\((Self.start - 8_999) * 1_000_000)")
        #expect(events.first?.data["toNs"]?.asString == "\((Self.start - 1) * 1_000_000)")
        old.closed(.gone)
        for step: UInt64 in 25..<2_500 {
            test.history.add(APIWorld.report(APIWorld.fast, milliseconds: Self.start + step * 100, previous: Self.start + (step - 1) * 100))
        }
        let long = try Self.open(test, "/ext/v1/stream?feedIDs=\(APIWorld.fast)", lastID: "\(Self.start * 1_000_000)")
        let held = try Self.events(long)
        #expect(held.filter { $0.name == "message" }.count == Limits.resumedReportsMaximum + 1, "the newest beside them")
        #expect(held.suffix(2).map(\.name) == ["gap", "message"])
        #expect(held.last?.id == "\((Self.start + 249_900) * 1_000_000)")
        long.closed(.gone)
        // A store that fails takes nothing but the past.
        test.history.fail()
        let broken = try Self.open(test, lastID: "\(Self.start * 1_000_000)")
        #expect(try Self.events(broken).isEmpty)
        broken.closed(.gone)
    }

    @Test("what is published while the history is read comes after it, each report once")
    func meanwhile() throws {
        let hub = PushHub()
        let feed = try Self.feed(APIWorld.fast)
        func report(_ step: UInt64) -> APIReport {
            APIWorld.report(APIWorld.fast, milliseconds: Self.start + step * 100, previous: Self.start + (step - 1) * 100)
        }
        let key = try #require(APIWorld.keys.active(APIWorld.key))
        let source = hub.add(key, [feed], resumed: (Self.start + 100) * 1_000_000) {
            for step: UInt64 in 3...6 { hub.publish(report(step)) }
            return [report(1), report(2), report(3), report(4)]
        } ended: { _, _ in }
        hub.publish(report(7))
        let events = try Self.events(source)
        #expect(events.compactMap(\.id) == Self.ids((1...7).map { $0 * 100 }))
    }

    @Test("the gate refuses as the WebSocket's does, and counts both together")
    func gate() async throws {
        let test = try TestAPI { $0.connectionsPerUser = 2 }
        func status(_ request: HTTPQuestion) -> Int {
            if case .refused(let answer) = test.api.streamGate(request) { answer.status } else { 200 }
        }
        #expect(status(HTTPQuestion(method: "GET", target: Self.both)) == 400)
        #expect(status(APIWorld.signed("GET", Self.both, secret: "wrong")) == 401)
        #expect(status(APIWorld.signed("GET", Self.both, key: "off")) == 401)
        #expect(status(APIWorld.signed("GET", Self.both, at: APIWorld.now - 6_000)) == 400)
        #expect(status(APIWorld.signed("GET", "/ext/v1/stream")) == 400)
        #expect(status(APIWorld.signed("GET", "/ext/v1/stream?feedIDs=\(APIWorld.unknown)")) == 401)
        #expect(status(APIWorld.signed("GET", Self.both, key: "narrow", secret: "other")) == 401, "one feed of two")
        for id in ["x", "-1", "1.5", "18446744073709551616", "99999999999999999999999"] {
            #expect(status(APIWorld.signed("GET", Self.both, more: [.init("Last-Event-ID", id)])) == 400, "\(id)")
        }
        let twice: [HTTPQuestion.Header] = [.init("Last-Event-ID", "1"), .init("last-event-id", "2")]
        #expect(status(APIWorld.signed("GET", Self.both, more: twice)) == 400)
        #expect(test.api.eventStreams == 0)
        let first = try Self.open(test)
        #expect(status(APIWorld.signed("GET", Self.both)) == 200)
        #expect(status(APIWorld.signed("GET", Self.both)) == 429)
        let socket = await test.api.gate(APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(APIWorld.ether)"))
        guard case .refused(let refused) = socket else { return #expect(Bool(false), "one limit for both") }
        #expect(refused.status == 429)
        first.closed(.gone)
        #expect(status(APIWorld.signed("GET", Self.both)) == 200)
        let answer = await test.api.answer(APIWorld.signed("POST", Self.both))
        #expect(answer.status == 405 && answer.headers["allow"] == "GET")
    }

    @Test("a withheld feed has no newest report, is told of by name, and its past can still be asked for")
    func withheld() async throws {
        let test = try TestAPI()
        test.history.withhold([APIWorld.fast])
        let source = try Self.open(test)
        let first = try Self.events(source)
        #expect(first.map(\.name) == ["message", "withheld"])
        #expect(first[0].data["feedID"]?.asString == APIWorld.ether.text)
        #expect(first[1].data == ["feedID": .string(APIWorld.fast.text)])
        let latest = await test.get("/api/v1/reports/latest?feedID=\(APIWorld.fast)")
        #expect(latest.status == 404 && message(latest) == "the feed is withheld by its operator")
        let other = await test.get("/api/v1/reports/latest?feedID=\(APIWorld.ether)")
        #expect(other.status == 200)
        let past = await test.get("/api/v1/reports?feedID=\(APIWorld.fast)&timestamp=\(APIWorld.second)")
        #expect(past.status == 200)
        guard case .accepted(let socket, _) = await test.api.gate(
            APIWorld.signed("GET", "/api/v1/ws?feedIDs=\(APIWorld.fast)", at: APIWorld.now + 3_000))
        else { return #expect(Bool(false), "a good handshake") }
        let isSilent = socket.nextMessage() == nil
        #expect(isSilent, "a compatible WebSocket is told nothing but reports")
        test.history.withhold([])
        test.api.tell(APIWorld.fast, isWithheld: false)
        test.api.tell(APIWorld.gold, isWithheld: true)
        test.api.publish(APIWorld.report(APIWorld.fast, milliseconds: Self.start + 9_000, previous: Self.start + 8_900))
        #expect(try Self.events(source).map(\.name) == ["released", "message"])
        source.closed(.gone)
        socket.closed(.gone)
    }

    // MARK: Over a socket

    private static func run(_ port: Int, _ arguments: [String]) async throws -> JSON {
        let process = Process()
        process.executableURL = PackageRoot.url.appendingPathComponent(".venv/bin/python")
        process.arguments = [
            PackageRoot.url.appendingPathComponent("Tests/EndToEndTests/Python/streams_events.py").path,
            "--url", "http://127.0.0.1:\(port)", "--key", APIWorld.key, "--secret", APIWorld.secret,
            "--feeds", "\(APIWorld.ether),\(APIWorld.fast)",
        ] + arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        // The output is longer than a pipe holds.
        let reading = Task.detached { output.fileHandleForReading.readDataToEndOfFile() }
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let text = await reading.value
        #expect(status == 0, "\(String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))")
        return try JSON.parse(Bytes(text))
    }

    @Test("a bare client reads events, comments and the last words, and goes on where it was", .timeLimit(.minutes(2)))
    func bare() async throws {
        let test = try TestAPI({ $0.push.commentMilliseconds = 100 }, at: nil)
        let port = try await test.api.start()
        let publishing = Task {
            var previous: UInt64?
            while !Task.isCancelled {
                let now = GatewayNode.now() / 1_000_000
                let report = APIWorld.report(APIWorld.fast, milliseconds: now, previous: previous)
                previous = now
                test.history.add(report)
                test.api.publish(report)
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { publishing.cancel() }
        let first = try await Self.run(port, ["--count", "12", "--comments", "2"])
        #expect(first["status"]?.asInt == 200 && first["end"]?.asString == "enough")
        #expect(first["headers"]?["x-cll-available-origins"]?.asString == "{east,west}")
        let seen = first["events"]?.asArray ?? []
        let last = try #require(seen.last { $0["event"]?.asString == "message" }?["id"]?.asString)
        let second = try await Self.run(port, ["--count", "60", "--last-event-id", last])
        let messages = (second["events"]?.asArray ?? []).filter { $0["event"]?.asString == "message" }
        let times = messages.compactMap { $0["id"]?.asString.flatMap { UInt64($0) } }
        #expect(times == times.sorted() && Set(times).count == times.count)
        #expect(times.first.map { $0 <= UInt64(last) ?? 0 } == true, "from the last one on")
        #expect((second["events"]?.asArray ?? []).allSatisfy { $0["event"]?.asString == "message" }, "no gap")

        let refused = try await Self.run(port, ["--last-event-id", "yesterday"])
        #expect(refused["status"]?.asInt == 400)
        #expect(refused["body"]?["message"]?.asString == "Last-Event-ID is no id of this stream")

        // A key that is revoked: the stream says so, and ends whole.
        let flag = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-events-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: flag) }
        let revoking = Task {
            while !FileManager.default.fileExists(atPath: flag), !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(20))
            }
            test.setKeys(APIKeys())
            test.api.keysChanged()
        }
        defer { revoking.cancel() }
        let revoked = try await Self.run(port, ["--flag", flag])
        #expect(revoked["end"]?.asString == "whole")
        let words = revoked["events"]?.asArray?.last
        #expect(words?["event"]?.asString == "close" && words?["data"]?["code"]?.asInt == 4401)
        let after = try await Self.run(port, [])
        #expect(after["status"]?.asInt == 401)
        await test.api.stop()
    }
}
