// How our words stand in columns, both ways.

import Ethereum
import Foundation
import GRDB

extension UInt64 {
    /// Eight big-endian bytes: sorts like the number.
    var column: Data { Data(Bytes(bigEndian: self)) }
}

extension Hash32 {
    var column: Data { Data(bytes) }
}

extension [UInt8] {
    var column: Data { Data(self) }
}

/// A row whose columns are read strictly: a wrong width is damage.
struct Columns {
    let row: Row

    func bytes(_ name: String) throws -> Bytes {
        guard let data = row[name] as Data? else { throw damaged(name) }
        return Bytes(data)
    }

    func hash(_ name: String) throws -> Hash32 {
        guard let hash = Hash32(bytes: try bytes(name)) else { throw damaged(name) }
        return hash
    }

    func number(_ name: String) throws -> UInt64 {
        let bytes = try bytes(name)
        guard bytes.count == 8, let number = UInt64(bigEndianBytes: bytes) else { throw damaged(name) }
        return number
    }

    /// A small count or time.
    func small(_ name: String) throws -> UInt64 {
        guard let number = row[name] as Int64?, number >= 0 else { throw damaged(name) }
        return UInt64(number)
    }

    func text(_ name: String) throws -> String {
        guard let text = row[name] as String? else { throw damaged(name) }
        return text
    }

    private func damaged(_ name: String) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_CORRUPT, message: "column \(name) does not hold what it should")
    }
}

extension UInt64 {
    /// For INTEGER columns: times and counts; saturates, since no such value comes near.
    var small: Int64 { Int64(clamping: self) }
}
