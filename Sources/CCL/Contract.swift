/// The language's front door: text in, module out.
///
/// ```swift
/// let compilation = Contract.compile(Array(text.utf8))
/// for diagnostic in compilation.diagnostics { print(diagnostic.rendered(source: text, name: "budget.ccl")) }
/// ```
///
/// Everything here is a pure function of the bytes: the same source gives the same module, byte by byte.
public enum Contract {}
