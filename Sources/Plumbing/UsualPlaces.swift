/// Where plugins keep things unless a configuration says otherwise, for those as well who look for what
/// has been left there.
public enum UsualPlaces {
  /// What interfaces were like before `tuning` changed them; upstream's, key `dataDir`.
  public static let tuningBackups = "/run/cni/tuning"
}
