#include "CSparseKernels.h"

const char *sk_isa_name(void) { return "scalar"; }
