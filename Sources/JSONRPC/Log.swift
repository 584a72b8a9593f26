// The keys of this room's structured log lines. Bodies, keys and full endpoint addresses are never logged.

enum LogKey {
    static let endpoint = "endpoint"
    static let reason = "reason"
    static let address = "address"
    static let method = "method"
}
