// Report codecs, fees, integers and channel hashes against the vectors.

import Ethereum
import TestSupport
import Testing

@testable import PriceStreams

@Suite("Codecs against the vectors")
struct CodecVectorTests {
    static let digest = Hash32(U256(7))

    static func channel(_ vector: JSON) throws -> Channel {
        let format = ReportFormat(rawValue: try vector.u32("reportFormat"))
        let options = try vector.at("opts")
        let count: Int
        switch format {
        case .premiumLegacy: count = 3
        case .unpackedExpression: count = 7
        default: count = 2 + (try options.items("abi").count)
        }
        let streams = (1...count).map {
            AggregateKey(StreamID(UInt32($0)), format == .premiumLegacy && $0 == 3 ? .quote : .median)
        }
        let definition = try ChannelDefinition(format: format, streams: streams, options: options.sortedByName.bytes)
        return try Channel(ChannelID(7), definition)
    }

    static func input(_ vector: JSON, _ channel: Channel) throws -> ReportInput {
        let input = try vector.at("input")
        func price(_ name: String) throws -> StreamValue? {
            let value = try input.at(name)
            return value.isNull ? nil : try value.streamValue()
        }
        var values = [try price("nativePrice"), try price("linkPrice")]
        if let quote = input["quote"] {
            func side(_ name: String) throws -> Decimal { try Decimal(text: quote.text(name)) }
            values.append(
                .quote(StreamQuote(bid: try side("bid"), benchmark: try side("benchmark"), ask: try side("ask"))))
        } else {
            let payload = try input.items("values").map { try $0.streamValue() }
            // Observed streams of an expression channel are not encoded; only the calculated values at the end are.
            values += [StreamValue?](repeating: nil, count: channel.values.count - 2 - payload.count) + payload
        }
        return ReportInput(
            channelID: channel.id, validAfterNanoseconds: try input.u64("validAfterNanoseconds"),
            observationTimestampNanoseconds: try input.u64("observationTimestampNanoseconds"), values: values,
            sequenceNumber: 1, configurationDigest: digest)
    }

