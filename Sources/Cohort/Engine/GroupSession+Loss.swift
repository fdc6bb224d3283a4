extension GroupSession {
    /// Why there is no connection any more; `nil` while there is one.
    package var loss: PoolError? { ledger.loss }
}
