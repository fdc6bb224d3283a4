// Functions, groups and handles are words of the client library that every worker program speaks as well.
@_exported public import Cohort