    @Test("16 cases give the report byte for byte; a staging instance gives none of them")
    func cases() throws {
        let vectors = try StreamsVector.group("lloCodecs").items("cases")
        #expect(vectors.count == 16)
        var formats: [UInt32: Int] = [:]
        for vector in vectors {
            let name = try vector.text("name")
            let channel = try Self.channel(vector)
            var input = try Self.input(vector, channel)
            #expect(try channel.report(input) == vector.bytes("report"), "\(name)")
            if let size = vector["reportBytes"]?.asInt { #expect(try channel.report(input).count == size) }
            input.isSpecimen = true
            #expect(throws: PriceStreamsError.self) { try channel.report(input) }
            input.isSpecimen = false
            input.values[input.values.count - 1] = nil
            #expect(throws: PriceStreamsError.self, "\(name) without its last value") { try channel.report(input) }
            formats[channel.definition.format.rawValue, default: 0] += 1
        }
        #expect(formats == [1: 7, 4: 8, 7: 1])
    }

    @Test("the expressions of the format 7 case give the values that stand in it")
    func expressions() throws {
        let vectors = try StreamsVector.group("lloCodecs").items("cases")
        let vector = try #require(vectors.first { $0["reportFormat"]?.asInt == 7 })
        let channel = try Self.channel(vector)
        let time = StreamValue.timestamped(
            TimestampedDecimal(observedAtNanoseconds: 1_767_225_599_999_999_999, value: .one))
        let observed: [UInt32: StreamValue] = [
            1: .decimal(try Decimal(text: "431.2")), 2: .decimal(try Decimal(text: "431.3")), 3: time,
            4: .decimal(Decimal(300)), 5: .decimal(Decimal(450)), 6: .decimal(try Decimal(text: "431.24")),
            7: .decimal(Decimal(2)),
        ]
        let values = channel.options.calculated.map { $0.expression.value { observed[$0.rawValue] } }
        let expected = try vector.at("input").items("values").map { try Decimal(text: try #require($0.asString)) }
        #expect(values == expected.map(Optional.init) && values.count == 8)
    }

    @Test("11 fees, rounded half away from zero at 18 places")
    func fees() throws {
        let vectors = try StreamsVector.group("lloCodecs").items("feeCalculation")
        #expect(vectors.count == 11)
        for vector in vectors {
            let fee = try Fee.amount(
                tokenPrice: try Decimal(text: vector.text("tokenPriceUSD")),
                baseUSDFee: try Decimal(text: vector.text("baseUSDFee")))
            #expect(try fee == vector.word("fee"), "\(vector)")
        }
        #expect(try Fee.amount(tokenPrice: nil, baseUSDFee: .one) == .zero)
        #expect(throws: PriceStreamsError.self) {
            try Fee.amount(tokenPrice: try Decimal(text: "1e-60"), baseUSDFee: .one)
        }
    }

    @Test("11 integers padded and packed, 7 refused")
    func integers() throws {
        let group = try StreamsVector.group("lloCodecs")
        let vectors = try group.items("abiIntegers")
        #expect(vectors.count == 11)
        for vector in vectors {
            let type = try SolidityInteger(vector.text("type"))
            let word = try type.word(try Decimal(text: vector.text("value")), times: .one)
            #expect(try word.bytes == vector.bytes("padded"), "\(vector)")
            #expect(try Bytes(type.packed(word)) == vector.bytes("packed"), "\(vector)")
        }
        let errors = try group.items("abiIntegerErrors")
        #expect(errors.count == 7)
        for vector in errors {
            #expect(throws: PriceStreamsError.self, "\(vector)") {
                try SolidityInteger(vector.text("type")).word(try Decimal(text: vector.text("value")), times: .one)
            }
        }
        #expect(throws: PriceStreamsError.self) { try SolidityInteger("bytes0") }
        #expect(try SolidityInteger("bytes0", allowsNothing: true).packed(.max).isEmpty)
    }

    @Test("2 streamlined reports and what is signed of them")
    func streamlined() throws {
        let vectors = try StreamsVector.group("lloCodecs").items("streamlined")
        #expect(vectors.count == 2)
        for vector in vectors {
            let values = try vector.items("values")
            var options: JSON = ["abi": .array(try values.map { ["type": .string(try $0.text("type"))] })]
            if let feed = vector["feedId"]?.asString {
                options = ["abi": try options.at("abi"), "feedID": .string(feed)]
            }
            let streams = values.indices.map { AggregateKey(StreamID(UInt32($0 + 1)), .median) }
            let definition = try ChannelDefinition(format: .streamlined, streams: streams, options: options.bytes)
            let channel = try Channel(ChannelID(try vector.u32("channelId")), definition)
            let report = try channel.report(
                ReportInput(
                    channelID: channel.id, validAfterNanoseconds: try vector.u64("validAfterNanoseconds"),
                    observationTimestampNanoseconds: try vector.u64("validAfterNanoseconds") + 1,
                    values: try values.map { .decimal(try Decimal(text: $0.text("value"))) }, sequenceNumber: 1,
                    configurationDigest: Self.digest))
            #expect(try report == vector.bytes("report"))
            let digest = try vector.hash("configDigest")
            #expect(try streamlinedDigest(report: report, configurationDigest: digest) == vector.hash("signingDigest"))
        }
    }

    @Test("JSON and retirement reports are spelled as the signed vectors are")
    func json() throws {
        let vectors = try StreamsVector.list("sign3")
        let retirement = try #require(vectors.first { $0["name"]?.asString == "retirement_report_json" })
        let text = try retirement.text("reportUtf8")
        let parsed = try RetirementReport(encoded: Bytes(text.utf8))
        #expect(parsed.encoded == Bytes(text.utf8) && parsed.validAfter.map(\.channelID.rawValue) == [1, 2, 10])
        let json = try #require(vectors.first { $0["name"]?.asString == "json_report_format" })
        let definition = try ChannelDefinition(
            format: .json, streams: [AggregateKey(StreamID(1), .median)], options: [])
        let report = try Channel(ChannelID(7), definition).report(
            ReportInput(
                channelID: ChannelID(7), validAfterNanoseconds: 1, observationTimestampNanoseconds: 2,
                values: [.decimal(try Decimal(text: "1.5"))], sequenceNumber: try json.u64("seqNr"),
                configurationDigest: try json.hash("configDigest")))
        #expect(try report == Bytes(json.text("reportUtf8").utf8))
    }
}

@Suite("Channels and time against the vectors")
struct ChannelVectorTests {
    @Test("3 channel hashes of upstream; ours differs, and binds three fields more")
    func hashes() throws {
        let vectors = try StreamsVector.list("channelHash")
        #expect(vectors.count == 3)
        for vector in vectors {
            let streams = try vector.items("streams").map {
                AggregateKey(
                    StreamID(try $0.u32("streamId")), try #require(Aggregator(rawValue: try $0.u32("aggregator"))))
            }
            let id = ChannelID(try vector.u32("channelId"))
            let options = Bytes(try vector.text("optsUtf8").utf8)
            func definition(_ tombstone: Bool, _ source: UInt32, _ nils: Bool) throws -> ChannelDefinition {
                try ChannelDefinition(
                    format: ReportFormat(rawValue: try vector.u32("reportFormat")), streams: streams, options: options,
                    source: source, isTombstone: tombstone, disablesNilValues: nils)
            }
            let variants = [
                try definition(false, 0, false), try definition(true, 0, false), try definition(false, 1, false),
                try definition(false, 0, true),
            ]
            for variant in variants { #expect(try variant.upstreamHash(id) == vector.hash("sha256")) }
            #expect(Set(variants.map { $0.voteHash(id) }).count == 4)
        }
    }

    @Test("10 cases of reportability; the one that upstream leaves unguarded is guarded")
    func reportability() throws {
        let vectors = try StreamsVector.list("reportability")
        #expect(vectors.count == 10)
        var corrected: [String] = []
        for vector in vectors {
            let name = try vector.text("name")
            let found = Reportability.isDue(
                validAfterNanoseconds: try vector.u64("validAfterNanoseconds"),
                observationTimestampNanoseconds: try vector.u64("observationTimestampNanoseconds"),
                resolution: try #require(TimeResolution(rawValue: try vector.text("timeResolution"))),
                protocolVersion: try vector.u32("protocolVersion"),
                reportIntervalNanoseconds: try vector.u64("minReportIntervalNanoseconds"))
            let expected = try #require(vector["reportable"]?.asBool as Bool?)
            if found != expected { corrected.append(name) }
        }
        #expect(corrected == ["pv1 expr seconds, same second (NOT guarded upstream)"])
    }
}
