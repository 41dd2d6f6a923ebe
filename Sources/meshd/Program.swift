internal import WasmRuntime

@main
enum Program {
    static func main() {
        WasmWorker.runIfRequested()
    }
}
