// Statuses and bodies of the compatible interface, request by request (8.2 to 8.4 of the price specification).

import Ethereum
import JSONRPC
import PriceStreams
import Testing

@testable import StreamsNode

@Suite("Gateway API: answers")
struct APIHandlerTests {
    static let ether = APIWorld.ether.text, gold = APIWorld.gold.text, fast = APIWorld.fast.text
    static let silent = APIWorld.silent.text, unknown = APIWorld.unknown.text
    static let second = APIWorld.second
    static let many = Array(repeating: ether, count: 101).joined(separator: ",")

    /// Target, status, message of the refusal.
    static let refusals: [(String, Int, String)] = [
        ("/api/v1/reports/latest", 400, "feedID is missing"),
        ("/api/v1/reports/latest?feedID=", 400, "feedID is not 0x and 64 hexadecimal digits"),
        ("/api/v1/reports/latest?feedID=\(ether.dropLast())", 400, "feedID is not 0x and 64 hexadecimal digits"),
        ("/api/v1/reports/latest?feedID=\(ether)0", 400, "feedID is not 0x and 64 hexadecimal digits"),
        ("/api/v1/reports/latest?feedID=\(ether.dropFirst(2))", 400, "feedID is not 0x and 64 hexadecimal digits"),
        ("/api/v1/reports/latest?feedID=0X\(ether.dropFirst(2))", 400, "feedID is not 0x and 64 hexadecimal digits"),
        ("/api/v1/reports/latest?feedID=\(ether)&feedID=\(ether)", 400, "feedID is given 2 times"),
        ("/api/v1/reports/latest?feedid=\(ether)", 400, "feedID is missing"),
        ("/api/v1/reports/latest?feedID=\(unknown)", 401, "no access to feed \(unknown)"),
        ("/api/v1/reports/latest?feedID=\(silent)", 404, "report not found"),
        ("/api/v1/reports?feedID=\(ether)", 400, "timestamp is missing"),
        ("/api/v1/reports?timestamp=\(second)", 400, "feedID is missing"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=", 400, "timestamp is not 1 to 10 decimal digits"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=-1", 400, "timestamp is not 1 to 10 decimal digits"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=1.5", 400, "timestamp is not 1 to 10 decimal digits"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=%2B1", 400, "timestamp is not 1 to 10 decimal digits"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=\(second)000", 400, "timestamp is not 1 to 10 decimal digits"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=1&timestamp=1", 400, "timestamp is given 2 times"),
        ("/api/v1/reports?feedID=\(unknown)&timestamp=\(second)", 401, "no access to feed \(unknown)"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=\(second - 1)", 404, "report not found"),
        ("/api/v1/reports?feedID=\(ether)&timestamp=9999999999", 404, "report not found"),
        ("/api/v1/reports/bulk?timestamp=\(second)", 400, "feedIDs is missing"),
        ("/api/v1/reports/bulk?feedIDs=\(ether)", 400, "timestamp is missing"),
        ("/api/v1/reports/bulk?feedIDs=&timestamp=\(second)", 400, "feedIDs has an empty item"),
        ("/api/v1/reports/bulk?feedIDs=\(ether),&timestamp=\(second)", 400, "feedIDs has an empty item"),
        ("/api/v1/reports/bulk?feedIDs=\(ether)%2C%2C\(gold)&timestamp=1", 400, "feedIDs has an empty item"),
        (
            "/api/v1/reports/bulk?feedIDs=\(ether),x&timestamp=\(second)", 400,
            "feedIDs has an item that is not 0x and 64 hexadecimal digits"
        ),
        ("/api/v1/reports/bulk?feedIDs=\(many)&timestamp=\(second)", 400, "feedIDs has more than 100 items"),
        ("/api/v1/reports/bulk?feedIDs=\(ether),\(unknown)&timestamp=\(second)", 401, "no access to feed \(unknown)"),
        ("/api/v1/reports/page?feedID=\(ether)", 400, "startTimestamp is missing"),
        ("/api/v1/reports/page?startTimestamp=1", 400, "feedID is missing"),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=1&limit=0", 400, "limit is not 1 to 100"),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=1&limit=101", 400, "limit is not 1 to 100"),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=1&limit=ten", 400, "limit is not 1 to 10 decimal digits"),
        ("/api/v1/reports/page?feedID=\(unknown)&startTimestamp=1", 401, "no access to feed \(unknown)"),
        ("/api/v1/ws?feedIDs=\(ether)", 400, "a WebSocket handshake is expected here"),
        ("/ext/v1/reports/range?feedID=\(fast)", 400, "fromNs is missing"),
        ("/ext/v1/reports/range?feedID=\(fast)&fromNs=x", 400, "fromNs is not 1 to 19 decimal digits"),
        ("/ext/v1/reports/range?feedID=\(fast)&fromNs=1&limit=1001", 400, "limit is not 1 to 1000"),
        ("/ext/v1/reports/range?feedID=\(unknown)&fromNs=1", 401, "no access to feed \(unknown)"),
        ("/api/v1/reports/", 404, "not found"), ("/api/v1/report", 404, "not found"), ("/api/v2/feeds", 404, "not found"),
        ("/API/v1/feeds", 404, "not found"), ("//api/v1/feeds", 404, "not found"), ("/favicon.ico", 404, "not found"),
    ]

