// The whole C surface of the package: one table of function pointers per instruction set, and one lookup.
#ifndef CSPARSEKERNELS_H
#define CSPARSEKERNELS_H

const char *sk_isa_name(void);

#endif
