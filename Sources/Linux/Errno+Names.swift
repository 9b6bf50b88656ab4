internal import Glibc

// The numbers this house decides on, under names that can be read aloud.
extension Errno {
  /// The caller lacks a privilege: `EPERM`.
  public static let notPermitted = Errno(rawValue: EPERM)
  /// There is no such file: `ENOENT`.
  public static let noEntry = Errno(rawValue: ENOENT)
  /// There is no such process, route or policy: `ESRCH`.
  public static let noProcess = Errno(rawValue: ESRCH)
  /// A signal came first: `EINTR`.
  public static let interrupted = Errno(rawValue: EINTR)
  /// The device failed: `EIO`.
  public static let inputOutput = Errno(rawValue: EIO)
  /// There is no such device or address: `ENXIO`.
  public static let noDeviceOrAddress = Errno(rawValue: ENXIO)
  /// The file is no program: `ENOEXEC`.
  public static let notExecutable = Errno(rawValue: ENOEXEC)
  /// The descriptor is not open: `EBADF`.
  public static let badDescriptor = Errno(rawValue: EBADF)
  /// Nothing there now, ask again: `EAGAIN`.
  public static let tryAgain = Errno(rawValue: EAGAIN)
  /// No memory: `ENOMEM`.
  public static let noMemory = Errno(rawValue: ENOMEM)
  /// The file's mode or a policy forbids it: `EACCES`.
  public static let accessDenied = Errno(rawValue: EACCES)
  /// Somebody uses it: `EBUSY`.
  public static let busy = Errno(rawValue: EBUSY)
  /// It is there already: `EEXIST`.
  public static let exists = Errno(rawValue: EEXIST)
  /// There is no such device: `ENODEV`.
  public static let noDevice = Errno(rawValue: ENODEV)
  /// A part of the path is no directory: `ENOTDIR`.
  public static let notDirectory = Errno(rawValue: ENOTDIR)
  /// It is a directory: `EISDIR`.
  public static let isDirectory = Errno(rawValue: EISDIR)
  /// The kernel refuses the argument: `EINVAL`.
  public static let invalid = Errno(rawValue: EINVAL)
  /// The program is being written: `ETXTBSY`.
  public static let textFileBusy = Errno(rawValue: ETXTBSY)
  /// More bytes than the limit allows: `EFBIG`.
  public static let fileTooBig = Errno(rawValue: EFBIG)
  /// No room on the device: `ENOSPC`.
  public static let noSpace = Errno(rawValue: ENOSPC)
  /// The file system is read-only: `EROFS`.
  public static let readOnly = Errno(rawValue: EROFS)
  /// Nobody reads at the other end: `EPIPE`.
  public static let brokenPipe = Errno(rawValue: EPIPE)
  /// A number lies outside what is allowed: `ERANGE`.
  public static let outOfRange = Errno(rawValue: ERANGE)
  /// The name is too long: `ENAMETOOLONG`.
  public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
  /// The kernel lacks this call: `ENOSYS`.
  public static let notImplemented = Errno(rawValue: ENOSYS)
  /// The directory is not empty: `ENOTEMPTY`.
  public static let notEmpty = Errno(rawValue: ENOTEMPTY)
  /// A symbolic link stands where none may: `ELOOP`.
  public static let link = Errno(rawValue: ELOOP)
  /// The peer broke the protocol: `EPROTO`.
  public static let protocolBroken = Errno(rawValue: EPROTO)
  /// The message is bad: `EBADMSG`.
  public static let badMessage = Errno(rawValue: EBADMSG)
  /// The message is too long: `EMSGSIZE`.
  public static let messageTooLong = Errno(rawValue: EMSGSIZE)
  /// The protocol is not there: `EPROTONOSUPPORT`.
  public static let protocolNotSupported = Errno(rawValue: EPROTONOSUPPORT)
  /// The kernel or file system lacks this: `EOPNOTSUPP`.
  public static let notSupported = Errno(rawValue: EOPNOTSUPP)
  /// The kernel does not know this option of the protocol: `ENOPROTOOPT`.
  public static let protocolOptionNotAvailable = Errno(rawValue: ENOPROTOOPT)
  /// The address family is not there: `EAFNOSUPPORT`.
  public static let familyNotSupported = Errno(rawValue: EAFNOSUPPORT)
  /// The address is taken: `EADDRINUSE`.
  public static let addressInUse = Errno(rawValue: EADDRINUSE)
  /// The address is not one of ours: `EADDRNOTAVAIL`.
  public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
  /// The network is down: `ENETDOWN`.
  public static let networkDown = Errno(rawValue: ENETDOWN)
  /// No route leads there: `ENETUNREACH`.
  public static let networkUnreachable = Errno(rawValue: ENETUNREACH)
  /// The socket's buffer ran over: `ENOBUFS`.
  public static let noBuffers = Errno(rawValue: ENOBUFS)
  /// The user's share of the disk is used up: `EDQUOT`.
  public static let quotaExceeded = Errno(rawValue: EDQUOT)
  /// The time is up: `ETIMEDOUT`.
  public static let timedOut = Errno(rawValue: ETIMEDOUT)
  /// Somebody changed it meanwhile: `ESTALE`.
  public static let stale = Errno(rawValue: ESTALE)
  /// To be begun again: `ERESTART`.
  public static let restart = Errno(rawValue: ERESTART)
  /// Begun, and not done yet: `EINPROGRESS`.
  public static let inProgress = Errno(rawValue: EINPROGRESS)
  /// The other end gave up before it was its turn: `ECONNABORTED`.
  public static let connectionAborted = Errno(rawValue: ECONNABORTED)
  /// Nobody listens there: `ECONNREFUSED`.
  public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
  /// Called off: `ECANCELED`.
  public static let cancelled = Errno(rawValue: ECANCELED)
}
