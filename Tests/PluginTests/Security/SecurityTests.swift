import TestSupport
import Testing

/// What has broken the networks of pods before, here or elsewhere, tried on ours.
///
/// Each test bears the number of the flaw, or of the case in the catalogue of `reliability.md`, so
/// that the names of this suite read as a list. More of it stands where the labs for it are: forged
/// tunnels with the flat network, external addresses with services, damaged streams with the program
/// under hostile input, dhcp's socket with dhcp.
@Suite("What has broken pod networks before", .needsRoot)
struct SecurityTests {}
