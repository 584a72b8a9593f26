// Small values by name, for what deserves no table of its own.

import Ethereum
import GRDB

extension Store {
    package func value(_ key: String) throws(StorageError) -> Bytes? {
        try read { database in
            try Row.fetchOne(database, sql: "SELECT value FROM item WHERE key = ?", arguments: [key]).map {
                try Columns(row: $0).bytes("value")
            }
        }
    }

    /// At most `Limits.valueBytesMaximum` bytes.
    package func setValue(_ key: String, _ value: Bytes) throws(StorageError) {
        try checkSize(value, maximum: Limits.valueBytesMaximum, of: "the value of \(key)")
        try write { database in
            try database.execute(
                sql: "INSERT INTO item VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                arguments: [key, value.column])
        }
    }

    package func removeValue(_ key: String) throws(StorageError) {
        try write { try $0.execute(sql: "DELETE FROM item WHERE key = ?", arguments: [key]) }
    }
}
