/// The variables of a `for_each` and their values, in the order of the file.
struct ForEach {
    /// One value, in the forms in which it is put in.
    struct Value {
        var text: String
        /// `text` as one word of the shell.
        var quoted: String
        /// As JSON, with the type it has in the file.
        var json: [UInt8]

        init(text: String, json: [UInt8]? = nil) {
            self.text = text
            self.quoted = ShellQuote.quote(text)
            self.json = json ?? JSONText.string(text.utf8)
        }
    }

    var names: [String] = []
    /// One list a variable, none of them empty.
    var values: [[Value]] = []

    /// How many combinations there are, `nil` if more than an `Int` counts.
    var count: Int? {
        var product = 1
        for list in values {
            let (next, overflow) = product.multipliedReportingOverflow(by: list.count)
            if overflow { return nil }
            product = next
        }
        return product
    }

    /// The combination with a number from 0: the first variable varies slowest.
    func combination(_ number: Int) -> [Value] {
        var rest = number
        var result: [Value] = []
        result.reserveCapacity(values.count)
        for list in values.reversed() {
            result.append(list[rest % list.count])
            rest /= list.count
        }
        result.reverse()
        return result
    }

    /// `a=1,b=2`, to tell the tasks of an expansion apart.
    func label(_ combination: [Value]) -> String {
        var label = ""
        for (name, value) in zip(names, combination) {
            if !label.isEmpty { label += "," }
            label += "\(name)=\(value.text)"
        }
        return label
    }
}
