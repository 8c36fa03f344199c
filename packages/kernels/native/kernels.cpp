// One build of the kernels. Compiled once for each instruction set, with the flags it needs and
// OCTET_AVX512, OCTET_AVX2, OCTET_NEON or none defined; see vec16.h.
#include "attend.h"
#include "combine.h"
#include "encode.h"
#include "exp.h"
#include "kv-store.h"
#include "multiply.h"
#include "rms-norm.h"

#define OCTET_STRING_OF(name) #name
#define OCTET_STRING(name) OCTET_STRING_OF(name)

namespace octet {
namespace OCTET_ISA {

static const KernelTable table = {
    OCTET_STRING(OCTET_ISA), preparedBytes, prepare, prepareEncoded, encode, encodeFinite,
    multiply, siluMultiply, rmsNorm, combine,
    {rotate, storeKey, storeValue, attendOneChunk, mergeAttended, finishAttended},
    softmaxFalling,
};

}  // namespace OCTET_ISA

#if defined(OCTET_AVX512)
const KernelTable& kernelsAvx512() { return avx512::table; }
#elif defined(OCTET_AVX2)
const KernelTable& kernelsAvx2() { return avx2::table; }
#elif defined(OCTET_NEON)
const KernelTable& kernelsNeon() { return neon::table; }
#else
const KernelTable& kernelsPortable() { return portable::table; }
#endif

}  // namespace octet
