// Quantised activations as `multiply` reads them: the same bytes in every build.
#pragma once

#include "kernel-table.h"

namespace octet {

// 32 activations that share a scale. A prepared row of a quantised format is width / 32 of these.
struct QuantBlock {
  int8_t quants[quantBlockSize];
  // Stored weights are unsigned, so each product is too large by bias × quant; this takes it back
  // out of a block's dot product, exactly: -bias × Σ quants.
  int32_t correction;
  float scale;
};
static_assert(sizeof(QuantBlock) == 40, "blocks lie without gaps");

// What a stored weight has to be lowered by to become its quant.
inline int32_t weightBias(Format format) { return format == Format::q4 ? 8 : 128; }

}  // namespace octet
