internal import CohortCore

extension TaskTemplate {
    var wire: PBTemplate {
        var message = PBTemplate()
        message.name = name
        message.function = function
        if let timeout { message.timeout = timeout.nanoseconds }
        message.retries = retries
        message.backoff = backoff.nanoseconds
        message.shield = shield
        message.output = PBOutputMode(rawValue: Int(output.rawValue)) ?? .tail
        message.spec = spec.data
        return message
    }

    init(wire message: PBTemplate) throws(FrameError) {
        self.init(
            name: message.name,
            function: message.function,
            timeout: message.hasTimeout ? span(message.timeout) : nil,
            retries: message.retries,
            backoff: span(message.backoff),
            shield: message.shield,
            output: try decodeCase("output mode", message.output.rawValue),
            spec: [UInt8](message.spec)
        )
    }
}

extension TaskSubmission {
    var wire: PBSubmit {
        var message = PBSubmit()
        message.group = group.value
        message.first = first
        message.firstTemplate = firstTemplate
        message.templates = templates.map(\.wire)
        message.runs = runs.map {
            var run = PBRun()
            run.template = $0.template
            run.lengths = $0.lengths
            return run
        }
        return message
    }

    init(wire message: PBSubmit, payload: [UInt8]) throws(FrameError) {
        try checkColumns("templates", message.templates.count)
        try checkColumns("runs", message.runs.count)
        var sum = 0
        var runs: [TaskRun] = []
        runs.reserveCapacity(message.runs.count)
        for run in message.runs {
            try checkColumns("a run", run.lengths.count)
            for length in run.lengths { sum += Int(length) }
            runs.append(TaskRun(template: run.template, lengths: run.lengths))
        }
        if sum != payload.count {
            throw FrameError(.malformed, "the tasks' payloads add up to \(sum) bytes, not \(payload.count)")
        }
        var templates: [TaskTemplate] = []
        for template in message.templates { templates.append(try TaskTemplate(wire: template)) }
        self.init(
            group: GroupKey(message.group),
            first: message.first,
            firstTemplate: message.firstTemplate,
            templates: templates,
            runs: runs,
            payload: payload
        )
    }
}

extension AttemptDetail {
    var wire: PBDetail {
        var message = PBDetail()
        message.type = type
        message.message = self.message
        message.trace = trace
        message.command = command
        if let exitCode { message.exitCode = exitCode }
        if let signal { message.signal = signal }
        message.coreDumped = coreDumped
        message.forced = forced
        message.standardOutput = standardOutput.data
        message.standardError = standardError.data
        message.standardOutputBytes = standardOutputBytes
        message.standardErrorBytes = standardErrorBytes
        message.userTime = userTime.nanoseconds
        message.systemTime = systemTime.nanoseconds
        message.maxResidentBytes = maxResidentBytes
        message.tree = tree.data
        if let rest {
            message.restOffset = rest.offset
            message.restStream = rest.runs.map { UInt32($0.stream.rawValue) }
            message.restLength = rest.runs.map(\.length)
            message.rest = rest.bytes.data
        }
        return message
    }

    static func list(wire messages: [PBDetail]) throws(FrameError) -> [AttemptDetail] {
        var details: [AttemptDetail] = []
        details.reserveCapacity(messages.count)
        for message in messages { details.append(try AttemptDetail(wire: message)) }
        return details
    }

    init(wire message: PBDetail) throws(FrameError) {
        self.init()
        type = message.type
        self.message = message.message
        trace = message.trace
        command = message.command
        exitCode = message.hasExitCode ? message.exitCode : nil
        signal = message.hasSignal ? message.signal : nil
        coreDumped = message.coreDumped
        forced = message.forced
        standardOutput = [UInt8](message.standardOutput)
        standardError = [UInt8](message.standardError)
        standardOutputBytes = message.standardOutputBytes
        standardErrorBytes = message.standardErrorBytes
        userTime = span(message.userTime)
        systemTime = span(message.systemTime)
        maxResidentBytes = message.maxResidentBytes
        tree = [UInt8](message.tree)
        rest = try OutputStretch(rest: message)
    }
}

extension OutputStretch {
    /// What a detail says of output that its reader may not have.
    fileprivate init?(rest message: PBDetail) throws(FrameError) {
        try checkColumns("the rest of output", message.restStream.count, message.restLength.count)
        try checkPayload("the rest of output", [UInt8](message.rest), message.restLength)
        guard message.hasRestOffset else { return nil }
        var runs: [Run] = []
        for row in message.restStream.indices {
            let stream = try decodeCase("output stream", Int(message.restStream[row])) as OutputStream
            runs.append(Run(stream: stream, length: message.restLength[row]))
        }
        self.init(offset: message.restOffset, runs: runs, bytes: [UInt8](message.rest))
    }
}
