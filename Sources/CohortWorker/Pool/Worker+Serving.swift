extension Worker {
    /// Serves if this process is one that a pool of the program's own has started, and never returns then; anywhere else it
    /// returns at once.
    ///
    /// ``withPool(slots:_:)`` does this by itself. Programs that open several pools, or have something to do before the first,
    /// call it at the start of main.
    public func serveIfStarted() async {
        if let descriptor = CallHostMain.descriptor {
            await CallHostMain.run(functions, descriptor)
        }
        if let membership = PoolMembership.inherited() { membership.serve(functions) }
    }
}
