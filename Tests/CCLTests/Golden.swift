internal import MeshTestSupport

/// The files beside these tests.
let goldenFiles = GoldenFiles(ending: ".ccl")
