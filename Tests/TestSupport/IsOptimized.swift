/// Whether the C kernels and the references are compiled for speed, so that tests can take real sizes.
package let isOptimized: Bool = {
  #if DEBUG
    false
  #else
    true
  #endif
}()
