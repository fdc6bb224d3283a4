internal import FoundationEssentials
internal import GRDB

/// Strikes a state file at random.
enum Damage {
    /// Knuth's multiplier, with the upper bits: the same damage in every run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let high = state >> 32
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return high << 32 | state >> 32
        }
    }

    private static let tables: [(name: String, keys: [String], blobs: [String])] = [
        ("counters", ["id"], ["record"]), ("clients", ["token"], ["record"]),
        ("joins", ["token", "key"], ["record"]), ("workers", ["number"], ["record"]),
        ("groups", ["id"], ["record"]), ("submissions", ["group_id", "first"], ["record", "payload"]),
        ("tasks", ["group_id", "number"], ["record"]), ("failures", ["group_id", "number"], ["record"]),
        ("ends", ["sequence", "head"], ["record", "value"]),
        ("closings", ["sequence", "head"], ["record"]),
    ]

    /// Changes something.
    ///
    /// - Returns: what, for people.
    static func strike(_ db: Database, _ generator: inout Generator) throws -> String {
        let (table, keys, blobs) = tables[Int.random(in: tables.indices, using: &generator)]
        let list = keys.joined(separator: ", ")
        let rows = try Row.fetchAll(db, sql: "SELECT \(list) FROM \(table) ORDER BY \(list)")
        guard let row = rows.randomElement(using: &generator), let other = rows.randomElement(using: &generator) else {
            return "nothing"
        }
        func values(_ row: Row) -> [Int64] { keys.indices.map { row[$0] } }
        let place = keys.map { "\($0) = ?" }.joined(separator: " AND ")
        let blob = blobs[Int.random(in: blobs.indices, using: &generator)]
        let name = "\(table) \(values(row))"
        switch Int.random(in: 0..<8, using: &generator) {
        case 0:
            try db.execute(sql: "DELETE FROM \(table) WHERE \(place)", arguments: StatementArguments(values(row)))
            return "no \(name)"
        case 1:
            let key = keys[Int.random(in: keys.indices, using: &generator)]
            let number = Int64.random(in: 0...9, using: &generator)
            try db.execute(
                sql: "UPDATE OR IGNORE \(table) SET \(key) = ? WHERE \(place)",
                arguments: StatementArguments([number] + values(row))
            )
            return "\(key) of \(name) is \(number)"
        case 2:
            let source = "(SELECT \(blob) FROM \(table) WHERE \(place))"
            try db.execute(
                sql: "UPDATE \(table) SET \(blob) = \(source) WHERE \(place)",
                arguments: StatementArguments(values(other) + values(row))
            )
            return "\(blob) of \(name) is that of \(values(other))"
        case 3:
            let columns = (keys.dropFirst() + blobs).joined(separator: ", ")
            let number = Int64.random(in: 0...20, using: &generator)
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO \(table) (\(keys[0]), \(columns))
                    SELECT ?, \(columns) FROM \(table) WHERE \(place)
                    """,
                arguments: StatementArguments([number] + values(row))
            )
            return "\(name) once more as \(number)"
        case 4:
            try db.execute(
                sql: "UPDATE \(table) SET \(blob) = ? WHERE \(place)",
                arguments: StatementArguments([Int64.random(in: 0...99, using: &generator)] + values(row))
            )
            return "\(blob) of \(name) is a number"
        default:
            return try strike(blob, of: table, place, values(row), db, &generator) + " of \(name)"
        }
    }

    private static func strike(
        _ blob: String,
        of table: String,
        _ place: String,
        _ key: [Int64],
        _ db: Database,
        _ generator: inout Generator
    ) throws -> String {
        let sql = "SELECT \(blob) FROM \(table) WHERE \(place)"
        var bytes = try Data.fetchOne(db, sql: sql, arguments: StatementArguments(key)).map { Array($0) } ?? []
        let index = bytes.isEmpty ? 0 : Int.random(in: bytes.indices, using: &generator)
        let before = bytes
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes.insert(UInt8.random(in: 0...3, using: &generator), at: index)
        case 1 where !bytes.isEmpty: bytes.remove(at: index)
        case 2 where !bytes.isEmpty: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 3 where !bytes.isEmpty: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        // A number as large as can be written.
        case 4 where !bytes.isEmpty:
            bytes.replaceSubrange(index...index, with: [UInt8](repeating: 0xff, count: 4) + [0x0f])
        default: if !bytes.isEmpty { bytes[index] = UInt8.random(in: 0...7, using: &generator) }
        }
        let values: [any DatabaseValueConvertible] = [Data(bytes)] + key
        try db.execute(sql: "UPDATE \(table) SET \(blob) = ? WHERE \(place)", arguments: StatementArguments(values))
        return "\(blob) \(before) is \(bytes)"
    }
}