    @Test("what is wrong with a request decides status and message", arguments: refusals)
    func refused(_ target: String, _ status: Int, _ expected: String) async throws {
        let test = try TestAPI()
        let answer = await test.get(target)
        #expect(answer.status == status)
        #expect(message(answer) == expected)
        #expect(try JSON.parse(answer.body).asObject?.names == ["message"])
        #expect(answer.contentType == "application/json")
    }

    /// Target, status, seconds of the reports in the answer.
    static let lists: [(String, Int, [UInt64])] = [
        ("/api/v1/reports/bulk?feedIDs=\(ether),\(gold)&timestamp=\(second)", 200, [second, second]),
        ("/api/v1/reports/bulk?feedIDs=\(ether)%2C\(gold)&timestamp=\(second + 1)", 200, [second + 1, second + 1]),
        ("/api/v1/reports/bulk?timestamp=\(second)&feedIDs=\(gold)", 200, [second]),
        ("/api/v1/reports/bulk?feedIDs=\(ether),\(gold)&timestamp=\(second + 2)", 206, [second + 2]),
        ("/api/v1/reports/bulk?feedIDs=\(ether),\(silent)&timestamp=\(second)", 206, [second]),
        ("/api/v1/reports/bulk?feedIDs=\(silent)&timestamp=\(second)", 206, []),
        ("/api/v1/reports/bulk?feedIDs=\(ether),\(ether)&timestamp=\(second)", 200, [second]),
        ("/api/v1/reports/bulk?feedIDs=\(ether)&timestamp=9999999999", 206, []),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=\(second)", 200, [0, 1, 2, 5, 6].map { second + $0 }),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=\(second + 3)", 200, [second + 5, second + 6]),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=0&limit=2", 200, [second, second + 1]),
        ("/api/v1/reports/page?limit=1&feedID=\(ether)&startTimestamp=\(second + 1)", 200, [second + 1]),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=\(second + 7)", 200, []),
        ("/api/v1/reports/page?feedID=\(ether)&startTimestamp=9999999999&limit=100", 200, []),
        ("/api/v1/reports/page?feedID=\(silent)&startTimestamp=0", 200, []),
        ("/api/v1/reports/page?feedID=\(fast)&startTimestamp=\(second)&limit=100", 200, [second, second + 1, second + 2]),
        ("/api/v1/reports/page?feedID=\(fast)&startTimestamp=\(second)&limit=2", 200, [second, second + 1]),
    ]

    @Test("lists come in their order, and an empty one is []", arguments: lists)
    func list(_ target: String, _ status: Int, _ seconds: [UInt64]) async throws {
        let test = try TestAPI()
        let answer = await test.get(target)
        #expect(answer.status == status)
        let reports = try #require(try JSON.parse(answer.body)["reports"]?.asArray)
        #expect(reports.map { $0["observationsTimestamp"]?.asInt } == seconds.map { Int($0) })
        if seconds.isEmpty { #expect(text(answer) == #"{"reports":[]}"#) }
    }

    @Test("one report is an object of four members; a private feed serves the last of a second")
    func single() async throws {
        let test = try TestAPI()
        let answer = await test.get("/api/v1/reports/latest?feedID=\(Self.ether)")
        #expect(answer.status == 200)
        let expected = APIWorld.report(APIWorld.ether, milliseconds: (Self.second + 6) * 1_000)
        #expect(answer.body == expected.json.single)
        let json = try #require(try JSON.parse(answer.body)["report"])
        #expect(json.asObject?.names == ["feedID", "validFromTimestamp", "observationsTimestamp", "fullReport"])
        for second in [Self.second + 3, Self.second + 4, Self.second + 5] {
            let covered = await test.get("/api/v1/reports?feedID=\(Self.ether)&timestamp=\(second)")
            let report = try #require(try JSON.parse(covered.body)["report"])
            #expect(report["validFromTimestamp"]?.asInt == Int(Self.second + 3))
            #expect(report["observationsTimestamp"]?.asInt == Int(Self.second + 5))
        }
        let fast = await test.get("/api/v1/reports?feedID=\(Self.fast)&timestamp=\(Self.second)")
        #expect(text(fast).contains(Hex.encode(APIWorld.report(APIWorld.fast, milliseconds: Self.second * 1_000 + 900).fullReport)))
        let shouted = await test.get("/api/v1/reports/latest?feedID=0x\(Self.ether.dropFirst(2).uppercased())")
        #expect(shouted.body == expected.json.single)
        let more = await test.get("/api/v1/reports/latest?x=%zz&feedID=\(Self.ether)&y")
        #expect(more.status == 200)
    }

    @Test("feeds are those of public schemas that the key may read")
    func feeds() async throws {
        let test = try TestAPI()
        let all = try JSON.parse((await test.get("/api/v1/feeds")).body)
        #expect(all["feeds"]?.asArray?.map { $0["feedID"]?.asString } == [
            APIWorld.ether.text, APIWorld.gold.text, APIWorld.fund.text, APIWorld.silent.text,
        ])
        #expect(all["feeds"]?.asArray?.first?["quoteAsset"]?.asString == "USD")
        let narrow = await test.api.answer(APIWorld.signed("GET", "/api/v1/feeds?", key: "narrow", secret: "other", at: APIWorld.now + 1_000))
        #expect(try JSON.parse(narrow.body)["feeds"]?.asArray?.count == 1)
        let denied = await test.api.answer(
            APIWorld.signed("GET", "/api/v1/reports/latest?feedID=\(Self.gold)", key: "narrow", secret: "other", at: APIWorld.now + 1_000))
        let absent = await test.get("/api/v1/reports/latest?feedID=\(Self.unknown)")
        #expect(denied.status == 401 && absent.status == 401)
        #expect(message(denied) == "no access to feed \(Self.gold)")
    }

    @Test("HEAD / is discovery; other methods are refused with those that are allowed")
    func methods() async throws {
        let test = try TestAPI()
        let head = await test.api.answer(APIWorld.signed("HEAD", "/"))
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(await test.api.answer(HTTPQuestion(method: "HEAD", target: "/")).status == 400)
        for (method, target, allowed) in [
            ("POST", "/api/v1/reports/bulk", "GET"), ("HEAD", "/api/v1/feeds", "GET"), ("GET", "/", "HEAD"),
            ("DELETE", "/healthz", "GET, HEAD"), ("OPTIONS", "/api/v1/ws", "GET"),
        ] {
            let answer = await test.api.answer(APIWorld.signed(method, target))
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == allowed)
            #expect(message(answer) == "method not allowed")
        }
    }

    @Test("a storage that fails is our fault, and says nothing of itself")
    func fault() async throws {
        let test = try TestAPI()
        test.history.fail()
        for target in ["/api/v1/reports/latest?feedID=\(Self.ether)", "/api/v1/reports/page?feedID=\(Self.ether)&startTimestamp=1"] {
            let answer = await test.get(target)
            #expect(answer.status == 500)
            #expect(message(answer) == "internal error")
        }
    }

    @Test("the extension gives nanoseconds as text, and a cursor that ends")
    func range() async throws {
        let test = try TestAPI()
        var from = "\(Self.second * 1_000_000_000)"
        var seen: [String] = []
        for _ in 0..<4 {
            let answer = await test.get("/ext/v1/reports/range?feedID=\(Self.fast)&fromNs=\(from)&limit=10")
            let json = try JSON.parse(answer.body)
            seen += try #require(json["reports"]?.asArray).compactMap { $0["observationsNs"]?.asString }
            guard let next = json["nextNs"]?.asString else { break }
            from = next
        }
        #expect(seen == (0..<25).map { String((Self.second * 1_000 + $0 * 100) * 1_000_000) })
        let bounded = await test.get(
            "/ext/v1/reports/range?feedID=\(Self.fast)&fromNs=\(seen[3])&toNs=\(seen[5])")
        #expect(try JSON.parse(bounded.body)["reports"]?.asArray?.count == 3)
    }

    @Test("metadata, the DON and the condition are open to everybody")
    func open() async throws {
        let test = try TestAPI()
        func ask(_ target: String) async -> HTTPAnswer { await test.api.answer(HTTPQuestion(method: "GET", target: target)) }
        let feeds = try JSON.parse((await ask("/ext/v1/feeds")).body)["feeds"]?.asArray
        #expect(feeds?.count == 5)
        #expect(feeds?[2]["headerResolution"]?.asString == "ms")
        let don = try JSON.parse((await ask("/ext/v1/don")).body)["configurations"]?.asArray
        #expect(don?.first?["signers"]?.asArray?.count == 4)
        #expect(don?.first?["faulty"]?.asInt == 1)
        #expect(text(await ask("/healthz")) == "ok\n")
        #expect(await ask("/readyz").status == 200)
        test.setTrouble(["1 of 4 oracles are connected"])
        let unready = await ask("/readyz")
        #expect(unready.status == 503 && text(unready) == "1 of 4 oracles are connected\n")
        #expect(text(await ask("/metrics")).contains("causeway_gateway_api_answers_total{status=\"200\"}"))
    }

    @Test("every answer names the origins, and the server's own refusals have a body that clients show")
    func finished() {
        let plain = GatewayAPI.finished(.text("the request target is too long\n", status: 414), origins: "{a,b}")
        #expect(plain.status == 400)
        #expect(message(plain) == "the request target is too long")
        #expect(GatewayAPI.finished(.text("no\n", status: 431), origins: "{a}").status == 400)
        #expect(GatewayAPI.finished(.text("no\n", status: 408), origins: "{a}").status == 408)
        #expect(plain.headers["x-cll-available-origins"] == "{a,b}")
        let limited = GatewayAPI.finished(APIRefusal.limited("slow down", retryAfterSeconds: 1).answer, origins: "{a}")
        #expect(limited.headers == ["retry-after": "1", "x-cll-available-origins": "{a}"])
        let ready = GatewayAPI.finished(.text("why\n", status: 503), origins: "{a}")
        #expect(text(ready) == "why\n")
    }

    @Test("targets are decoded as forms are, and a broken escape fits no rule")
    func targets() {
        #expect(APITarget("/a?x=1&y=a%2Cb+c&z&=q&&").parameters.map { "\($0.name)=\($0.value)" } == [
            "x=1", "y=a,b c", "z=", "=q",
        ])
        #expect(APITarget("/a?x=%2").parameters.first?.value == "%2")
        #expect(APITarget("/a?x=%fF").parameters.first?.value == "%fF")
        #expect(APITarget("/a?x=?&y=a=b").parameters.map(\.value) == ["?", "a=b"])
        #expect(APITarget("").path == "" && APITarget("?x=1").path == "")
        #expect(APITarget("/a?").parameters.isEmpty)
    }
}
