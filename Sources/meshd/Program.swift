internal import Glibc
internal import MeshDaemon
internal import WasmRuntime

@main
enum Program {
    static func main() {
        WasmWorker.runIfRequested()
        exit(DaemonProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
