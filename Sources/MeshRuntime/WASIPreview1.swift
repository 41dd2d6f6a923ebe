/// The functions of WASI preview 1 that a job may import, with their signatures.
///
/// Every function of the interface is here. Those that would change files, open sockets or raise signals
/// answer with an error number; the module can still import them, because toolchains link them in
/// whether a program calls them or not.
public enum WASIPreview1: String, CaseIterable, Sendable {
    case args_get, args_sizes_get, environ_get, environ_sizes_get, clock_res_get, clock_time_get
    case fd_advise, fd_allocate, fd_close, fd_datasync, fd_fdstat_get, fd_fdstat_set_flags
    case fd_fdstat_set_rights, fd_filestat_get, fd_filestat_set_size, fd_filestat_set_times, fd_pread
    case fd_prestat_get, fd_prestat_dir_name, fd_pwrite, fd_read, fd_readdir, fd_renumber, fd_seek
    case fd_sync, fd_tell, fd_write
    case path_create_directory, path_filestat_get, path_filestat_set_times, path_link, path_open
    case path_readlink, path_remove_directory, path_rename, path_symlink, path_unlink_file
    case poll_oneoff, proc_exit, proc_raise, sched_yield, random_get
    case sock_accept, sock_recv, sock_send, sock_shutdown

    /// The module name under which programs import these functions.
    public static let moduleName = "wasi_snapshot_preview1"

    /// The parameters in order, `i` for a 32-bit and `I` for a 64-bit integer.
    public var parameters: String {
        switch self {
        case .sched_yield: ""
        case .fd_close, .fd_datasync, .fd_sync, .proc_exit, .proc_raise: "i"
        case .args_get, .args_sizes_get, .environ_get, .environ_sizes_get, .clock_res_get, .fd_fdstat_get,
            .fd_fdstat_set_flags, .fd_filestat_get, .fd_prestat_get, .fd_renumber, .fd_tell, .random_get,
            .sock_shutdown:
            "ii"
        case .fd_prestat_dir_name, .path_create_directory, .path_remove_directory, .path_unlink_file,
            .sock_accept:
            "iii"
        case .fd_read, .fd_write, .poll_oneoff: "iiii"
        case .path_filestat_get, .path_symlink, .sock_send: "iiiii"
        case .path_readlink, .path_rename, .sock_recv: "iiiiii"
        case .path_link: "iiiiiii"
        case .clock_time_get: "iIi"
        case .fd_advise: "iIIi"
        case .fd_allocate, .fd_fdstat_set_rights: "iII"
        case .fd_filestat_set_size: "iI"
        case .fd_filestat_set_times: "iIIi"
        case .fd_pread, .fd_pwrite, .fd_readdir: "iiiIi"
        case .fd_seek: "iIii"
        case .path_filestat_set_times: "iiiiIIi"
        case .path_open: "iiiiiIIii"
        }
    }

    /// Whether the function returns an error number; `proc_exit` alone returns nothing.
    public var returnsErrorNumber: Bool { self != .proc_exit }
}
