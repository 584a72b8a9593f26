// What can go wrong with values, channels, observations, outcomes and codecs, by name.

extension PriceStreamsError.Code {
    package static let badDecimal = Self(rawValue: "badDecimal")
    package static let badConfiguration = Self(rawValue: "badConfiguration")
    package static let badRules = Self(rawValue: "badRules")
    package static let badExpression = Self(rawValue: "badExpression")
    /// A channel definition file or one definition of it.
    package static let badDefinition = Self(rawValue: "badDefinition")
    package static let badOptions = Self(rawValue: "badOptions")
    /// Two channels under one feed id.
    package static let feedIDTwice = Self(rawValue: "feedIDTwice")
    /// Two calculated streams of one id, or one that is observed too.
    package static let calculatedStreamTwice = Self(rawValue: "calculatedStreamTwice")
    package static let malformedObservation = Self(rawValue: "malformedObservation")
    package static let malformedOutcome = Self(rawValue: "malformedOutcome")
    package static let malformedLabel = Self(rawValue: "malformedLabel")
    package static let tooFewObservations = Self(rawValue: "tooFewObservations")
    package static let tooLarge = Self(rawValue: "tooLarge")
    package static let unaskedRetirement = Self(rawValue: "unaskedRetirement")
    package static let badRetirementReport = Self(rawValue: "badRetirementReport")
    /// A value that a codec needs and the round did not agree on.
    package static let missingValue = Self(rawValue: "missingValue")
    /// A value of a kind that the codec cannot write.
    package static let wrongValueKind = Self(rawValue: "wrongValueKind")
    package static let valueOutOfRange = Self(rawValue: "valueOutOfRange")
    package static let timestampOutOfRange = Self(rawValue: "timestampOutOfRange")
    package static let badSolidityType = Self(rawValue: "badSolidityType")
    /// A staging instance makes no report of this format.
    package static let specimenRefused = Self(rawValue: "specimenRefused")
    package static let unsupportedFormat = Self(rawValue: "unsupportedFormat")
}
