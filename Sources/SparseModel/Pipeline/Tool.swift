/// What this build calls itself in manifests, reports and `sparsify --version`.
public enum Tool {
  /// The name of the tool.
  public static let name = "sparsify"
  /// The version of the package.
  public static let version = "0.1.0"
}
